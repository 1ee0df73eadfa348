"""``reproduce`` with trainings that never run: what is asked for, what is printed, and the exit status."""

from __future__ import annotations

import os
import subprocess

import pytest

from mmdualhand.apis.experiments import get_suite
from mmdualhand.apis.experiments.cells import write_json
from mmdualhand.apis.experiments.origin import measurement_origin
from mmdualhand.apis.experiments.scheduler import Outcome, Task
from mmdualhand.cli import reproduce
from mmdualhand.cli.main import run
from tests.fixtures.runs import REPO

SUITE = ('--suite', 'two_stage', '--scale', 'mini')
COMMAND = '`python tools/reproduce.py --suite two_stage --scale mini --seeds 1`'


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """What ``run_measurements`` was called with; each of its jobs ends as ``asked['status']`` says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HAND_DATA', str(tmp_path / 'data'))
    calls = {'status': 'done'}

    def pretend(measurements, work_dir, cells, *, jobs, watcher):
        calls.update(trainings={one.training.key for one in measurements}, cells=cells, jobs=jobs)
        logs = work_dir / 'logs'
        tasks = [Task(name, ('true',), logs / f'{name}.log') for name in sorted(calls['trainings'])]
        watcher.planned(tasks, jobs)
        for task in tasks:
            watcher.started(task)
            watcher.ended(task, Outcome(calls['status'], 1.0, 'the end of the log'))

    monkeypatch.setattr(reproduce, 'run_measurements', pretend)
    return calls


def write_cells(folder, epe, commit, **options):
    """Cells of the pre-training of seed 0; ``options`` go to where they say they come from."""
    for one in get_suite('two_stage').measurements('mini', 0):
        if one.training.name == 'pretrain':
            plain = one.to_plain()
            write_json(
                folder / one.file_name,
                {
                    **{key: plain[key] for key in ('benchmark', 'reestimate_bn', 'root_depth')},
                    'training': 'pretrain', 'seed': 0, 'commit': commit,
                    'metrics': {'EPE': epe, 'PCK@0.05': 0.5, 'AUC': 0.5},
                    'origin': {**measurement_origin(one), **options},
                    **dict.fromkeys(('steps', 'seconds', 'cpu_seconds'), 1),
                    **dict.fromkeys(('chain_seconds', 'chain_cpu_seconds'), 2),
                },
            )  # fmt: skip


def test_everything_and_its_exit_status(asked, capsys, tmp_path):
    assert run('reproduce', [*SUITE, '--seeds', '2', '--jobs', '3']) == 0
    assert len(asked['trainings']) == 2 * 12  # four of stage 1 and its controls, eight of the targets
    assert asked['jobs'] == 3 and str(asked['cells']) == 'results/mini'
    out = capsys.readouterr().out
    assert 'real photos of Ge et al. are left out' in out
    assert '112 of 112 measurements are missing.' in out  # 56 a seed
    asked['status'] = 'failed'
    assert run('reproduce', [*SUITE, '--only', 'baseline']) == 1
    seen = capsys.readouterr()
    assert 'failed: baseline_s0; logs: work_dirs/reproduce/mini/logs' in seen.out
    assert 'the end of the log' in seen.err


def test_only_runs_these_and_the_table_is_that_of_the_suite(asked, capsys, tmp_path):
    write_cells(tmp_path / 'results' / 'mini', 12.0, 'abc')
    assert run('reproduce', [*SUITE, '--only', 'finetune_*', 'source_only']) == 0
    names = {f'finetune_{target}_s0' for target in ('stb', 'freihand', 'h3d', 'mvhand')}
    assert asked['trainings'] == {*names, 'source_only_s0'}
    out = capsys.readouterr().out
    assert COMMAND in out and '--only' not in out
    assert '| pre-trained | 12.00 |' in out
    assert run('reproduce', [*SUITE, '--only', 'finetune_*', 'nothing']) == 2
    assert '--only nothing: no such training' in capsys.readouterr().err


def test_shards(asked, capsys):
    assert run('reproduce', [*SUITE, '--seeds', '2', '--shard', '1/2']) == 0
    first = asked.pop('trainings')
    assert run('reproduce', [*SUITE, '--seeds', '2', '--shard', '2/2']) == 0
    assert [{key[-1] for key in keys} for keys in (first, asked.pop('trainings'))] == [{'0'}, {'1'}]
    capsys.readouterr()
    assert run('reproduce', [*SUITE, '--seeds', '2', '--shard', '3/3']) == 0
    assert 'trainings' not in asked
    assert (
        'shard 3/3 is empty: all that starts from the same training is in one shard'
        in capsys.readouterr().out
    )
    for wrong in ('3/2', '0/2', '1'):
        assert run('reproduce', [*SUITE, '--shard', wrong]) == 2


def test_table_runs_nothing_and_names_its_commits(asked, capsys, tmp_path):
    write_cells(tmp_path / 'given', 12.0, 'abc')
    write_cells(tmp_path / 'results' / 'mini', 13.0, 'def+changes')
    first = 'pretrain_s0--mini_pretrain_rhd.json'
    (tmp_path / 'given' / first).replace(tmp_path / 'results' / 'mini' / first)
    assert run('reproduce', [*SUITE, '--table']) == 0
    assert 'trainings' not in asked
    text = (tmp_path / 'work_dirs' / 'reproduce' / 'mini' / 'two_stage.md').read_text()
    assert text in capsys.readouterr().out
    assert text.splitlines()[:4] == [
        COMMAND,
        '',
        'Commits that made the cells, and how many: def with uncommitted changes (8), abc (1).',
        '47 of 56 measurements are missing.',
    ]
    assert '| pre-trained | 12.00 | 13.00 | 13.00 | 13.00 | 13.00 | 13.00 |' in text


def test_cells_of_something_else_are_missing(asked, capsys, tmp_path):
    write_cells(tmp_path / 'results' / 'mini', 12.0, 'abc', hash='other', benchmark='other')
    assert run('reproduce', [*SUITE, '--table']) == 0
    out = capsys.readouterr().out
    assert '56 of 56 measurements are missing.' in out and '12.00' not in out
    assert 'Left out, made from something else than today: pretrain_s0--' in out and 'and 6 more.' in out


def test_files_beside_the_table_are_named(asked, capsys, tmp_path):
    write_cells(tmp_path / 'results' / 'mini', 12.0, 'abc')
    assert run('reproduce', ['--suite', 'table3', '--scale', 'mini', '--table']) == 0
    out = capsys.readouterr().out
    assert 'beside them: table3.tex, table3_cells.csv, table3.png' in out
    assert '| Ours, pre-trained | 12.00 | 12.00 | 12.00 | 12.00 | 12.00 | 16.37 |' in out
    assert 'Checkpoint of every training: the last one.' in out


def test_best_on_source_has_files_of_its_own_and_says_so(asked, capsys, tmp_path):
    write_cells(tmp_path / 'results' / 'mini', 12.0, 'abc')
    assert run('reproduce', ['--suite', 'table3', '--scale', 'mini', '--table']) == 0
    folder = tmp_path / 'work_dirs' / 'reproduce' / 'mini'
    last = {file.name: file.read_bytes() for file in folder.glob('table3*')}
    capsys.readouterr()
    options = ['--suite', 'table3', '--scale', 'mini', '--best-on', 'source']
    assert run('reproduce', options) == 0
    assert all(name.endswith('+best_s0') for name in asked['trainings'])
    out = capsys.readouterr().out
    assert '`python tools/reproduce.py --suite table3 --scale mini --seeds 1 --best-on source`' in out
    assert '12.00' not in out  # the cells of last checkpoints are not those of best ones
    assert 'beside them: table3+best.tex, table3+best_cells.csv' in out
    assert len(last) == 5 and last == {name: (folder / name).read_bytes() for name in last}
    assert '12.00' not in (folder / 'table3+best.md').read_text(encoding='utf-8')


def test_slurm_array(tmp_path):
    """The first call hands itself to sbatch; a job of the array runs its part."""
    for name in ('sbatch', 'python'):
        tool = tmp_path / name
        tool.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        tool.chmod(0o755)
    script = str(REPO / 'tools' / 'slurm_reproduce.sh')
    env = {**os.environ, 'PATH': f'{tmp_path}:{os.environ["PATH"]}', 'SHARDS': '3'}
    env.pop('SLURM_ARRAY_TASK_ID', None)
    arguments = [script, 'gpu', 'table1', 'full', '2', '--jobs', '1']
    given = subprocess.run(arguments, env=env, capture_output=True, text=True, check=True).stdout
    assert '--array=1-3' in given and given.strip().endswith(' '.join(arguments))
    env.update(SLURM_ARRAY_TASK_ID='2', SLURM_ARRAY_TASK_COUNT='3')
    given = subprocess.run(arguments, env=env, capture_output=True, text=True, check=True).stdout
    wanted = 'reproduce --suite table1 --scale full --seeds 2 --shard 2/3 --jobs 1'
    assert given.strip() == f'python -u -m mmdualhand {wanted}'
    assert subprocess.run([script], env=env, capture_output=True).returncode == 2
