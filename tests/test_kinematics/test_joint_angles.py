"""Angles: hand-worked values, and reading back what a hand was posed by."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mmdualhand.kinematics import ANGLE_NAMES, LIMITS_DEG, finger_frames, limits_of, measure_angles
from mmdualhand.kinematics.vectors import clamp_circular, turn, unit
from mmdualhand.structures import chirality_vote
from tests.fixtures.posed_fingers import posed_hand
from tests.test_kinematics.conftest import Hands

# A flat palm of a right hand, x right, y down, z forward: fingers up, thumb left, seen from the back.
PALM = np.array(
    [[0, 0, 0], [-30, -30, 0], [-25, -90, 0], [0, -95, 0], [20, -90, 0], [40, -80, 0]], dtype=np.float64
)
LENGTHS = np.array([[40, 30, 25], [40, 25, 20], [45, 30, 20], [40, 28, 20], [30, 20, 18]], dtype=np.float64)


def test_clamp_circular_takes_the_nearer_end() -> None:
    degrees = torch.tensor([0.0, 100.0, -40.0, 179.0, -170.0, 200.0, 730.0], dtype=torch.float64)
    low, high = torch.tensor(-30.0).deg2rad(), torch.tensor(90.0).deg2rad()
    clamped = clamp_circular(degrees.deg2rad(), low.double(), high.double()).rad2deg()
    # The middle of the gap is at 210 = -150: 179, 190 and 200 belong to 90.
    wanted = torch.tensor([0.0, 90.0, -30.0, 90.0, 90.0, 90.0, 10.0], dtype=torch.float64)
    torch.testing.assert_close(clamped, wanted, rtol=0, atol=1e-5)
    # A plane has no sign: 170 is -10.
    plane = clamp_circular(torch.tensor(170.0).deg2rad(), low, torch.tensor(30.0).deg2rad(), math.pi)
    assert float(plane.rad2deg()) == pytest.approx(-10.0, abs=1e-4)


def test_unit_and_turn() -> None:
    fallback = torch.tensor([0.0, 0.0, 1.0])
    torch.testing.assert_close(unit(torch.tensor([0.0, 3.0, 4.0]), fallback), torch.tensor([0.0, 0.6, 0.8]))
    torch.testing.assert_close(unit(torch.zeros(3), fallback), fallback)
    first, second = turn(torch.eye(3)[0], torch.eye(3)[1], torch.tensor(math.pi / 2))
    torch.testing.assert_close(first, torch.eye(3)[1])
    torch.testing.assert_close(second, -torch.eye(3)[0])


def test_frames_of_a_flat_palm() -> None:
    bent = posed_hand(PALM, LENGTHS, np.tile([0.5, 0.0, 0.0, 0.5, 0.5], (5, 1)), 1.0)
    assert chirality_vote(bent[None]) == 'right'
    frames, known = finger_frames(torch.from_numpy(PALM)[None], torch.ones(1, dtype=torch.float64))
    assert known.all()
    # index x pinky: (-25, -90) x (40, -80) = +5600 in z, so right fingers flex towards +z.
    torch.testing.assert_close(
        frames.palmar[0], torch.tensor([[0.0, 0, 1]] * 5, dtype=torch.float64), rtol=0, atol=1e-12
    )
    torch.testing.assert_close(
        frames.along[0, 2], torch.tensor([0.0, -1, 0], dtype=torch.float64), rtol=0, atol=1e-12
    )
    # Towards the thumb, which is on the left.
    torch.testing.assert_close(
        frames.radial[0, 2], torch.tensor([-1.0, 0, 0], dtype=torch.float64), rtol=0, atol=1e-12
    )


def test_angles_by_hand() -> None:
    """Middle finger: 90 degrees at the base, 90 at the PIP, straight DIP; ring: 30 sideways."""
    hand = np.zeros((21, 3))
    hand[[0, 1, 5, 9, 13, 17]] = PALM
    for finger in range(5):
        base = PALM[finger + 1]
        step = base / np.linalg.norm(base)
        for joint in range(1, 4):
            hand[1 + 4 * finger + joint] = base + 30 * joint * step
    hand[10:13] = PALM[3] + np.array([[0, 0, 40], [0, 30, 40], [0, 50, 40]])
    along = PALM[4] / np.linalg.norm(PALM[4])
    radial = np.array([along[1], -along[0], 0.0])
    step = math.cos(math.pi / 6) * along + math.sin(math.pi / 6) * radial
    hand[14:17] = PALM[4] + np.outer([40, 70, 90], step)
    angles, known = measure_angles(torch.from_numpy(hand)[None], torch.ones(1, dtype=torch.float64))
    assert known.all()
    numbers = angles[0].rad2deg()
    numbers[[0, 1, 3, 4], 2] = 0.0  # the twist of a straight finger means nothing
    wanted = torch.zeros(5, 5, dtype=torch.float64)
    wanted[2] = torch.tensor([90.0, 0, 0, 90, 0])
    wanted[3] = torch.tensor([0.0, 30, 0, 0, 0])
    torch.testing.assert_close(numbers, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize('side', [1.0, -1.0])
def test_a_posed_hand_is_read_back(side: float) -> None:
    rng = np.random.default_rng(0)
    palm = (PALM + rng.normal(0, 4, PALM.shape)) * [side, 1, 1]
    table = np.radians(np.array(LIMITS_DEG['anatomical'], dtype=np.float64))
    posed = rng.uniform(table[..., 0], table[..., 1], (100, 5, 5))
    posed[..., 3] = np.where(np.abs(posed[..., 3]) < 0.02, 0.02, posed[..., 3])
    hands = np.stack([posed_hand(palm, LENGTHS, angles, side) for angles in posed])
    angles, known = measure_angles(torch.from_numpy(hands), torch.full((100,), side))
    assert known.all()
    np.testing.assert_allclose(angles.numpy(), posed, atol=1e-9)


def test_mirrored_turned_and_scaled_hands_have_the_same_angles(hands: Hands) -> None:
    angles, _ = measure_angles(hands.noisy, hands.side)
    mirrored, _ = measure_angles(hands.noisy * torch.tensor([1.0, -1.0, 1.0]), -hands.side)
    torch.testing.assert_close(mirrored, angles, rtol=0, atol=1e-9)
    turned, _ = measure_angles(hands.noisy[..., [1, 2, 0]] * 0.01, hands.side)
    torch.testing.assert_close(turned, angles, rtol=0, atol=1e-8)


def test_palms_without_a_plane_are_named() -> None:
    line = torch.arange(21.0)[:, None] * torch.tensor([1.0, 0.0, 0.0])
    batch = torch.stack([line, torch.zeros(21, 3)])
    angles, known = measure_angles(batch, torch.ones(2))
    assert not known.any() and torch.isfinite(angles).all()


def test_neighbours_on_a_line_leave_the_plane_to_the_others() -> None:
    palm = torch.from_numpy(PALM.copy())[None]
    palm[0, 1] = 0.4 * palm[0, 2]  # thumb base between wrist and index base
    frames, known = finger_frames(palm, torch.ones(1, dtype=torch.float64))
    assert known.all()
    torch.testing.assert_close(
        frames.palmar[0], torch.tensor([[0.0, 0, 1]] * 5, dtype=torch.float64), rtol=0, atol=1e-12
    )


def test_limits_hold_zero_and_leave_a_gap() -> None:
    """A straight finger is possible, and every interval has one nearer end for what is outside."""
    for name in LIMITS_DEG:
        table = limits_of(name).rad2deg()
        assert table.shape == (5, len(ANGLE_NAMES), 2)
        assert (table[..., 0] <= 0).all() and (table[..., 1] >= 0).all()
        assert ((table[..., 1] - table[..., 0])[:, 2] < 180).all()
        assert (table[:, 1].abs() < 90).all()
    # Rows of the dossier: thumb base flexion, pinky abduction, little finger's distal flexion.
    anatomical = limits_of('anatomical').rad2deg()
    torch.testing.assert_close(anatomical[0, 0], torch.tensor([-35.0, 50.0]))
    torch.testing.assert_close(anatomical[4, 1], torch.tensor([-36.0, 32.0]))
    torch.testing.assert_close(anatomical[4, 4], torch.tensor([-20.0, 100.0]))
    torch.testing.assert_close(limits_of('klbr').rad2deg()[2, 3], torch.tensor([-10.0, 135.0]))


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match='joints'):
        measure_angles(torch.zeros(2, 20, 3), torch.ones(2))
    with pytest.raises(ValueError, match='side'):
        measure_angles(torch.zeros(2, 21, 3), torch.ones(3))
