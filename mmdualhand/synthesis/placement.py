"""Hands in front of a camera, before they get a surface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdualhand.errors import ConfigError
from mmdualhand.synthesis.forward_kinematics import FOREARM_BONE, BoneFrames, forward_kinematics
from mmdualhand.synthesis.hand_shape import HandShape, sample_hand_shape
from mmdualhand.synthesis.parameters import draw
from mmdualhand.synthesis.pose import HandPose, sample_hand_pose
from mmdualhand.synthesis.primitives import FOREARM_LENGTH_MM, hand_primitives
from mmdualhand.synthesis.rotations import random_rotation, rotation_about, rotation_y, rotation_z
from mmdualhand.synthesis.signed_distance import signed_distance
from mmdualhand.synthesis.sleeve import Sleeve, sample_sleeve

PLACEMENT_DEFAULTS: dict[str, Any] = {
    'orientation': 'facing',  # or 'any', uniform over all rotations
    'back_probability': 0.5,  # back of the hand to the camera, not the palm
    'tilt_deg': (0.0, 30.0),  # of the palm out of the image plane, in any direction
    'in_plane_deg': (-60.0, 60.0),  # turn about the camera's axis; 0 is fingers up
    'forearm_reach': 1.4,  # length over half the width that the picture shows at the hand; 420 to 840 mm
}
_SMALLEST_EXTENT_MM = 60.0
# A joint is seen if the surface in front of it is nearer than this many radii of the flesh about it.
VISIBLE_RADII, VISIBLE_SLACK_MM = 1.5, 3.0
_TRACE_STEPS, _TRACE_RELAXATION, _TRACE_HIT_MM = 48, 0.8, 0.3
_NEAREST_MM = 80.0


@dataclass(frozen=True, eq=False)
class PlacedHand:
    """A posed hand and where it is.

    ``xyz_camera = rotation @ (mirror * xyz_hand) + translation``.

    Attributes:
        side: ``'left'`` or ``'right'``.
        shape: Its sizes.
        pose: Its joint angles.
        frames: Bone frames, hand frame.
        rotation: (3, 3) hand frame to camera frame.
        translation: (3,) mm.
        xyz: (21, 3) joints, mm, camera frame, canonical order.
        forearm_length: How far the arm goes on behind the wrist, mm.
        sleeve: What covers the forearm, or None.
    """

    side: str
    shape: HandShape
    pose: HandPose
    frames: BoneFrames
    rotation: np.ndarray
    translation: np.ndarray
    xyz: np.ndarray
    forearm_length: float
    sleeve: Sleeve | None

    @property
    def mirror(self) -> np.ndarray:
        """(3,) factors: x of a left hand is turned round."""
        return np.array([-1.0 if self.side == 'left' else 1.0, 1.0, 1.0])

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Hand frame (N, 3) to camera frame, mm."""
        return (points * self.mirror) @ self.rotation.T + self.translation

    def to_hand(self, points: np.ndarray) -> np.ndarray:
        """Camera frame (N, 3) to hand frame, mm."""
        return ((points - self.translation) @ self.rotation) * self.mirror

    @property
    def nearest_mm(self) -> float:
        """Rough smallest depth of joints and arm."""
        elbow = self.frames.rotation[FOREARM_BONE] @ np.array([0.0, -self.forearm_length, 0.0])
        depth = np.append(self.xyz[:, 2], self.to_camera(elbow[None])[0, 2])
        return float(depth.min()) - 0.4 * self.shape.radius_unit


