"""rho against closed forms written out hand by hand, and what it does to the error."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mmdualhand.kinematics import LIMITS_DEG, BiomechanicalCorrection, measure_angles, stretch_fingers
from mmdualhand.structures import FINGERS
from tests.fixtures.posed_fingers import posed_hand
from tests.test_kinematics.conftest import Hands

PALM = [0, 1, 5, 9, 13, 17]


def greedy_fingers(placed: np.ndarray, estimate: np.ndarray, lengths: np.ndarray) -> None:
    """Fill the fingers of ``placed`` from its palm, direction placed parent -> estimated child."""
    for finger, joints in enumerate(FINGERS.values()):
        for bone, (parent, child) in enumerate(zip(joints, joints[1:], strict=False)):
            direction = estimate[child] - placed[parent]
            placed[child] = placed[parent] + lengths[finger, bone + 1] * direction / np.linalg.norm(direction)


def semihand(estimate: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Registration of SemiHand, Section 3.2, outwards from the middle MCP."""
    placed = np.zeros((21, 3))
    placed[9] = estimate[9]
    direction = estimate[0] - placed[9]
    placed[0] = placed[9] + lengths[2, 0] * direction / np.linalg.norm(direction)
    for finger, base in enumerate((1, 5, 9, 13, 17)):
        if base != 9:
            direction = estimate[base] - placed[0]
            placed[base] = placed[0] + lengths[finger, 0] * direction / np.linalg.norm(direction)
    greedy_fingers(placed, estimate, lengths)
    return placed


