"""The README's first command: its parts, and the whole of it with few pictures and small networks."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from mmdualhand.apis.experiments import Task, run_tasks
from mmdualhand.apis.experiments.suites import two_stage
from mmdualhand.apis.report.from_quickstart import Times
from mmdualhand.cli import make_mini_benchmark, quickstart
from mmdualhand.cli.quickstart import decoded_pictures, parse_args, render
from mmdualhand.cli.watch_jobs import JobWatcher
from mmdualhand.errors import ConfigError
from tests.fixtures.runs import run_command

TINY = ['quickstart', '--num', '20', '--epochs', '1', '--jobs', '2']
Usage = namedtuple('Usage', 'total used free')


def test_data_lie_where_the_configs_look(monkeypatch):
    monkeypatch.delenv('HAND_DATA', raising=False)
    assert parse_args([]).data == Path('data')
    monkeypatch.setenv('HAND_DATA', 'elsewhere')
    assert parse_args([]).data == Path('elsewhere')
    assert parse_args(['--data', 'given']).data == Path('given')
    with pytest.raises(ConfigError, match='--epochs must be 1 or more, got 0'):
        parse_args(['--epochs', '0'])


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / 'data').touch()
    result = run_command(['quickstart', '--num', '4', '--data', 'data'], tmp_path)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        'mmdualhand quickstart: --data data must be a folder, and there is a file of this name'
    )


def test_pictures_are_the_same_for_every_seed(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(make_mini_benchmark, 'render_set', lambda out, request, more: asked.append(request))
    times = Times(tmp_path / 'times.json')
    for seed in ('0', '3'):
        render(parse_args(['--data', str(tmp_path), '--num', '20', '--seed', seed]), times)
    assert len(asked) == 10 and asked[:5] == asked[5:]
    assert [(one.layout, one.num_train) for one in asked[:5]] == [
        (name, 20) for name in ('rhd', 'stb', 'freihand', 'h3d', 'mvhand')
    ]


def test_other_data_are_refused_before_anything_is_rendered(tmp_path, embedded_sets, monkeypatch):
    monkeypatch.setattr(make_mini_benchmark, 'render_set', lambda *given: pytest.fail('rendered'))
    (tmp_path / 'mini').mkdir()
    (tmp_path / 'mini' / 'MVHand').symlink_to(embedded_sets / 'MVHand')  # the last of five sets
    with pytest.raises(ConfigError) as error:
        render(parse_args(['--data', str(tmp_path), '--num', '20']), Times(tmp_path / 'times.json'))
    assert 'MVHand was rendered with other settings' in str(error.value)
    assert '--data' in str(error.value) and '--overwrite' not in str(error.value)


def test_decoded_pictures_are_kept_while_it_runs(tmp_path, monkeypatch):
    monkeypatch.delenv('HAND_CACHE', raising=False)
    monkeypatch.setattr(shutil, 'disk_usage', lambda folder: Usage(0, 0, quickstart.ROOM_FOR_PICTURES))
    folder = tmp_path / 'decoded'
    with pytest.raises(KeyboardInterrupt), decoded_pictures(folder):
        assert os.environ['HAND_CACHE'] == str(folder)
        folder.mkdir()
        (folder / 'picture.npy').touch()
        raise KeyboardInterrupt
    assert 'HAND_CACHE' not in os.environ and not folder.exists()


def test_a_cache_of_the_user_is_left_alone(tmp_path, monkeypatch):
    own = tmp_path / 'own'
    own.mkdir()
    (own / 'picture.npy').touch()
    monkeypatch.setenv('HAND_CACHE', str(own))
    for folder in (tmp_path / 'decoded', own):
        with decoded_pictures(folder):
            assert os.environ['HAND_CACHE'] == str(own)
        assert os.environ['HAND_CACHE'] == str(own) and (own / 'picture.npy').is_file()


def test_without_room_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.delenv('HAND_CACHE', raising=False)
    monkeypatch.setattr(shutil, 'disk_usage', lambda folder: Usage(0, 0, quickstart.ROOM_FOR_PICTURES - 1))
    with decoded_pictures(tmp_path / 'decoded'):
        assert 'HAND_CACHE' not in os.environ


def fail(measurements, work_dir, cells, *, jobs, watcher):
    """As ``run_measurements``, with a training that fails, one that needs it and one that goes well."""
    log = work_dir / 'logs' / 'log'

    def task(name, code, *needs):
        return Task(name, (sys.executable, '-c', code), log, needs)

    bad = task('bad_s0', 'raise SystemExit("no memory")')
    return run_tasks([bad, task('next_s0', '', 'bad_s0'), task('good_s0', '')], jobs, watcher=watcher)


def test_what_fails_is_told(tmp_path, capfd):
    done = []
    with JobWatcher(tmp_path, lambda name, seconds: done.append((name, seconds > 0))) as watcher:
        fail((), tmp_path, tmp_path, jobs=1, watcher=watcher)
    assert (watcher.failed, done) == (['bad_s0', 'next_s0'], [('good_s0', True)])
    said = capfd.readouterr().err
    assert 'bad_s0: FAILED after' in said and 'no memory' in said
    assert 'next_s0: left out, what it starts from failed (2/3)' in said


def test_a_failed_training_is_exit_status_1(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv('HAND_DATA', '')  # set by the command; put back afterwards
    monkeypatch.setattr(quickstart, 'render', lambda args, times: None)
    monkeypatch.setattr(quickstart, 'run_measurements', fail)
    monkeypatch.setattr(Times, 'note_job', lambda times, folder, seconds: times.note(folder.name, seconds))
    work = tmp_path / 'work'
    assert quickstart.main(['--work-dir', str(work), '--data', str(tmp_path), '--jobs', '1']) == 1
    last = capfd.readouterr().out.splitlines()[-1]
    assert last == f'failed: bad_s0, next_s0; logs: {work / "logs"}'
    assert not (work / 'report.html').exists() and (work / 'results.md').is_file()
    kept = json.loads((work / 'times_s0.json').read_text())
    assert list(kept['steps']) == ['good_s0'] and kept['elapsed'] > 0


@pytest.mark.slow
def test_the_whole_command_and_a_rerun(tmp_path):
    result = run_command(TINY, tmp_path)
    assert result.returncode == 0, (result.stdout + result.stderr)[-3000:]
    folder = tmp_path / 'work_dirs' / 'quickstart'
    cells = {file.name: json.loads(file.read_text()) for file in (folder / 'cells').iterdir()}
    assert len(cells) == len(two_stage.method('mini', 0, everywhere=True)) == 38
    epe = cells['finetune_h3d_s0--mini_finetune_h3d.json']['metrics']['EPE']
    row = next(line for line in result.stdout.splitlines() if line.startswith('| fine-tuned |'))
    assert f'{epe:.2f}' == row.split(' | ')[4]
    page = (folder / 'report.html').read_text()
    assert f'{epe:.1f}' in page and 'does not show' in page
    assert 'tensors of the network matched' not in result.stdout + result.stderr
    steps, last = result.stdout.splitlines()[-2:]
    for step in ('render STB', 'train init_rgb', 'train and test finetune_mvhand', 'report'):
        assert f'{step} ' in steps and f'<th scope="row">{step}</th>' in page
    assert last.startswith('all in ') and ' with 2 processes, ' in last
    elapsed = json.loads((folder / 'times_s0.json').read_text())['elapsed']

    files = [file for file in tmp_path.rglob('*') if file.is_file()]
    kept = {f: f.stat().st_mtime_ns for f in files if f.name not in ('results.md', 'times_s0.json')}
    again = run_command(TINY, tmp_path)
    assert again.returncode == 0, again.stderr[-3000:]
    assert '38 of 38 measurements are there; 0 trainings' in again.stdout
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    assert row in again.stdout and steps in again.stdout
    assert 0 < json.loads((folder / 'times_s0.json').read_text())['elapsed'] - elapsed < elapsed / 3