def place_hand(
    rng: np.random.Generator,
    settings: Mapping[str, Any],
    camera: np.ndarray,
    side: str,
    center: np.ndarray,
    extent: float,
    shape: HandShape | None = None,
) -> PlacedHand:
    """Draw a hand and put it at a place of the picture.

    Args:
        rng: Source of chance.
        settings: A complete config, from ``scene.resolve_scene_config``.
        camera: (3, 3) intrinsics.
        side: ``'left'`` or ``'right'``.
        center: (2,) pixel of the middle of the joints' box; need not lie in the
            picture.
        extent: Larger side of the box of the joints, pixels.
        shape: Sizes of the hand; drawn if None. The rest is the same either way.

    Returns:
        The hand in the camera frame.

    Raises:
        ConfigError: Unknown pose family or orientation.
    """
    drawn = sample_hand_shape(rng, settings)
    shape = drawn if shape is None else shape
    pose = sample_hand_pose(rng, shape, settings)
    rotation = _draw_orientation(rng, settings)
    sleeve = sample_sleeve(rng, settings)
    joints, frames = forward_kinematics(shape, pose.angles, pose.wrist)
    turned = (joints * [-1.0 if side == 'left' else 1.0, 1.0, 1.0]) @ rotation.T
    middle = 0.5 * (turned.max(0) + turned.min(0))
    width = max(float(np.ptp(turned[:, :2], axis=0).max()), _SMALLEST_EXTENT_MM)
    distance = width * camera[0, 0] / extent
    translation = np.linalg.solve(camera, np.append(center, 1.0)) * distance - middle
    return PlacedHand(
        side, shape, pose, frames, rotation, translation, turned + translation,
        _forearm_length(distance, camera, draw(rng, settings['forearm_reach'])), sleeve,
    )  # fmt: skip


def _forearm_length(distance: float, camera: np.ndarray, reach: float) -> float:
    """Length in mm of an arm that leaves the picture unless it is steep."""
    half_width = camera[0, 2] / camera[0, 0] * distance
    return float(np.clip(reach * half_width, FOREARM_LENGTH_MM, 2.0 * FOREARM_LENGTH_MM))


def _draw_orientation(rng: np.random.Generator, settings: Mapping[str, Any]) -> np.ndarray:
    """(3, 3) rotation from the hand frame to the camera frame."""
    kind = draw(rng, settings['orientation'])
    if kind == 'any':
        return random_rotation(rng)
    if kind != 'facing':
        raise ConfigError(f"orientation must be 'facing' or 'any', got {kind!r}")
    upright = np.diag([1.0, -1.0, -1.0])  # back of the hand to the camera, fingers up
    if rng.random() >= draw(rng, settings['back_probability']):
        upright = upright @ rotation_y(np.pi)
    direction = rng.uniform(0.0, 2.0 * np.pi)
    axis = np.array([np.cos(direction), np.sin(direction), 0.0])
    tilt = rotation_about(axis, np.radians(draw(rng, settings['tilt_deg'])))
    return rotation_z(np.radians(draw(rng, settings['in_plane_deg']))) @ tilt @ upright


def count_visible(hands: Sequence[PlacedHand], camera: np.ndarray, image_size: tuple[int, int]) -> list[int]:
    """Number (0 to 21) of joints of each hand that the camera sees; see :func:`visible_joints`."""
    return visible_joints(hands, camera, image_size).sum(1).tolist()


def visible_joints(
    hands: Sequence[PlacedHand], camera: np.ndarray, image_size: tuple[int, int]
) -> np.ndarray:
    """Joints that the camera sees, found by tracing a ray to each.

    Args:
        hands: The hands of one picture.
        camera: (3, 3) intrinsics.
        image_size: (width, height).

    Returns:
        (H, 21) bool for the H hands.
    """
    joints = np.concatenate([hand.xyz for hand in hands])
    radii = np.concatenate([hand.shape.joint_radii for hand in hands])
    pixels = joints @ camera.T
    pixels = pixels[:, :2] / pixels[:, 2:]
    seen = ((pixels > -0.5) & (pixels < np.array(image_size) - 0.5)).all(1)
    seen &= joints[:, 2] > _NEAREST_MM
    stop = joints[:, 2] - VISIBLE_RADII * radii - VISIBLE_SLACK_MM
    capsules = [hand_primitives(hand.shape, hand.frames, hand.forearm_length) for hand in hands]
    rays = joints / joints[:, 2:]
    depth = np.full(len(joints), _NEAREST_MM)
    active = np.nonzero(seen)[0]
    for _ in range(_TRACE_STEPS):
        points = rays[active] * depth[active, None]
        gap = np.min(
            [
                signed_distance(hand.to_hand(points), parts)
                for hand, parts in zip(hands, capsules, strict=True)
            ],
            axis=0,
        )
        seen[active[gap < _TRACE_HIT_MM]] = False
        depth[active] += _TRACE_RELAXATION * gap / np.linalg.norm(rays[active], axis=1)
        active = active[(gap >= _TRACE_HIT_MM) & (depth[active] < stop[active])]
        if not len(active):
            break
    return seen.reshape(len(hands), -1)
