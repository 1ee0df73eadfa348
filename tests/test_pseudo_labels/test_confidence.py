"""The C of Eq. 9 in the units of the distance (method: mean over joints, squared pixels, 50 on depth)."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch

from mmdualhand.models import PoseDist
from mmdualhand.pseudo_labels import semihand_confidence, variance_confidence


def poses(count: int = 4, rows: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, rows, 21, 3, generator=generator) * torch.tensor([2.0, 2.0, 0.1]) + 30


def test_equal_poses_have_none():
    assert variance_confidence(poses(1).expand(4, -1, -1, -1)).tolist() == [0.0, 0.0, 0.0]


def test_two_poses_by_hand():
    first = torch.zeros(1, 21, 3)
    second = first.clone()
    second[0, 4] = torch.tensor([6.0, 8.0, 0.4])
    # each is (3, 4, 0.2) from the mean at joint 4: 25 + 50 * 0.04 = 27 there, 27 / 21 over the joints
    both = torch.stack([first, second])
    assert variance_confidence(both).item() == pytest.approx(27 / 21)
    joints = variance_confidence(both, per_joint=True)
    assert joints.shape == (1, 21) and joints[0, 4].item() == pytest.approx(27.0)
    assert joints.sum().item() == pytest.approx(27.0)
    assert variance_confidence(both, first, depth_weight=0.0).item() == pytest.approx(0.5 * 100 / 21)


def test_variance_is_the_sum_over_pairs_over_sixteen():
    every, distance = poses(), PoseDist(reduction='none')
    pairs = sum(distance(every[i], every[j]) for i, j in combinations(range(4), 2)) / 16
    assert torch.allclose(variance_confidence(every), pairs, rtol=1e-5)
    about = sum(distance(one, every.mean(0)) for one in every) / 4
    assert torch.allclose(variance_confidence(every), about, rtol=1e-5)


def test_semihand_is_a_sum_of_two_distances():
    every, distance = poses(), PoseDist(reduction='none')
    expected = distance(every[0], every[1]) + distance(every[2], every[3])
    assert torch.allclose(semihand_confidence(*every), expected, rtol=1e-5)
    joints = semihand_confidence(*every, per_joint=True)
    assert torch.allclose(joints.mean(1), expected, rtol=1e-5)


def test_a_pose_that_is_not_finite_is_infinitely_bad_and_alone():
    every = poses()
    clean = variance_confidence(every)
    every[2, 1, 7, 0] = torch.nan
    spoilt = variance_confidence(every)
    assert spoilt[1] == torch.inf and torch.equal(spoilt[[0, 2]], clean[[0, 2]])
    assert variance_confidence(every, per_joint=True).isinf().nonzero().tolist() == [[1, 7]]
    assert semihand_confidence(*every)[1] == torch.inf
