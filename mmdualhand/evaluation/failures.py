"""What makes a prediction suspect or a hand hard, measured without a label: Figure 7 of the paper."""

from __future__ import annotations

import numpy as np

from mmdualhand.structures import BONES, DEFAULT_REFERENCE_LENGTH_MM, check_shape, to_grid

FINGER_RADIUS_MM = 8.0
"""Half the thickness of a finger: what lies this close to a bone on the picture may hide behind it."""

_GRID = (64, 64)


def modality_distance(first: np.ndarray, second: np.ndarray) -> float:
    """How far two branches of a network disagree about one hand.

    Args:
        first: ``(21, 3)`` 2.5D pose: u, v in pixels of the 64-grid of the crop.
        second: Likewise, of the other branch.

    Returns:
        Mean 2D distance of the joints, as a share of the crop's side.
    """
    check_shape(first, '21 3', name='first')
    check_shape(second, '21 3', name='second')
    gaps = np.linalg.norm(np.asarray(first)[:, :2] - np.asarray(second)[:, :2], axis=-1)
    return float(gaps.mean()) / _GRID[0]


def outside_mask(pose25d: np.ndarray, mask: np.ndarray, threshold: float = 0.5) -> float:
    """Share of the joints that the predicted pose puts where the predicted mask has no hand.

    Args:
        pose25d: ``(21, 3)``, u, v in pixels of the 64-grid of the crop.
        mask: ``(h, w)`` in 0..1 over the crop, any resolution.
        threshold: Hand from this value on.

    Returns:
        0 to 1; joints beside the crop, or not finite, are outside.
    """
    check_shape(pose25d, '21 3', name='pose25d')
    check_shape(mask, 'h w', name='mask')
    height, width = mask.shape
    uv = to_grid(np.asarray(pose25d, np.float64)[:, :2], _GRID, (width, height))
    places = np.where(np.isfinite(uv), uv, -10.0)
    column, row = np.rint(np.clip(places, -10, 1e6)).astype(int).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    hand = np.zeros(len(uv), bool)
    hand[inside] = np.asarray(mask)[row[inside], column[inside]] >= threshold
    return float(1.0 - hand.mean())


def hidden_joints(keypoints_3d: np.ndarray, radius: float = FINGER_RADIUS_MM) -> np.ndarray:
    """Joints that a nearer bone of the same hand covers.

    A joint is hidden where a bone that does not end in it, nor in its neighbours, passes
    within ``radius`` of it on the picture and is nearer to the camera by more than
    ``radius``. Sight lines count as parallel to the optical axis, as for a hand far away.

    Args:
        keypoints_3d: ``(21, 3)`` mm in the camera frame, or relative to the root, with z away.
        radius: Half the thickness of a finger, in the unit of the joints.

    Returns:
        ``(21,)`` bool; joints that are not finite are not hidden.
    """
    check_shape(keypoints_3d, '21 3', name='keypoints_3d')
    joints = np.asarray(keypoints_3d, np.float64)
    hidden = np.zeros(len(joints), bool)
    near = _neighbours()
    for parent, child in BONES:
        start, end = joints[parent], joints[child]
        along = end[:2] - start[:2]
        length = max(float(along @ along), 1e-9)
        share = np.clip((joints[:, :2] - start[:2]) @ along / length, 0.0, 1.0)
        nearest = start + share[:, None] * (end - start)
        beside = np.linalg.norm(joints[:, :2] - nearest[:, :2], axis=-1)
        covers = (beside < radius) & (joints[:, 2] - nearest[:, 2] > radius)
        hidden |= covers & ~near[parent] & ~near[child]
    return hidden


def self_occlusion(keypoints_3d_relative: np.ndarray) -> float:
    """Share of the joints that the hand itself hides, see :func:`hidden_joints`.

    Args:
        keypoints_3d_relative: ``(21, 3)`` in lengths of the reference bone, z away; a hand
            of ordinary size is taken.
    """
    radius = FINGER_RADIUS_MM / DEFAULT_REFERENCE_LENGTH_MM
    return float(hidden_joints(keypoints_3d_relative, radius).mean())


def _neighbours() -> np.ndarray:
    """(21, 21) bool: the same joint, or two ends of a bone."""
    near = np.eye(21, dtype=bool)
    for parent, child in BONES:
        near[parent, child] = near[child, parent] = True
    return near
