"""The time left of an experiment, against sums that can be done by hand."""

from pathlib import Path

import pytest

from mmdualhand.apis.experiments.scheduler import Outcome, Task
from mmdualhand.apis.experiments.time_left import TimeLeft
from mmdualhand.cli import watch_jobs
from mmdualhand.cli.progress import in_words


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def task(name, cost, *needs):
    return Task(name, (), Path('log'), needs=needs, cost=cost)


TASKS = [task('start', 10.0), task('long', 40.0, 'start'), task('a', 5.0, 'start'), task('b', 5.0, 'start')]


def test_nothing_is_said_before_anything_moved():
    left = TimeLeft(TASKS, 2, Clock())
    left.started('start')
    assert left.seconds({}) is None
    assert left.seconds({'start': 0.0}) is None


def test_the_longest_chain_counts_where_it_is_longer_than_the_work_on_all_processes():
    clock = Clock()
    left = TimeLeft(TASKS, 2, clock)
    left.started('start')
    clock.now += 20.0
    # half of 10 in 20 s: 4 s for 1 of cost; the chain start, long has 5 + 40 left, the work is 55 on 2
    assert left.seconds({'start': 0.5}) == pytest.approx(45.0 * 4.0)


def test_the_work_counts_where_it_is_more_than_the_longest_chain():
    clock = Clock()
    left = TimeLeft([task('a', 10.0), task('b', 10.0), task('c', 10.0)], 2, clock)
    left.started('a')
    left.started('b')
    clock.now += 10.0
    # 10 of cost in 20 s of processes: 2 s for 1; 20 are left, on two processes
    assert left.seconds({'a': 0.5, 'b': 0.5}) == pytest.approx(20.0 / 2 * 2.0)


def test_what_a_resumed_training_had_done_before_is_no_speed():
    clock = Clock()
    left = TimeLeft([task('a', 10.0)], 1, clock)
    left.started('a', fraction=0.6)
    assert left.seconds({'a': 0.6}) is None
    clock.now += 30.0
    assert left.seconds({'a': 0.9}) == pytest.approx(10.0)


def test_what_failed_or_was_left_out_is_not_left_and_tells_no_speed():
    clock = Clock()
    left = TimeLeft([task('a', 10.0), task('b', 10.0, 'a'), task('c', 4.0)], 1, clock)
    left.started('c')
    clock.now += 8.0
    left.ended('c')
    left.started('a')
    clock.now += 1.0
    left.ended('a', ran=False)
    assert left.seconds({}) == pytest.approx(20.0)
    left.ended('b', ran=False)
    assert left.seconds({}) == 0.0


def test_times_are_said_in_words():
    assert [in_words(s) for s in (4.4, 61.0, 1170.0, 11_990.0)] == ['4 s', '1 min', '20 min', '3 h 20 min']


def test_without_a_terminal_a_line_a_minute_says_how_long_it_takes(tmp_path, capsys, monkeypatch):
    clock = Clock()
    monkeypatch.setattr('time.monotonic', clock)
    folder = tmp_path / 'a'
    folder.mkdir()
    with watch_jobs.JobWatcher(tmp_path) as watcher:
        tasks = [task('a', 10.0), task('b', 10.0, 'a')]
        watcher.planned(tasks, 1)
        watcher._left = TimeLeft(tasks, 1, clock)
        watcher.started(tasks[0])
        (folder / 'progress').write_text('25 100\n', encoding='utf-8')
        clock.now += 30.0
        watcher.tick()
        assert 'running' not in capsys.readouterr().err
        clock.now += 45.0
        watcher.tick()
        # a quarter of 10 in 75 s: 17.5 are left, at 30 s for 1
        assert capsys.readouterr().err == 'running: a 25/100 steps; about 9 min left\n'
        watcher.ended(tasks[0], Outcome('done', 80.0))
        assert capsys.readouterr().err == 'a: 80 s (1/2)\n'
