"""Size of a hand in a picture whose camera is not known."""

from __future__ import annotations

import torch
from torch import Tensor

from mmdualhand.kinematics.root_depth import palm_bones
from mmdualhand.structures import check_shape

_SMALLEST_SQUARED = 1e-12


def solve_weak_scale(points: Tensor, depths: Tensor, palm: Tensor) -> tuple[Tensor, Tensor]:
    """Reference bones a pixel, under weak perspective, from the nine bones of the palm.

    Every bone has its length in the template: ``(s |duv|)^2 + dd^2 = length^2``. The median of
    the solutions is taken, as :func:`~mmdualhand.kinematics.solve_root_depth` does where the
    camera is known. A bone that is predicted longer in depth than it is has no solution.

    Args:
        points: (B, 21, 2) pixels of any grid, equal along both axes.
        depths: (B, 21) depth relative to the root, in reference bones.
        palm: (6, 3) wrist and finger bases of the template, in reference bones.

    Returns:
        (B,) reference bones a pixel, and (B,) bool: at least one bone has a solution. Where none
        has, the scale is that at which the palm has its size without regard to depth, and 0
        where the palm is a point.

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(points, 'B 21 2', name='points')
    check_shape(depths, f'{points.shape[0]} 21', name='depths')
    check_shape(palm, '6 3', name='palm')
    joints = torch.cat([points, depths[..., None]], dim=-1)
    first, second = palm_bones(torch.cat([joints[:, :1], joints[:, 1::4]], dim=1))
    start, end = palm_bones(palm.to(points)[None])
    lengths = torch.linalg.vector_norm(end - start, dim=-1)
    between = second - first
    flat = (between[..., :2] ** 2).sum(-1)
    rest = lengths**2 - between[..., 2] ** 2
    solvable = (flat > _SMALLEST_SQUARED) & (rest > 0)
    scales = (rest.clamp_min(0.0) / flat.clamp_min(_SMALLEST_SQUARED)).sqrt()
    median = torch.where(solvable, scales, torch.nan).nanmedian(-1).values
    extent = flat.sqrt().sum(-1)
    plain = torch.where(extent > _SMALLEST_SQUARED, lengths.sum() / extent.clamp_min(_SMALLEST_SQUARED), 0.0)
    solved = solvable.any(-1)
    return torch.where(solved, median, plain), solved
