"""Ground-true and ground-false maps of RegDA."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mmdualhand.errors import ConfigError
from mmdualhand.models import HeatmapPseudoTarget, KeypointKLDivLoss


def logits(*cells: tuple[int, int], size: int = 64, value: float = 3.0) -> Tensor:
    """(1, K, size, size) with a peak at (x, y) of every map."""
    maps = torch.full((1, len(cells), size, size), -1.0)
    for joint, (x, y) in enumerate(cells):
        maps[0, joint, y, x] = value
    return maps


def full_gaussians(maps: Tensor, sigma: float = 2.0) -> Tensor:
    """The fast form of the authors' code: whole Gaussians, values up to 0.01 left out."""
    place = maps.flatten(2).argmax(-1)
    side = maps.shape[-1]
    grid = torch.arange(side, dtype=torch.float32)
    x, y = (place % side)[..., None, None], (place // side)[..., None, None]
    square = (grid - x).square() + (grid[:, None] - y).square()
    whole = torch.exp(-square / (2 * sigma**2))
    return torch.where(whole > 0.01, whole, torch.zeros_like(whole))


def test_two_joints_four_pixels_apart():
    truth, false = HeatmapPseudoTarget()(logits((20, 30), (24, 30)))
    assert truth[0, 0, 30, 20] == 1 == truth[0, 1, 30, 24]
    assert false[0, 0, 30, 20].item() == pytest.approx(math.exp(-2), abs=1e-6)  # 0.1353 at its own place
    assert false[0, 0, 30, 24] == 1 == false[0, 1, 30, 20]


def test_ground_false_is_clipped():
    false = HeatmapPseudoTarget().false(logits((5, 5), (20, 30), (20, 30)))
    assert false[0, 0, 30, 20] == 1 and false.max() == 1
    # cut windows: where the others are not, there is nothing
    assert false[0, 0, 5, 5] == 0


def test_one_joint_has_no_others():
    maps = logits((20, 30))
    false = HeatmapPseudoTarget().false(maps)
    assert torch.count_nonzero(false) == 0
    value = KeypointKLDivLoss(epsilon=1e-7)(torch.zeros_like(maps), false)
    assert value.item() == pytest.approx(0.0, abs=1e-5)


def test_both_forms_of_the_original_agree_with_it():
    """Two windows of the square form overlap where both whole Gaussians are below 0.01."""
    maps = logits((50, 50), (20, 30), (32, 34))
    truth, false = HeatmapPseudoTarget()(maps)
    whole = full_gaussians(maps)
    others = (whole.sum(1, keepdim=True) - whole).clamp(0, 1)
    assert 0.009 < (truth - whole).abs().max() <= 0.0098 + 1e-4
    assert 0.013 < (false - others).abs().max() <= 0.0135


def test_ground_false_differs_by_no_more_than_its_parts():
    maps = torch.rand(3, 21, 64, 64, generator=torch.Generator().manual_seed(4))
    truth, false = HeatmapPseudoTarget()(maps)
    whole = full_gaussians(maps)
    others = (whole.sum(1, keepdim=True) - whole).clamp(0, 1)
    assert bool(((false - others).abs() <= (truth - whole).abs().sum(1, keepdim=True) + 1e-6).all())


def test_logits_below_zero_are_predictions_too():
    below = logits((20, 30), value=-0.5)
    assert HeatmapPseudoTarget().truth(below)[0, 0, 30, 20] == 1
    assert HeatmapPseudoTarget(require_positive=True).truth(below)[0, 0, 0, 0] == 1
    above = logits((20, 30))
    assert torch.equal(
        HeatmapPseudoTarget(require_positive=True).truth(above), HeatmapPseudoTarget().truth(above)
    )


def test_sigma_counts_pixels_of_the_64_grid():
    small = HeatmapPseudoTarget(sigma=2.0).truth(logits((10, 10), size=32))
    assert small[0, 0, 10, 11].item() == pytest.approx(math.exp(-0.5), abs=1e-6)  # sigma 1 on 32 pixels


def test_nothing_flows_back():
    maps = logits((20, 30), (24, 30)).requires_grad_()
    assert not any(target.requires_grad for target in HeatmapPseudoTarget()(maps))
    with pytest.raises(ConfigError, match='sigma'):
        HeatmapPseudoTarget(sigma=-1.0)
