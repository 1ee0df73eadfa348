"""Scale of a hand without a camera."""

from __future__ import annotations

import math

import pytest
import torch

from mmdualhand.kinematics import SOURCE_TEMPLATE, HandTemplate, solve_weak_scale


def template_hand(turn_deg: float) -> tuple[torch.Tensor, torch.Tensor]:
    """(1, 21, 3) a hand whose palm is that of the template, turned about y; and the palm."""
    palm = torch.as_tensor(HandTemplate.load(SOURCE_TEMPLATE).palm, dtype=torch.float64)
    c, s = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    turned = palm @ torch.tensor([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]], dtype=torch.float64).T
    hand = torch.zeros(1, 21, 3, dtype=torch.float64)
    hand[0, 0], hand[0, 1::4] = turned[0], turned[1:]
    return hand, palm


@pytest.mark.parametrize('turn_deg', [0.0, 40.0, -75.0])
def test_the_scale_of_an_orthographic_picture_comes_back(turn_deg):
    hand, palm = template_hand(turn_deg)
    pixels = hand[..., :2] * 12.5 + torch.tensor([40.0, -7.0])
    scale, solved = solve_weak_scale(pixels, hand[..., 2] + 3.0, palm)
    assert solved.tolist() == [True] and float(scale) == pytest.approx(1 / 12.5, rel=1e-9)


def test_one_bad_joint_does_not_move_the_median_much():
    hand, palm = template_hand(20.0)
    hand[0, 17] += torch.tensor([9.0, 0.0, 0.0])
    scale, _ = solve_weak_scale(hand[..., :2], hand[..., 2], palm)
    assert float(scale) == pytest.approx(1.0, rel=1e-6)  # 2 of 9 bones end at the joint


def test_depths_that_no_bone_can_have():
    hand, palm = template_hand(0.0)
    depths = torch.zeros(1, 21, dtype=torch.float64)
    depths[0, [0, 5, 13]], depths[0, [1, 9, 17]] = 0.0, 50.0
    flat = hand[..., :2] * 2.0
    depths[0, 5], depths[0, 13] = 100.0, 100.0
    scale, solved = solve_weak_scale(flat, depths, palm)
    assert solved.tolist() == [False] and 0.3 < float(scale) < 0.8  # about a half: two pixels a bone
    nothing, solved = solve_weak_scale(torch.zeros(1, 21, 2), torch.zeros(1, 21), palm.float())
    assert solved.tolist() == [False] and float(nothing) == 0.0


def test_shapes():
    _, palm = template_hand(0.0)
    with pytest.raises(ValueError, match='points'):
        solve_weak_scale(torch.zeros(1, 20, 2), torch.zeros(1, 20), palm)