def kabsch(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) by singular values, no reflection."""
    u, _, vt = np.linalg.svd((points - points.mean(0)).T @ (targets - targets.mean(0)))
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
    return vt.T @ sign @ u.T


def body_and_fingers(estimate: np.ndarray, palm: np.ndarray, lengths: np.ndarray, pinned: int) -> np.ndarray:
    """Kabsch rotation of the palm, one of its joints pinned, then greedy fingers."""
    placed = np.zeros((21, 3))
    rotated = palm @ kabsch(palm, estimate[PALM]).T
    placed[PALM] = rotated - rotated[PALM.index(pinned)] + estimate[pinned]
    greedy_fingers(placed, estimate, lengths)
    return placed


def numbers(rho: BiomechanicalCorrection, hands: Hands, row: int) -> tuple[np.ndarray, ...]:
    """Noisy hand, palm of its side and bone lengths of one row."""
    length = float(hands.length[row])
    palm = rho.palm_points.double().numpy() * length * [float(hands.side[row]), 1.0, 1.0]
    return hands.noisy[row].numpy(), palm, rho.ratios.double().numpy() * length


def test_without_limits_a_chain_is_the_registration_of_semihand(hands: Hands) -> None:
    rho = BiomechanicalCorrection(limits='none', palm='chain', placement='root')
    corrected, _ = rho(*hands.head(100)[1:])
    for row in range(100):
        estimate, _, lengths = numbers(rho, hands, row)
        np.testing.assert_allclose(corrected[row].numpy(), semihand(estimate, lengths), rtol=0, atol=1e-9)


def test_without_limits_a_rigid_palm_is_kabsch_and_greedy_fingers(hands: Hands) -> None:
    rho = BiomechanicalCorrection(limits='none', palm='rigid', placement='root')
    corrected, _ = rho(*hands.head(100)[1:])
    for row in range(100):
        estimate, palm, lengths = numbers(rho, hands, row)
        closed = body_and_fingers(estimate, palm, lengths, pinned=9)
        np.testing.assert_allclose(corrected[row].numpy(), closed, rtol=0, atol=1e-4)


def test_a_palm_that_fits_stays_and_the_fingers_are_placed_from_it(hands: Hands) -> None:
    """Estimates whose palm is that of the template already, where the published layer puts it.

    That layer pins the wrist, which rho cannot: the palm is part of what goes in, so that only
    the fingers are compared, placed bone by bone from bases that they do not pull along.
    """
    rho = BiomechanicalCorrection(limits='none', palm='rigid', placement='root')
    closed, estimates = [], []
    for row in range(100):
        estimate, palm, lengths = numbers(rho, hands, row)
        closed.append(body_and_fingers(estimate, palm, lengths, pinned=0))
        estimate = estimate.copy()
        estimate[PALM] = closed[-1][PALM]
        estimates.append(estimate)
    corrected, _ = rho(torch.from_numpy(np.stack(estimates)), hands.side[:100], hands.length[:100])
    np.testing.assert_allclose(corrected.numpy(), np.stack(closed), rtol=0, atol=1e-4)


def test_registration_by_hand() -> None:
    """A chain (0,0,0), (2,0,0), (2,2,0) with lengths 1, 1; every finger has the same, and a third bone."""
    bases = torch.zeros(1, 5, 3, dtype=torch.float64)
    along = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).expand(1, 5, 3)
    targets = torch.tensor([[2.0, 0, 0], [2.0, 2, 0], [2.0, 2, 0]], dtype=torch.float64).expand(1, 5, 3, 3)
    lengths = torch.tensor([1.0, 1.0, 0.5], dtype=torch.float64)
    placed = stretch_fingers(bases, along, targets, lengths)
    third = 1 + 1 / 5**0.5, 2 / 5**0.5  # (1.44721, 0.89443)
    # The rest of the way to (2, 2) is (1, 2) / sqrt(5) as well.
    last = third[0] + 0.5 / 5**0.5, third[1] + 1 / 5**0.5
    wanted = torch.tensor([[1.0, 0, 0], [*third, 0], [*last, 0]], dtype=torch.float64)
    torch.testing.assert_close(placed, wanted.expand(1, 5, 3, 3), rtol=0, atol=1e-12)
    assert float(placed[0, 0, 1, 0]) == pytest.approx(1.44721, abs=5e-6)
    again = stretch_fingers(bases, along, placed, lengths)
    torch.testing.assert_close(again, placed, rtol=0, atol=1e-12)


def template_palm(rho: BiomechanicalCorrection, side: float) -> np.ndarray:
    return rho.palm_points.double().numpy() * [side, 1.0, 1.0] * 40.0


@pytest.mark.parametrize('limits', sorted(LIMITS_DEG))
@pytest.mark.parametrize('side', [1.0, -1.0])
def test_base_angles_outside_go_to_the_nearer_end(limits: str, side: float) -> None:
    """Hands posed up to 12 degrees outside at the base: the first joint is that of the clipped angles."""
    rho = BiomechanicalCorrection(limits=limits, placement='root')
    rng = np.random.default_rng(3)
    table = np.array(LIMITS_DEG[limits], dtype=np.float64)
    low, high = table[..., 0], table[..., 1]
    lengths = rho.ratios.double().numpy()[:, 1:] * 40.0
    palm = rho.palm_points.double().numpy() * [side, 1.0, 1.0] * 40.0
    for _ in range(20):
        inside = rng.uniform(low, high)
        outside = inside.copy()
        outside[:, :2] += rng.choice([-12.0, 0.0, 12.0], size=(5, 2))
        clipped = outside.clip(low, high)
        hand, wanted = (posed_hand(palm, lengths, np.radians(angles), side) for angles in (outside, clipped))
        corrected, valid = rho(*(torch.tensor(x)[None] for x in (hand, side, 40.0)))
        assert valid.all()
        fingers = corrected[0, 1:].unflatten(0, (5, 4)).numpy()
        wanted = wanted[1:].reshape(5, 4, 3)
        np.testing.assert_allclose(fingers[:, :2], wanted[:, :2], atol=1e-3)
        # Fingers that were inside are left alone altogether.
        same = (clipped == outside).all(1)
        np.testing.assert_allclose(fingers[same], wanted[same], atol=1e-3)


def test_corrected_hands_keep_the_limits(hands: Hands) -> None:
    for limits, table in LIMITS_DEG.items():
        corrected, _ = BiomechanicalCorrection(limits=limits)(hands.noisy, hands.side, hands.length)
        degrees = measure_angles(corrected, hands.side)[0].rad2deg()
        before = measure_angles(hands.noisy, hands.side)[0].rad2deg()
        ends = torch.tensor(table, dtype=torch.float64)
        excess = torch.maximum(ends[..., 0] - degrees, degrees - ends[..., 1])
        # The frames are float32 in the template, so not exact to the last digit.
        assert float(excess.max()) < 0.01
        assert float((torch.maximum(ends[..., 0] - before, before - ends[..., 1]) > 1).double().mean()) > 0.1


def error(estimate: Tensor, hands: Hands) -> float:
    return float((estimate - hands.joints).norm(dim=-1).mean())


def test_rho_lowers_the_error_of_noisy_hands_and_the_average_more(hands: Hands) -> None:
    """Noise (8, 20) mm: 20.34 -> 15.56 -> 15.53 mm; clean hands are moved by about a millimetre."""
    rho = BiomechanicalCorrection(limits='anatomical', palm='rigid')
    corrected, _ = rho(hands.noisy, hands.side, hands.length)
    raw, rectified = error(hands.noisy, hands), error(corrected, hands)
    average = error(0.5 * (hands.noisy + corrected), hands)
    assert raw > 20.0
    assert rectified < 0.85 * raw
    assert average < rectified
    lengths_only, _ = BiomechanicalCorrection(limits='none')(hands.noisy, hands.side, hands.length)
    assert rectified < error(lengths_only, hands)
    chain, _ = BiomechanicalCorrection(palm='chain')(hands.noisy, hands.side, hands.length)
    assert error(chain, hands) > raw  # angles on a chained palm make it worse
    clean, _ = rho(hands.joints, hands.side, hands.length)
    assert error(clean, hands) < 1.5


def test_angles_of_generated_hands_are_inside_the_anatomical_limits(hands: Hands) -> None:
    angles, known = measure_angles(hands.joints, hands.side)
    table = torch.tensor(LIMITS_DEG['anatomical'], dtype=torch.float64)
    inside = (angles.rad2deg() > table[..., 0] - 1) & (angles.rad2deg() < table[..., 1] + 1)
    assert known.all()
    # The twist of a straight finger means nothing.
    bent = (angles[..., 3:].abs().sum(-1, keepdim=True) > 0.2).expand_as(angles)
    assert float((inside | ~bent).double().mean()) > 0.999
