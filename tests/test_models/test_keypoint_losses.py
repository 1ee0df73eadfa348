"""Losses of heat maps against closed forms and the values of the original codes."""

from __future__ import annotations

import math

import pytest
import torch

from mmdualhand.codecs import Heatmap
from mmdualhand.errors import ConfigError
from mmdualhand.models import KeypointCurriculumMSELoss, KeypointKLDivLoss, KeypointMSELoss

ZEROS = torch.zeros(1, 1, 64, 64)


def gaussian(x: float, y: float) -> torch.Tensor:
    return Heatmap(sigma=2.0).encode(torch.tensor([[[x, y]]]))[0]


def delta() -> torch.Tensor:
    maps = ZEROS.clone()
    maps[0, 0, 7, 9] = 3.0  # targets are normalised
    return maps


@pytest.mark.parametrize(
    ('target', 'expected'),
    [
        (delta(), math.log(4096)),
        (ZEROS + 0.4, 0.0),
        (gaussian(30, 30), 4.10783),
        (gaussian(0, 0), 5.29443),
    ],
)
def test_divergence_of_zero_logits(target, expected):
    assert KeypointKLDivLoss()(ZEROS, target).item() == pytest.approx(expected, abs=1e-5)
    assert KeypointKLDivLoss(loss_weight=2.0)(ZEROS + 5.0, target).item() == pytest.approx(
        2 * expected, abs=1e-5
    )


def test_divergence_is_zero_for_the_logarithm_of_the_target():
    target = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) + 0.1
    assert KeypointKLDivLoss()(target.log(), target).item() == pytest.approx(0.0, abs=1e-6)


def test_weights_multiply_before_the_mean_over_all_joints():
    pred, target = ZEROS.expand(2, 2, 64, 64), delta().expand(2, 2, 64, 64)
    weight = torch.tensor([[1.0, 0.0], [0.5, 0.0]])
    assert KeypointKLDivLoss()(pred, target, weight).item() == pytest.approx(
        1.5 / 4 * math.log(4096), abs=1e-5
    )
    single = KeypointKLDivLoss(reduction='none')(pred, target, weight)
    assert single[:, 1].tolist() == [0.0, 0.0] and single.shape == (2, 2)


@pytest.mark.parametrize('weight', [None, torch.ones(1, 2)])
def test_an_empty_map_counts_nothing_and_breaks_nothing(weight):
    pred = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    target = torch.zeros(1, 2, 8, 8)
    target[0, 0, 2, 3] = 1.0
    value = KeypointKLDivLoss()(pred, target, weight)
    value.backward()
    alone = KeypointKLDivLoss()(pred[:, :1], target[:, :1])
    assert value.item() == pytest.approx(alone.item() / 2, rel=1e-6)
    assert bool(pred.grad.isfinite().all()) and pred.grad[0, 1].abs().max() == 0 < pred.grad[0, 0].abs().max()


def test_a_joint_of_weight_zero_has_no_gradient():
    pred = torch.zeros(1, 2, 8, 8, requires_grad=True)
    target = torch.zeros(1, 2, 8, 8)
    target[:, :, 4, 4] = 1.0
    KeypointKLDivLoss()(pred, target, torch.tensor([[1.0, 0.0]])).backward()
    assert pred.grad[0, 1].abs().max() == 0 < pred.grad[0, 0].abs().max()


def test_epsilon_makes_a_distribution_of_an_empty_map():
    value = KeypointKLDivLoss(epsilon=1e-7)(ZEROS + 2.0, ZEROS)
    assert value.item() == pytest.approx(0.0, abs=1e-5)
    spread = KeypointKLDivLoss(epsilon=1e-7)(ZEROS, delta())
    assert spread.item() == pytest.approx(math.log(4096), abs=5e-3) and spread < math.log(4096)


def test_mean_squares_of_cc_ssl():
    ones, zeros = torch.ones(4, 21, 8, 8), torch.zeros(4, 21, 8, 8)
    half = torch.ones(4, 21)
    half[:2] = 0.0
    loss = KeypointMSELoss()
    assert loss(ones, zeros).item() == pytest.approx(0.5)
    assert loss(ones, zeros, half).item() == pytest.approx(0.25)
    assert loss(ones, zeros, torch.full((4, 21), 0.5)).item() == pytest.approx(0.125)  # enters squared
    assert KeypointMSELoss(loss_weight=10.0)(ones, zeros).item() == pytest.approx(5.0)


@pytest.mark.parametrize(
    ('count', 'all_valid', 'three_invalid'), [(4, 3.75, 2.875), (2, 1.25, 2.625), (1, 0.5, 4.25)]
)
def test_curriculum_of_animal_da(count, all_valid, three_invalid):
    pred = torch.arange(1.0, 5.0).view(1, 4, 1, 1).expand(2, 4, 8, 8)
    target, weight = torch.zeros(2, 4, 8, 8), torch.ones(2, 4)
    weight[0, :3] = 0.0
    loss = KeypointCurriculumMSELoss(top_k=count)
    assert loss(pred, target).item() == pytest.approx(all_valid)
    assert loss(pred, target, torch.ones(2, 4)).item() == pytest.approx(all_valid)
    assert loss(pred, target, weight).item() == pytest.approx(three_invalid)


def test_curriculum_teaches_the_easiest_joints_alone():
    pred = torch.tensor([3.0, 1.0, 2.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2).clone().requires_grad_()
    KeypointCurriculumMSELoss(top_k=2)(pred, torch.zeros(1, 3, 2, 2), torch.ones(1, 3)).backward()
    assert (pred.grad.abs().amax((0, 2, 3)) > 0).tolist() == [False, True, True]


def test_curriculum_is_held_within_the_joints():
    pred = torch.arange(1.0, 5.0).view(1, 4, 1, 1).expand(2, 4, 8, 8)
    many = KeypointCurriculumMSELoss(top_k=dict(form='linear', unit='epoch', start=21, slope=-1, low=10))
    assert many(pred, 0 * pred).item() == pytest.approx(3.75)
    assert KeypointCurriculumMSELoss(top_k=0)(pred, 0 * pred).item() == pytest.approx(0.5)


def test_settings_and_shapes_are_checked():
    with pytest.raises(ConfigError, match='epsilon'):
        KeypointKLDivLoss(epsilon=-1.0)
    with pytest.raises(ConfigError, match='reduction'):
        KeypointKLDivLoss(reduction='sum')
    with pytest.raises(ConfigError, match='form'):
        KeypointCurriculumMSELoss(top_k=dict(start=3))
    for loss in (KeypointKLDivLoss(), KeypointMSELoss(), KeypointCurriculumMSELoss(2)):
        with pytest.raises(ValueError, match='target'):
            loss(torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 8, 8))
        with pytest.raises(ValueError, match='weight'):
            loss(torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4), torch.ones(2))
