"""Compiled loops for the slowest steps; without numba their callers do the same in numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mmdualhand.synthesis.primitives import Primitives

try:
    import numba
except ImportError:  # optional: requirement `fast`
    numba = None

# Blend radii in mm: within the palm, within a finger, of a finger's first bone with the palm.
# Different fingers are not blended, so that touching fingers stay apart.
PALM_BLEND_MM = 4.5
DIGIT_BLEND_MM = 1.2
BASE_BLEND_MM = 3.2


def compiled(function: Callable[..., Any]) -> Any:
    """The function compiled by numba and cached on disk, or itself where there is no numba."""
    return function if numba is None else numba.njit(cache=True)(function)


def packed(capsules: Primitives) -> tuple[np.ndarray, np.ndarray, int]:
    """Capsules as plain arrays.

    Args:
        capsules: M capsules.

    Returns:
        (M, 14) numbers (start, axis, squared length of the axis, radius and its
        slope, normal, squeeze, factor of the distance), (K, 3) first, middle and
        last column of every finger, and the number of columns of the palm.
    """
    axis = capsules.end - capsules.start
    table = np.column_stack([
        capsules.start, axis, np.maximum((axis * axis).sum(1), 1e-9), capsules.start_radius,
        capsules.end_radius - capsules.start_radius, capsules.normal, capsules.flatness**2 - 1.0,
        1.0 / np.sqrt(capsules.flatness),
    ])  # fmt: skip
    digits = [(base.start, base.stop, rest.stop) for base, rest in capsules.digits]
    columns = np.array(digits, np.int64).reshape(-1, 3)
    return np.ascontiguousarray(table, np.float64), columns, int(capsules.palm.stop)


@compiled
def _soft_minimum(distance: Any, weight: Any, first: int, last: int, blend: float) -> float:
    """Smooth minimum of columns first..last-1; their weights in the gradient go to ``weight``."""
    lowest = distance[first]
    for k in range(first + 1, last):
        lowest = min(lowest, distance[k])
    total = 0.0
    for k in range(first, last):
        weight[k] = np.exp((lowest - distance[k]) / blend)
        total += weight[k]
    for k in range(first, last):
        weight[k] /= total
    return lowest - blend * np.log(total)


@compiled
def _two_way(first: float, second: float, blend: float) -> tuple[float, float]:
    """Smooth minimum of two numbers, and the weight of the first."""
    lowest = min(first, second)
    one, other = np.exp((lowest - first) / blend), np.exp((lowest - second) / blend)
    return lowest - blend * np.log(one + other), one / (one + other)


@compiled
def _combine(distance: Any, digits: Any, palm: int, soft: Any, weight: Any) -> float:
    """Union of the capsules: its value; ``weight`` gets the share of each in the gradient."""
    best = np.inf
    palm_value = np.inf
    if palm > 0:
        palm_value = _soft_minimum(distance, soft, 0, palm, PALM_BLEND_MM)
    if digits.shape[0] == 0:
        weight[:palm] = soft[:palm]
        return palm_value
    for row in range(digits.shape[0]):
        first, middle, last = digits[row, 0], digits[row, 1], digits[row, 2]
        root, share = np.inf, 1.0
        if middle > first:
            root = _soft_minimum(distance, soft, first, middle, DIGIT_BLEND_MM)
        if palm > 0:
            root, share = _two_way(root, palm_value, BASE_BLEND_MM)
        value, part = root, 1.0
        if last > middle:
            rest = _soft_minimum(distance, soft, middle, last, DIGIT_BLEND_MM)
            value, part = _two_way(root, rest, DIGIT_BLEND_MM)
        if value < best:
            best = value
            weight[:] = 0.0
            weight[:palm] = part * (1.0 - share) * soft[:palm]
            weight[first:middle] = part * share * soft[first:middle]
            weight[middle:last] = (1.0 - part) * soft[middle:last]
    return best


@compiled
def _distances(x: float, y: float, z: float, table: Any, distance: Any, inner: Any) -> None:
    """Distance of a point to every capsule; ``inner`` gets place, across and length of each."""
    for k in range(table.shape[0]):
        px, py, pz = x - table[k, 0], y - table[k, 1], z - table[k, 2]
        along = px * table[k, 3] + py * table[k, 4] + pz * table[k, 5]
        place = min(max(along / table[k, 6], 0.0), 1.0)
        px, py, pz = px - place * table[k, 3], py - place * table[k, 4], pz - place * table[k, 5]
        across = px * table[k, 9] + py * table[k, 10] + pz * table[k, 11]
        squared = px * px + py * py + pz * pz + table[k, 12] * across * across
        length = np.sqrt(max(squared, 1e-12))
        distance[k] = (length - table[k, 7] - place * table[k, 8]) * table[k, 13]
        inner[k, 0], inner[k, 1], inner[k, 2] = place, across, length


@compiled
def _gradient(x: float, y: float, z: float, table: Any, inner: Any, weight: Any, out: Any) -> None:
    out[:] = 0.0
    for k in range(table.shape[0]):
        if weight[k] == 0.0:
            continue
        place, across = inner[k, 0], inner[k, 1]
        scale = weight[k] * table[k, 13] / inner[k, 2]
        squeeze = table[k, 12] * across
        out[0] += scale * (x - table[k, 0] - place * table[k, 3] + squeeze * table[k, 9])
        out[1] += scale * (y - table[k, 1] - place * table[k, 4] + squeeze * table[k, 10])
        out[2] += scale * (z - table[k, 2] - place * table[k, 5] + squeeze * table[k, 11])


@compiled
def surface_values(points: Any, table: Any, digits: Any, palm: int) -> Any:
    """Signed distance (N,) of points (N, 3) to packed capsules."""
    count = table.shape[0]
    distance, soft, weight = np.empty(count), np.empty(count), np.empty(count)
    inner, values = np.empty((count, 3)), np.empty(points.shape[0])
    for row in range(points.shape[0]):
        _distances(points[row, 0], points[row, 1], points[row, 2], table, distance, inner)
        values[row] = _combine(distance, digits, palm, soft, weight)
    return values


@compiled
def snap_to_surface(
    points: Any, table: Any, digits: Any, palm: int, steps: int, longest: float, steepest: float, near: float
) -> None:
    """Newton steps of points (N, 3), in place, onto the surface of packed capsules.

    Args:
        points: (N, 3) mm.
        table: See ``packed``.
        digits: See ``packed``.
        palm: See ``packed``.
        steps: Most steps of a point.
        longest: Longest step, mm.
        steepest: Smallest squared gradient that is divided by.
        near: A step from nearer than this, mm, is the last one.
    """
    count = table.shape[0]
    distance, soft, weight = np.empty(count), np.empty(count), np.empty(count)
    inner, slope = np.empty((count, 3)), np.empty(3)
    for row in range(points.shape[0]):
        for _ in range(steps):
            x, y, z = points[row, 0], points[row, 1], points[row, 2]
            _distances(x, y, z, table, distance, inner)
            value = _combine(distance, digits, palm, soft, weight)
            _gradient(x, y, z, table, inner, weight, slope)
            squared = slope[0] * slope[0] + slope[1] * slope[1] + slope[2] * slope[2]
            step = min(max(value / max(squared, steepest), -longest), longest)
            for axis in range(3):
                points[row, axis] -= step * slope[axis]
            if abs(value) <= near:
                break


@compiled
def lit_counts(place: Any, along: Any, depth: Any, taps: Any, bias: float) -> Any:
    """Number of taps (N,) float32 at which points are nearer to the lamp than its map says."""
    last = depth.shape[0] - 1
    counts = np.zeros(place.shape[0], np.float32)
    for row in range(place.shape[0]):
        limit = along[row] - bias
        for tap in range(taps.shape[0]):
            column = min(max(int(np.rint(place[row, 0] + taps[tap, 0])), 0), last)
            line = min(max(int(np.rint(place[row, 1] + taps[tap, 1])), 0), last)
            if limit < depth[line, column]:
                counts[row] += np.float32(1)
    return counts


@compiled
def blend_corners(attributes: Any, corners: Any, first: Any, second: Any) -> Any:
    """Attributes (V, C) float32 at N samples of triangles with corners (N, 3) and weights (N,)."""
    columns = attributes.shape[1]
    values = np.empty((len(first), columns), np.float32)
    one = np.float32(1)
    for row in range(len(first)):
        a, b, c = corners[row, 0], corners[row, 1], corners[row, 2]
        u, v = first[row], second[row]
        w = one - u - v
        for k in range(columns):
            value = attributes[a, k] * u
            value += attributes[b, k] * v
            value += attributes[c, k] * w
            values[row, k] = value
    return values


@compiled
def corner_weights(
    covered: Any, triangle: Any, uv: Any, z: Any, triangles: Any, width: int, corner: tuple[int, int]
) -> Any:
    """Perspective-correct weights (P, 2) float32 of two corners at covered pixels; see ``raster``."""
    weights = np.empty((len(covered), 2), np.float32)
    x, y, one = np.empty(3), np.empty(3), np.empty(3)
    for row in range(len(covered)):
        pixel = covered[row]
        line, column = pixel // width + corner[1], pixel % width + corner[0]
        for k in range(3):
            vertex = triangles[triangle[pixel], k]
            x[k], y[k] = uv[vertex, 0] - column, uv[vertex, 1] - line
        for k in range(3):
            ahead, behind = (k + 1) % 3, (k + 2) % 3
            depth = z[triangles[triangle[pixel], k]]
            one[k] = (x[ahead] * y[behind] - x[behind] * y[ahead]) / depth
        total = one[0] + one[1] + one[2]
        weights[row, 0], weights[row, 1] = one[0] / total, one[1] / total
    return weights


@compiled
def scan_triangles(
    keep: Any,
    corners: Any,
    inverse: Any,
    area: Any,
    box: Any,
    width: int,
    corner: tuple[int, int],
    nearest: Any,
    triangle: Any,
) -> None:
    """Draw triangles into a z-buffer one by one; see ``raster``."""
    for k in range(keep.shape[0]):
        x0, x1, x2 = corners[k, 0], corners[k, 1], corners[k, 2]
        y0, y1, y2 = corners[k, 3], corners[k, 4], corners[k, 5]
        for row in range(box[k, 1], box[k, 3] + 1):
            for column in range(box[k, 0], box[k, 2] + 1):
                w0 = ((x1 - column) * (y2 - row) - (x2 - column) * (y1 - row)) / area[k]
                w1 = ((x2 - column) * (y0 - row) - (x0 - column) * (y2 - row)) / area[k]
                w2 = ((x0 - column) * (y1 - row) - (x1 - column) * (y0 - row)) / area[k]
                if w0 < 0 or w1 < 0 or w2 < 0:
                    continue
                depth = 1.0 / (w0 * inverse[k, 0] + w1 * inverse[k, 1] + w2 * inverse[k, 2])
                pixel = (row - corner[1]) * width + column - corner[0]
                if depth < nearest[pixel]:
                    nearest[pixel] = depth
                    triangle[pixel] = keep[k]
