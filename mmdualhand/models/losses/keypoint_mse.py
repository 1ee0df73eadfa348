"""Squared distance of heat maps, alone and over the easiest joints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmdualhand.models.weight_schedules import WeightSchedule
from mmdualhand.registry import MODELS
from mmdualhand.structures import check_shape


def check_maps(pred: Tensor, target: Tensor, weight: Tensor | None) -> None:
    """Shapes of maps and weights: (B, K, h, w) twice, (B, K).

    Raises:
        ValueError: Other shapes.
    """
    check_shape(pred, 'B K h w', name='pred')
    if pred.shape != target.shape:
        raise ValueError(f'pred is {tuple(pred.shape)} but target {tuple(target.shape)}')
    if weight is not None:
        check_shape(weight, f'{pred.shape[0]} {pred.shape[1]}', name='weight')


def joint_mse(pred: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Half the mean squared difference of every map.

    Args:
        pred: ``(B, K, h, w)``.
        target: ``(B, K, h, w)``.
        weight: ``(B, K)``, multiplies both maps, so it enters squared (as in CC-SSL); None: 1.

    Returns:
        ``(B, K)`` float32.

    Raises:
        ValueError: Shapes differ.
    """
    check_maps(pred, target, weight)
    value = 0.5 * (pred.float() - target.float()).square().mean((-2, -1))
    return value if weight is None else value * weight.float().square()


@MODELS.register_module()
class KeypointMSELoss(nn.Module):
    r"""Half the mean squared difference of heat maps (Mu et al., CVPR 2020).

    .. math:: J(o, t, w) = \frac{1}{K} \sum_k \tfrac12 mean_{B, \Omega} (w_k o_k - w_k t_k)^2

    Args:
        loss_weight: Factor.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, pred: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Loss of a batch: maps ``(B, K, h, w)``, weights ``(B, K)`` or None; a scalar.

        Raises:
            ValueError: Shapes differ.
        """
        return self.loss_weight * joint_mse(pred, target, weight).mean()


@MODELS.register_module()
class KeypointCurriculumMSELoss(nn.Module):
    """:class:`KeypointMSELoss` over the k easiest joints of every image (Li and Lee, CVPR 2021).

    Of the joints whose weight is not 0, the k with the smallest loss are summed and divided
    by k and the number of images. Where an image has fewer, the rest counts 0.

    Args:
        top_k: k: a number, or config of a
            :class:`~mmdualhand.models.weight_schedules.WeightSchedule`, whose value is
            rounded and held within 1 and the number of joints.
        loss_weight: Factor.

    Raises:
        ConfigError: A schedule without meaning.
    """

    def __init__(self, top_k: Mapping[str, Any] | float, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.top_k = WeightSchedule.from_config(top_k)
        self.loss_weight = loss_weight

    def forward(self, pred: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Loss of a batch: maps ``(B, K, h, w)``, weights ``(B, K)`` or None; a scalar.

        Raises:
            ValueError: Shapes differ.
        """
        value = joint_mse(pred, target, weight)
        count = min(max(round(self.top_k()), 1), value.shape[1])
        if weight is None:
            return self.loss_weight * value.topk(count, largest=False).values.sum() / (count * len(value))
        valid = weight > 0
        order = torch.where(valid, value.detach(), torch.full_like(value, torch.inf))
        easiest = order.topk(count, largest=False).indices
        kept = torch.where(valid, value, torch.zeros_like(value)).gather(1, easiest)
        return self.loss_weight * kept.sum() / (count * len(value))
