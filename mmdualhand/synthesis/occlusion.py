"""Ambient light that folds and neighbouring fingers keep away, from the depth picture alone."""

from __future__ import annotations

import cv2
import numpy as np

_REACHES_MM = (3.5, 9.0)
_DIRECTIONS = 4  # straight lines through every pixel
_FAR = 3.0  # steps of so many reaches are two objects apart and shield nothing


def ambient_occlusion(depth: np.ndarray, pixels_per_mm: float, strength: float) -> np.ndarray:
    """Share of the ambient light that reaches every pixel.

    Along straight lines through a pixel, the mean of its depth below the two
    neighbours says how deep it lies in a fold; on planes it is 0. The empty
    background counts as open on its side.

    Args:
        depth: (H, W) float32 mm, 0 where nothing stands.
        pixels_per_mm: Scale of the picture at the hand.
        strength: 0 for none, 1 for a clear effect.

    Returns:
        (H, W) float32 in [0.2, 1], carried two pixels beyond the silhouette.
    """
    result = np.ones(depth.shape, np.float32)
    rows, columns = np.flatnonzero(depth.any(axis=1)), np.flatnonzero(depth.any(axis=0))
    if not len(rows):
        return result
    box = (
        slice(max(rows[0] - 2, 0), rows[-1] + 3),
        slice(max(columns[0] - 2, 0), columns[-1] + 3),
    )
    crop = np.ascontiguousarray(depth[box])
    shield = np.zeros(crop.shape, np.float32)
    for reach in _REACHES_MM:
        shield += _shield(crop, reach, max(reach * pixels_per_mm, 1.0))
    shield *= np.float32(2.2 / len(_REACHES_MM))
    there = (crop > 0).astype(np.float32)
    share = cv2.blur(there, (5, 5))
    smooth = cv2.blur(shield * there, (5, 5)) / np.maximum(share, np.float32(0.04))
    result[box] = np.clip(1 - np.float32(strength) * smooth, 0.2, 1)
    return result


def _shield(depth: np.ndarray, reach_mm: float, reach_px: float) -> np.ndarray:
    """(H, W) mean over directions of how far pixels lie below their two neighbours, 0 to 1."""
    margin = int(np.ceil(reach_px)) + 1
    padded = cv2.copyMakeBorder(depth, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    height, width = depth.shape
    total = np.zeros(depth.shape, np.float32)
    for angle in np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS:
        right, down = (int(round(reach_px * part)) for part in (np.cos(angle), np.sin(angle)))
        below = np.zeros(depth.shape, np.float32)
        for sign in (1, -1):
            top, left = margin + sign * down, margin + sign * right
            beside = padded[top : top + height, left : left + width]
            step = (depth - beside) * np.float32(1 / reach_mm)
            step[beside == 0] = -1
            below += np.where(step > np.float32(_FAR), np.float32(0), np.clip(step, -1, 1))
        total += np.maximum(below, 0)
    return total * np.float32(0.5 / _DIRECTIONS)
