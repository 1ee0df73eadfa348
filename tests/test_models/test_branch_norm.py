"""Statistics per branch: what is shared and what is not."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmdualhand.models.branch_norm import (
    BranchBatchNorm,
    Segment,
    batch_layout,
    convert_batch_norm,
    view_segments,
)

LAYOUT = [Segment('rgb', 4), Segment('rgb', 4, augmented=True), Segment('fused', 4)]


def batch() -> torch.Tensor:
    torch.manual_seed(0)
    shift = torch.tensor([0.0] * 4 + [1.0] * 4 + [5.0] * 4).view(-1, 1, 1, 1)
    return torch.randn(12, 3, 2, 2) + shift


def reference(x: torch.Tensor) -> torch.Tensor:
    return nn.BatchNorm2d(3)(x)


@pytest.mark.parametrize(
    ('groups', 'parts'),
    [('per_branch', (8, 4)), ('joint', (12,)), ('separate', (4, 4, 4))],
)
def test_batch_statistics_follow_the_groups(groups, parts):
    layer = BranchBatchNorm(3, ('rgb', 'fused'), groups)
    x = batch()
    with batch_layout(LAYOUT):
        got = layer(x)
    expected = torch.cat([reference(part) for part in x.split(list(parts))])
    assert torch.allclose(got, expected, atol=1e-6)


def test_running_statistics_per_branch():
    layer = BranchBatchNorm(3, ('rgb', 'fused'), momentum=1.0)
    x = batch()
    with batch_layout(LAYOUT):
        layer(x)
    assert torch.allclose(layer.running_mean, x[:8].mean((0, 2, 3)), atol=1e-6)
    assert torch.allclose(layer.running_mean_fused, x[8:].mean((0, 2, 3)), atol=1e-6)
    layer.eval()
    with batch_layout([Segment('fused', 4)]):
        fused = layer(x[8:])
    assert fused.mean().abs() < 1e-5
    assert layer(x[8:]).mean() > 1


def test_separate_tracks_the_plain_view_only():
    layer = BranchBatchNorm(3, ('rgb', 'fused'), 'separate', momentum=1.0)
    x = batch()
    with batch_layout(LAYOUT):
        layer(x)
    assert torch.allclose(layer.running_mean, x[:4].mean((0, 2, 3)), atol=1e-6)


def test_without_layout_it_is_an_ordinary_batch_norm():
    layer, plain = BranchBatchNorm(3), nn.BatchNorm2d(3)
    x = batch()
    assert torch.allclose(layer(x), plain(x), atol=1e-6)
    assert torch.allclose(layer.running_var, plain.running_var, atol=1e-6)
    assert set(layer.state_dict()) == set(plain.state_dict())


def test_convert_keeps_values_and_names():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    net[1].weight.data.uniform_(1, 2)
    net[1].running_mean.uniform_(1, 2)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    convert_batch_norm(net, ('rgb', 'depth'), 'per_branch')
    after = net.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert torch.equal(after['1.running_mean_depth'], before['1.running_mean'])


def test_errors_name_the_problem():
    with pytest.raises(ValueError, match='bn_groups'):
        BranchBatchNorm(3, bn_groups='both')
    layer = BranchBatchNorm(3, ('rgb',))
    with batch_layout([Segment('depth', 2)]), pytest.raises(KeyError, match='depth'):
        layer(torch.zeros(2, 3))
    with batch_layout([Segment('rgb', 3)]), pytest.raises(ValueError, match='3 rows'):
        layer(torch.zeros(2, 3))
    split = BranchBatchNorm(3, ('rgb', 'fused'))
    with (
        batch_layout([Segment('rgb', 1), Segment('fused', 1), Segment('rgb', 1)]),
        pytest.raises(ValueError, match='neighbours'),
    ):
        split(torch.zeros(3, 3))
    with pytest.raises(ValueError, match='views'):
        view_segments('rgb', 5, 2)
