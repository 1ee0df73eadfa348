"""Which joints a picture shows."""

from __future__ import annotations

import numpy as np

from mmdualhand.synthesis.placement import VISIBLE_RADII, VISIBLE_SLACK_MM


def joint_visibility(xyz: np.ndarray, uv: np.ndarray, depth: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Tell joints that are seen from those behind other fingers or outside the picture.

    A joint is visible if the surface seen at its pixel is no farther from it
    (along z) than 1.5 times the flesh about it plus 3 mm.

    Args:
        xyz: (21, 3) joints, mm, camera frame.
        uv: (21, 2) pixels of the depth image.
        depth: (H, W) mm, 0 where nothing is.
        radii: (21,) half the thickness of the hand at each joint, mm.

    Returns:
        (21,) bool.
    """
    height, width = depth.shape
    column, row = np.rint(uv).astype(np.int64).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    seen = depth[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    near = np.abs(xyz[:, 2] - seen) < VISIBLE_RADII * radii + VISIBLE_SLACK_MM
    return inside & (seen > 0) & near
