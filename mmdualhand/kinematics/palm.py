"""Registration of the palm: wrist and the five finger bases."""

from __future__ import annotations

import torch
from torch import Tensor

from mmdualhand.kinematics.vectors import unit

_MIDDLE = 3  # row of the middle finger's base among wrist and bases; the root joint of a hand
# Second over first singular value of a palm that is nearly a line.
_COLLINEAR = 1e-3
# The ratio of two eigenvalues to the power of 2 ** 18: what separates a palm from a line is far above.
_SQUARINGS = 18


def rigid_palm(template: Tensor, palm: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
    """Move template palms onto estimated ones by rotation and translation (least squares).

    Args:
        template: (6, 3) wrist and finger bases of a right hand; left hands get its
            mirror image in x.
        palm: (B, 6, 3) estimated wrist and finger bases.
        side: (B,) +1 right, -1 left.

    Returns:
        (B, 6, 3) moved templates with the centroids of ``palm``, and (B,) bool:
        the palm is no line, so the rotation is determined.
    """
    centred = template - template.mean(0)
    mirror = torch.stack([side, torch.ones_like(side), torch.ones_like(side)], dim=-1)
    centred = centred * mirror[:, None]
    centroid = palm.mean(1, keepdim=True)
    rotation, determined = best_rotation(centred, palm - centroid)
    return centred @ rotation.mT + centroid, determined


def chain_palm(ratios: Tensor, palm: Tensor) -> tuple[Tensor, Tensor]:
    """Give the bones of estimated palms their lengths, from the middle finger's base outwards.

    The wrist goes along the line from the middle base, which stays; every other
    base along the line from the registered wrist to its estimate (SemiHand,
    ICCV 2021, Section 3.2).

    Args:
        ratios: (5,) length from the wrist to every finger base.
        palm: (B, 6, 3) estimated wrist and finger bases.

    Returns:
        (B, 6, 3) registered palms, and (B,) bool: the wrist is apart from the
        middle base.
    """
    middle = palm[:, _MIDDLE : _MIDDLE + 1]
    to_middle = unit(middle - palm[:, :1], torch.zeros_like(middle))
    wrist = middle - ratios[_MIDDLE - 1] * to_middle
    directions = unit(palm[:, 1:] - wrist, to_middle)
    determined = (to_middle * to_middle).sum((1, 2)) > 0.5
    return torch.cat([wrist, wrist + ratios[:, None] * directions], dim=1), determined


def best_rotation(points: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The rotation, never a reflection, that brings points nearest to their targets.

    Horn's unit quaternion (J. Opt. Soc. Am. A 4, 1987), the leading eigenvector
    of a 4 x 4 matrix. It is found by squaring the matrix again and again: unlike
    ``torch.linalg.svd`` and ``eigh`` this neither waits for the device nor fails
    for the whole batch.

    Args:
        points: (B, N, 3) with zero mean.
        targets: (B, N, 3) with zero mean.

    Returns:
        (B, 3, 3) matrices R with ``R @ point`` near ``target``, and (B,) bool: the
        second singular value of the correlation is above a thousandth of the
        first, so that R is determined.
    """
    correlation = points.mT @ targets
    size = torch.linalg.matrix_norm(correlation)[:, None, None]
    correlation = correlation / size.clamp_min(torch.finfo(size.dtype).tiny)
    rows = correlation.unbind(1)
    minors = torch.stack([torch.linalg.cross(rows[i - 2], rows[i - 1]) for i in range(3)], dim=1)
    determined = torch.linalg.matrix_norm(minors) > _COLLINEAR
    matrix = _quaternion_matrix(correlation)
    # Eigenvalues lie within sqrt(3) of zero; shifted, the largest has the largest magnitude too.
    matrix = matrix + 3.0**0.5 * torch.eye(4, dtype=matrix.dtype, device=matrix.device)
    for _ in range(_SQUARINGS):
        matrix = matrix @ matrix
        matrix = matrix / matrix.diagonal(dim1=1, dim2=2).sum(-1)[:, None, None]
    longest = matrix.diagonal(dim1=1, dim2=2).argmax(-1)
    quaternion = matrix.gather(2, longest[:, None, None].expand(-1, 4, 1)).squeeze(2)
    return _rotation_of(quaternion / torch.linalg.vector_norm(quaternion, dim=-1, keepdim=True)), determined


def _quaternion_matrix(correlation: Tensor) -> Tensor:
    """(B, 3, 3) sums of point times target -> (B, 4, 4) symmetric matrix of Horn."""
    xx, xy, xz, yx, yy, yz, zx, zy, zz = correlation.flatten(1).unbind(1)
    rows = [
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, yy - xx - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=1)


def _rotation_of(quaternion: Tensor) -> Tensor:
    """(B, 4) unit quaternions w, x, y, z -> (B, 3, 3)."""
    w, x, y, z = quaternion.unbind(1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=1)
