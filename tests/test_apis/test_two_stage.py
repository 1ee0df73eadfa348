"""The suite of both stages: what it measures, and its tables by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import nan

import pytest

from mmdualhand.apis.experiments import (
    SCALES,
    Table,
    Training,
    get_suite,
    left_out,
    list_suites,
    markdown_text,
    measured_elsewhere,
)
from mmdualhand.apis.experiments.definitions import check_names
from mmdualhand.apis.experiments.suites import two_stage
from mmdualhand.apis.experiments.tables import Spread, csv_text, spread
from mmdualhand.errors import ConfigError

TARGETS = ('stb', 'freihand', 'h3d', 'mvhand')


@pytest.fixture(autouse=True)
def no_data(monkeypatch, tmp_path):
    monkeypatch.setenv('HAND_DATA', str(tmp_path))


def test_it_is_found():
    assert 'two_stage' in list_suites()
    assert get_suite('two_stage') is two_stage
    with pytest.raises(ConfigError, match="did you mean 'two_stage'"):
        get_suite('two_stages')
    with pytest.raises(ConfigError, match="'tiny' is not a scale"):
        two_stage.measurements('tiny', 0)


@pytest.mark.parametrize('scale', SCALES)
def test_the_matrix(scale):
    found = two_stage.measurements(scale, 2)
    check_names(found)
    prefix = SCALES[scale]
    # Stage 1: source, four targets, four with BN; fine-tuned: own target, root depth solved, source.
    stage1, own = 1 + 4 + 4, 3
    wanted = {'baseline': stage1, 'pretrain': stage1, 'source_only': stage1, 'equal_compute': stage1}
    wanted.update({f'finetune_{target}': own for target in TARGETS})
    wanted.update({f'one_pass_{target}': 2 for target in TARGETS})
    assert Counter(one.training.name for one in found) == wanted
    assert {one.training.seed for one in found} == {2}
    trainings = {one.training.name: one.training for one in found}
    assert trainings['baseline'].config == f'{prefix}ablation/r_rhd'
    assert trainings['equal_compute'].config == f'{prefix}controls/baseline_equal_compute'
    assert trainings['source_only'].config == f'{prefix}controls/source_only'
    starts = {trainings[name].start for name in ('baseline', 'pretrain', 'equal_compute')}
    assert starts == {Training('init_rgb', f'{prefix}init_rgb', 2) if prefix else None}
    for name, training in trainings.items():
        if name.startswith(('finetune', 'one_pass', 'source_only')):
            assert training.start == trainings['pretrain']
    assert dict(trainings['one_pass_h3d'].options) == {
        'model.self_training.passes': 1,
        'model.self_training.label_branches': ('rgb',),
        'default_hooks.pseudo_labels.labeler.branches': ('rgb',),
    }
    assert {one.benchmark for one in found if one.training.name == 'finetune_h3d'} == {
        f'{prefix}finetune_h3d', f'{prefix}pretrain_rhd',
    }  # fmt: skip
    assert all(one.benchmark != f'{prefix}pretrain_rhd' for one in found if one.reestimate_bn)


def test_everywhere_measures_the_fine_tuned_on_all():
    found = [m for m in two_stage.method('mini', 0, everywhere=True) if m.training.name == 'finetune_h3d']
    assert [m.benchmark for m in found] == [*(f'mini/finetune_{t}' for t in TARGETS), 'mini/pretrain_rhd']


def test_real_photos_only_where_they_are(tmp_path):
    assert two_stage.real_photos('mini', 0) == []
    sentence = f'The real photos of Ge et al. are not measured here: {tmp_path / "ge_real"} is not there.'
    assert left_out('two_stage', 'mini') == [sentence]
    absent = measured_elsewhere('two_stage', 'mini', 0)
    assert not set(absent) & set(two_stage.measurements('mini', 0))
    (tmp_path / 'ge_real').mkdir()
    assert left_out('two_stage', 'mini') == []
    found = two_stage.real_photos('mini', 0)
    assert [one.training.name for one in found] == ['baseline', 'pretrain', 'finetune_ge_real']
    assert {one.benchmark for one in found} == {'mini/finetune_ge_real'}
    assert absent == found and measured_elsewhere('two_stage', 'mini', 0) == []
    assert measured_elsewhere('table4', 'mini', 0) == []


def test_a_broken_config_is_not_a_missing_one(monkeypatch):
    monkeypatch.setattr(two_stage, 'REAL', 'ge_reel')
    with pytest.raises(ConfigError, match='finetune_ge_reel'):
        two_stage.real_photos('mini', 0)


def cell(training, seed, place, epe, **more):
    metrics = {'EPE': epe, 'PCK@0.05': epe / 100, 'AUC': 1 - epe / 100}
    cost = dict(steps=10, seconds=2.0, cpu_seconds=4.0, chain_seconds=3.0, chain_cpu_seconds=6.0)
    benchmark = f'mini/finetune_{place}' if place in TARGETS else 'mini/pretrain_rhd'
    plain = dict(reestimate_bn=False, root_depth='given', benchmark=benchmark, metrics=metrics)
    return {'training': training, 'seed': seed, **plain, **cost, **more}


def cells():
    """Two seeds: baseline 30 and 40 on all targets, fine-tuned 15, 17, 19, 21 and twice as much."""
    out = []
    for seed, factor in ((0, 1.0), (1, 2.0)):
        for place, target in enumerate(TARGETS):
            out.append(cell('baseline', seed, target, 30.0 + 10 * seed))
            out.append(cell(f'finetune_{target}', seed, target, factor * (15 + 2 * place)))
            out.append(cell(f'finetune_{target}', seed, 'source', 10.0 + place + seed))
        out.append(cell('pretrain', seed, 'stb', 25.0))
        out.append(cell('baseline', seed, 'stb', 28.0, reestimate_bn=True))
    return out


def test_tables_by_hand():
    tables = two_stage.tables(cells(), 'mini')
    assert [table.name for table in tables] == ['EPE', 'PCK@0.05', 'AUC', 'cost']
    rows = {line.split(' | ')[0]: line for line in markdown_text(tables[0]).splitlines()}
    # Fine-tuned: source 11.5, 12.5; means of the targets 18 and 36; baseline 30 and 40.
    assert rows['| fine-tuned'] == (
        '| fine-tuned | 12.00 +- 0.71 | 22.50 +- 10.61 | 25.50 +- 12.02 | 28.50 +- 13.44 | 31.50 +- 14.85 '
        '| 27.00 +- 12.73 | - | 0.75 +- 0.21 |'
    )
    # Differences 30 - 18 and 40 - 36, seed by seed.
    assert rows['| baseline'].endswith('| 35.00 +- 7.07 | 8.00 +- 5.66 | 1.00 +- 0.00 |')
    assert rows['| pre-trained'] == '| pre-trained | - | 25.00 +- 0.00 | - | - | - | - | - | - |'
    assert rows['| (i) baseline, BN re-estimated'].startswith(
        '| (i) baseline, BN re-estimated | - | 28.00 +-'
    )
    assert '| (iv) one pass' not in rows
    assert 'baseline | 10 | 4 | 6 | 2 | 3 |' in markdown_text(tables[-1]).replace(' +- 0', '')
    lines = csv_text(tables).splitlines()
    assert lines[0] == 'table,row,column,metric,mean,std,seeds'
    assert 'EPE,fine-tuned,mean of targets,EPE,27,12.7279,2' in lines
    assert 'EPE,fine-tuned,ratio to baseline,ratio of EPE,0.75,0.212132,2' in lines
    assert 'PCK@0.05,baseline,STB,PCK@0.05,0.35,0.0707107,2' in lines
    assert 'cost,baseline,cpu s with its starts,chain_cpu_seconds,6,0,2' in lines


def test_titles_say_data_scale_and_seeds():
    assert two_stage.tables([], 'mini') == []
    made = [{**c, 'origin': {'data': {'x': 'a1b2'}}} for c in cells()]
    epe = two_stage.tables(made, 'mini')[0]
    assert epe.title.startswith('Both stages. EPE in mm')
    assert 'embedded data, whose hands are rendered; scale mini; mean +- standard' in epe.title
    assert 'deviation of the seeds [0, 1]. Differences' in epe.title
    assert epe.short == 'Both stages, EPE (embedded data, scale mini, seeds 0, 1)'
    cost = next(table for table in two_stage.tables(made, 'mini') if table.name == 'cost')
    assert cost.title.startswith('What each training cost; scale mini; mean +- standard deviation of the')
    assert cost.short == 'What each training cost (scale mini, seeds 0, 1)'
    one = two_stage.tables([c for c in cells() if not c['seed']], 'small')[1]
    assert one.short == 'Both stages, PCK@0.05 (unknown data, scale small, seed 0)'


def test_one_seed_has_no_spread():
    one = [c for c in cells() if c['seed'] == 0]
    assert '| fine-tuned | 11.50 | 15.00 | 17.00 | 19.00 | 21.00 | 18.00 | - | 0.60 |' in markdown_text(
        two_stage.tables(one, 'mini')[0]
    )
    assert 'EPE,fine-tuned,STB,EPE,15,,1' in csv_text(two_stage.tables(one, 'mini')).splitlines()
    found = spread([3.0])
    assert (found.mean, found.number) == (3.0, 1) and found.std != found.std


def test_a_root_depth_of_its_own_is_not_compared():
    solved = [cell(f'finetune_{target}', 0, target, 50.0, root_depth='solve') for target in TARGETS]
    text = markdown_text(two_stage.tables([*cells(), *solved], 'mini')[0])
    assert f'| fine-tuned, root depth solved | - |{" 50.00 (n=1) |" * 5} - | - |' in text


def test_the_legend_is_of_the_rows_that_are_there():
    last = markdown_text(two_stage.tables(cells(), 'mini')[0]).splitlines()[-1]
    assert last.startswith('Controls: (i) batch normalisation re-estimated') and '(ii)' not in last
    heads = [row.head for row in two_stage.ROWS if row.head.startswith('(')]
    assert {head.split()[0] for head in heads} == set(two_stage.CONTROLS)
    stage1 = [c for c in cells() if c['training'] == 'baseline' and not c['reestimate_bn']]
    assert 'Controls' not in markdown_text(two_stage.tables(stage1, 'mini')[0])


def test_real_photos_name_unit_and_protocol():
    table = two_stage.tables([cell('baseline', 0, 'stb', 1.0, benchmark='mini/finetune_ge_real')], 'mini')[-1]
    assert table.name == 'ge_real'
    assert 'EPE in mm (camera frame' in table.title and 'from 20 to 50 mm' in table.title
    assert table.metrics == ('EPE', 'PCK@0.05', 'AUC') == table.columns


def test_no_number_is_not_left_out():
    assert spread([1.0, None, 3.0]) == Spread(2.0, 2.0**0.5, 2)
    assert spread([None]) is None
    for value in (nan, float('inf')):
        found = spread([1.0, value])
        assert found.number == 2 and found.mean != found.mean and found.std != found.std
    rows = (('row', (spread([1.0, nan]), spread([nan]), spread([1.0]), spread([1.0, 2.0]), None)),)
    table = Table('name', 'title', ('a', 'b', 'c', 'd', 'e'), rows, seeds=2)
    assert (
        markdown_text(table).splitlines()[-1] == '| row | n/a | n/a (n=1) | 1.00 (n=1) | 1.50 +- 0.71 | - |'
    )
    assert markdown_text(replace(table, legend='Below.')).endswith('|\n\nBelow.')
    assert 'name,row,a,,nan,nan,2' in csv_text([table]).splitlines()
    assert 'name,row,c,,1,,1' in csv_text([table]).splitlines()


def test_a_network_that_gave_no_number_has_no_mean():
    broken = cells()
    broken[0]['metrics']['EPE'] = nan  # baseline of seed 0 on STB
    text = markdown_text(two_stage.tables(broken, 'mini')[0])
    row = next(line for line in text.splitlines() if line.startswith('| baseline |'))
    assert row == '| baseline | - | n/a | 35.00 +- 7.07 | 35.00 +- 7.07 | 35.00 +- 7.07 | n/a | n/a | n/a |'


def test_nothing_measured_has_no_table():
    assert two_stage.tables([], 'mini') == []
