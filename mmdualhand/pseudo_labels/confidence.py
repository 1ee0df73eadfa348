r"""How far predictions of one hand lie apart: the C of Eq. 9, low where they agree.

Every form is built on :math:`\ell` (:class:`~mmdualhand.models.PoseDist`): u, v in
pixels of the 64-grid, depths in reference bones, mean over the joints.
``per_joint=True`` leaves that mean out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mmdualhand.structures import check_shape


@torch.no_grad()
def variance_confidence(
    poses: Tensor, label: Tensor | None = None, depth_weight: float = 50.0, per_joint: bool = False
) -> Tensor:
    r"""Variance of Q poses about their mean, :math:`C = 1/Q \sum_q \ell(q, r)`.

    For the four poses of Eq. 8 this is :math:`1/16 \sum_{i<j} \ell(q_i, q_j)`.

    Args:
        poses: ``(Q, B, 21, 3)`` 2.5D poses: predictions and corrections.
        label: ``(B, 21, 3)``; their mean where None.
        depth_weight: lambda_z of the distance.
        per_joint: Give every joint its own value.

    Returns:
        ``(B,)`` or ``(B, 21)`` float32; infinite where a pose is not finite.

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(poses, 'Q B 21 3', name='poses')
    every = poses.float()
    middle = every.mean(0) if label is None else label.float()
    return _finish(_distances(every, middle[None], depth_weight).mean(0), per_joint)


@torch.no_grad()
def semihand_confidence(
    first: Tensor,
    second: Tensor,
    label: Tensor,
    corrected: Tensor,
    depth_weight: float = 50.0,
    per_joint: bool = False,
) -> Tensor:
    r"""SemiHand's sum, :math:`\ell(p_1, p_2) + \ell(\hat p, \rho(\hat p))` (ICCV 2021, Eq. 8).

    About four times the variance of the same poses.

    Args:
        first: ``(B, 21, 3)`` one prediction, such as that of the perturbed image.
        second: ``(B, 21, 3)`` the other, in the same frame.
        label: ``(B, 21, 3)`` the label.
        corrected: ``(B, 21, 3)`` the label after correction.
        depth_weight: lambda_z of the distance.
        per_joint: Give every joint its own value.

    Returns:
        ``(B,)`` or ``(B, 21)`` float32; infinite where a pose is not finite.

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(first, 'B 21 3', name='first')
    stability = _distances(first.float(), second.float(), depth_weight)
    plausibility = _distances(label.float(), corrected.float(), depth_weight)
    return _finish(stability + plausibility, per_joint)


def _distances(one: Tensor, other: Tensor, depth_weight: float) -> Tensor:
    squared = (one - other).square()
    return squared[..., :2].sum(-1) + depth_weight * squared[..., 2]


def _finish(joints: Tensor, per_joint: bool) -> Tensor:
    values = joints if per_joint else joints.mean(-1)
    return torch.where(values.isfinite(), values, torch.inf)
