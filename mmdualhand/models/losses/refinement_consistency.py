"""How a student of two refinement branches learns from itself and from its teacher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmdualhand.models.losses.keypoint_mse import joint_mse
from mmdualhand.models.weight_schedules import WeightSchedule
from mmdualhand.registry import MODELS

RAMP: dict[str, Any] = dict(form='sigmoid_rampup', unit='epoch', high=90.0, length=10, total=80)
"""90 exp(-5 (1 - min(e, 10) / 10)^2) of epoch e of 80."""
EASIEST: dict[str, Any] = dict(
    form='linear', unit='epoch', start=21.0, slope=-1.0, begin=2, low=10.0, total=80
)
"""max(21 - max(e - 2, 0), 10) joints: the original's 18 and 9, half of them, for a hand."""


@MODELS.register_module()
class RefinementConsistency(nn.Module):
    r"""Inner loop, outer loop and agreement of the branches (Li and Lee, CVPR 2021, Section 3.3).

    Of heat maps of one unlabelled view, ``coarse`` and of the branches ``r1`` and ``r2``:

    * inner loop, :math:`C_k(coarse, sg[r1])`: the coarse maps follow the refined ones;
    * outer loop, :math:`J(r2, teacher)`: the second branch follows the teacher's ``r1``;
    * agreement, :math:`\frac12 mean (r1 - r2)^2`: so the first learns from it.

    All joints count alike, hidden ones too.

    Args:
        inner_weight: Weight of the inner loop: a number, or the config of a
            :class:`~mmdualhand.models.weight_schedules.WeightSchedule`.
        outer_weight: Likewise, of the outer loop.
        agreement_weight: Likewise, of the agreement.
        loss_inner: Config of the loss of the inner loop.
    """

    def __init__(
        self,
        inner_weight: Mapping[str, Any] | float | None = None,
        outer_weight: Mapping[str, Any] | float | None = None,
        agreement_weight: Mapping[str, Any] | float = 0.01,
        loss_inner: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.inner_weight = WeightSchedule.from_config(RAMP if inner_weight is None else inner_weight)
        self.outer_weight = WeightSchedule.from_config(RAMP if outer_weight is None else outer_weight)
        self.agreement_weight = WeightSchedule.from_config(agreement_weight)
        self.loss_inner = MODELS.build(
            dict(loss_inner or dict(type='KeypointCurriculumMSELoss', top_k=EASIEST))
        )

    def forward(self, coarse: Tensor, first: Tensor, second: Tensor, teacher: Tensor) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            coarse: ``(B, K, h, w)`` heat maps of the deconvolutions.
            first: ``(B, K, h, w)`` of the first branch.
            second: ``(B, K, h, w)`` of the second branch.
            teacher: ``(B, K, h, w)`` of the teacher's first branch, moved to this view; taken as
                a constant.

        Returns:
            ``loss_inner``, ``loss_outer`` and ``loss_agreement``, weights included.

        Raises:
            ValueError: Shapes differ.
        """
        inner = self.loss_inner(coarse, first.detach(), torch.ones_like(first[..., 0, 0]))
        outer = joint_mse(second, teacher.detach()).mean()
        agreement = 0.5 * (first.float() - second.float()).square().mean()
        return {
            'loss_inner': self.inner_weight() * inner,
            'loss_outer': self.outer_weight() * outer,
            'loss_agreement': self.agreement_weight() * agreement,
        }
