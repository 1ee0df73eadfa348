"""Random poses of a hand inside the limits of its joints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdualhand.errors import ConfigError, near_names
from mmdualhand.synthesis.forward_kinematics import finger_bone, forward_kinematics
from mmdualhand.synthesis.hand_shape import HandShape
from mmdualhand.synthesis.limits import FINGER_LIMITS_DEG, clip_finger_angles, clip_wrist_angles
from mmdualhand.synthesis.parameters import draw
from mmdualhand.synthesis.pose_families import FAMILY_WEIGHTS, PINCH_FINGER, POSE_FAMILIES, RANDOM_FAMILY

POSE_DEFAULTS: dict[str, Any] = {
    'pose_family': FAMILY_WEIGHTS,  # see pose_families.POSE_FAMILIES, and 'random'
    'pose_noise': 1.0,  # factor on the noise of the angles about those of the family
    'pose_blend_probability': 0.25,  # with another family
    'max_penetration_mm': 4.5,  # overlap of fingers that is accepted
    'wrist_flexion_sd': 15.0,  # degrees, as the two below
    'wrist_deviation_sd': 9.0,
    'wrist_twist_sd': 14.0,
}
_NOISE_DEG = np.array([6.0, 2.5, 7.0, 5.0])
_TRIES = 30


@dataclass(frozen=True, eq=False)
class HandPose:
    """Joint angles of one hand.

    Attributes:
        angles: (5, 4) radians, thumb to pinky, order of ``limits.ANGLE_NAMES``.
        wrist: (3,) radians, flexion, deviation and twist of the forearm.
        family: Name of the family that the pose was made from.
        penetration: Largest overlap in mm of spheres along the fingers.
    """

    angles: np.ndarray
    wrist: np.ndarray
    family: str = 'open'
    penetration: float = 0.0


def sample_hand_pose(
    rng: np.random.Generator, shape: HandShape, config: Mapping[str, Any] | None = None
) -> HandPose:
    """Draw a pose whose fingers do not run through each other.

    A family with noise, now and then blended with another one, or independent
    angles. Poses with too much overlap are drawn again, in the same family; after 30
    tries the one with the least overlap stays.

    Args:
        rng: Source of chance.
        shape: The hand that is to take the pose.
        config: Values for keys of ``POSE_DEFAULTS`` (others are ignored).

    Returns:
        A pose; every angle is inside its limits.

    Raises:
        ConfigError: ``pose_family`` names an unknown family.
    """
    settings = {key: (config or {}).get(key, value) for key, value in POSE_DEFAULTS.items()}
    limit = draw(rng, settings['max_penetration_mm'])
    family = draw(rng, settings['pose_family'])
    best: tuple[float, np.ndarray] | None = None
    for _ in range(_TRIES):
        degrees = _draw_angles(rng, shape, family, settings)
        overlap = finger_penetration(shape, forward_kinematics(shape, np.radians(degrees))[0])
        if best is None or overlap < best[0]:
            best = (overlap, degrees)
        if overlap < limit:
            break
    if best is None:  # unreachable: _TRIES is positive
        raise ValueError('no pose was drawn')
    spread = [draw(rng, settings[f'wrist_{name}_sd']) for name in ('flexion', 'deviation', 'twist')]
    wrist = clip_wrist_angles(rng.normal(0.0, 1.0, 3) * spread)
    return HandPose(np.radians(best[1]), np.radians(wrist), family, best[0])


def _draw_angles(
    rng: np.random.Generator, shape: HandShape, family: str, settings: Mapping[str, Any]
) -> np.ndarray:
    """(5, 4) degrees of one family."""
    if family == RANDOM_FAMILY:
        return clip_finger_angles(_random_angles(rng))
    if family not in POSE_FAMILIES:
        raise ConfigError(f'pose family {family!r} is not known; {near_names(family, FAMILY_WEIGHTS)}')
    noise = draw(rng, settings['pose_noise'])
    degrees = POSE_FAMILIES[family] + rng.normal(0.0, 1.0, (5, 4)) * _NOISE_DEG * noise
    if rng.random() < settings['pose_blend_probability']:
        other = list(POSE_FAMILIES)[rng.integers(len(POSE_FAMILIES))]
        share = rng.uniform(0.0, 0.6)
        degrees = (1.0 - share) * degrees + share * POSE_FAMILIES[other]
    degrees = clip_finger_angles(degrees)
    if family in PINCH_FINGER:
        return close_pinch(shape, degrees, PINCH_FINGER[family])
    return degrees


def _random_angles(rng: np.random.Generator) -> np.ndarray:
    """Independent fingers, softened: neighbours move together, the distal joint follows the middle one."""
    degrees = np.zeros((5, 4))
    degrees[0] = rng.uniform(FINGER_LIMITS_DEG[0, :, 0], FINGER_LIMITS_DEG[0, :, 1])
    degrees[1:, 0] = rng.uniform(-10.0, 85.0, 4)
    degrees[1:, 2] = rng.beta(1.0, 1.3, 4) * 100.0
    for finger in (2, 3, 4):
        degrees[finger, 0] = 0.6 * degrees[finger, 0] + 0.4 * degrees[finger - 1, 0]
        degrees[finger, 2] = 0.7 * degrees[finger, 2] + 0.3 * degrees[finger - 1, 2]
    sideways = rng.uniform(FINGER_LIMITS_DEG[1:, 1, 0], FINGER_LIMITS_DEG[1:, 1, 1])
    degrees[1:, 1] = sideways * np.cos(np.radians(np.maximum(degrees[1:, 0], 0.0)))
    degrees[1:, 3] = degrees[1:, 2] * rng.uniform(0.5, 0.75, 4)
    return degrees


def _sphere_layout() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """First and second joint of each sphere, its place between them, and its digit (5 for the palm)."""
    rows: list[tuple[int, int, float, int]] = []
    for finger in range(5):
        for segment in range(3):
            if finger == 0 and segment == 0:
                continue
            joint = 1 + 4 * finger + segment
            places = (0.55, 0.85) if segment == 0 else (0.15, 0.5, 0.85)
            rows += [(joint, joint + 1, place, finger) for place in places]
    rows += [(0, 1 + 4 * finger, place, 5) for finger in range(1, 5) for place in (0.35, 0.6, 0.85)]
    first, second, place, digit = zip(*rows, strict=True)
    return np.array(first), np.array(second), np.array(place), np.array(digit)


_FIRST, _SECOND, _PLACE, _DIGIT = _sphere_layout()
_PALM_RADIUS_RATIO = 0.14
_PAIRS = np.triu_indices(len(_DIGIT), 1)
_OTHER = _DIGIT[_PAIRS[0]] != _DIGIT[_PAIRS[1]]
_LEFT, _RIGHT = _PAIRS[0][_OTHER], _PAIRS[1][_OTHER]


def finger_penetration(shape: HandShape, joints: np.ndarray) -> float:
    """How far different fingers, or a finger and the palm, run into each other.

    Args:
        shape: Sizes of the hand.
        joints: (21, 3) mm.

    Returns:
        The largest overlap of two spheres along the bones, mm; negative where
        nothing touches.
    """
    radii = shape.joint_radii
    place = _PLACE[:, None]
    centres = joints[_FIRST] * (1.0 - place) + joints[_SECOND] * place
    sizes = radii[_FIRST] * (1.0 - _PLACE) + radii[_SECOND] * _PLACE
    sizes[_DIGIT == 5] = _PALM_RADIUS_RATIO * shape.radius_unit
    distance = np.linalg.norm(centres[_LEFT] - centres[_RIGHT], axis=-1)
    return float((sizes[_LEFT] + sizes[_RIGHT] - distance).max())


def close_pinch(shape: HandShape, degrees: np.ndarray, finger: int, iterations: int = 12) -> np.ndarray:
    """Bring the pad of the thumb to that of a finger by damped Gauss-Newton steps.

    Args:
        shape: Sizes of the hand.
        degrees: (5, 4) start, degrees.
        finger: 1 for index to 4 for pinky.
        iterations: Steps at most.

    Returns:
        (5, 4) degrees inside the limits; the pads need not touch in every case.
    """
    degrees = degrees.copy()
    free = ((0, 0), (0, 1), (0, 2), (0, 3), (finger, 0), (finger, 2))
    nudges = np.zeros((len(free) + 1, 5, 4))
    for row, place in enumerate(free):
        nudges[row + 1][place] = 1.0
    gap = 0.95 * (shape.radii[0, 3] + shape.radii[finger, 3])
    for _ in range(iterations):
        offsets = _pad_offsets(shape, degrees + nudges, finger)
        offset, jacobian = offsets[0], (offsets[1:] - offsets[0]).T
        distance = float(np.linalg.norm(offset))
        if distance < 1.02 * gap:
            break
        wanted = offset * (1.0 - 0.95 * gap / distance)
        step = np.linalg.solve(jacobian.T @ jacobian + 0.02 * np.eye(len(free)), jacobian.T @ wanted)
        for place, change in zip(free, step, strict=True):
            degrees[place] -= np.clip(change, -6.0, 6.0)
        degrees = clip_finger_angles(degrees)
        degrees[finger, 3] = 0.6 * degrees[finger, 2]
    return clip_finger_angles(degrees)


def _pad_offsets(shape: HandShape, degrees: np.ndarray, finger: int) -> np.ndarray:
    """(N, 3) mm from the finger's pad to the thumb's, for N poses."""
    joints, frames = forward_kinematics(shape, np.radians(degrees))
    pads = []
    for digit in (0, finger):
        axes = frames.rotation[:, finger_bone(digit, 2)]
        pads.append(joints[:, 4 + 4 * digit] - 5.0 * axes[..., 1] - 3.0 * axes[..., 2])
    return pads[0] - pads[1]
