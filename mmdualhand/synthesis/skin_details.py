"""Creases, knuckles, palm lines and nails: where they lie on the template hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mmdualhand.synthesis.hand_shape import RADIUS_RATIOS
from mmdualhand.synthesis.surface_points import SurfacePoints
from mmdualhand.synthesis.template import PALM_PART
from mmdualhand.synthesis.textures import smooth_step

if TYPE_CHECKING:
    from mmdualhand.synthesis.skin import SkinField


def _bell(distance: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-np.square(distance * np.float32(1 / width)))


def add_creases(
    field: SkinField, points: SurfacePoints, back: np.ndarray, palm: np.ndarray, strength: float
) -> None:
    """Flexion creases on the palm side of the finger joints, wrinkles on their back.

    Args:
        field: Changed in place.
        points: Points on the skin.
        back: (N,) 1 on the back.
        palm: (N,) 1 on the palm side.
        strength: 1 for a clear relief.
    """
    index = np.flatnonzero(points.finger >= 0)
    y, segment, finger = points.local[index, 1], points.segment[index], points.finger[index]
    from_end = y - points.bone_length(index)
    bent = np.float32(0.5) * points.wobble[index]
    inner, outer = palm[index], back[index]
    base = _bell(y - 1.2 + bent, 0.6) + np.float32(0.7) * _bell(y + 1.2 + bent, 0.6)
    end = _bell(from_end - 1.2 + bent, 0.6) + _bell(from_end + 1.2 + bent, 0.6)
    root = _bell(y + np.float32(0.42) * (from_end - y) + bent, 0.8) * (finger > 0)
    crease = inner * np.where(segment == 0, root, base)
    crease += inner * np.float32(0.6) * end * (segment < 2)
    joint = np.where(segment == 0, from_end, np.where(np.abs(y) < np.abs(from_end), y, from_end))
    knuckle = _bell(joint, 4.0) * outer * ((segment == 1) | ((segment == 0) & (np.abs(from_end) < 12)))
    knuckle += _bell(y, 3.0) * outer * np.float32(0.7) * (segment == 2)
    wave = np.sin((joint + np.float32(1.1) * points.wobble[index]) * np.float32(2 * np.pi / 2.3))
    field.dark[index] += np.float32(strength) * (0.28 * crease + 0.10 * knuckle * np.maximum(-wave, 0))
    field.blood[index] += np.float32(strength) * 0.15 * crease
    field.height[index] += np.float32(strength) * (0.16 * knuckle * wave - 0.4 * crease)


def add_knuckles(field: SkinField, points: SurfacePoints, back: np.ndarray, strength: float) -> None:
    """Redder and slightly darker skin over the knuckles."""
    index = np.flatnonzero((points.finger >= 0) & (points.segment < 2))
    end = points.local[index, 1] - points.bone_length(index)
    over = back[index] * _bell(end, 6.0)
    field.blood[index] += np.float32(0.25 * strength) * over
    field.dark[index] += np.float32(0.06 * strength) * over
    root = np.flatnonzero((points.segment == 0) & (points.finger > 0))
    field.blood[root] += np.float32(0.22 * strength) * back[root] * _bell(points.local[root, 1], 8.0)


def add_palm_lines(
    field: SkinField,
    points: SurfacePoints,
    palm: np.ndarray,
    strength: float,
    rng: np.random.Generator,
) -> None:
    """The heart, head and life line of the palm.

    Args:
        field: Changed in place.
        points: Points on the skin.
        palm: (N,) 1 on the palm side.
        strength: 1 for clear lines.
        rng: Generator; every person has lines of their own.
    """
    shift = rng.normal(0, 0.01, 3)
    index = np.flatnonzero(((points.part == PALM_PART) | (points.part == 1)) & (palm > 0))
    shape = points.skin.shape
    x = points.rest[index, 0] / np.float32(shape.hand_breadth)
    y = points.rest[index, 1] / np.float32(shape.hand_length)
    heart = y - (0.365 - 0.09 * (x - 0.1) - 0.25 * np.square(np.minimum(x + 0.02, 0)) + shift[0])
    head = y - (0.325 - 0.17 * (x + 0.36) + shift[1])
    life = (np.hypot((x + 0.42) / 0.40, (y - 0.12) / 0.21) - 1 - shift[2]) * 0.17
    bent = np.float32(0.6) * points.wobble[index]
    line = np.zeros(len(index), np.float32)
    for distance, part in ((heart, smooth_step(x, -0.17, -0.10)), (head, 1 - smooth_step(x, 0.16, 0.26)),
                           (life, smooth_step(x, -0.40, -0.34))):  # fmt: skip
        line += part * _bell(distance.astype(np.float32) * np.float32(shape.hand_length) + bent, 0.9)
    line *= palm[index]
    field.dark[index] += np.float32(0.3 * strength) * line
    field.blood[index] += np.float32(0.2 * strength) * line
    field.height[index] -= np.float32(0.5 * strength) * line


def nail_cover(points: SurfacePoints) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Where the nails are.

    Args:
        points: Points on the skin.

    Returns:
        ``index`` (M,) of the points about nails and, for those, (M,) float32 in
        [0, 1] each: the plate, the dark rim around it, and its free edge.
    """
    index = np.flatnonzero((points.segment == 2) & (points.dorsal > 0))
    finger = points.finger[index].astype(np.int64)
    length = points.bone_length(index)
    radius = (RADIUS_RATIOS[:, 3] * points.skin.shape.radius_unit).astype(np.float32)[finger]
    along = (points.local[index, 1] - np.float32(0.66) * length) / (np.float32(0.29) * length)
    across = points.local[index, 0] / (np.float32(0.80) * radius)
    ring = np.power(np.abs(across) ** 3.5 + np.abs(along) ** 3.5, np.float32(1 / 3.5))
    facing = smooth_step(points.dorsal[index], 0.05, 0.35)
    plate = facing * (1 - smooth_step(ring, 0.90, 1.0))
    rim = facing * _bell(ring - 1.0, 0.11)
    free_edge = smooth_step(along, 0.74, 0.86) * plate
    return index, plate, rim, free_edge
