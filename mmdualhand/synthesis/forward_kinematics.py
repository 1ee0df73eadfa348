"""From joint angles to joint positions and bone frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmdualhand.structures import NUM_JOINTS
from mmdualhand.synthesis.hand_shape import HandShape
from mmdualhand.synthesis.rotations import rotation_x, rotation_y, rotation_z

NUM_BONES = 17
PALM_BONE = 0
FOREARM_BONE = 16
# Sideways direction of the fingers at rest, radial +.
_SPLAY = np.radians([6.0, 1.0, -5.0, -13.0])
# Half of the thumb's abduction swings the metacarpal in the palm plane, half out of it; it turns about
# its own axis as it opposes.
_THUMB_SWING, _PRONATION_ABDUCTION, _PRONATION_FLEXION = 0.55, 0.35, 0.25


def _thumb_rest_frame() -> np.ndarray:
    along = np.array([-0.60, 0.74, -0.30])
    along /= np.linalg.norm(along)
    dorsal = np.array([-0.62, -0.30, 0.72])
    dorsal -= (dorsal @ along) * along
    dorsal /= np.linalg.norm(dorsal)
    return np.stack([np.cross(along, dorsal), along, dorsal], axis=1)


_THUMB_REST = _thumb_rest_frame()


class BoneFrames(NamedTuple):
    """Frames of the 17 bones: palm, three of every finger (thumb to pinky, base to tip), forearm.

    In a bone's frame +y runs along the bone and +z is dorsal.

    Attributes:
        rotation: (..., 17, 3, 3); columns are the bone's axes in the hand frame.
        origin: (..., 17, 3) proximal end of the bone in the hand frame, mm.
    """

    rotation: np.ndarray
    origin: np.ndarray


def finger_bone(finger: int, segment: int) -> int:
    """Bone number of a finger's segment (both count from 0)."""
    return 1 + 3 * finger + segment


def forward_kinematics(
    shape: HandShape, angles: np.ndarray, wrist: np.ndarray | None = None
) -> tuple[np.ndarray, BoneFrames]:
    """Pose a right hand.

    Args:
        shape: Sizes of the hand.
        angles: (..., 5, 4) radians, order of ``limits.ANGLE_NAMES``; leading axes
            are poses of the same hand.
        wrist: (3,) radians: flexion, deviation and twist of the forearm; straight
            where None.

    Returns:
        Joints (..., 21, 3) in mm, canonical order, hand frame of ``HandShape``;
        and the frames of the bones.

    Raises:
        ValueError: Wrong shape.
    """
    angles = np.asarray(angles, dtype=np.float64)
    if angles.shape[-2:] != (5, 4):
        raise ValueError(f'angles must have shape (..., 5, 4), got {angles.shape}')
    batch = angles.shape[:-2]
    base = _base_rotations(angles)
    middle = base @ rotation_x(-angles[..., 2])
    distal = middle @ rotation_x(-angles[..., 3])
    digits = np.stack([base, middle, distal], axis=-3)  # (..., 5, 3, 3, 3)
    steps = digits[..., :, 1] * shape.segments[..., None]  # bones as vectors, (..., 5, 3, 3)
    starts = np.broadcast_to(shape.finger_bases[:, None], (*batch, 5, 1, 3))
    points = np.concatenate([starts, starts + np.cumsum(steps, axis=-2)], axis=-2)
    joints = np.zeros((*batch, NUM_JOINTS, 3))
    joints[..., 1:, :] = points.reshape(*batch, 20, 3)
    rotation, origin = np.zeros((*batch, NUM_BONES, 3, 3)), np.zeros((*batch, NUM_BONES, 3))
    rotation[..., PALM_BONE, :, :] = np.eye(3)
    rotation[..., 1:FOREARM_BONE, :, :] = digits.reshape(*batch, 15, 3, 3)
    origin[..., 1:FOREARM_BONE, :] = points[..., :3, :].reshape(*batch, 15, 3)
    rotation[..., FOREARM_BONE, :, :] = _forearm_rotation(wrist)
    return joints, BoneFrames(rotation, origin)


def _base_rotations(angles: np.ndarray) -> np.ndarray:
    """(..., 5, 3, 3) frames of the first bone of every finger."""
    flexion, abduction = angles[..., 0], angles[..., 1]
    fingers = rotation_z(_SPLAY + abduction[..., 1:]) @ rotation_x(-flexion[..., 1:])
    swing = rotation_y(-_THUMB_SWING * abduction[..., 0])
    turn = rotation_z(-_THUMB_SWING * abduction[..., 0]) @ rotation_x(-flexion[..., 0])
    pronation = rotation_y(
        -_PRONATION_ABDUCTION * np.maximum(abduction[..., 0], 0)
        - _PRONATION_FLEXION * np.maximum(flexion[..., 0], 0)
    )
    thumb = swing @ _THUMB_REST @ turn @ pronation
    return np.concatenate([thumb[..., None, :, :], fingers], axis=-3)


def _forearm_rotation(wrist: np.ndarray | None) -> np.ndarray:
    if wrist is None:
        return np.eye(3)
    flexion, deviation, twist = np.asarray(wrist, dtype=np.float64)
    return rotation_z(deviation) @ rotation_x(flexion) @ rotation_y(twist)
