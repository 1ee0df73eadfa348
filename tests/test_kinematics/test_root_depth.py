"""Absolute depth and scale from bone lengths."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmdualhand.kinematics import (
    BiomechanicalCorrection,
    fit_scale,
    measure_bones,
    pair_root_depth,
    solve_root_depth,
)
from mmdualhand.kinematics.root_depth import SCALED_DEPTH_RANGE
from tests.test_kinematics.conftest import Hands


def tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def scaled(hands: Hands) -> tuple[Tensor, Tensor, Tensor]:
    """Rays (B, 21, 2), depths (B, 21) about the root and root depths (B,), in reference bones."""
    joints = hands.joints / hands.length[:, None, None]
    root = joints[:, 9, 2]
    return joints[..., :2] / joints[..., 2:], joints[..., 2] - root[:, None], root


def test_two_joints_by_hand() -> None:
    """Rays (0, 0) and (0, .5) at the same depth, one apart: 2 away."""
    zero = tensor(0.0)
    depth, solvable = pair_root_depth(tensor(0, 0)[None], tensor(0, 0.5)[None], zero, zero, tensor(1))
    assert solvable.all()
    assert float(depth) == pytest.approx(2.0, abs=1e-12)
    # Both a unit behind the root: the root is at 1.
    depth, _ = pair_root_depth(tensor(0, 0)[None], tensor(0, 0.5)[None], zero + 1, zero + 1, tensor(1))
    assert float(depth) == pytest.approx(1.0, abs=1e-12)
    # (0, 0, Z) and (.5 (Z + 1), 0, Z + 1) are 2 apart where (Z + 1)^2 / 4 = 3.
    depth, _ = pair_root_depth(tensor(0, 0)[None], tensor(0.5, 0)[None], zero, zero + 1, tensor(2))
    assert float(depth) == pytest.approx(12**0.5 - 1, abs=1e-12)


def test_joints_that_cannot_be_so_near_are_flagged() -> None:
    """Further apart in depth than the bone is long; and two joints on one ray."""
    far, solvable = pair_root_depth(tensor(0, 0)[None], tensor(0, 0.5)[None], tensor(0), tensor(3), tensor(1))
    assert not solvable.any() and torch.isfinite(far).all()
    same, solvable = pair_root_depth(tensor(1, 1)[None], tensor(1, 1)[None], tensor(0), tensor(0), tensor(1))
    assert not solvable.any() and torch.isfinite(same).all()


def test_palm_bones_give_the_depth_exactly(hands: Hands) -> None:
    rays, depths, root = scaled(hands)
    joints = hands.joints / hands.length[:, None, None]
    for first, second in ((0, 5), (0, 9)):
        length = (joints[:, first] - joints[:, second]).norm(dim=-1)
        depth, solvable = pair_root_depth(
            rays[:, first], rays[:, second], depths[:, first], depths[:, second], length
        )
        # A bone that points along the ray has two solutions, and the larger may be the wrong one.
        direction = joints[:, second] - joints[:, first]
        view = torch.nn.functional.cosine_similarity(direction, joints[:, first], dim=-1).abs()
        clear = solvable & (view < 0.9)
        assert float(clear.double().mean()) > 0.85
        torch.testing.assert_close(depth[clear], root[clear], rtol=0, atol=1e-9)
    for row in range(20):
        palm = joints[row, [0, 1, 5, 9, 13, 17]]
        depth, known = solve_root_depth(rays[row : row + 1], depths[row : row + 1], palm)
        assert known.all()
        torch.testing.assert_close(depth, root[row : row + 1], rtol=0, atol=1e-9)


def test_the_template_finds_the_depth_of_other_hands(hands: Hands) -> None:
    """Within 2.6 % (median) with the average palm and exact poses."""
    rays, depths, root = scaled(hands)
    palm = BiomechanicalCorrection().palm_points
    depth, known = solve_root_depth(rays, depths, palm)
    assert known.all()
    assert float((depth / root - 1).abs().median()) < 0.04
    generator = torch.Generator().manual_seed(0)
    noisy = depths + 0.1 * torch.randn(depths.shape, generator=generator, dtype=torch.float64)
    assert float((solve_root_depth(rays, noisy, palm)[0] / root - 1).abs().median()) < 0.08


def test_unsolvable_and_broken_hands(hands: Hands) -> None:
    rays, depths, _ = (value[:4].clone() for value in scaled(hands))
    palm = BiomechanicalCorrection().palm_points
    plain, _ = solve_root_depth(rays, depths, palm)
    rays[1] = 0.3  # all joints on one ray
    rays[2, 0, 0] = torch.nan  # a broken wrist takes its five bones along, four are left
    depths[3] = torch.nan
    depth, known = solve_root_depth(rays, depths, palm)
    assert known.tolist() == [True, False, True, False]
    assert torch.isnan(depth).tolist() == [False, True, False, True]
    assert torch.equal(depth[0], plain[0])
    assert float((depth[2] / plain[2] - 1).abs()) < 0.3


def test_depths_stay_plausible() -> None:
    palm = BiomechanicalCorrection().palm_points.double()
    points = torch.cat([palm[:1], palm[1:].repeat_interleave(4, dim=0)])[None]
    low, high = SCALED_DEPTH_RANGE
    for root, wanted in ((2.0, low), (10.0, 10.0), (90.0, high)):
        z = points[..., 2] - points[:, 9:10, 2]
        rays = points[..., :2] / (root + z)[..., None]
        depth, _ = solve_root_depth(rays, z, palm)
        assert float(depth) == pytest.approx(wanted, abs=1e-6)


def test_scale_by_hand(hands: Hands) -> None:
    lengths = torch.tensor([[1.0, 2.0], [2.0, 4.0]])
    # s = (1 * 30 + 2 * 90) / (1 + 4) and the half of it.
    torch.testing.assert_close(fit_scale(lengths, torch.tensor([30.0, 90.0])), torch.tensor([42.0, 21.0]))
    true = measure_bones(hands.joints) / hands.length[:, None, None]
    size = fit_scale(true[:3], true[0] * 47.0)
    assert float(size[0]) == pytest.approx(47.0, abs=1e-9)


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match='rays'):
        solve_root_depth(torch.zeros(2, 21, 3), torch.zeros(2, 21), torch.zeros(6, 3))
    with pytest.raises(ValueError, match='depths'):
        solve_root_depth(torch.zeros(2, 21, 2), torch.zeros(3, 21), torch.zeros(6, 3))
