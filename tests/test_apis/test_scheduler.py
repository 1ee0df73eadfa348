"""Commands that need each other: their order, what a failure stops, and what ends with the scheduler."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmdualhand.apis.experiments import machine
from mmdualhand.apis.experiments.scheduler import Outcome, Task, Watcher, order, run_tasks
from mmdualhand.errors import ConfigError
from tests.fixtures.runs import REPO


class Story(Watcher):
    """Writes down what it is told."""

    def __init__(self):
        self.lines, self.running, self.most = [], 0, 0

    def started(self, task):
        self.running += 1
        self.most = max(self.most, self.running)
        self.lines.append(f'+{task.name}')

    def ended(self, task, outcome):
        self.running -= outcome.status != 'skipped'
        self.lines.append(f'-{task.name} {outcome.status}')


def task(tmp_path, name, *needs, script='exit 0', cost=1.0):
    return Task(name, ('/bin/sh', '-c', script), tmp_path / f'{name}.log', needs, cost)


def test_the_longest_chain_comes_first(tmp_path):
    tasks = [
        task(tmp_path, 'short', cost=2.5),
        task(tmp_path, 'start', cost=1.0),
        task(tmp_path, 'middle', 'start', cost=1.0),
        task(tmp_path, 'end', 'middle', cost=1.0),
        task(tmp_path, 'long', cost=2.9),
    ]
    # Lengths to the end: start 3, long 2.9, short 2.5, middle 2, end 1.
    assert [one.name for one in order(tasks)] == ['start', 'long', 'short', 'middle', 'end']


def test_a_task_waits_for_what_it_needs(tmp_path):
    story = Story()
    tasks = [
        task(tmp_path, 'child', 'parent', script=f'test -f {tmp_path}/made'),
        task(tmp_path, 'parent', script=f'sleep 0.3; touch {tmp_path}/made'),
        task(tmp_path, 'other'),
    ]
    outcomes = run_tasks(tasks, 3, watcher=story)
    assert {name: one.status for name, one in outcomes.items()} == dict.fromkeys(
        ('child', 'parent', 'other'), 'done'
    )
    assert story.lines.index('-parent done') < story.lines.index('+child')
    assert outcomes['parent'].seconds >= 0.3


@pytest.mark.parametrize('jobs', [1, 2])
def test_no_more_at_a_time_than_asked_for(tmp_path, jobs):
    story = Story()
    run_tasks([task(tmp_path, f't{i}', script='sleep 0.2') for i in range(4)], jobs, watcher=story)
    assert story.most == jobs
    assert len(story.lines) == 8


def test_a_failure_stops_what_needs_it_and_nothing_else(tmp_path):
    story = Story()
    noise = 'for i in $(seq 30); do echo line $i; done; echo broken >&2; exit 3'
    tasks = [
        task(tmp_path, 'bad', script=noise),
        task(tmp_path, 'child', 'bad'),
        task(tmp_path, 'grandchild', 'child'),
        task(tmp_path, 'good', script='sleep 0.5'),
        task(tmp_path, 'after', 'good'),
    ]
    outcomes = run_tasks(tasks, 2, watcher=story)
    assert [outcomes[name].status for name in ('bad', 'child', 'grandchild', 'good', 'after')] == [
        'failed', 'skipped', 'skipped', 'done', 'done',
    ]  # fmt: skip
    tail = outcomes['bad'].tail.splitlines()
    assert len(tail) == 20 and tail[-2:] == ['line 30', 'broken']
    assert outcomes['child'] == Outcome('skipped')
    assert '+child' not in story.lines


def test_environment_and_log(tmp_path):
    one = task(tmp_path, 'one', script='echo $OMP_NUM_THREADS $NEW')
    for threads in ('3', '4'):
        run_tasks([one], 1, env=[{'OMP_NUM_THREADS': threads, 'NEW': 'x'}])
    assert one.log.read_text() == '3 x\n4 x\n'  # added to, not written over


def test_no_two_commands_are_at_one_place(tmp_path):
    script = f'cd {tmp_path}; mkdir $GPU || exit 1; sleep 0.2; rmdir $GPU; echo $GPU'
    tasks = [task(tmp_path, f't{i}', script=script) for i in range(5)]
    outcomes = run_tasks(tasks, 2, env=[{'GPU': 'a'}, {'GPU': 'b'}])
    assert {one.status for one in outcomes.values()} == {'done'}
    assert {one.log.read_text() for one in tasks} == {'a\n', 'b\n'}
    with pytest.raises(ConfigError, match='env must be that of 3 places, got 2'):
        run_tasks(tasks, 3, env=[{}, {}])


def with_gpus(monkeypatch, number, visible=None):
    monkeypatch.setattr(machine, 'cores', lambda: 8)
    monkeypatch.setattr('torch.cuda.is_available', lambda: number > 0)
    monkeypatch.setattr('torch.cuda.device_count', lambda: number)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if visible is not None:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', visible)


def test_shares_of_cores(monkeypatch):
    with_gpus(monkeypatch, 0)
    assert machine.default_jobs() == 8
    assert machine.shares(3) == [{'OMP_NUM_THREADS': '2', 'MKL_NUM_THREADS': '2'}] * 3
    assert machine.shares(9)[8]['OMP_NUM_THREADS'] == '1'


@pytest.mark.parametrize(
    ('visible', 'wanted'),
    [(None, ['0', '1', '0']), ('', ['0', '1', '0']), ('5, GPU-ab', ['5', 'GPU-ab', '5'])],
)
def test_shares_of_gpus(monkeypatch, visible, wanted):
    with_gpus(monkeypatch, 2, visible)
    assert machine.default_jobs() == 2
    assert [one['CUDA_VISIBLE_DEVICES'] for one in machine.shares(3)] == wanted
    assert machine.shares(2)[0]['OMP_NUM_THREADS'] == '4'


def test_what_cannot_be_ordered_is_refused(tmp_path):
    with pytest.raises(ConfigError, match='needs itself'):
        order([task(tmp_path, 'a', 'b'), task(tmp_path, 'b', 'a')])
    with pytest.raises(ConfigError, match='a needs b, which is no task'):
        order([task(tmp_path, 'a', 'b')])
    with pytest.raises(ConfigError, match='same name'):
        order([task(tmp_path, 'a'), task(tmp_path, 'a')])
    with pytest.raises(ConfigError, match='jobs must be 1 or more'):
        run_tasks([], 0)


PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from pathlib import Path
from mmdualhand.apis.experiments.scheduler import Task, run_tasks
folder = Path(sys.argv[1])
script = f'sleep 60 & echo $! $$ > {folder}/pids; wait'
run_tasks([Task('sleeper', ('/bin/sh', '-c', script), folder / 'log')], 1)
"""


def alive(pid):
    """Whether a process runs; one that nobody has asked how it ended does not."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path('/proc/self/stat').is_file(), reason='looks for processes in /proc')
@pytest.mark.parametrize(('number', 'status'), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_commands_end_with_the_scheduler(tmp_path, number, status):
    command = [sys.executable, '-c', PROGRAM, str(tmp_path)]
    parent = subprocess.Popen(command, env=dict(os.environ, PYTHONPATH=str(REPO)), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / 'pids').is_file() or len((tmp_path / 'pids').read_text().split()) < 2:
        assert time.monotonic() < deadline and parent.poll() is None
        time.sleep(0.05)
    pids = [int(pid) for pid in (tmp_path / 'pids').read_text().split()]
    assert all(map(alive, pids))
    parent.send_signal(number)
    # An uncaught KeyboardInterrupt ends Python with the signal; the command line makes 130 of it.
    assert parent.wait(60) in (status, -number)
    deadline = time.monotonic() + 10
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, pids))
