"""Trainings of shipped configs: their names, and what they start from."""

from __future__ import annotations

import pytest

from mmdualhand.apis.experiments import SCALES, chains
from mmdualhand.apis.experiments.chains import missing_config, start_of, training_name, training_of
from mmdualhand.apis.experiments.suites import two_stage
from mmdualhand.errors import ConfigError


def test_names():
    names = {
        'small/ablation/r_rhd': 'baseline',
        'pretrain_rhd': 'pretrain',
        'mini/compared/pretrain_res50_rhd': 'pretrain_res50',
        'compared/regda_res101_{}': 'regda_res101_{}',
        'mini/init_rgb': 'init_rgb',
        'small/ablation/ft_l_stb': 'ft_l_stb',
        'controls/source_only': 'source_only',
    }
    assert {config: training_name(config) for config in names} == names


@pytest.mark.parametrize('scale', SCALES)
def test_chains_are_those_of_the_suite_of_both_stages(scale, monkeypatch, tmp_path):
    """So that a table takes the cells that are there, and no training is made under two names."""
    monkeypatch.setenv('HAND_DATA', str(tmp_path))
    trainings = {one.training for one in two_stage.measurements(scale, 3) if not one.training.options}
    assert len(trainings) == 8
    for training in trainings:
        assert training_of(training.config, 3) == training


@pytest.mark.parametrize(
    ('text', 'wanted'),
    [
        ('somewhere/epoch_8.pth', 'no checkpoint work_dirs/CONFIG/epoch_N.pth'),
        ('work_dirs/mini/no_such/epoch_8.pth', 'no checkpoint work_dirs/CONFIG/epoch_N.pth'),
        ('work_dirs/mini/pretrain_rhd/epoch_7.pth', 'mini/pretrain_rhd trains for 8 epochs'),
    ],
)
def test_a_start_must_be_a_shipped_training_to_its_end(monkeypatch, text, wanted):
    assert start_of('mini/finetune_stb') == 'mini/pretrain_rhd' and start_of('mini/init_rgb') is None
    facts = chains._facts
    changed = {'mini/finetune_stb': (text, 12)}
    monkeypatch.setattr(chains, '_facts', lambda name: changed.get(name) or facts(name))
    with pytest.raises(ConfigError, match=wanted):
        start_of('mini/finetune_stb')


def test_what_is_missing_is_named(monkeypatch):
    assert missing_config('mini/finetune_stb') is None
    assert missing_config('mini/compared/nothing_stb') == 'mini/compared/nothing_stb'
    monkeypatch.setattr(chains, 'is_shipped', lambda name: name == 'mini/finetune_stb')
    assert missing_config('mini/finetune_stb') == 'mini/pretrain_rhd'  # its start
