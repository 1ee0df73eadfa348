"""The best checkpoint on source images: asked for, named, and never chosen by a target."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace

import pytest

from mmdualhand.apis.experiments import Measurement, Training, best_on, plain_names, with_options
from mmdualhand.apis.experiments.configs import training_config
from mmdualhand.apis.experiments.origin import measurement_origin, training_origin
from mmdualhand.apis.experiments.selection import selection_sentence
from mmdualhand.apis.experiments.train_once import _best_checkpoint, train_once
from mmdualhand.errors import ConfigError

SOURCE = 'mini/pretrain_rhd'
PRETRAIN = Training('pretrain', SOURCE, start=Training('init_rgb', 'mini/init_rgb'))
TUNED = Training('finetune_stb', 'mini/finetune_stb', start=PRETRAIN)
TINY = (
    ('model.backbone.base_channels', 4),
    ('model.head.deconv_channels', (8, 8, 8)),
    ('model.channels_last', False),
    ('train_cfg.max_epochs', 2),
    ('train_dataloader.batch_size', 2),
)


@pytest.fixture(autouse=True)
def no_data(monkeypatch, tmp_path):
    monkeypatch.setenv('HAND_DATA', str(tmp_path))


def test_the_whole_chain_is_chosen_under_names_of_its_own():
    (one,) = best_on([Measurement(TUNED, 'mini/finetune_stb')], SOURCE)
    assert one.file_name == 'finetune_stb+best_s0--mini_finetune_stb.json'
    assert one.training.start.name == 'pretrain+best' and one.training.start.start.best_on == SOURCE
    assert plain_names([{'training': one.training.name, 'seed': 0}]) == [
        {'training': 'finetune_stb', 'seed': 0}
    ]
    assert Measurement.from_plain(json.loads(json.dumps(one.to_plain()))) == one
    old = asdict(TUNED)  # as written before there was a choice
    for part in (old, old['start'], old['start']['start']):
        del part['best_on']
    assert Training.from_plain(old) == TUNED


def test_the_source_chooses_whatever_the_config_validates_on():
    plain = training_config(TUNED)
    assert plain.val_dataloader is None and 'save_best' not in plain.default_hooks.checkpoint
    cfg = training_config(replace(TUNED, best_on=SOURCE))
    assert (
        cfg.val_dataloader.dataset.type == 'RHDDataset' and cfg.val_dataloader.dataset.split == 'evaluation'
    )
    assert [metric.type for metric in cfg.val_evaluator] == ['PCK'] and cfg.train_cfg.val_interval == 1
    checkpoint = cfg.default_hooks.checkpoint
    assert (checkpoint.save_best, checkpoint.rule) == ('PCK@0.05', 'greater')
    crop = cfg.val_dataloader.dataset.pipeline[1]
    assert tuple(crop.input_size) == (96, 96)
    with pytest.raises(ConfigError, match='has no test_dataloader|neither a config file'):
        training_config(replace(TUNED, best_on='mini/nothing'))


def test_it_counts_as_another_result():
    chosen = replace(PRETRAIN, best_on=SOURCE)
    assert training_origin(chosen)['config'] != training_origin(PRETRAIN)['config']
    here = Measurement(PRETRAIN, 'mini/finetune_stb')
    assert (
        measurement_origin(replace(here, training=chosen))['training'] != measurement_origin(here)['training']
    )


def test_tables_say_which_checkpoint_counts():
    assert selection_sentence([{}, {}]) == 'Checkpoint of every training: the last one.'
    text = selection_sentence([{'best_on': SOURCE}])
    assert text.startswith(
        f'Checkpoint of every training: that of the best PCK@0.05 on the images of {SOURCE}'
    )


def test_the_last_best_file_is_the_best(tmp_path):
    assert _best_checkpoint(tmp_path) is None
    for place, epoch in enumerate((9, 10, 8)):
        file = tmp_path / f'best_PCK@0.05_epoch_{epoch}.pth'
        file.touch()
        os.utime(file, ns=(place * 10**9, place * 10**9))
    assert _best_checkpoint(tmp_path).name == 'best_PCK@0.05_epoch_8.pth'


@pytest.mark.slow
def test_a_training_that_chooses(embedded_sets, monkeypatch, tmp_path):
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / 'mini').symlink_to(embedded_sets)
    monkeypatch.setenv('HAND_DATA', str(tmp_path / 'data'))
    first = replace(PRETRAIN, start=None, config='mini/init_rgb', best_on=SOURCE)
    (one,) = with_options([Measurement(first, SOURCE)], TINY)
    trained = train_once(one.training, tmp_path / 'work')
    assert trained.checkpoint.name in ('best_PCK@0.05_epoch_1.pth', 'best_PCK@0.05_epoch_2.pth')
    assert train_once(one.training, tmp_path / 'work').checkpoint == trained.checkpoint  # found again
