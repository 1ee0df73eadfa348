"""Refuse lengths in another unit than millimetres."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmdualhand.structures import check_shape

_SMALLEST_EXTENT_MM = 1.0  # a hand in metres spans some 0.2, in centimetres some 20
_SMALLEST_HAND_MM = 30.0


def check_unit_mm(gt: Any, *, name: str = 'gt', strict: bool = False) -> None:
    """Refuse hands that cannot be in millimetres.

    The extent of a hand is the longest side of the box about its joints; the
    median over the hands decides. Hands of extent 0 and joints that are not
    finite are left out.

    Args:
        gt: (N, J, 3) joints, numpy or torch.
        name: Name of the argument, for the message.
        strict: Also refuse what looks like centimetres (extent below 30).

    Raises:
        ValueError: The hands look like metres (extent below 1), or, if
            ``strict``, like centimetres.
    """
    points = as_float_tensor(gt, name)
    check_shape(points, 'N J 3', name=name)
    finite = points.isfinite().all(-1, keepdim=True)
    upper = points.masked_fill(~finite, -torch.inf).amax(1)
    lower = points.masked_fill(~finite, torch.inf).amin(1)
    extents = (upper - lower).amax(-1)
    extents = extents[extents.isfinite() & (extents > 0)]
    if not len(extents):
        return
    extent = float(extents.median())
    if extent < _SMALLEST_EXTENT_MM:
        unit, factor = 'metres', 1000
    elif strict and extent < _SMALLEST_HAND_MM:
        unit, factor = 'centimetres', 10
    else:
        return
    raise ValueError(
        f'{name} must be in mm, but its hands span {extent:.3g}: looks like {unit}, multiply by {factor}'
    )


def as_float_tensor(value: Any, name: str) -> Tensor:
    """A float tensor: numpy becomes float64, half precision float32."""
    if isinstance(value, Tensor):
        return value if value.dtype in (torch.float32, torch.float64) else value.float()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.array(value, dtype=np.float64))
    raise TypeError(f'{name} must be a numpy array or torch tensor, got {type(value).__name__}')
