"""The suite of both stages: what it measures, and its tables by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from mmdualhand.apis.experiments import SCALES, Training, get_suite, list_suites, markdown_text
from mmdualhand.apis.experiments.definitions import check_names
from mmdualhand.apis.experiments.suites import two_stage
from mmdualhand.apis.experiments.tables import csv_text
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
    (tmp_path / 'ge_real').mkdir()
    found = two_stage.real_photos('mini', 0)
    assert [one.training.name for one in found] == ['baseline', 'pretrain', 'finetune_ge_real']
    assert {one.benchmark for one in found} == {'mini/finetune_ge_real'}


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
    assert lines[0] == 'table,row,column,mean,std,seeds'
    assert 'EPE,fine-tuned,mean of targets,27,12.7279,2' in lines
    assert 'PCK@0.05,baseline,STB,0.35,0.0707107,2' in lines


def test_one_seed_has_no_spread():
    one = [c for c in cells() if c['seed'] == 0]
    assert '| fine-tuned | 11.50 | 15.00 | 17.00 | 19.00 | 21.00 | 18.00 | - | 0.60 |' in markdown_text(
        two_stage.tables(one, 'mini')[0]
    )


def test_nothing_measured_has_no_table():
    assert two_stage.tables([], 'mini') == []
