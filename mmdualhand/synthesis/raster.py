"""A z-buffer: which triangle each pixel sees, and how far away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mmdualhand.errors import MissingPackageError
from mmdualhand.synthesis import kernels
from mmdualhand.synthesis.kernels import numba

NEAR_MM = 1.0
_PIXELS_AT_ONCE = 4_000_000

Backend = Literal['auto', 'numpy', 'numba']


@dataclass(frozen=True, eq=False)
class RasterResult:
    """What the pixels of a picture see; pixel (row, column) is sampled at its centre.

    Attributes:
        depth: (H, W) float32 mm, 0 where there is nothing.
        triangle: (H, W) int32, -1 where there is nothing.
        barycentric: (H, W, 2) float32 perspective-correct weights of the
            triangle's first two corners (the third has the rest), 0 where there
            is nothing.
    """

    depth: np.ndarray
    triangle: np.ndarray
    barycentric: np.ndarray

    def interpolate(self, attribute: np.ndarray, triangles: np.ndarray) -> np.ndarray:
        """Attribute of the vertices (V, C) at the covered pixels, row by row.

        Args:
            attribute: (V, C) values.
            triangles: (T, 3) the triangles that were drawn.

        Returns:
            (P, C) for the P pixels of ``np.nonzero(triangle >= 0)``.
        """
        rows, columns = np.nonzero(self.triangle >= 0)
        corners = triangles[self.triangle[rows, columns]]
        first, second = self.barycentric[rows, columns].T.astype(np.float64)
        weights = (first, second, 1.0 - first - second)
        return sum(
            (w[:, None] * attribute[corners[:, k]] for k, w in enumerate(weights)),
            start=np.zeros((len(rows), attribute.shape[1])),
        )


def rasterise(
    uv: np.ndarray,
    z: np.ndarray,
    triangles: np.ndarray,
    width: int,
    height: int,
    backend: Backend = 'auto',
    *,
    cull: bool = True,
    corner: tuple[int, int] = (0, 0),
    weights: bool = True,
) -> RasterResult:
    """Draw triangles into a z-buffer.

    Both back ends do the same sums in the same order and give equal results. No
    pixel falls between two triangles that share an edge. Of two triangles at the
    same distance the first one wins. A triangle with a corner nearer than 1 mm is
    left out.

    Args:
        uv: (V, 2) pixels; integers are pixel centres.
        z: (V,) mm along the optical axis.
        triangles: (T, 3) corners.
        width: Pixels in a row.
        height: Rows.
        backend: ``'numba'``, ``'numpy'``, or ``'auto'`` for the first where
            installed.
        cull: Leave out triangles that are seen from behind (clockwise in the
            world, outside counter-clockwise).
        corner: Column and row of the pixel that becomes the first one: a part of a
            larger picture gets exactly the values that it has there.
        weights: Whether ``barycentric`` is wanted; it stays 0 if not.

    Returns:
        Depth, triangle and barycentric weights of each pixel.

    Raises:
        ValueError: Wrong shape, size or back end.
        MissingPackageError: ``backend='numba'`` and numba is not installed.
    """
    uv, z = np.ascontiguousarray(uv, dtype=np.float64), np.ascontiguousarray(z, dtype=np.float64)
    triangles = np.asarray(triangles)
    if uv.shape != (len(z), 2) or triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ValueError(
            f'uv, z, triangles must be (V, 2), (V,), (T, 3), got {uv.shape}, {z.shape}, {triangles.shape}'
        )
    if width < 1 or height < 1:
        raise ValueError(f'the picture must have at least one pixel, got {width}x{height}')
    if backend not in ('auto', 'numpy', 'numba'):
        raise ValueError(f"backend must be 'auto', 'numpy' or 'numba', got {backend!r}")
    if backend == 'numba' and numba is None:
        raise MissingPackageError("backend='numba' needs numba: pip install numba, or use backend='numpy'")
    setup = _setup(uv, z, triangles, (width, height), corner, cull)
    loops = backend != 'numpy' and numba is not None
    draw = _draw_numba if loops else _draw_numpy
    nearest, triangle = draw(*setup, (width, height), corner)
    covered = np.nonzero(triangle >= 0)[0]
    barycentric = np.zeros((height * width, 2), np.float32)
    if weights:
        weigh = kernels.corner_weights if loops else _weights
        barycentric[covered] = weigh(covered, triangle, uv, z, triangles, width, corner)
    depth = np.zeros(height * width, np.float32)
    depth[covered] = nearest[covered]
    return RasterResult(
        depth.reshape(height, width),
        triangle.astype(np.int32).reshape(height, width),
        barycentric.reshape(height, width, 2),
    )


def _setup(
    uv: np.ndarray,
    z: np.ndarray,
    triangles: np.ndarray,
    size: tuple[int, int],
    corner: tuple[int, int],
    cull: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Triangles that may show: numbers, corners (N, 6), 1/z (N, 3), area (N,), pixel box (N, 4)."""
    columns = np.ascontiguousarray(triangles.T)
    x, y = ([np.take(values, column) for column in columns] for values in (uv[:, 0], uv[:, 1]))
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    depth = [np.take(z, column) for column in columns]
    shown = ((area < 0) if cull else (area != 0)) & (_least(depth) > NEAR_MM) & np.isfinite(area)
    keep = np.nonzero(shown)[0]
    x, y, depth = ([column[keep] for column in three] for three in (x, y, depth))
    last = corner[0] + size[0] - 1.0, corner[1] + size[1] - 1.0
    left, right = np.maximum(np.ceil(_least(x)), corner[0]), np.minimum(np.floor(_most(x)), last[0])
    top, bottom = np.maximum(np.ceil(_least(y)), corner[1]), np.minimum(np.floor(_most(y)), last[1])
    some = np.nonzero((right >= left) & (bottom >= top))[0]
    box = np.stack([side[some] for side in (left, top, right, bottom)], 1).astype(np.int64)
    corners = np.stack([column[some] for column in (*x, *y)], 1)
    inverse = 1.0 / np.stack([column[some] for column in depth], 1)
    return keep[some], corners, inverse, area[keep][some], box


