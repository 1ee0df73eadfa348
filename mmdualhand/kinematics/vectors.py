"""Directions and angles that stay finite where a bone has no length."""

from __future__ import annotations

import math

import torch
from torch import Tensor

SHORTEST = 1e-5
"""Vectors shorter than this (in reference bones) have no direction."""


def dot(first: Tensor, second: Tensor) -> Tensor:
    """Scalar product over the last axis: (..., 3), (..., 3) -> (...)."""
    return (first * second).sum(-1)


def unit(vector: Tensor, fallback: Tensor, shortest: float = SHORTEST) -> Tensor:
    """Direction of a vector.

    Args:
        vector: (..., 3).
        fallback: Broadcasts against ``vector``; taken where it is not longer than
            ``shortest``.
        shortest: Length in the unit of ``vector``.

    Returns:
        (..., 3) of length 1, or the fallback as it is.
    """
    length = torch.linalg.vector_norm(vector, dim=-1, keepdim=True)
    return torch.where(length > shortest, vector / length.clamp_min(shortest), fallback)


def turn(first: Tensor, second: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Turn two orthogonal directions in their plane.

    Args:
        first: (..., 3).
        second: (..., 3).
        angle: (...) radians, from ``first`` towards ``second``.

    Returns:
        Both after the turn.
    """
    cosine, sine = angle.cos()[..., None], angle.sin()[..., None]
    return cosine * first + sine * second, cosine * second - sine * first


def clamp_circular(angle: Tensor, low: Tensor, high: Tensor, period: float = 2.0 * math.pi) -> Tensor:
    """Move an angle into an interval, to the end that is nearer on the circle.

    Args:
        angle: (...) radians.
        low: Lower end; broadcasts.
        high: Upper end, less than a period above.
        period: Angles that differ by it are the same.

    Returns:
        (...) radians in ``[low, high]``.
    """
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    offset = angle - middle
    offset = offset - period * torch.round(offset / period)
    return middle + torch.minimum(torch.maximum(offset, -half), half)
