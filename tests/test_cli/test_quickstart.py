"""The README's first command, with few pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmdualhand.apis.experiments.suites import two_stage
from mmdualhand.cli.quickstart import Times, parse_args
from mmdualhand.errors import ConfigError
from tests.fixtures.runs import run_command

TINY = ['quickstart', '--num', '20', '--epochs', '1', '--jobs', '2']


def test_times_outlive_the_command(tmp_path):
    times = Times(tmp_path / 'times.json')
    times.add('render STB', 12.34)
    times.add('report', 5.0)
    again = Times(tmp_path / 'times.json')
    again.add('report', 6.0)  # the step was done again
    assert again.items() == [('render STB', 12.3), ('report', 6.0)]
    assert again.line() == 'render STB 12 s, report 6 s'


def test_data_lie_where_the_configs_look(monkeypatch):
    monkeypatch.delenv('HAND_DATA', raising=False)
    assert parse_args([]).data == Path('data')
    monkeypatch.setenv('HAND_DATA', 'elsewhere')
    assert parse_args([]).data == Path('elsewhere')
    assert parse_args(['--data', 'given']).data == Path('given')
    with pytest.raises(ConfigError, match='--epochs must be 1 or more, got 0'):
        parse_args(['--epochs', '0'])


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
    steps = json.loads((folder / 'times.json').read_text())
    for step in ('render STB', 'train and test finetune_mvhand_s0', 'report'):
        assert steps[step] > 0 and f'{step} {steps[step]:.0f} s' in result.stdout

    files = [file for file in tmp_path.rglob('*') if file.is_file()]
    before = {file: file.stat().st_mtime_ns for file in files if file.name != 'results.md'}
    again = run_command(TINY, tmp_path)
    assert again.returncode == 0, again.stderr[-3000:]
    assert '38 of 38 measurements are there; 0 trainings' in again.stdout
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert row in again.stdout


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / 'data').touch()
    result = run_command(['quickstart', '--num', '4', '--data', 'data'], tmp_path)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        'mmdualhand quickstart: --data data must be a folder, and there is a file of this name'
    )