def _least(columns: list[np.ndarray]) -> np.ndarray:
    return np.minimum(np.minimum(columns[0], columns[1]), columns[2])


def _most(columns: list[np.ndarray]) -> np.ndarray:
    return np.maximum(np.maximum(columns[0], columns[1]), columns[2])


def _draw_numpy(
    keep: np.ndarray,
    corners: np.ndarray,
    inverse: np.ndarray,
    area: np.ndarray,
    box: np.ndarray,
    size: tuple[int, int],
    corner: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """(H*W,) float64 smallest z (infinite where nothing is) and its triangle (-1)."""
    width, height = size
    nearest, triangle = np.full(height * width, np.inf), np.full(height * width, -1, np.int64)
    wide, high = box[:, 2] - box[:, 0] + 1, box[:, 3] - box[:, 1] + 1
    ends = np.cumsum(wide * high)
    first = 0
    while first < len(keep):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _PIXELS_AT_ONCE, side='right')))
        part = slice(first, last)
        count = (wide * high)[part]
        owner = np.repeat(np.arange(first, last), count)
        inside = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        row, column = np.divmod(inside, wide[owner])
        row, column = row + box[owner, 1], column + box[owner, 0]
        w0 = _edge(corners, area, owner, row, column, 1, 2)
        owner, row, column, w0 = _where(w0 >= 0, owner, row, column, w0)
        w1 = _edge(corners, area, owner, row, column, 2, 0)
        owner, row, column, w0, w1 = _where(w1 >= 0, owner, row, column, w0, w1)
        w2 = _edge(corners, area, owner, row, column, 0, 1)
        owner, row, column, w0, w1, w2 = _where(w2 >= 0, owner, row, column, w0, w1, w2)
        depth = 1.0 / (w0 * inverse[owner, 0] + w1 * inverse[owner, 1] + w2 * inverse[owner, 2])
        pixel = (row - corner[1]) * width + column - corner[0]
        _keep_nearest(nearest, triangle, pixel, depth, keep[owner])
        first = last
    return nearest, triangle


def _edge(
    corners: np.ndarray,
    area: np.ndarray,
    owner: np.ndarray,
    row: np.ndarray,
    column: np.ndarray,
    ahead: int,
    behind: int,
) -> np.ndarray:
    """(N,) barycentric weight of the corner opposite to the edge from ``ahead`` to ``behind``."""
    return (
        (corners[owner, ahead] - column) * (corners[owner, 3 + behind] - row)
        - (corners[owner, behind] - column) * (corners[owner, 3 + ahead] - row)
    ) / area[owner]


def _where(mask: np.ndarray, *columns: np.ndarray) -> tuple[np.ndarray, ...]:
    index = np.nonzero(mask)[0]
    return tuple(column[index] for column in columns)


def _keep_nearest(
    nearest: np.ndarray, triangle: np.ndarray, pixel: np.ndarray, depth: np.ndarray, number: np.ndarray
) -> None:
    """Put candidates, in order of triangles, into the z-buffer; the first of equals wins."""
    before = nearest[pixel]
    np.minimum.at(nearest, pixel, depth)
    best = np.nonzero((depth == nearest[pixel]) & (depth < before))[0]
    triangle[pixel[best][::-1]] = number[best][::-1]


def _draw_numba(
    keep: np.ndarray,
    corners: np.ndarray,
    inverse: np.ndarray,
    area: np.ndarray,
    box: np.ndarray,
    size: tuple[int, int],
    corner: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """See ``_draw_numpy``."""
    width, height = size
    nearest, triangle = np.full(height * width, np.inf), np.full(height * width, -1, np.int64)
    kernels.scan_triangles(keep, corners, inverse, area, box, width, corner, nearest, triangle)
    return nearest, triangle


def _weights(
    covered: np.ndarray,
    triangle: np.ndarray,
    uv: np.ndarray,
    z: np.ndarray,
    triangles: np.ndarray,
    width: int,
    corner: tuple[int, int],
) -> np.ndarray:
    """(P, 2) perspective-correct weights of the first two corners at the covered pixels."""
    row, column = np.divmod(covered, width)
    corners = triangles[triangle[covered]]
    offset = uv[corners] - np.stack([column + corner[0], row + corner[1]], 1)[:, None]
    x, y = offset[..., 0], offset[..., 1]
    ahead, behind = [1, 2, 0], [2, 0, 1]
    weights = (x[:, ahead] * y[:, behind] - x[:, behind] * y[:, ahead]) / z[corners]
    return (weights / weights.sum(1, keepdims=True))[:, :2]
