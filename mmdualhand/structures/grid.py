"""Pixel grids and affine maps of pixels, for numpy and torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import torch

from mmdualhand.structures.checks import check_shape

ArrayT = TypeVar('ArrayT', np.ndarray, torch.Tensor)
Size = tuple[int, int]


def as_size(size: int | Sequence[int], *, name: str = 'size') -> Size:
    """Read ``(width, height)``, or one integer for a square.

    Raises:
        ValueError: Not one or two positive integers.
    """
    values = (size, size) if isinstance(size, (int, np.integer)) else tuple(size)
    if len(values) != 2 or any(int(value) != value or value <= 0 for value in values):
        raise ValueError(f'{name} must be (width, height) in whole pixels, got {size!r}')
    return int(values[0]), int(values[1])


def grid_affine(from_size: int | Sequence[int], to_size: int | Sequence[int]) -> np.ndarray:
    """Map between two pixel grids that cover the same area.

    Args:
        from_size: ``(w, h)`` of the grid that points come from.
        to_size: ``(w, h)`` of the grid that they go to.

    Returns:
        (3, 3) float64 map ``(u + 0.5) * to / from - 0.5``, because integers are
        pixel centres.

    Raises:
        ValueError: A size is not two positive integers.
    """
    source, target = as_size(from_size, name='from_size'), as_size(to_size, name='to_size')
    matrix = np.eye(3)
    for axis in range(2):
        ratio = target[axis] / source[axis]
        matrix[axis, axis], matrix[axis, 2] = ratio, 0.5 * ratio - 0.5
    return matrix


def to_grid(uv: ArrayT, from_size: int | Sequence[int], to_size: int | Sequence[int]) -> ArrayT:
    """Express points of one pixel grid in another that covers the same area.

    Args:
        uv: (..., 2) pixels of a ``from_size`` grid, numpy or torch.
        from_size: ``(w, h)`` of that grid.
        to_size: ``(w, h)`` of the new grid.

    Returns:
        (..., 2) pixels of the new grid, same type and precision:
        ``u64 = (u256 + 0.5) / 4 - 0.5``.

    Raises:
        ValueError: Wrong shape or size.
    """
    return apply_affine(grid_affine(from_size, to_size), uv)


def apply_affine(matrix: np.ndarray | torch.Tensor, uv: ArrayT) -> ArrayT:
    """Move pixels by an affine map.

    Args:
        matrix: (3, 3) numpy or torch; a torch one also (B, 3, 3) with ``uv``
            (B, N, 2) in torch.
        uv: (..., 2) pixels, numpy or torch; integers count as floats.

    Returns:
        (..., 2), same type as ``uv``.

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(uv, '... 2', name='uv')
    check_shape(matrix, '... 3 3', name='matrix')
    if isinstance(uv, torch.Tensor):
        points = uv if uv.is_floating_point() else uv.to(torch.get_default_dtype())
        return torch.stack(_affine_parts(matrix, points), -1)
    values = uv if np.issubdtype(uv.dtype, np.floating) else uv.astype(np.float64)
    return np.stack(_affine_parts(np.asarray(matrix), values), -1).astype(values.dtype, copy=False)


def _affine_parts(matrix: Any, points: Any) -> list[Any]:
    if isinstance(matrix, torch.Tensor):
        moved = matrix.to(points)
        rows = [[moved[..., row, column] for column in range(3)] for row in range(2)]
        if moved.ndim == 3:
            rows = [[entry[:, None] for entry in row] for row in rows]
    else:
        # Plain numbers: a small array sent to a device would make the host wait for it.
        rows = matrix[:2].tolist()
    u, v = points[..., 0], points[..., 1]
    return [row[0] * u + row[1] * v + row[2] for row in rows]
