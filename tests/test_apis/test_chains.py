"""Trainings of shipped configs and of files: their names, and what they start from."""

from __future__ import annotations

import pytest

from mmdualhand.apis.experiments import SCALES, chains
from mmdualhand.apis.experiments.chains import missing_config, start_of, training_name, training_of
from mmdualhand.apis.experiments.suites import two_stage
from mmdualhand.apis.model_zoo import config_root
from mmdualhand.errors import ConfigError


def test_names():
    names = {
        'small/ablation/r_rhd': 'baseline',
        'pretrain_rhd': 'pretrain',
        'mini/compared/pretrain_res50_rhd': 'pretrain_res50',
        'compared/regda_res101_{}': 'regda_res101_{}',
        'mini/init_rgb': 'init_rgb',
        'small/ablation/ft_l_stb': 'ft_l_stb',
        'mine_{}.py': 'mine_{}',
        'a/mini/pre_rhd.py': 'pre',
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


def write_config(file, base, **values):
    lines = [f'{key} = {value!r}' for key, value in values.items()]
    file.write_text('\n'.join([f"_base_ = ['mmdualhand::{base}']", *lines]))
    return str(file)


def test_a_file_is_a_training_of_its_own_name(tmp_path, monkeypatch):
    file = write_config(tmp_path / 'mine_stb.py', 'mini/finetune_stb')
    found = training_of(file, 1)
    assert (found.name, found.config, found.seed) == ('mine_stb', file, 1)
    assert found.start == training_of('mini/pretrain_rhd', 1)
    monkeypatch.chdir(tmp_path)
    assert training_of('mine_stb.py', 1) == training_of('no/../mine_stb.py', 1) == found


def test_the_ending_of_a_shipped_config_does_not_count(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wanted = training_of('mini/ablation/r_rhd', 0)
    assert wanted.name == 'baseline'
    assert training_of('mini/ablation/r_rhd.py', 0) == wanted
    assert training_of(str(config_root() / 'mini' / 'ablation' / 'r_rhd.py'), 0) == wanted


def test_a_file_may_start_from_one_beside_it(tmp_path):
    start = write_config(tmp_path / 'mine_stage1.py', 'mini/pretrain_rhd')
    load_from = 'work_dirs/mine_stage1/epoch_8.pth'
    file = write_config(tmp_path / 'mine_stb.py', 'mini/finetune_stb', load_from=load_from)
    assert training_of(file, 0).start == training_of(start, 0) and missing_config(file) is None
    assert training_of(start, 0).start.name == 'init_rgb'
    early = write_config(tmp_path / 'early.py', 'mini/finetune_stb', load_from=load_from.replace('8', '3'))
    with pytest.raises(ConfigError, match='mine_stage1.py trains for 8 epochs'):
        training_of(early, 0)
    lost = write_config(tmp_path / 'lost.py', 'mini/finetune_stb', load_from='work_dirs/no_such/epoch_8.pth')
    assert missing_config(lost) == str(tmp_path / 'no_such.py')
    with pytest.raises(ConfigError, match='no checkpoint .* of a shipped config or of a file beside it'):
        training_of(lost, 0)


def test_a_start_that_may_be_two_configs_is_refused(tmp_path):
    write_config(tmp_path / 'pretrain_rhd.py', 'mini/pretrain_rhd')
    load_from = 'work_dirs/pretrain_rhd/epoch_8.pth'
    file = write_config(tmp_path / 'two.py', 'mini/finetune_stb', load_from=load_from)
    with pytest.raises(ConfigError, match='is the shipped config or .*/pretrain_rhd.py: give the file'):
        start_of(file)


def test_a_file_does_not_take_the_name_of_a_shipped_training(tmp_path):
    file = write_config(tmp_path / 'finetune_stb.py', 'mini/finetune_stb')
    with pytest.raises(ConfigError, match='named finetune_stb, as that of the shipped config finetune_stb'):
        training_of(file, 0)
    assert training_of(file, 0, 'mine').name == 'mine'
    with pytest.raises(ConfigError, match='named baseline, as that of the shipped config ablation/r_rhd'):
        training_of('mini/finetune_stb', 0, 'baseline')


def test_a_file_that_is_not_there_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert missing_config('no_such.py') == str(tmp_path / 'no_such.py')
    with pytest.raises(ConfigError, match='no_such.py'):
        training_of('no_such.py', 0)
