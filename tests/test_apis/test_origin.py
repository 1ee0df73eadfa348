"""What a result depends on: what changes the hash of a training or a measurement, and what does not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mmdualhand.apis.experiments import configs
from mmdualhand.apis.experiments.definitions import Measurement, Training
from mmdualhand.apis.experiments.origin import (
    absent_data,
    difference,
    digest,
    measurement_origin,
    training_origin,
)

PRETRAIN = 'mini/pretrain_rhd'
FINETUNE = 'mini/finetune_stb'
INIT = Training('init_rgb', 'mini/init_rgb')
START = Training('pretrain', PRETRAIN, start=INIT)
TUNED = Training('finetune_stb', FINETUNE, start=START)


@pytest.fixture(autouse=True)
def without_data(monkeypatch, tmp_path):
    """Whether this checkout has rendered data does not count."""
    monkeypatch.setenv('HAND_DATA', str(tmp_path / 'none'))


def write(tmp_path, name, text='', base=PRETRAIN):
    """A config that inherits a shipped one."""
    file = tmp_path / f'{name}.py'
    file.write_text(f"_base_ = ['mmdualhand::{base}']\n{text}\n")
    return str(file)


def changed(*options):
    return training_origin(replace(START, options=options))


def test_digest_is_what_it_was():
    # A change here makes every finished measurement of every user run again.
    assert digest({'b': (1, 2.5), 'a': {'num_workers': 4, 'lr': 1e-3}}) == digest(
        {'a': {'lr': 0.001}, 'b': [1, 2.5]}
    )
    assert digest({'a': 1}) == 'f9d86028c6e0d64e'  # sha256 of '{"a": 1}'
    assert digest({'a': 1}) != digest({'a': 1.5}) != digest({'b': 1.5})


@pytest.mark.parametrize(
    'option',
    [
        ('train_dataloader.dataset.data_root', 'elsewhere/mini/RHD_published_v2'),
        ('train_dataloader.num_workers', 7),
        ('train_dataloader.pin_memory', False),
        ('default_hooks.logger.interval', 7),
        ('default_hooks.checkpoint.interval', 3),
        ('val_dataloader.batch_size', 3),
        ('train_cfg.val_interval', 1),
        ('model.test_cfg.branches', ('rgb', 'fused')),
        ('work_dir', 'elsewhere'),
        ('log_level', 'ERROR'),
        ('optim_wrapper.optimizer.betas', [0.9, 0.99]),
    ],
    ids=lambda option: option[0],
)
def test_what_leaves_the_weights_alone(option):
    assert changed(option) == changed()


@pytest.mark.parametrize(
    'option',
    [
        ('optim_wrapper.optimizer.lr', 1e-3),
        ('model.contrast_weight', 0.2),
        ('train_dataloader.batch_size', 8),
        ('train_dataloader.dataset.num_samples', 8),
        ('train_dataloader.dataset.pipeline.1.augment.rotation', 30.0),
        ('train_cfg.max_epochs', 3),
        ('param_scheduler.0.gamma', 0.2),
        ('custom_hooks', [dict(type='EMAHook')]),
        ('randomness.deterministic', True),
    ],
    ids=lambda option: option[0],
)
def test_what_changes_the_weights(option):
    assert difference(changed(), changed(option)) == 'the config of the training'


def test_seed_start_and_labels_count():
    assert (
        training_origin(replace(START, seed=1, start=replace(INIT, seed=1)))['config'] != changed()['config']
    )
    origin, other = training_origin(TUNED), training_origin(replace(TUNED, start=replace(START, options=LR)))
    assert origin['start'] == changed()['hash']
    assert difference(origin, other) == 'the training that it starts from'
    keep = (('default_hooks.pseudo_labels.labeler.selector.keep', 0.5),)
    assert training_origin(replace(TUNED, options=keep))['config'] != origin['config']
    probe = (('default_hooks.pseudo_labels.num_workers', 3),)
    assert training_origin(replace(TUNED, options=probe)) == origin
    assert training_origin(replace(TUNED, name='another')) == origin


LR = (('optim_wrapper.optimizer.lr', 1e-3),)


def test_an_option_is_the_same_as_a_config(tmp_path):
    file = write(tmp_path, 'lr', 'optim_wrapper = dict(optimizer=dict(lr=1e-3))')
    assert training_origin(replace(START, config=file)) == training_origin(replace(START, options=LR))


def test_data_counts_and_its_place_does_not(tmp_path, monkeypatch):
    seen = []
    for folder, seed in (('first', 1), ('second', 1), ('third', 2)):
        root = tmp_path / folder / 'mini' / 'RHD_published_v2'
        root.mkdir(parents=True)
        (root / 'SYNTHETIC.json').write_text(json.dumps({'seed': seed}))
        monkeypatch.setenv('HAND_DATA', str(tmp_path / folder))
        seen.append(changed())
    assert seen[0] == seen[1]
    assert difference(seen[0], seen[2]) == 'the training that it starts from and the data'
    assert seen[0]['data'] == {'RHD_published_v2': digest({'seed': 1})}
    monkeypatch.setenv('HAND_DATA', str(tmp_path / 'nowhere'))
    assert changed()['data'] == {'RHD_published_v2': None}


def test_data_that_are_not_here(tmp_path, monkeypatch):
    monkeypatch.setenv('HAND_DATA', str(tmp_path))
    source, target = (tmp_path / 'mini' / name for name in ('RHD_published_v2', 'STB'))
    plain = Measurement(START, FINETUNE)  # trained on the source, measured on the target
    assert absent_data(plain) == [str(source), str(target)]
    source.mkdir(parents=True)
    assert absent_data(plain) == absent_data(replace(plain, reestimate_bn=True)) == [str(target)]
    target.mkdir()
    assert absent_data(plain) == []


def test_measurements(tmp_path):
    plain = Measurement(TUNED, FINETUNE)
    origin = measurement_origin(plain)
    assert origin['training'] == training_origin(TUNED)['hash']
    for other in (
        replace(plain, reestimate_bn=True),
        replace(plain, root_depth='solve'),
        replace(plain, branches=('rgb', 'fused')),
        replace(plain, benchmark='mini/finetune_h3d'),
    ):
        assert 'the benchmark' in difference(origin, measurement_origin(other))
    size = write(tmp_path, 'size', 'test_dataloader = dict(batch_size=3, num_workers=0)', FINETUNE)
    assert measurement_origin(replace(plain, benchmark=size)) == origin
    auc = write(tmp_path, 'auc', "test_evaluator = [dict(type='AUC', low=0.0, high=50.0)]", FINETUNE)
    assert measurement_origin(replace(plain, benchmark=auc))['benchmark'] != origin['benchmark']
    other = replace(plain, training=replace(TUNED, options=LR))
    assert difference(origin, measurement_origin(other)) == 'the training'
    solved = replace(TUNED, options=(('model.test_cfg.template', 'other.json'),))
    again = measurement_origin(replace(plain, training=solved))
    assert difference(origin, again) == 'the benchmark'  # tested otherwise, trained alike


def test_a_config_is_read_once_and_never_changed():
    first = configs.training_config(START)
    first.model.branches = ('rgb',)
    assert configs.training_config(START).model.branches == ('rgb', 'depth', 'fused')
