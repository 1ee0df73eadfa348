"""Divergence of heat maps as distributions over space, the loss of RegDA."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.models.losses.keypoint_mse import check_maps
from mmdualhand.registry import MODELS

REDUCTIONS = ('mean', 'none')


@MODELS.register_module()
class KeypointKLDivLoss(nn.Module):
    r"""Kullback-Leibler divergence of a map from the spatial softmax of logits (RegDA, Eq. 2 and 4).

    .. math:: KL(T, y) = \sum_\Omega \hat T (\log \hat T - \log softmax_\Omega y), \quad
              \hat T = (T + e) / \sum (T + e)

    multiplied by the weight of the joint, then averaged over batch and joints. A map
    without mass (``e = 0``: a joint that is not in the picture) is no distribution and
    counts nothing, whatever its weight.

    Args:
        epsilon: e, added to every cell of the target: 0 for labels, 1e-7 in the disparity.
        loss_weight: Factor.
        reduction: ``'mean'``, or ``'none'`` for one value a joint.

    Raises:
        ConfigError: A negative ``epsilon``, or an unknown reduction.
    """

    def __init__(self, epsilon: float = 0.0, loss_weight: float = 1.0, reduction: str = 'mean') -> None:
        super().__init__()
        if epsilon < 0:
            raise ConfigError(f'epsilon of KeypointKLDivLoss must not be negative, got {epsilon}')
        if reduction not in REDUCTIONS:
            raise ConfigError(
                f'reduction of KeypointKLDivLoss must be one of {REDUCTIONS}, got {reduction!r}'
            )
        self.epsilon = epsilon
        self.loss_weight = loss_weight
        self.reduction = reduction

    def forward(self, pred: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Divergence of a batch.

        Args:
            pred: ``(B, K, h, w)`` logits.
            target: ``(B, K, h, w)``, not negative.
            weight: ``(B, K)``; None: all 1.

        Returns:
            A scalar, or ``(B, K)`` with ``reduction='none'``; float32.

        Raises:
            ValueError: Shapes differ.
        """
        check_maps(pred, target, weight)
        target = target.flatten(2).float() + self.epsilon
        mass = target.sum(-1, keepdim=True)
        share = target / torch.where(mass > 0, mass, torch.ones_like(mass))
        log_pred = pred.flatten(2).float().log_softmax(-1)
        value = (torch.xlogy(share, share) - share * log_pred).sum(-1)
        if weight is not None:
            value = value * weight.float()
        value = self.loss_weight * value
        return value.mean() if self.reduction == 'mean' else value
