"""Errors of both passes and of labels on images whose labels are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmdualhand import compat
from mmdualhand.apis.evaluate import evaluate, fit_test
from mmdualhand.apis.label_errors import label_table, measure_labels, self_training_network
from mmdualhand.apis.model_zoo import get_config
from mmdualhand.cli.main import main
from mmdualhand.errors import ConfigError
from mmdualhand.registry import MODELS

TINY = dict(
    backbone=dict(depth=18, base_channels=8, init_cfg=None),
    head=dict(deconv_channels=(8, 8, 8), codec=dict(input_size=(64, 64))),
    projector=dict(hidden_channels=8, out_channels=8),
)


@pytest.fixture
def cfg(embedded_sets, tmp_path, monkeypatch):
    (tmp_path / 'mini').symlink_to(embedded_sets)
    monkeypatch.setenv('HAND_DATA', str(tmp_path))
    return get_config('mini/finetune_stb')


@pytest.fixture
def checkpoint():
    first = get_config('mini/pretrain_rhd')
    first.merge_from_dict(dict(model=TINY))
    torch.manual_seed(3)
    network = MODELS.build(first.model)
    with torch.no_grad():
        network.head.final.weight.mul_(1000)  # predictions that depend on the picture
    return {'meta': {'model': first.model.to_dict()}, 'state_dict': network.state_dict()}


def test_errors_are_those_of_the_test(cfg, checkpoint):
    """The first pass on the target equals what the benchmark's metric says of the same images."""
    network = self_training_network(cfg, checkpoint, 'a.pth')
    found = measure_labels(network, cfg)
    assert set(found) == {'source', 'target'}
    train = cfg.train_dataloader.streams.target.dataset
    cfg.model.head.codec.input_size = (64, 64)
    cfg.test_dataloader.dataset.update(split=train.split, test_mode=True)
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    fit_test(cfg)
    result = evaluate(network, cfg)
    assert found['target']['rgb'] == pytest.approx(np.mean(result.per_sample_epe), abs=0.02)
    for values in found.values():
        assert {'rgb', 'fused', 'depth', 'label', 'accepted', 'confidence'} <= set(values)
        share = values['accepted_share']
        mixed = share * values['accepted'] + (1 - share) * values.get('rejected', 0)
        assert mixed == pytest.approx(values['label'], rel=1e-6)


def test_a_network_of_the_rgb_branch_has_one_pass(cfg):
    baseline = get_config('mini/ablation/r_rhd')
    baseline.merge_from_dict(dict(model=TINY))
    network = MODELS.build(baseline.model)
    checkpoint = {'meta': {'model': baseline.model.to_dict()}, 'state_dict': network.state_dict()}
    found = measure_labels(self_training_network(cfg, checkpoint, 'a.pth'), cfg)
    assert 'fused' not in found['target'] and found['target']['label'] > 0


def test_only_the_target_is_measured_with_other_statistics(cfg, checkpoint):
    plain = measure_labels(self_training_network(cfg, checkpoint, 'a.pth'), cfg)
    adapted = measure_labels(self_training_network(cfg, checkpoint, 'a.pth'), cfg, reestimate_bn=True)
    assert adapted['source'] == plain['source']
    assert abs(adapted['target']['rgb'] - plain['target']['rgb']) > 0.01


def test_table():
    text = label_table({'a': {'rgb': 10.04, 'confidence': 1.0}, 'b': {'rgb': 9.0, 'fused': 8.56}})
    assert text.splitlines() == [
        '| | p_R | p_F | median C |',
        '|---|---|---|---|',
        '| a | 10.0 |  | 1.00 |',
        '| b | 9.0 | 8.6 |  |',
    ]


def test_what_cannot_be_measured_is_said(cfg, checkpoint):
    with pytest.raises(ConfigError, match='config of a fine-tuning'):
        self_training_network(get_config('mini/pretrain_rhd'), checkpoint, 'a.pth')
    with pytest.raises(ConfigError, match='a.pth does not name its network'):
        self_training_network(cfg, {'state_dict': checkpoint['state_dict']}, 'a.pth')


def test_command_and_test_with_other_statistics(cfg, checkpoint, tmp_path, capsys):
    compat.apply_patches()
    path = tmp_path / 'network.pth'
    torch.save(checkpoint, path)
    assert main(['measure-labels', 'mini/finetune_stb', str(path)]) == 0
    printed = capsys.readouterr().out
    assert f'{path}, target' in printed and '| p_R | p_F | p_D |' in printed
    folder = str(tmp_path / 'work')
    for more in ([], ['--reestimate-bn']):
        assert main(['test', 'mini/finetune_stb', str(path), '--work-dir', folder, *more]) == 0
    assert capsys.readouterr().out.count('re-estimated on 1 batches') == 1
