"""Which trainings and measurements run, and that what is finished is not touched."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmdualhand.apis.experiments import (
    Measurement,
    Training,
    make_plan,
    run_measurements,
    shard,
    with_options,
)
from mmdualhand.apis.experiments import cells as cells_module
from mmdualhand.apis.experiments.cells import finished_cells, read_json, read_result, write_json
from mmdualhand.apis.experiments.definitions import check_names
from mmdualhand.apis.experiments.job import Job, remove_jobs, run_job
from mmdualhand.apis.experiments.machine import cores
from mmdualhand.apis.experiments.needs import with_data
from mmdualhand.apis.experiments.origin import measurement_origin, training_origin
from mmdualhand.apis.experiments.run import estimated_cost, make_tasks
from mmdualhand.apis.experiments.scheduler import Outcome
from mmdualhand.apis.experiments.train_once import find_trained
from mmdualhand.cli.main import run
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from tests.fixtures.runs import REPO

INIT = Training('init_rgb', 'mini/init_rgb')
PRETRAIN = Training('pretrain', 'mini/pretrain_rhd', start=INIT)
TUNED = Training('finetune_stb', 'mini/finetune_stb', start=PRETRAIN)
MEASUREMENTS = [
    Measurement(PRETRAIN, 'mini/finetune_stb'),
    Measurement(PRETRAIN, 'mini/finetune_stb', reestimate_bn=True),
    Measurement(TUNED, 'mini/finetune_stb'),
    Measurement(TUNED, 'mini/finetune_stb', root_depth='solve'),
]


@pytest.fixture(autouse=True)
def no_data(monkeypatch, tmp_path):
    monkeypatch.setenv('HAND_DATA', str(tmp_path / 'data'))


def finish(one, cells):
    """A cell as a measurement would write it."""
    plain = one.to_plain()
    kept = {'training': one.training.name, 'seed': one.training.seed, 'benchmark': plain['benchmark']}
    write_json(cells / one.file_name, {**kept, 'origin': measurement_origin(one), 'metrics': {'EPE': 1.0}})


def train(training, work_dir):
    """A folder as a finished training leaves it."""
    folder = work_dir / training.key
    write_json(folder / 'training.json', {'origin': training_origin(training), 'checkpoint': 'epoch_1.pth'})
    (folder / 'epoch_1.pth').touch()


def plan_of(tmp_path, measurements=MEASUREMENTS):
    plan = make_plan(measurements, tmp_path / 'work', tmp_path / 'cells')
    return plan, {job.training.name: [one.file_name for one in job.measurements] for job in plan.jobs}


def test_names_of_cells():
    names = [one.file_name for one in MEASUREMENTS]
    assert names == [
        'pretrain_s0--mini_finetune_stb.json',
        'pretrain_s0--mini_finetune_stb--bn.json',
        'finetune_stb_s0--mini_finetune_stb.json',
        'finetune_stb_s0--mini_finetune_stb--solve.json',
    ]
    assert replace(MEASUREMENTS[0], branches=('rgb', 'fused')).file_name == (
        'pretrain_s0--mini_finetune_stb--rgb-fused.json'
    )


def test_only_what_is_missing_runs(tmp_path):
    _, jobs = plan_of(tmp_path)
    assert {name: len(files) for name, files in jobs.items()} == {
        'init_rgb': 0, 'pretrain': 2, 'finetune_stb': 2,
    }  # fmt: skip
    for one in MEASUREMENTS[:2]:
        finish(one, tmp_path / 'cells')
    # The cells of the pre-training are there and its checkpoint is not: it runs for the fine-tuning alone.
    train(INIT, tmp_path / 'work')
    plan, jobs = plan_of(tmp_path)
    assert jobs == {'pretrain': [], 'finetune_stb': [one.file_name for one in MEASUREMENTS[2:]]}
    assert plan.finished == tuple(MEASUREMENTS[:2])
    train(PRETRAIN, tmp_path / 'work')
    finish(MEASUREMENTS[2], tmp_path / 'cells')
    _, jobs = plan_of(tmp_path)
    assert jobs == {'finetune_stb': ['finetune_stb_s0--mini_finetune_stb--solve.json']}


def test_a_cell_of_another_config_is_named_and_made_anew(tmp_path):
    for one in MEASUREMENTS:
        finish(one, tmp_path / 'cells')
    changed = with_options(MEASUREMENTS, (('optim_wrapper.optimizer.lr', 1e-4),))
    plan, jobs = plan_of(tmp_path, changed)
    assert len(plan.notes) == 4 and list(jobs) == ['init_rgb', 'pretrain', 'finetune_stb']
    name, _, rest = plan.notes[0].partition(' ')
    assert name == 'pretrain_s0--mini_finetune_stb.json'
    assert rest == 'was made from something else, the training differs: it is made anew'
    assert plan.jobs[2].training.start == plan.jobs[1].training  # the option reached the start too


def test_tasks_wait_for_their_start(tmp_path):
    plan, _ = plan_of(tmp_path)
    tasks = {task.name: task for task in make_tasks(plan, tmp_path / 'work', tmp_path / 'cells')}
    assert tasks['finetune_stb_s0'].needs == ('pretrain_s0',)
    assert tasks['pretrain_s0'].needs == ('init_rgb_s0',) and tasks['init_rgb_s0'].needs == ()
    content = read_json(Path(tasks['finetune_stb_s0'].command[-2]))
    assert Training.from_plain(content['training']) == TUNED
    assert [Measurement.from_plain(one) for one in content['measurements']] == MEASUREMENTS[2:]


def test_a_trained_start_is_not_waited_for(tmp_path):
    for training in (INIT, PRETRAIN):
        train(training, tmp_path / 'work')
    plan, jobs = plan_of(tmp_path)
    assert {name: len(files) for name, files in jobs.items()} == {'pretrain': 2, 'finetune_stb': 2}
    tasks = make_tasks(plan, tmp_path / 'work', tmp_path / 'cells')
    # A measurement of the pre-training that fails does not keep the fine-tuning from running.
    assert {task.name: task.needs for task in tasks} == {'pretrain_s0': (), 'finetune_stb_s0': ()}


def test_finished_cells_are_not_touched(tmp_path):
    cells = tmp_path / 'cells'
    for one in MEASUREMENTS:
        finish(one, cells)
    before = {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in cells.iterdir()}
    said = []
    assert run_measurements(MEASUREMENTS, tmp_path / 'work', cells, jobs=1, say=said.append) == {}
    assert said == ['4 of 4 measurements are there; 0 trainings to run or to measure, 1 at a time']
    assert {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in cells.iterdir()} == before
    assert not (tmp_path / 'work').exists()


def test_one_name_for_two_things_is_refused():
    other = replace(PRETRAIN, options=(('optim_wrapper.optimizer.lr', 1e-4),))
    with pytest.raises(ConfigError, match='two different trainings are named pretrain'):
        check_names([MEASUREMENTS[2], Measurement(other, 'mini/finetune_stb')])
    with pytest.raises(ConfigError, match='starts from pretrain of seed 0'):
        replace(TUNED, seed=1)
    with pytest.raises(ConfigError, match='is named with letters'):
        replace(PRETRAIN, name='a/b')
    two = [Measurement(PRETRAIN, 'mini/a'), Measurement(PRETRAIN, 'mini_a')]
    with pytest.raises(ConfigError, match='would be written to pretrain_s0--mini_a.json'):
        check_names(two)


def test_weights_from_nowhere_are_refused(tmp_path):
    alone = replace(TUNED, start=None)
    with pytest.raises(ConfigError, match='the training finetune_stb has no start'):
        plan_of(tmp_path, [Measurement(alone, 'mini/finetune_stb')])
    with pytest.raises(ConfigError, match='describes no training'):
        plan_of(tmp_path, [Measurement(replace(PRETRAIN, config='benchmarks/stb'), 'benchmarks/stb')])


def test_a_broken_cell_is_named(tmp_path):
    (tmp_path / 'cells').mkdir()
    (tmp_path / 'cells' / MEASUREMENTS[0].file_name).write_text('{')
    with pytest.raises(DataError, match='pretrain_s0--mini_finetune_stb.json is not the JSON'):
        plan_of(tmp_path)


@pytest.mark.parametrize(('text', 'wanted'), [
    ('[1, 2]', 'cell.json is not the JSON of an experiment, it holds no object'),
    ('{"metrics": {"EPE": 1.0}}', 'cell.json does not say what it was made from, it has no origin'),
    ('{"origin": null}', 'cell.json does not say what it was made from'),
])  # fmt: skip
def test_a_result_without_origin_is_named(tmp_path, text, wanted):
    (tmp_path / 'cell.json').write_text(text)
    with pytest.raises(DataError, match=wanted):
        read_result(tmp_path / 'cell.json')


def test_a_cell_or_record_without_origin_is_not_used(tmp_path):
    for place, call in (
        (tmp_path / 'cells' / MEASUREMENTS[0].file_name, lambda: plan_of(tmp_path)),
        (
            tmp_path / 'cells' / MEASUREMENTS[0].file_name,
            lambda: finished_cells(MEASUREMENTS, tmp_path / 'cells'),
        ),
        (
            tmp_path / 'work' / PRETRAIN.key / 'training.json',
            lambda: find_trained(PRETRAIN, tmp_path / 'work'),
        ),
    ):
        write_json(place, {'checkpoint': 'epoch_1.pth'})
        with pytest.raises(DataError, match='has no origin'):
            call()


def test_cells_of_something_else_are_left_out(tmp_path):
    (tmp_path / 'data' / 'mini').mkdir(parents=True)
    for name in ('RHD_published_v2', 'STB'):
        (tmp_path / 'data' / 'mini' / name).mkdir()
    slow = with_options(MEASUREMENTS[:1], (('optim_wrapper.optimizer.lr', 1e-4),))
    finish(slow[0], tmp_path / 'cells')
    finish(MEASUREMENTS[2], tmp_path / 'cells')
    said = []
    found = finished_cells(MEASUREMENTS, tmp_path / 'cells', say=said.append)
    assert found == [read_json(tmp_path / 'cells' / MEASUREMENTS[2].file_name)]
    assert said == ['Left out, made from something else than today: pretrain_s0--mini_finetune_stb.json.']


def test_cells_without_their_data_are_taken_and_said(tmp_path, monkeypatch):
    root = tmp_path / 'data' / 'mini' / 'STB'
    root.mkdir(parents=True)
    (root / 'SYNTHETIC.json').write_text('{"seed": 1}')
    for one in MEASUREMENTS:
        finish(one, tmp_path / 'cells')
    shutil.rmtree(tmp_path / 'data')
    said = []
    assert len(finished_cells(MEASUREMENTS, tmp_path / 'cells', say=said.append)) == 4
    assert len(said) == 1 and said[0].startswith('Taken as they are, their data are not here')
    assert said[0].endswith(
        'pretrain_s0--mini_finetune_stb.json, pretrain_s0--mini_finetune_stb--bn.json, '
        'finetune_stb_s0--mini_finetune_stb.json and 1 more.'
    )
    # The benchmark has no data in it, and is compared.
    other = [replace(MEASUREMENTS[0], benchmark='mini/finetune_h3d')]
    write_json(
        tmp_path / 'cells' / other[0].file_name, read_json(tmp_path / 'cells' / MEASUREMENTS[0].file_name)
    )
    said.clear()
    assert finished_cells(other, tmp_path / 'cells', say=said.append) == []
    assert said[0].startswith('Left out')


def test_cells_of_another_config_are_left_out_without_data_too(tmp_path):
    """The hash of a training is over its data too; that of its configs is kept beside it."""
    slow = with_options(MEASUREMENTS, (('optim_wrapper.optimizer.lr', 1e-4),))
    cells = tmp_path / 'cells'
    for one in slow:
        finish(one, cells)
    said = []
    assert finished_cells(MEASUREMENTS, cells, say=said.append) == []
    assert said[0].startswith('Left out, made from something else than today: pretrain_s0--')
    # The config of the start counts as well.
    first = replace(INIT, options=(('optim_wrapper.optimizer.lr', 1e-4),))
    other = measurement_origin(replace(MEASUREMENTS[0], training=replace(PRETRAIN, start=first)))
    origin = measurement_origin(MEASUREMENTS[0])
    assert other['configs'] != origin['configs'] and other['benchmark'] == origin['benchmark']
    # A cell that does not know its configs is compared by its benchmark, as before.
    del other['configs']
    finish(MEASUREMENTS[0], cells)
    cell = read_json(cells / MEASUREMENTS[0].file_name)
    write_json(cells / MEASUREMENTS[0].file_name, {**cell, 'origin': other})
    assert len(finished_cells(MEASUREMENTS[:1], cells, say=said.append)) == 1


@pytest.mark.parametrize(('change', 'wanted'), [
    ({'training': None}, 'has no training'),
    ({'metrics': None}, 'its metrics are not names with numbers'),
    ({'metrics': {'EPE': 'twelve'}}, 'its metrics are not names with numbers'),
])  # fmt: skip
def test_a_file_that_is_no_measurement_is_named(tmp_path, change, wanted):
    finish(MEASUREMENTS[0], tmp_path / 'cells')
    file = tmp_path / 'cells' / MEASUREMENTS[0].file_name
    cell = {**read_json(file), **change}
    write_json(file, {key: value for key, value in cell.items() if key == 'metrics' or value is not None})
    with pytest.raises(DataError, match=f'{file.name} is no measurement, .*{wanted}'):
        finished_cells(MEASUREMENTS, tmp_path / 'cells')


def test_files_that_are_no_text_and_folders_that_are_files_are_named(tmp_path):
    (tmp_path / 'cell.json').write_bytes(b'\xff\xfe{}')
    with pytest.raises(DataError, match='cell.json is not the JSON of an experiment'):
        read_result(tmp_path / 'cell.json')
    with pytest.raises(ConfigError, match='cell.json is no folder'):
        finished_cells(MEASUREMENTS, tmp_path / 'cell.json')


def test_two_commands_in_one_folder_have_job_files_of_their_own(tmp_path, monkeypatch):
    (first,) = make_tasks(plan_of(tmp_path, MEASUREMENTS[:1])[0], tmp_path / 'work', tmp_path / 'cells')[1:]
    before = Path(first.command[-2]).read_bytes()
    monkeypatch.setattr(os, 'getpid', lambda: 12345)
    (second,) = make_tasks(plan_of(tmp_path, MEASUREMENTS[:2])[0], tmp_path / 'work', tmp_path / 'cells')[1:]
    assert (second.command[-1], second.name) == ('12345', first.name)
    assert Path(first.command[-2]).read_bytes() == before
    assert len(read_json(Path(second.command[-2]))['measurements']) == 2
    remove_jobs(tmp_path / 'work')
    assert Path(first.command[-2]).is_file() and not Path(second.command[-2]).exists()


def test_a_job_waits_for_another_process_and_takes_what_it_left(tmp_path, monkeypatch, capsys):
    lock = tmp_path / 'work' / 'jobs' / f'{PRETRAIN.key}.lock'
    lock.parent.mkdir(parents=True)
    owner = lock.open('w')
    fcntl.flock(owner, fcntl.LOCK_EX)

    def owner_ends(seconds):
        train(PRETRAIN, tmp_path / 'work')
        finish(MEASUREMENTS[0], tmp_path / 'cells')
        owner.close()

    monkeypatch.setattr('mmdualhand.apis.experiments.job.time.sleep', owner_ends)
    run_job(Job(PRETRAIN, (MEASUREMENTS[0],)), tmp_path / 'work', tmp_path / 'cells', parent=os.getppid())
    out = capsys.readouterr().out
    assert 'another process works on pretrain_s0: this one waits for it' in out
    assert 'pretrain_s0 is trained already' in out and 'EPE' not in out


def test_a_job_does_not_wait_when_nobody_waits_for_it(tmp_path):
    lock = tmp_path / 'work' / 'jobs' / f'{PRETRAIN.key}.lock'
    lock.parent.mkdir(parents=True)
    with lock.open('w') as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        with pytest.raises(SystemExit, match='is gone'):
            run_job(Job(PRETRAIN), tmp_path / 'work', tmp_path / 'cells', parent=-1)


def test_what_has_no_data_here_is_left_out_by_name(tmp_path):
    for name in ('RHD_published_v2', 'STB'):
        (tmp_path / 'data' / 'mini' / name).mkdir(parents=True)
    elsewhere = replace(MEASUREMENTS[0], benchmark='mini/finetune_h3d')
    possible, sentences = with_data([*MEASUREMENTS, elsewhere])
    assert possible == MEASUREMENTS
    assert len(sentences) == 1 and sentences[0].startswith('1 measurements are left out: ')
    assert 'H3D' in sentences[0] and 'make-mini-benchmark' in sentences[0].replace('_', '-')
    with pytest.raises(MissingFileError, match='H3D'):
        with_data([elsewhere])


def test_the_rest_runs_and_what_was_left_out_is_in_the_outcome(tmp_path, monkeypatch):
    for name in ('RHD_published_v2', 'STB'):
        (tmp_path / 'data' / 'mini' / name).mkdir(parents=True)
    ran, said = [], []

    def pretend(tasks, jobs, *, env, watcher):
        ran.extend(read_json(Path(task.command[-2])) for task in tasks)
        return {task.name: Outcome('done') for task in tasks}

    monkeypatch.setattr('mmdualhand.apis.experiments.run.run_tasks', pretend)
    wanted = [MEASUREMENTS[0], replace(MEASUREMENTS[0], benchmark='mini/finetune_h3d')]
    tuned = Measurement(Training('finetune_h3d', 'mini/finetune_h3d', start=PRETRAIN), 'mini/finetune_h3d')
    outcomes = run_measurements(
        [*wanted, tuned], tmp_path / 'work', tmp_path / 'cells', jobs=1, say=said.append
    )
    statuses = {name: one.status for name, one in outcomes.items()}
    assert statuses == {'init_rgb_s0': 'done', 'pretrain_s0': 'absent', 'finetune_h3d_s0': 'absent'}
    assert [one['training']['name'] for one in ran] == ['init_rgb', 'pretrain']
    assert [one['benchmark'] for one in ran[1]['measurements']] == ['mini/finetune_stb']
    assert said[0].startswith('2 measurements are left out: ')
    assert said[1] == '0 of 3 measurements are there; 2 trainings to run or to measure, 1 at a time'


def test_lists_of_numbers_are_one_line(tmp_path):
    content = {'a': [1, 2.5, -1e-3], 'b': {'c': ['x', 'y'], 'd': []}, 'e': [[1, 2], [3]]}
    write_json(tmp_path / 'a.json', content)
    text = (tmp_path / 'a.json').read_text()
    assert ' "a": [ 1, 2.5, -0.001 ],\n' in text
    assert json.loads(text) == content
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ['a.json']


def test_shards_are_disjoint_and_whole():
    found = [replace(m, training=Training(n, 'mini/init_rgb', s)) for m in MEASUREMENTS[:1]
             for n in ('a', 'b', 'c') for s in (0, 1)]  # fmt: skip
    found += MEASUREMENTS
    for number in (1, 2, 3):
        parts = [shard(found, i + 1, number) for i in range(number)]
        assert sorted(m.file_name for part in parts for m in part) == sorted(m.file_name for m in found)
        assert all(parts)
        homes = [i for i, part in enumerate(parts) for one in part if one.training in (PRETRAIN, TUNED)]
        assert len(set(homes)) == 1  # a training and its start are on one machine
    assert shard(MEASUREMENTS, 2, 2) == []  # all of a seed starts from one training, so one part has it all
    with pytest.raises(ConfigError, match='I from 1 to N, got 3/2'):
        shard(found, 3, 2)


def test_costs_compare(tmp_path):
    root = tmp_path / 'data' / 'mini'
    sizes = {'RHD_published_v2': {'training': 2000, 'evaluation': 300}, 'STB': {'train': 400}}
    for name, counts in sizes.items():
        (root / name).mkdir(parents=True)
        (root / name / 'SYNTHETIC.json').write_text(json.dumps({'counts': counts}))
    assert estimated_cost(Job(PRETRAIN), tmp_path) == 2000 * 3 * 8

    def tuning(*options):
        return estimated_cost(Job(with_options([MEASUREMENTS[2]], options)[0].training), tmp_path)

    target = 'train_dataloader.streams.target'
    assert tuning(('train_cfg.max_epochs', 2)) == 400 * 3 * 2 * 2
    few = (('train_cfg.max_epochs', 40), (f'{target}.dataset.real_fraction', 0.05))
    assert tuning(*few) == tuning(('train_cfg.max_epochs', 2))
    assert tuning(('train_cfg.max_epochs', 2), (f'{target}.dataset.num_subset', 100)) == 100 * 3 * 2 * 2
    assert tuning(*few, ('train_cfg.epoch_length', 'whole')) == tuning(('train_cfg.max_epochs', 40))
    steps = (('train_cfg.max_epochs', 2), ('train_cfg.epoch_length', 50), (f'{target}.batch_size', 8))
    assert tuning(*steps) == 50 * 8 * 3 * 2 * 2


def test_code_version_is_that_of_the_checkout():
    cells_module.code_version.cache_clear()
    version = cells_module.code_version()
    if (REPO / '.git').exists():
        head = subprocess.run(
            ['git', '-C', str(REPO), 'rev-parse', 'HEAD'], capture_output=True, text=True, check=True
        ).stdout.strip()
        assert version is not None and head.startswith(version.removesuffix('+changes'))
    else:
        assert version is None


# What follows trains.

TINY = (
    ('model.backbone.base_channels', 4),
    ('model.head.deconv_channels', (8, 8, 8)),
    ('model.channels_last', False),
    ('train_cfg.max_epochs', 2),
    ('train_dataloader.batch_size', 2),
)
KILLED = """
import sys
from pathlib import Path
from mmengine.runner import Runner
from mmdualhand.apis.experiments.job import main
from tests.fixtures.kill_hook import KillHook
build = Runner.from_cfg
def with_kill(cfg):
    runner = build(cfg)
    runner.register_hook(KillHook(epoch=1))
    return runner
