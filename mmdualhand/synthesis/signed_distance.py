"""Distance of points to the smooth union of a hand's capsules."""

from __future__ import annotations

import numpy as np

from mmdualhand.synthesis import kernels
from mmdualhand.synthesis.kernels import BASE_BLEND_MM, DIGIT_BLEND_MM, PALM_BLEND_MM
from mmdualhand.synthesis.primitives import Primitives


def capsule_distances(points: np.ndarray, primitives: Primitives) -> tuple[np.ndarray, ...]:
    """Distances to every capsule, and what their gradients need.

    Args:
        points: (N, 3) mm.
        primitives: M capsules.

    Returns:
        Distances (N, M), place along the axis (N, M) in [0, 1], component along
        the squeezed direction (N, M), length of the squeezed offset (N, M).
    """
    axis = primitives.end - primitives.start
    axis_sq = np.maximum((axis * axis).sum(-1), 1e-9)
    along = points @ axis.T - (primitives.start * axis).sum(-1)
    place = np.clip(along / axis_sq, 0.0, 1.0)
    normal = primitives.normal
    across = points @ normal.T - (primitives.start * normal).sum(-1) - place * (axis * normal).sum(-1)
    offset_sq = (points * points).sum(-1)[:, None] - 2.0 * (points @ primitives.start.T)
    offset_sq += (primitives.start * primitives.start).sum(-1)
    offset_sq += place * (place * axis_sq - 2.0 * along)
    offset_sq += (primitives.flatness**2 - 1.0) * across * across
    length = np.sqrt(np.maximum(offset_sq, 1e-12))
    slope = primitives.end_radius - primitives.start_radius
    distance = (length - primitives.start_radius - place * slope) / np.sqrt(primitives.flatness)
    return distance, place, across, length


def soft_minimum(distances: np.ndarray, blend: float) -> tuple[np.ndarray, np.ndarray]:
    """``-blend * log(sum(exp(-d / blend)))`` over the last axis.

    Args:
        distances: (N, M) mm, M at least 1.
        blend: mm.

    Returns:
        Values (N,) and the weight (N, M) of every entry in the gradient.
    """
    lowest = distances.min(-1, keepdims=True)
    weights = np.exp((lowest - distances) / blend)
    total = weights.sum(-1, keepdims=True)
    return (lowest - blend * np.log(total))[:, 0], weights / total


def _combine(distances: np.ndarray, primitives: Primitives) -> tuple[np.ndarray, np.ndarray]:
    """Union of capsule distances (N, M): values (N,) and gradient weights (N, M)."""
    count = len(distances)
    palm = primitives.palm
    values = np.full(count, np.inf)
    weights = np.zeros_like(distances)
    if palm.stop:
        palm_value, palm_weight = soft_minimum(distances[:, palm], PALM_BLEND_MM)
        if not primitives.digits:
            weights[:, palm] = palm_weight
            return palm_value, weights
    for base, rest in primitives.digits:
        root, root_weight = soft_minimum(distances[:, base], DIGIT_BLEND_MM)
        share = np.ones((count, 2))
        if palm.stop:
            root, share = soft_minimum(np.stack([root, palm_value], -1), BASE_BLEND_MM)
        parts = np.concatenate([root[:, None], distances[:, rest]], axis=1)
        value, part_weight = soft_minimum(parts, DIGIT_BLEND_MM)
        closer = value < values
        values = np.where(closer, value, values)
        new = np.zeros_like(distances)
        new[:, base] = part_weight[:, :1] * share[:, :1] * root_weight
        new[:, rest] = part_weight[:, 1:]
        if palm.stop:
            new[:, palm] = part_weight[:, :1] * share[:, 1:] * palm_weight
        weights = new if len(primitives.digits) == 1 else np.where(closer[:, None], new, weights)
    return values, weights


def signed_distance(points: np.ndarray, primitives: Primitives) -> np.ndarray:
    """Signed distance to the surface, negative inside.

    It is a blend of approximate distances: exact zero set, lengths right to a
    few percent near the surface.

    Args:
        points: (N, 3) mm, the frame of the capsules.
        primitives: The capsules.

    Returns:
        (N,) mm.
    """
    if kernels.numba is not None:
        return kernels.surface_values(np.ascontiguousarray(points, np.float64), *kernels.packed(primitives))
    return _combine(capsule_distances(points, primitives)[0], primitives)[0]


def signed_distance_and_gradient(points: np.ndarray, primitives: Primitives) -> tuple[np.ndarray, np.ndarray]:
    """Signed distance and its direction of steepest ascent.

    The gradient leaves out that the place along a capsule moves with the point:
    exact for capsules of one radius without squeeze, else off by the taper (a
    few percent).

    Args:
        points: (N, 3) mm, the frame of the capsules.
        primitives: The capsules.

    Returns:
        Distance (N,) in mm and gradient (N, 3).
    """
    distance, place, across, length = capsule_distances(points, primitives)
    values, weights = _combine(distance, primitives)
    scale = weights / (length * np.sqrt(primitives.flatness))
    squeeze = scale * (primitives.flatness**2 - 1.0) * across
    axis = primitives.end - primitives.start
    gradient = points * scale.sum(-1, keepdims=True) - scale @ primitives.start
    gradient += squeeze @ primitives.normal - (scale * place) @ axis
    return values, gradient
