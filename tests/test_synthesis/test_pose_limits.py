"""Shapes, poses and kinematics of the procedural hand."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.errors import ConfigError
from mmdualhand.structures import chirality_vote
from mmdualhand.synthesis.forward_kinematics import FOREARM_BONE, finger_bone, forward_kinematics
from mmdualhand.synthesis.hand_shape import HandShape, mean_hand_shape, sample_hand_shape
from mmdualhand.synthesis.limits import (
    FINGER_LIMITS_DEG,
    WRIST_LIMITS_DEG,
    clip_finger_angles,
    limit_excess_deg,
)
from mmdualhand.synthesis.pose import close_pinch, finger_penetration, sample_hand_pose
from mmdualhand.synthesis.pose_families import FAMILY_WEIGHTS, PINCH_FINGER, POSE_FAMILIES
from mmdualhand.synthesis.rotations import random_rotation, rotation_about, rotation_x, rotation_y, rotation_z


def drawn(count: int, seed: int = 0, **config) -> list:
    pairs = []
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        shape = sample_hand_shape(rng, config)
        pairs.append((shape, sample_hand_pose(rng, shape, config)))
    return pairs


def test_rotations_turn_the_next_axis() -> None:
    x, y, z = np.eye(3)
    np.testing.assert_allclose(rotation_x(np.pi / 2) @ y, z, atol=1e-15)
    np.testing.assert_allclose(rotation_y(np.pi / 2) @ z, x, atol=1e-15)
    np.testing.assert_allclose(rotation_z(np.pi / 2) @ x, y, atol=1e-15)
    np.testing.assert_allclose(rotation_about([0, 0, 2.0], 0.3), rotation_z(0.3), atol=1e-15)
    turn = random_rotation(np.random.default_rng(0))
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1.0)


def test_straight_middle_finger_by_hand() -> None:
    """Hand length 182, breadth 81: MCP at (0, .446*182, .03*81), 1 degree radial splay, 0.544*182 long."""
    joints, _ = forward_kinematics(mean_hand_shape(), np.zeros((5, 4)))
    np.testing.assert_allclose(joints[0], [0, 0, 0])
    np.testing.assert_allclose(joints[9], [0.0, 81.172, 2.43])
    np.testing.assert_allclose(joints[12], [-1.727928, 180.164921, 2.43], atol=1e-6)


def test_flexed_joints_by_hand() -> None:
    """90 degrees at the MCP: the middle finger points to the palm side (-z); 90 more at the PIP: back."""
    shape, angles = mean_hand_shape(), np.zeros((5, 4))
    angles[2, 0] = np.pi / 2
    joints, _ = forward_kinematics(shape, angles)
    np.testing.assert_allclose(joints[10] - joints[9], [0, 0, -0.266 * 182], atol=1e-9)
    angles[2, 2] = np.pi / 2
    joints, frames = forward_kinematics(shape, angles)
    step = 0.170 * 182
    np.testing.assert_allclose(
        joints[11] - joints[10], [np.sin(np.radians(1)) * step, -np.cos(np.radians(1)) * step, 0], atol=1e-9
    )
    np.testing.assert_allclose(frames.origin[finger_bone(2, 1)], joints[10])


def test_bone_lengths_are_exact_and_angles_between_bones_are_the_flexions() -> None:
    for shape, pose in drawn(20):
        joints, _ = forward_kinematics(shape, pose.angles, pose.wrist)
        fingers = joints[1:].reshape(5, 4, 3)
        bones = np.diff(fingers, axis=1)
        np.testing.assert_allclose(np.linalg.norm(bones, axis=-1), shape.segments, rtol=1e-12)
        unit = bones / np.linalg.norm(bones, axis=-1, keepdims=True)
        cosine = (unit[:, 1:] * unit[:, :-1]).sum(-1)
        np.testing.assert_allclose(cosine, np.cos(pose.angles[:, 2:]), atol=1e-12)


def test_batched_kinematics_equal_single() -> None:
    pairs = drawn(4)
    shape = pairs[0][0]
    angles = np.stack([pose.angles for _, pose in pairs])
    joints, frames = forward_kinematics(shape, angles)
    for row in range(4):
        single, one = forward_kinematics(shape, angles[row])
        np.testing.assert_array_equal(joints[row], single)
        np.testing.assert_array_equal(frames.rotation[row], one.rotation)


def test_wrist_moves_the_forearm_only() -> None:
    shape, angles = mean_hand_shape(), np.zeros((5, 4))
    straight, _ = forward_kinematics(shape, angles)
    bent, frames = forward_kinematics(shape, angles, np.array([np.pi / 2, 0.0, 0.0]))
    np.testing.assert_array_equal(straight, bent)
    np.testing.assert_allclose(frames.rotation[FOREARM_BONE][:, 1], [0, 0, 1], atol=1e-15)


def test_every_angle_is_inside_its_limits() -> None:
    pairs = drawn(120) + drawn(20, seed=1, pose_noise=6.0)
    degrees = np.degrees([pose.angles for _, pose in pairs])
    assert limit_excess_deg(degrees) < 1e-9
    spread = degrees.max(0) - degrees.min(0)
    assert (spread > 0.4 * np.ptp(FINGER_LIMITS_DEG, axis=-1)).all(), 'the ranges are hardly used'
    wrist = np.degrees([pose.wrist for _, pose in pairs])
    assert (wrist >= WRIST_LIMITS_DEG[:, 0] - 1e-9).all() and (wrist <= WRIST_LIMITS_DEG[:, 1] + 1e-9).all()
    assert len({pose.family for _, pose in pairs}) > 15


def test_families_are_inside_the_limits() -> None:
    for family, degrees in POSE_FAMILIES.items():
        assert limit_excess_deg(degrees) == 0.0, family
    assert set(FAMILY_WEIGHTS) == {*POSE_FAMILIES, 'random'}
    assert limit_excess_deg(np.full((5, 4), 91.0)) == pytest.approx(
        83.0
    )  # middle finger abducts to 8 at most
    assert limit_excess_deg(clip_finger_angles(np.full((5, 4), 500.0))) == 0.0


def test_fingers_seldom_run_through_each_other() -> None:
    overlaps = np.array([pose.penetration for _, pose in drawn(100)])
    assert np.mean(overlaps < 4.5) > 0.95
    for shape, pose in drawn(5):
        joints, _ = forward_kinematics(shape, pose.angles)
        assert finger_penetration(shape, joints) == pytest.approx(pose.penetration)


def test_penetration_by_hand() -> None:
    """All joints at one point: the two largest spheres of different digits overlap by their radii."""
    shape = mean_hand_shape()
    thumb = shape.radii[0, 1] * 0.85 + shape.radii[0, 2] * 0.15
    palm = 0.14 * 81
    assert finger_penetration(shape, np.zeros((21, 3))) == pytest.approx(thumb + palm)


@pytest.mark.parametrize('family', sorted(PINCH_FINGER))
def test_pinch_brings_the_tips_together(family: str) -> None:
    finger, shape = PINCH_FINGER[family], mean_hand_shape()
    degrees = close_pinch(shape, POSE_FAMILIES[family], finger)
    assert limit_excess_deg(degrees) == 0.0
    joints, _ = forward_kinematics(shape, np.radians(degrees))
    assert np.linalg.norm(joints[4] - joints[4 + 4 * finger]) < 22.0


def test_right_hands_vote_right() -> None:
    joints = np.stack([forward_kinematics(shape, pose.angles)[0] for shape, pose in drawn(30)])
    assert chirality_vote(joints) == 'right'
    assert chirality_vote(joints * [-1, 1, 1]) == 'left'


def test_shapes_are_human_and_differ() -> None:
    shapes = [sample_hand_shape(np.random.default_rng(seed)) for seed in range(100)]
    lengths = np.array([shape.hand_length for shape in shapes])
    assert lengths.min() >= 155 and lengths.max() <= 210 and 6 < lengths.std() < 14
    middle = np.array([shape.segments[2, 0] / shape.hand_length for shape in shapes])
    assert 0.015 < middle.std() / middle.mean() < 0.035
    assert shapes[0].joint_radii.shape == (21,)
    assert mean_hand_shape().joint_radii[9] == pytest.approx(0.128 * 81)


def test_the_same_generator_draws_the_same_hand() -> None:
    (shape, pose), (again, same) = drawn(1)[0], drawn(1)[0]
    np.testing.assert_array_equal(shape.segments, again.segments)
    np.testing.assert_array_equal(pose.angles, same.angles)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r'segments must have shape \(5, 3\), got \(3, 5\)'):
        HandShape(180.0, 80.0, np.ones((3, 5)))
    with pytest.raises(ValueError, match='positive and finite'):
        HandShape(180.0, -80.0, np.ones((5, 3)))
    with pytest.raises(ValueError, match=r'angles must have shape \(\.\.\., 5, 4\), got \(20,\)'):
        forward_kinematics(mean_hand_shape(), np.zeros(20))
    with pytest.raises(ConfigError, match="'fits' is not known; did you mean 'fist'"):
        sample_hand_pose(np.random.default_rng(0), mean_hand_shape(), {'pose_family': 'fits'})