Runner.from_cfg = with_kill
main([sys.argv[1]])
"""


@pytest.fixture(scope='module')
def trained(tmp_path_factory, embedded_sets):
    """A pre-training and a fine-tuning on a few pictures; (folder, measurements)."""
    folder = tmp_path_factory.mktemp('experiment')
    (folder / 'data').mkdir()
    (folder / 'data' / 'mini').symlink_to(embedded_sets)
    measurements = with_options(MEASUREMENTS, TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('HAND_DATA', str(folder / 'data'))
        patch.setenv('PYTHONPATH', str(REPO))
        outcomes = run_measurements(measurements, folder / 'work', folder / 'cells', jobs=cores())
    assert {one.status for one in outcomes.values()} == {'done'}, [one.tail for one in outcomes.values()]
    return folder, measurements


@pytest.fixture
def one_thread():
    """As a job has, so that sums are taken in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
def test_cells_say_what_the_test_command_says(trained, one_thread, monkeypatch, tmp_path):
    folder, measurements = trained
    monkeypatch.setenv('HAND_DATA', str(folder / 'data'))
    found = finished_cells(measurements, folder / 'cells')
    cells = {one.file_name: cell for one, cell in zip(measurements, found, strict=True)}
    name = 'finetune_stb_s0--mini_finetune_stb.json'
    checkpoint = folder / 'work' / 'finetune_stb_s0' / 'epoch_2.pth'
    for extra, file in (([], name), (['--root-depth', 'solve'], name.replace('.json', '--solve.json'))):
        out = tmp_path / file
        arguments = ['mini/finetune_stb', str(checkpoint), '--out', str(out), '--work-dir', str(tmp_path)]
        options = ['--cfg-options', 'test_dataloader.num_workers=0']
        assert run('test', [*arguments, *extra, *options]) == 0
        wanted = json.loads(out.read_text())
        assert cells[file]['metrics'] == pytest.approx(wanted['metrics'], rel=1e-6)
    plain = cells[name]
    assert np.mean(plain['per_sample_epe']) == pytest.approx(plain['metrics']['EPE'], abs=0.01)
    curve = plain['curve3d']
    assert curve['thresholds_mm'] == list(range(0, 81, 2)) and curve['pck'] == sorted(curve['pck'])
    assert curve['pck'][10] <= plain['metrics']['AUC'] <= curve['pck'][25]  # from 20 to 50 mm
    bn = cells['pretrain_s0--mini_finetune_stb--bn.json']
    assert bn['metrics']['EPE'] != cells['pretrain_s0--mini_finetune_stb.json']['metrics']['EPE']
    record = read_json(folder / 'work' / 'finetune_stb_s0' / 'training.json')
    start = read_json(folder / 'work' / 'pretrain_s0' / 'training.json')
    assert record['steps'] == plain['steps'] == 12  # 12 pictures of STB in batches of 2, twice
    assert record['threads'] == plain['threads'] == 1  # as many processes as cores
    assert record['chain_seconds'] == pytest.approx(record['seconds'] + start['chain_seconds'], abs=0.11)
    assert [file.name for file in checkpoint.parent.glob('*.pth')] == ['epoch_2.pth']


