"""Pose metrics as plain functions: numpy or torch in, the same type out.

3D points are millimetres in the camera frame. Nothing here aligns anything by
itself: ask for :func:`root_align` or :func:`procrustes_align`.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from mmdualhand.evaluation.units import as_float_tensor, check_unit_mm
from mmdualhand.structures import ROOT_JOINT, check_shape

ArrayT = TypeVar('ArrayT', np.ndarray, Tensor)

__all__ = [
    'check_unit_mm', 'epe', 'joint_errors', 'pck', 'pck_auc', 'pck_curve', 'procrustes_align', 'root_align',
]  # fmt: skip


def joint_errors(pred: ArrayT, gt: ArrayT, visible: ArrayT | None = None) -> ArrayT:
    """Euclidean distance of every joint.

    Args:
        pred: (N, J, D) predicted points, D = 2 or 3.
        gt: (N, J, D) true points, same unit.
        visible: (N, J) 0/1 or bool; joints that count, all by default.

    Returns:
        (N, J) distances; NaN at joints that do not count.

    Raises:
        ValueError: Shapes differ, or a joint that counts is not finite.
    """
    return _restore(_errors(pred, gt, visible), pred)


def epe(
    pred: ArrayT, gt: ArrayT, visible: ArrayT | None = None, per_joint_first: bool = False
) -> Any:
    """End-point error: mean distance over the visible joints.

    Args:
        pred: (N, J, 3) mm; (N, J, 2) pixels are accepted too.
        gt: (N, J, 3) mm, same frame.
        visible: (N, J) 0/1 or bool, all by default.
        per_joint_first: False pools all visible joints. True is the mean over
            joints of per-joint means, as FreiHAND's official script does; joints
            that are never visible are left out.

    Returns:
        The error in the unit given: a float for numpy, a scalar tensor for torch.

    Raises:
        ValueError: Shapes differ, nothing is visible, a value that counts is not
            finite, or ``gt`` looks like metres.
    """
    errors = _checked_errors(pred, gt, visible)
    if not per_joint_first:
        return _restore(errors.nanmean(), pred)
    return _restore(errors.nanmean(0).nanmean(), pred)


def pck_curve(
    pred: ArrayT,
    gt: ArrayT,
    visible: ArrayT | None = None,
    low: float = 20.0,
    high: float = 50.0,
    steps: int = 100,
    per_joint_first: bool = False,
) -> tuple[ArrayT, ArrayT]:
    """Share of visible joints within each threshold (``error <= t``).

    Args:
        pred: (N, J, 3) mm.
        gt: (N, J, 3) mm.
        visible: (N, J) 0/1 or bool, all by default.
        low: Smallest threshold, mm.
        high: Largest threshold, mm.
        steps: Number of thresholds, ``linspace(low, high, steps)``.
        per_joint_first: Mean over joints of the per-joint shares, instead of
            pooling all joints.

    Returns:
        (steps,) thresholds and (steps,) shares in [0, 1].

    Raises:
        ValueError: As :func:`epe`; or not ``low < high``, or fewer than 2 steps.
    """
    errors = _checked_errors(pred, gt, visible)
    thresholds, shares = _curve(errors, low, high, steps, per_joint_first)
    return _restore(thresholds, pred, scalar=False), _restore(shares, pred, scalar=False)


def pck_auc(
    pred: ArrayT,
    gt: ArrayT,
    visible: ArrayT | None = None,
    low: float = 20.0,
    high: float = 50.0,
    steps: int = 100,
    per_joint_first: bool = False,
) -> Any:
    """Area under :func:`pck_curve` by the trapezoid rule, divided by ``high - low``.

    Args:
        pred: (N, J, 3) mm.
        gt: (N, J, 3) mm.
        visible: (N, J) 0/1 or bool, all by default.
        low: Smallest threshold, mm.
        high: Largest threshold, mm.
        steps: Number of thresholds.
        per_joint_first: Mean over joints of per-joint curves (FreiHAND's form).

    Returns:
        The area in [0, 1]: a float for numpy, a scalar tensor for torch.

    Raises:
        ValueError: As :func:`pck_curve`.
    """
    errors = _checked_errors(pred, gt, visible)
    thresholds, shares = _curve(errors, low, high, steps, per_joint_first)
    return _restore(torch.trapezoid(shares, thresholds) / (high - low), pred)


def pck(
    pred: ArrayT, gt: ArrayT, visible: ArrayT | None = None, threshold: float = 0.05, size: float = 64
) -> Any:
    """Share of visible joints nearer than a fraction of the output grid.

    Args:
        pred: (N, J, 2) pixels of the output grid.
        gt: (N, J, 2) pixels of the output grid.
        visible: (N, J) 0/1 or bool, all by default.
        threshold: Fraction of ``size``.
        size: Side of the output grid in pixels; 0.05 of 64 is 3.2 pixels.

    Returns:
        Share with ``distance < threshold * size`` (strictly), in [0, 1]: a float
        for numpy, a scalar tensor for torch.

    Raises:
        ValueError: Shapes differ or nothing is visible; ``threshold`` or ``size``
            is not positive.
    """
    if not (threshold > 0 and size > 0):
        raise ValueError(f'threshold and size must be positive, got {threshold} and {size}')
    check_shape(pred, 'N J 2', name='pred')
    errors = _seen(_errors(pred, gt, visible))
    counted = errors[~errors.isnan()]
    return _restore((counted < threshold * size).to(errors.dtype).mean(), pred)


def root_align(points: ArrayT, root: int = ROOT_JOINT) -> ArrayT:
    """Shift every hand so that joint ``root`` is the origin: (..., J, D) -> (..., J, D)."""
    return points - points[..., root : root + 1, :]


def procrustes_align(
    pred: ArrayT, gt: ArrayT, allow_reflection: bool = False, visible: ArrayT | None = None
) -> ArrayT:
    """Move every predicted hand onto its true one by the best similarity.

    Least squares over rotation, one scale and translation (Umeyama 1991), all
    hands in one batched SVD.

    Args:
        pred: (N, J, 3).
        gt: (N, J, 3), same unit.
        allow_reflection: Also allow a mirror image, as FreiHAND's official
            script does.
        visible: (N, J) 0/1 or bool; joints that determine the similarity, all by
            default. Every joint is moved.

    Returns:
        (N, J, 3) aligned ``pred``. A hand whose predicted joints coincide goes to
        the centre of its true joints.

    Raises:
        ValueError: Shapes differ, a hand has nothing visible, or a joint that
            counts is not finite.
    """
    check_shape(pred, 'N J 3', name='pred')
    counts = ~_errors(pred, gt, visible).isnan()
    if not bool(counts.any(-1).all()):
        raise ValueError('procrustes_align: visible leaves a hand without a joint; leave that hand out')
    source, target = as_float_tensor(pred, 'pred'), as_float_tensor(gt, 'gt')
    weight = counts[..., None].to(source.dtype)
    total = weight.sum(1, keepdim=True)
    # Joints that do not count may be NaN, and NaN * 0 is NaN.
    source_mean = source.masked_fill(weight == 0, 0.0).sum(1, keepdim=True) / total
    target_mean = target.masked_fill(weight == 0, 0.0).sum(1, keepdim=True) / total
    centred = (source - source_mean).masked_fill(weight == 0, 0.0)
    wanted = (target - target_mean).masked_fill(weight == 0, 0.0)
    u, singular, vh = torch.linalg.svd(centred.mT @ wanted)
    sign = torch.ones_like(singular)
    if not allow_reflection:
        sign[:, -1] = torch.where(torch.linalg.det(u @ vh) < 0, -1.0, 1.0)
    rotation = (u * sign[:, None, :]) @ vh
    spread = (centred**2).sum((1, 2))
    scale = torch.where(spread > 0, (singular * sign).sum(-1) / spread.clamp_min(1e-30), 0.0)
    aligned = scale[:, None, None] * ((source - source_mean) @ rotation) + target_mean
    return _restore(aligned, pred, scalar=False)


def _restore(result: Tensor, like: Any, scalar: bool = True) -> Any:
    if isinstance(like, Tensor):
        return result
    return result.item() if scalar and result.ndim == 0 else result.numpy()


def _errors(pred: Any, gt: Any, visible: Any) -> Tensor:
    check_shape(pred, 'N J D', name='pred')
    check_shape(gt, ' '.join(map(str, pred.shape)), name='gt')
    if pred.shape[-1] not in (2, 3):
        raise ValueError(f'pred must be 2D or 3D points, got shape {tuple(pred.shape)}')
    if isinstance(pred, Tensor) != isinstance(gt, Tensor):
        raise TypeError(
            f'pred and gt must both be numpy or both torch, got {type(pred).__name__}, {type(gt).__name__}'
        )
    first, second = as_float_tensor(pred, 'pred'), as_float_tensor(gt, 'gt')
    counts = torch.ones(first.shape[:2], dtype=torch.bool, device=first.device)
    if visible is not None:
        check_shape(visible, ' '.join(map(str, pred.shape[:2])), name='visible')
        counts = as_float_tensor(visible, 'visible').to(first.device) > 0
    for name, points in (('pred', first), ('gt', second)):
        broken = counts & ~points.isfinite().all(-1)
        if bool(broken.any()):
            raise ValueError(
                f'{name} is not finite at {int(broken.sum())} joints that count, first in hand '
                f'{int(broken.any(-1).nonzero()[0, 0])}; mark them in visible or leave them out'
            )
    distance = torch.linalg.vector_norm(first - second, dim=-1)
    return distance.masked_fill(~counts, torch.nan)


def _seen(errors: Tensor) -> Tensor:
    if errors.numel() == 0:
        raise ValueError(f'pred and gt are empty (shape {tuple(errors.shape)}): there is nothing to measure')
    if bool(errors.isnan().all()):
        raise ValueError('visible marks no joint at all: there is nothing to measure')
    return errors


def _checked_errors(pred: Any, gt: Any, visible: Any) -> Tensor:
    errors = _seen(_errors(pred, gt, visible))
    if gt.shape[-1] == 3:
        check_unit_mm(as_float_tensor(gt, 'gt').masked_fill(errors.isnan()[..., None], torch.nan))
    return errors


def _curve(
    errors: Tensor, low: float, high: float, steps: int, per_joint_first: bool
) -> tuple[Tensor, Tensor]:
    if not (0 <= low < high):
        raise ValueError(f'thresholds must satisfy 0 <= low < high, got low={low}, high={high}')
    if int(steps) != steps or steps < 2:
        raise ValueError(f'steps must be an integer of at least 2, got {steps}')
    thresholds = torch.linspace(low, high, int(steps), dtype=torch.float64, device=errors.device)
    groups = errors.T if per_joint_first else errors.reshape(1, -1)
    shares = []
    for group in groups:
        counted = group[~group.isnan()].to(torch.float64).sort().values
        if len(counted):
            hits = torch.searchsorted(counted, thresholds, right=True)
            shares.append(hits.to(torch.float64) / len(counted))
    return thresholds, torch.stack(shares).mean(0)
