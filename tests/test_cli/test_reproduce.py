"""``reproduce`` with trainings that never run: what is asked for, what is printed, and the exit status."""

from __future__ import annotations

import os
import subprocess

import pytest

from mmdualhand.apis.experiments import get_suite, make_plan
from mmdualhand.apis.experiments.cells import write_json
from mmdualhand.apis.experiments.configs import training_config
from mmdualhand.apis.experiments.origin import measurement_origin
from mmdualhand.apis.experiments.scheduler import Outcome, Task
from mmdualhand.apis.experiments.suites import two_stage
from mmdualhand.cli import reproduce
from mmdualhand.cli.main import run
from tests.fixtures.runs import REPO

SUITE = ('--suite', 'two_stage', '--scale', 'mini')
OWN_CONFIG = """
_base_ = ['mmdualhand::mini/finetune_stb']
optim_wrapper = dict(optimizer=dict(lr=1e-5))
"""
OWN_SUITE = """
from pathlib import Path

from mmdualhand.apis.experiments import Entry, PaperSuite, PaperTable

MINE = Entry('Mine', str(Path(__file__).with_name('mine_{}.py')))
ENTRIES = (Entry('Baseline', 'ablation/r_rhd'), MINE)
SUITE = PaperSuite((PaperTable('rows', 'Mine', 'EPE', ENTRIES),))
measurements, left_out, tables = SUITE.measurements, SUITE.left_out, SUITE.tables
"""
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
        return calls.get('absent', {})

    monkeypatch.setattr(reproduce, 'run_measurements', pretend)
    return calls


@pytest.fixture
def own(tmp_path):
    """A suite in a folder of its own: the baseline, and a method with a config for STB alone."""
    file = tmp_path / 'elsewhere' / 'my_rows.py'
    file.parent.mkdir()
    file.write_text(OWN_SUITE)
    file.with_name('mine_stb.py').write_text(OWN_CONFIG)
    return file


def write_cell(folder, one, epe, commit, **options):
    """The cell of a measurement; ``options`` go to where it says that it comes from."""
    plain = one.to_plain()
    write_json(
        folder / one.file_name,
        {
            **{key: plain[key] for key in ('benchmark', 'reestimate_bn', 'root_depth')},
            'training': one.training.name, 'seed': one.training.seed, 'commit': commit,
            'metrics': {'EPE': epe, 'PCK@0.05': 0.5, 'AUC': 0.5},
            'origin': {**measurement_origin(one), **options},
            **dict.fromkeys(('steps', 'seconds', 'cpu_seconds'), 1),
            **dict.fromkeys(('chain_seconds', 'chain_cpu_seconds'), 2),
        },
    )  # fmt: skip


def write_cells(folder, epe, commit, **options):
    """Cells of the pre-training of seed 0; ``options`` go to where they say they come from."""
    for one in get_suite('two_stage').measurements('mini', 0):
        if one.training.name == 'pretrain':
            write_cell(folder, one, epe, commit, **options)


def test_everything_and_its_exit_status(asked, capsys, tmp_path):
    assert run('reproduce', [*SUITE, '--seeds', '2', '--jobs', '3']) == 0
    assert len(asked['trainings']) == 2 * 12  # four of stage 1 and its controls, eight of the targets
    assert asked['jobs'] == 3 and str(asked['cells']) == 'results/mini'
    out = capsys.readouterr().out
    assert 'real photos of Ge et al. are not measured here' in out
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


def test_a_table_of_ones_own_has_the_rows_of_its_configs(asked, own, capsys, tmp_path):
    for one in get_suite(str(own)).measurements('mini', 0):
        epe = 7.5 if one.training.name == 'mine_stb' else 20.0
        write_cell(tmp_path / 'results' / 'mini', one, epe, 'abc')
    assert run('reproduce', ['--suite', str(own), '--scale', 'mini', '--table']) == 0
    assert 'trainings' not in asked
    out = capsys.readouterr().out
    assert '| Baseline | 20.00 | 20.00 | 20.00 | 20.00 |' in out
    assert '| Mine | **7.50** | - | - | - | - |' in out
    absent = own.with_name('mine_TARGET.py')
    assert f'Mine is left out on FreiHAND, H3D, MVHand: there is no config {absent} yet.' in out
    assert f'`python tools/reproduce.py --suite {own} --scale mini --seeds 1`' in out and 'missing' not in out
    folder = tmp_path / 'work_dirs' / 'reproduce' / 'mini'
    assert {file.name for file in folder.iterdir()} == {
        'my_rows.md', 'my_rows.csv', 'my_rows.tex', 'my_rows_cells.csv',
    }  # fmt: skip