@pytest.mark.slow
def test_a_killed_fine_tuning_goes_on_and_gives_the_same(trained, monkeypatch, tmp_path):
    folder, measurements = trained
    monkeypatch.setenv('HAND_DATA', str(folder / 'data'))
    monkeypatch.setenv('PYTHONPATH', str(REPO))
    work, cells = tmp_path / 'work', tmp_path / 'cells'
    shutil.copytree(folder / 'work' / 'pretrain_s0', work / 'pretrain_s0')
    shutil.copytree(folder / 'cells', cells)
    for file in cells.glob('finetune*'):
        file.unlink()
    kept = {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in cells.iterdir()}
    task = make_tasks(make_plan(measurements, work, cells), work, cells)[0]
    env = dict(os.environ, OMP_NUM_THREADS='1', MKL_NUM_THREADS='1')
    killed = subprocess.run([sys.executable, '-c', KILLED, task.command[-2]], env=env, capture_output=True)
    assert killed.returncode == -9, killed.stderr[-2000:]
    tuned = measurements[-1].training
    assert find_trained(tuned, work) is None
    assert [file.name for file in (work / tuned.key).glob('*.pth')] == ['epoch_1.pth']
    outcomes = run_measurements(measurements, work, cells, jobs=cores())
    assert {name: one.status for name, one in outcomes.items()} == {'finetune_stb_s0': 'done'}
    assert 'goes on from' in (work / 'logs' / 'finetune_stb_s0.log').read_text()
    assert {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in kept} == kept
    for one in measurements[2:]:
        again, first = (read_json(place / one.file_name) for place in (cells, folder / 'cells'))
        assert again['metrics'] == first['metrics']
        assert again['per_sample_epe'] == first['per_sample_epe']
    files = [place / tuned.key / 'epoch_2.pth' for place in (work, folder / 'work')]
    states = [torch.load(file)['state_dict'] for file in files]
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())


@pytest.mark.slow
def test_a_broken_training_is_reported_with_its_log(trained, monkeypatch, tmp_path):
    folder, _ = trained
    monkeypatch.setenv('HAND_DATA', str(folder / 'data'))
    monkeypatch.setenv('PYTHONPATH', str(REPO))
    data = tmp_path / 'nothing_here'  # an empty folder; an absent one is seen before anything runs
    data.mkdir()
    start = replace(INIT, options=TINY)
    broken = replace(
        PRETRAIN, start=start, options=(*TINY, ('train_dataloader.dataset.data_root', str(data)))
    )
    wanted = [Measurement(one, 'mini/finetune_stb') for one in (broken, replace(TUNED, start=broken))]
    outcomes = run_measurements(wanted, tmp_path / 'work', tmp_path / 'cells', jobs=1)
    statuses = {name: one.status for name, one in outcomes.items()}
    assert statuses == {'init_rgb_s0': 'done', 'pretrain_s0': 'failed', 'finetune_stb_s0': 'skipped'}
    tail = outcomes['pretrain_s0'].tail
    assert 'MissingFileError' in tail and 'nothing_here' in tail
