"""One picture of many samples, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mmdualhand.structures import BONES, FINGERS
from mmdualhand.synthesis.render import Sample

_FINGER_COLORS = ((235, 80, 80), (240, 190, 60), (90, 200, 90), (80, 160, 240), (190, 100, 230))


def contact_sheet(samples: Sequence[Sample], columns: int = 6, tile: int = 240) -> np.ndarray:
    """Lay samples out on a sheet.

    Args:
        samples: What to show; of every sample the colour picture and, below it at
            a third of the size, joints, depth and parts.
        columns: Samples in a row.
        tile: Side of a colour picture on the sheet, pixels.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: No samples.
    """
    if not samples:
        raise ValueError('a contact sheet needs at least one sample')
    small = tile // 3
    cells = []
    for sample in samples:
        below = [_fit(picture, small) for picture in (draw_joints(sample), _depth(sample), _parts(sample))]
        row = np.zeros((small, tile, 3), np.uint8)
        strip = np.hstack(below)[:, :tile]
        row[:, : strip.shape[1]] = strip
        cells.append(np.vstack([_fit(sample.rgb, tile), row]))
    blank = np.zeros_like(cells[0])
    cells += [blank] * (-len(cells) % columns)
    return np.vstack([np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)])


def draw_joints(sample: Sample) -> np.ndarray:
    """The colour picture (H, W, 3) uint8 with the bones; joints that are not visible are hollow."""
    picture = np.ascontiguousarray(sample.rgb) // 2 + 40
    color = {joint: _FINGER_COLORS[row] for row, finger in enumerate(FINGERS.values()) for joint in finger}
    scale = max(sample.rgb.shape[1] // 160, 1)
    for hand in sample.hands:
        place = [(int(round(u)), int(round(v))) for u, v in hand.uv]
        for parent, child in BONES:
            cv2.line(picture, place[parent], place[child], color[child], scale, cv2.LINE_AA)
        for joint in range(1, len(place)):
            filled = -1 if hand.visible[joint] else 1
            cv2.circle(picture, place[joint], 2 * scale, color[joint], filled, cv2.LINE_AA)
    return picture


def _fit(picture: np.ndarray, side: int) -> np.ndarray:
    """The whole picture in the middle of a square tile."""
    scale = side / max(picture.shape[:2])
    height, width = (max(int(round(length * scale)), 1) for length in picture.shape[:2])
    top, left = (side - height) // 2, (side - width) // 2
    tile = np.zeros((side, side, 3), np.uint8)
    tile[top : top + height, left : left + width] = cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_AREA
    )
    return tile


def _depth(sample: Sample) -> np.ndarray:
    there = sample.depth > 0
    picture = np.zeros(sample.depth.shape, np.uint8)
    if there.any():
        near, far = sample.depth[there].min(), sample.depth[there].max()
        picture[there] = 255 - np.rint(200 * (sample.depth[there] - near) / max(far - near, 1e-6))
    colored = cv2.applyColorMap(picture, cv2.COLORMAP_VIRIDIS)[..., ::-1].copy()
    colored[~there] = 0
    return colored


def _parts(sample: Sample) -> np.ndarray:
    hue = (sample.mask.astype(np.int32) * 67) % 180
    hsv = np.stack([hue, np.full_like(hue, 170), np.where(sample.mask > 0, 230, 0)], axis=-1)
    hsv[sample.mask == 1, 1] = 0
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
