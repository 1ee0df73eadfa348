"""Absolute depth and size of a hand from known bone lengths (Iqbal et al., ECCV 2018)."""

from __future__ import annotations

import torch
from torch import Tensor

from mmdualhand.structures import check_shape

SCALED_DEPTH_RANGE = (4.0, 50.0)
"""Plausible depths of the root in reference bones; solutions are kept inside."""

_SMALLEST_ANGLE_SQUARED = 1e-8


def pair_root_depth(
    first_ray: Tensor, second_ray: Tensor, first_depth: Tensor, second_depth: Tensor, length: Tensor
) -> tuple[Tensor, Tensor]:
    """Root depth at which two joints have a known distance.

    The joints are ``ray * (Z + depth)``, so the distance gives a quadratic
    equation in Z, of which the larger solution is taken. Bones that may point
    along the ray (finger bones) can make that the wrong one: use palm bones.

    Args:
        first_ray: (..., 2) X / Z and Y / Z of one joint.
        second_ray: (..., 2) of the other.
        first_depth: (...) depth relative to the root.
        second_depth: (...).
        length: Distance of the joints, same unit; broadcasts.

    Returns:
        (...) depth of the root in the same unit, and (...) bool: there is a real
        solution and the rays are not the same. Elsewhere the depth means nothing.
    """
    between = _dot(first_ray, second_ray)
    difference = first_ray - second_ray
    quadratic = _dot(difference, difference)
    linear = 2.0 * (
        first_depth * (_dot(first_ray, first_ray) - between)
        + second_depth * (_dot(second_ray, second_ray) - between)
    )
    offset = first_ray * first_depth[..., None] - second_ray * second_depth[..., None]
    constant = _dot(offset, offset) + (first_depth - second_depth) ** 2 - length**2
    discriminant = linear**2 - 4.0 * quadratic * constant
    solvable = (quadratic >= _SMALLEST_ANGLE_SQUARED) & (discriminant >= 0)
    root = discriminant.clamp_min(0.0).sqrt()
    return (root - linear) / (2.0 * quadratic.clamp_min(_SMALLEST_ANGLE_SQUARED)), solvable


def solve_root_depth(rays: Tensor, depths: Tensor, palm: Tensor) -> tuple[Tensor, Tensor]:
    """Root depth of hands from the nine bones of the palm.

    Median over wrist to every finger base and every base to its neighbour, of
    the depths that give the bone its length in the template.

    Args:
        rays: (B, 21, 2) X / Z and Y / Z of every joint, that is ``K^-1 (u, v, 1)``.
        depths: (B, 21) depth relative to the root, in reference bones.
        palm: (6, 3) wrist and finger bases of the template, in reference bones.

    Returns:
        (B,) depth of the root in reference bones, inside ``SCALED_DEPTH_RANGE``,
        and (B,) bool: at least one bone has a solution. NaN where none has.

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(rays, 'B 21 2', name='rays')
    check_shape(depths, f'{rays.shape[0]} 21', name='depths')
    check_shape(palm, '6 3', name='palm')
    points = torch.cat([rays, depths[..., None]], dim=-1)
    first, second = palm_bones(torch.cat([points[:, :1], points[:, 1::4]], dim=1))
    start, end = palm_bones(palm.to(points)[None])
    lengths = torch.linalg.vector_norm(end - start, dim=-1)
    depth, solvable = pair_root_depth(
        first[..., :2], second[..., :2], first[..., 2], second[..., 2], lengths
    )
    median = torch.where(solvable, depth, torch.nan).nanmedian(-1).values
    return median.clamp(*SCALED_DEPTH_RANGE), solvable.any(-1)


def fit_scale(lengths: Tensor, mean_lengths: Tensor) -> Tensor:
    """Size of hands whose bones are known up to scale, from the average person's bones.

    Args:
        lengths: (B, ...) bone lengths in reference bones.
        mean_lengths: (...) average lengths of the same bones, mm.

    Returns:
        (B,) length of the reference bone in mm, least squares: the factor that
        brings ``lengths`` nearest to ``mean_lengths``.
    """
    lengths = lengths.flatten(1)
    mean_lengths = mean_lengths.to(lengths).flatten()
    return (lengths * mean_lengths).sum(-1) / (lengths * lengths).sum(-1)


def _dot(first: Tensor, second: Tensor) -> Tensor:
    return (first * second).sum(-1)


def palm_bones(palm: Tensor) -> tuple[Tensor, Tensor]:
    """Start and end (..., 9, 3) of the bones of palms (..., 6, 3): wrist to bases, base to base."""
    wrist = palm[..., :1, :].expand_as(palm[..., 1:, :])
    start = torch.cat([wrist, palm[..., 1:-1, :]], dim=-2)
    return start, torch.cat([palm[..., 1:, :], palm[..., 2:, :]], dim=-2)
