"""Hooks without a run: what they refuse and what they keep."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import CheckpointHook
from torch import nn

from mmdualhand.engine import FiniteLossHook, SafeCheckpointHook
from mmdualhand.engine.weights import load_weights, match_weights
from mmdualhand.errors import ConfigError, TrainingDivergedError


def runner(iteration: int) -> SimpleNamespace:
    return SimpleNamespace(iter=iteration, epoch=2)


def test_a_loss_that_is_not_finite_stops_the_run():
    hook = FiniteLossHook(interval=5)
    outputs = dict(loss=torch.tensor(float('nan')), loss_pose_rgb=torch.tensor(float('inf')))
    hook.after_train_iter(runner(2), 2, outputs=outputs)
    hook.after_train_iter(runner(4), 4, outputs=dict(loss=torch.tensor(1.0)))
    with pytest.raises(TrainingDivergedError, match=r'epoch 3, iteration 5 .*loss_pose_rgb.*lr'):
        hook.after_train_iter(runner(4), 4, outputs=outputs)


def test_weights_must_match_before_anything_is_loaded():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    before = net[0].weight.clone()
    state = {key: torch.ones_like(value) for key, value in net.state_dict().items()}
    state['1.weight'] = torch.ones(3, 2)
    with pytest.raises(ConfigError, match=r'a\.pth: 3 of 4 .*another network'):
        load_weights(net, dict(state_dict=state), source='a.pth')
    assert torch.equal(net[0].weight, before)
    wrapped = {f'module.{key}': value for key, value in state.items()}
    load_weights(net, dict(state_dict=wrapped), source='a', min_match=0.75)
    assert torch.equal(net[0].weight, torch.ones(2, 2))
    assert set(match_weights(net, state, source='a', min_match=0.5)) == {'0.weight', '0.bias', '1.bias'}


def test_copies_inside_a_network_need_not_be_in_a_checkpoint():
    net = nn.ModuleDict({'student': nn.Linear(2, 2), 'teacher': nn.Linear(2, 2)})
    state = {key: value for key, value in net.state_dict().items() if 'student' in key}
    with pytest.raises(ConfigError, match='2 of 4'):
        match_weights(net, state, source='a', min_match=0.98)
    matched = match_weights(net, state, source='a', min_match=0.98, optional=('teacher.',))
    assert set(matched) == {'student.weight', 'student.bias'}
    state['teacher.bias'] = net['teacher'].bias  # a checkpoint that has them must have them all
    with pytest.raises(ConfigError, match='3 of 4'):
        match_weights(net, state, source='a', min_match=0.98, optional=('teacher.',))


def test_the_best_checkpoint_stays_until_the_next_is_there(tmp_path, monkeypatch):
    hook = SafeCheckpointHook(save_best='EPE', rule='less')
    old, new = tmp_path / 'best_1.pth', tmp_path / 'best_2.pth'
    old.touch()
    hook.best_ckpt_path = str(old)

    def save(self, runner, metrics):
        assert old.exists() and self.best_ckpt_path is None
        if metrics['EPE'] < 5:
            new.touch()
            self.best_ckpt_path = str(new)

    monkeypatch.setattr(CheckpointHook, '_save_best_checkpoint', save)
    hook._save_best_checkpoint(runner(0), {'EPE': 9.0})
    assert old.exists() and hook.best_ckpt_path == str(old)
    hook._save_best_checkpoint(runner(0), {'EPE': 1.0})
    assert not old.exists() and hook.best_ckpt_path == str(new)
    with pytest.raises(ConfigError, match=r"save_best names \['EPE'\].*\['AUC'\]"):
        hook._save_best_checkpoint(runner(0), {'AUC': 1.0})
