"""Registration of the palm against singular values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mmdualhand.kinematics import best_rotation
from mmdualhand.kinematics.palm import chain_palm, rigid_palm


def centred(points: Tensor) -> Tensor:
    return points - points.mean(1, keepdim=True)


def by_singular_values(points: Tensor, targets: Tensor) -> Tensor:
    u, _, vt = torch.linalg.svd(points.mT @ targets)
    sign = torch.ones_like(u[:, 0])
    sign[:, 2] = torch.linalg.det(vt.mT @ u.mT)
    return vt.mT @ (sign[:, :, None] * u.mT)


@pytest.mark.parametrize('kind', ['noisy', 'mirrored', 'half turn', 'same', 'thin'])
def test_best_rotation_is_that_of_kabsch(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    points = centred(torch.randn(500, 6, 3, generator=generator, dtype=torch.float64))
    noise = centred(torch.randn(points.shape, generator=generator, dtype=torch.float64))
    targets = {
        'noisy': points + 0.5 * noise,
        'mirrored': points * torch.tensor([-1.0, 1.0, 1.0]) + 0.1 * noise,
        'half turn': points * torch.tensor([-1.0, -1.0, 1.0]),
        'same': points,
        'thin': (points + 0.1 * noise) * torch.tensor([1.0, 0.05, 0.05]),
    }[kind]
    if kind == 'thin':
        points = points * torch.tensor([1.0, 0.05, 0.05])
    rotation, determined = best_rotation(points, targets)
    if kind != 'thin':
        assert determined.all()
    wanted = by_singular_values(points, targets)
    torch.testing.assert_close(rotation, wanted, rtol=0, atol=1e-11)
    single, _ = best_rotation(points.float(), targets.float())
    torch.testing.assert_close(single.double(), wanted, rtol=0, atol=2e-4)
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(500, dtype=torch.float64))


def test_lines_and_points_leave_the_rotation_open() -> None:
    """The second singular value below and above a thousandth of the first."""
    cross = torch.tensor(
        [[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=torch.float64
    )
    flat = torch.stack(
        [cross * torch.tensor([1.0, ratio, 0.0]) for ratio in (0.0, 0.0009**0.5, 0.0011**0.5, 1.0)]
    )
    rotation, determined = best_rotation(flat, flat)
    assert determined.tolist() == [False, False, True, True]
    assert torch.isfinite(rotation).all()
    rotation, determined = best_rotation(0 * flat, flat)
    assert not determined.any() and torch.isfinite(rotation).all()


def test_a_rigid_palm_is_the_template_in_another_place() -> None:
    rng = np.random.default_rng(0)
    template = torch.from_numpy(rng.normal(size=(6, 3)))
    turn = by_singular_values(*torch.from_numpy(rng.normal(size=(2, 1, 6, 3))))
    side = torch.tensor([1.0, -1.0], dtype=torch.float64)
    mirror = torch.tensor([[1.0, 1, 1], [-1.0, 1, 1]], dtype=torch.float64)
    moved = (template * mirror[:, None]) @ turn.mT + torch.tensor([5.0, 6.0, 70.0])
    placed, determined = rigid_palm(template, moved, side)
    assert determined.all()
    torch.testing.assert_close(placed, moved, rtol=0, atol=1e-12)
    other, _ = rigid_palm(template, moved, -side)
    assert float((other - moved).abs().max()) > 0.1
    torch.testing.assert_close(other.mean(1), moved.mean(1))


def test_chain_by_hand() -> None:
    """Middle base stays; wrist on the line to it; other bases on lines from the placed wrist."""
    palm = torch.tensor(
        [[0.0, 0, 0], [3, 0, 0], [3, 4, 0], [0, 10, 0], [-1, 1, 0], [0, 0, 2]], dtype=torch.float64
    )[None]
    ratios = torch.tensor([1.0, 2.0, 6.0, 3.0, 4.0], dtype=torch.float64)
    placed, determined = chain_palm(ratios, palm)
    assert determined.all()
    # The wrist moves to (0, 4, 0): from there the thumb base lies along (3, -4), the index base along (3, 0),
    # the ring base along (-1, -3) and the pinky base along (0, -4, 2).
    wanted = [[0.0, 4, 0], [0.6, 3.2, 0], [2, 4, 0], [0, 10, 0]]
    wanted += [[-3 / 10**0.5, 4 - 9 / 10**0.5, 0], [0, 4 - 16 / 20**0.5, 8 / 20**0.5]]
    torch.testing.assert_close(placed[0], torch.tensor(wanted, dtype=torch.float64), rtol=0, atol=1e-12)
    nowhere, determined = chain_palm(ratios, torch.zeros_like(palm))
    assert not determined.any() and torch.isfinite(nowhere).all()
