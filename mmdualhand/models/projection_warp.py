"""The motion of a view undone in the space of a projection (PeCLR)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmdualhand.codecs import full_precision
from mmdualhand.errors import ConfigError
from mmdualhand.models.perturbation import Warp, rotation_matrix


def unwarp_projection(z: Tensor, warp: Warp) -> Tensor:
    """Undo the motion of a view in the space of a projection, as PeCLR does (ICCV 2021, Section 3.2).

    The projection is taken as m points of the plane. It is normalised, shifted back by
    its own extent times ``shift``, turned back about its mean, which acts as a constant,
    mirrored back and normalised again. The scale is left in, as in the original.

    Args:
        z: ``(B, 2m)`` projections, x and y of each point side by side.
        warp: The motion of the images that they are of.

    Returns:
        ``(B, 2m)`` float32 of unit length.

    Raises:
        ConfigError: An odd number of columns.
    """
    if z.ndim != 2 or z.shape[1] % 2:
        raise ConfigError(
            f'a projection (B, 2m) of x and y of m points is needed, got {tuple(z.shape)}: set '
            'projector.out_channels to an even number'
        )
    with full_precision(z.device):
        points = F.normalize(z.float(), dim=1).view(len(z), -1, 2)
        points = rotate_about_mean(translate_by_extent(points, -warp.shift), -warp.angle)
        sign = 1.0 - 2.0 * warp.flip.to(points)
        middle = points.mean(1, keepdim=True).detach()
        mirrored = torch.stack([sign, torch.ones_like(sign)], dim=-1)[:, None]
        points = (points - middle) * mirrored + middle
        return F.normalize(points.reshape(len(z), -1), dim=1)


def translate_by_extent(points: Tensor, shift: Tensor) -> Tensor:
    """Shift points ``(B, m, 2)`` by ``shift (B, 2)`` times their own extent in x and y."""
    extent = points.amax(1) - points.amin(1)
    return points + (shift.to(points) * extent)[:, None]


def rotate_about_mean(points: Tensor, angle: Tensor) -> Tensor:
    """Turn points ``(B, m, 2)`` by ``angle (B,)`` degrees about their mean, which has no gradient."""
    middle = points.mean(1, keepdim=True).detach()
    turned = (points - middle) @ rotation_matrix(angle).to(points).transpose(1, 2)
    return turned + middle
