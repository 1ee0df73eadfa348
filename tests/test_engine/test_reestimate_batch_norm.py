"""Re-estimated batch normalisation: the statistics of the given images, and nothing else."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mmdualhand.engine import reestimate_batch_norm
from mmdualhand.errors import ConfigError
from mmdualhand.models import BranchBatchNorm


class Normed(nn.Module):
    """One batch norm after a data preprocessor that does nothing, with the estimators' call."""

    def __init__(self) -> None:
        super().__init__()
        self.bn = BranchBatchNorm(2, ('rgb', 'depth'))
        self.plain = nn.BatchNorm2d(2)

    def data_preprocessor(self, batch, training):
        return {'inputs': {'rgb': batch}}

    def forward(self, inputs, mode):
        return self.plain(self.bn(inputs['rgb']))


def batches(number=3, size=8):
    generator = torch.Generator().manual_seed(0)
    scale = torch.tensor([2.0, 5.0]).view(1, 2, 1, 1)
    return [torch.randn(size, 2, 4, 4, generator=generator) * scale + 7 for _ in range(number)]


def test_statistics_are_the_mean_over_the_batches():
    model, data = Normed(), batches()
    assert reestimate_batch_norm(model, data) == 3
    mean = torch.stack([x.mean((0, 2, 3)) for x in data]).mean(0)
    variance = torch.stack([x.transpose(0, 1).flatten(1).var(1) for x in data]).mean(0)
    torch.testing.assert_close(model.bn.running_mean, mean)
    torch.testing.assert_close(model.bn.running_var, variance)


def test_only_rgb_statistics_change():
    model = Normed()
    before = copy.deepcopy(model.state_dict())
    reestimate_batch_norm(model, batches())
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {
        'bn.running_mean', 'bn.running_var', 'bn.num_batches_tracked',
        'plain.running_mean', 'plain.running_var', 'plain.num_batches_tracked',
    }  # fmt: skip
    assert model.bn.momentum == model.plain.momentum == 0.1
    assert not any(module.training for module in model.modules())


def test_it_does_not_depend_on_the_statistics_before():
    first, second = Normed(), Normed()
    second.bn.running_mean.fill_(100)
    reestimate_batch_norm(first, batches())
    reestimate_batch_norm(second, batches())
    assert torch.equal(first.bn.running_mean, second.bn.running_mean)


def test_momentum_survives_an_error():
    model = Normed()
    with pytest.raises(RuntimeError):
        reestimate_batch_norm(model, [torch.zeros(2, 3, 4, 4)])
    assert model.bn.momentum == 0.1 and not model.bn.training


def test_no_batch_is_an_error():
    with pytest.raises(ConfigError, match='no batch'):
        reestimate_batch_norm(Normed(), [])


def test_no_norm_is_an_error():
    with pytest.raises(ConfigError, match='no batch normalisation'):
        reestimate_batch_norm(nn.Linear(2, 2), batches())