def test_trainings_of_ones_own_suite_are_those_of_its_configs(asked, own, capsys, tmp_path):
    assert run('reproduce', ['--suite', str(own), '--scale', 'mini', '--only', 'mine_*']) == 0
    assert asked['trainings'] == {'mine_stb_s0'}
    wanted = [one for one in get_suite(str(own)).measurements('mini', 0) if one.training.name == 'mine_stb']
    assert [one.file_name for one in wanted] == ['mine_stb_s0--mini_finetune_stb.json']
    plan = make_plan(wanted, tmp_path / 'work', tmp_path / 'cells')
    assert [job.training.key for job in plan.jobs] == ['init_rgb_s0', 'pretrain_s0', 'mine_stb_s0']
    mine = plan.jobs[-1].training
    assert mine.config == str(own.with_name('mine_stb.py'))
    assert training_config(mine).optim_wrapper.optimizer.lr == 1e-5


@pytest.mark.parametrize(
    ('name', 'text', 'wanted'),
    [
        ('absent.py', None, 'absent.py is not there'),
        ('fails.py', '\nraise KeyError(5)', 'fails.py, line 2, fails: KeyError: 5'),
        ('wrong.py', 'a = (', 'wrong.py fails: SyntaxError'),
        ('lacking.py', 'measurements = print', 'lacking.py has no function tables'),
        ('empty.py', '', 'empty.py has no function measurements and no tables'),
        ('table1.py', '', 'table1.py has the name of a shipped suite'),
    ],
)
def test_a_file_that_is_no_suite_is_named_with_the_reason(asked, capsys, tmp_path, name, text, wanted):
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    assert run('reproduce', ['--suite', str(file), '--scale', 'mini', '--table']) == 2
    assert f'{tmp_path}/{wanted}' in capsys.readouterr().err


def test_cells_that_are_not_there_are_said_and_named(asked, capsys, tmp_path):
    assert run('reproduce', [*SUITE, '--table', '--cells', 'nowhere']) == 0
    out = capsys.readouterr().out
    assert 'nowhere is not there, and with it no finished measurement.' in out
    names = 'baseline, pretrain, finetune_stb, finetune_freihand'
    assert f'Trainings whose measurements are missing: {names}, ' in out
    (tmp_path / 'nowhere').mkdir()
    (tmp_path / 'nowhere' / 'baseline_s0--small_finetune_stb.json').write_text('{}')
    assert run('reproduce', [*SUITE, '--table', '--cells', 'nowhere']) == 0
    out = capsys.readouterr().out
    assert 'nowhere holds no cell of the suite two_stage at scale mini.' in out
    assert 'nowhere is not there' not in out


def test_missing_trainings_are_few_lines_and_say_their_seed(asked, capsys, tmp_path):
    write_cells(tmp_path / 'results' / 'mini', 12.0, 'abc')
    assert run('reproduce', [*SUITE, '--table', '--seeds', '2']) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = [one for one in lines if one.startswith('Trainings whose measurements are missing: ')]
    assert 'baseline, finetune_stb, ' in line and 'pretrain (seed 1)' in line
    assert not any('holds no cell' in one for one in lines)
    assert run('reproduce', ['--suite', 'table1', '--scale', 'mini', '--table']) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = [one for one in lines if one.startswith('Trainings whose measurements are missing: ')]
    names = {one.training.name for one in get_suite('table1').measurements('mini', 0)} - {'pretrain'}
    assert line.count(', ') == 11 and line.endswith(f' and {len(names) - 12} more.')


def test_real_photos_have_a_table_where_their_cells_are_and_are_not_run(asked, capsys, tmp_path):
    photos = two_stage.real_photos('mini', 0, here=False)
    write_cell(tmp_path / 'results' / 'mini', photos[0], 31.5, 'abc')
    assert run('reproduce', SUITE) == 0
    assert 'finetune_ge_real_s0' not in asked['trainings']
    out = capsys.readouterr().out
    assert '| baseline | 31.500 | 0.500 | 0.500 |' in out and '56 of 57 measurements are missing.' in out
    write_cell(tmp_path / 'results' / 'mini', photos[2], 29.5, 'abc')
    assert run('reproduce', [*SUITE, '--table']) == 0
    assert '| fine-tuned | 29.500 | 0.500 | 0.500 |' in capsys.readouterr().out


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


def test_what_was_left_out_for_want_of_data_is_no_success(asked, capsys):
    asked['absent'] = {'finetune_h3d_s0': Outcome('absent')}
    assert run('reproduce', SUITE) == 1
    assert 'failed: finetune_h3d_s0 (its data); logs' in capsys.readouterr().out


@pytest.mark.parametrize('option', ['--cells', '--work-dir'])
def test_a_file_in_place_of_a_folder_is_refused(asked, option, tmp_path, capsys):
    (tmp_path / 'notes.txt').touch()
    assert run('reproduce', [*SUITE, option, 'notes.txt']) == 2
    assert f'{option} is a folder, and notes.txt is a file' in capsys.readouterr().err
    assert 'trainings' not in asked
