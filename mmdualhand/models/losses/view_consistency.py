"""Consistency of what a network says of an image and of the same image moved in its plane."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmdualhand.codecs import GRID_SIZE
from mmdualhand.models.losses.pose_dist import PoseDist
from mmdualhand.models.perturbation import Warp, warp_images, warp_pose25d
from mmdualhand.registry import MODELS


@MODELS.register_module()
class ViewConsistencyLoss(nn.Module):
    r"""SemiHand's view consistency (ICCV 2021, Section 3.3).

    .. math:: L_{vc} = \ell(f_p(Tx), T f_p(x)) + \|f_w(Tx) - T f_w(x)\|_1

    with the mean in place of the sum over pixels. Joints that T moves out of the picture
    and pixels that come in from outside count for nothing: no network can know them.

    Args:
        pose_weight: Of the first term.
        mask_weight: Of the second.
        depth_weight: lambda_z inside the distance of poses.
        detach_target: Let T f(x) act as a constant; by default gradients reach both sides.
    """

    needs_view = True

    def __init__(
        self,
        pose_weight: float = 1.0,
        mask_weight: float = 1.0,
        depth_weight: float = 50.0,
        detach_target: bool = False,
    ) -> None:
        super().__init__()
        self.pose_weight, self.mask_weight = pose_weight, mask_weight
        self.distance = PoseDist(depth_weight)
        self.detach_target = detach_target

    def forward(self, prediction: Any, moved: Any, warp: Warp) -> dict[str, Tensor]:
        """Loss of a batch of predictions.

        Args:
            prediction: Of the images: ``pose25d (B, 21, 3)``, ``mask (B, 1, h, w)``.
            moved: Of the moved images, as they show them.
            warp: The motions.

        Returns:
            ``loss_view_pose`` and ``loss_view_mask``, scalars.
        """
        pose, mask = prediction.pose25d, prediction.mask
        if self.detach_target:
            pose, mask = pose.detach(), mask.detach()
        expected = warp_pose25d(pose.float(), warp, rescaled=True)
        inside = ((expected[..., :2] > -0.5) & (expected[..., :2] < GRID_SIZE - 0.5)).all(-1)
        seen = (warp_images(torch.ones_like(mask, dtype=torch.float32), warp) > 0.99).float()
        apart = (moved.mask.float() - warp_images(mask.float(), warp)).abs() * seen
        return {
            'loss_view_pose': self.pose_weight * self.distance(moved.pose25d, expected, inside.float()),
            'loss_view_mask': self.mask_weight * apart.sum() / seen.sum().clamp_min(1),
        }
