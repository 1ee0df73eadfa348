"""The common decoder: 2.5D pose, hand mask and depth map from latent features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdualhand.models.branch_norm import convert_batch_norm
from mmdualhand.models.heads.map_targets import resize_map_targets
from mmdualhand.registry import CODECS, MODELS
from mmdualhand.structures import BRANCHES


class MultiModalPrediction(NamedTuple):
    """What the decoder says of a batch (y of the paper).

    Attributes:
        pose25d: ``(N, 21, 3)``: u, v in pixels of the 64-grid, depth relative
            to the root in reference-bone lengths.
        mask: ``(N, 1, h, w)`` in 0..1.
        depth_map: ``(N, 1, h, w)``, not clamped; clamp to 0..1 before use.
        scores: ``(N, 21)`` confidence in 0..1, or None where not asked for.
        attention: ``(N, 1, h', w')`` attention weights of the depth stem, mean 1,
            or None where there is no depth or nobody asked.
    """

    pose25d: Tensor
    mask: Tensor
    depth_map: Tensor
    scores: Tensor | None = None
    attention: Tensor | None = None

    def rows(self, start: int, stop: int) -> MultiModalPrediction:
        """The prediction of rows ``start`` to ``stop``."""
        scores = None if self.scores is None else self.scores[start:stop]
        return MultiModalPrediction(
            self.pose25d[start:stop], self.mask[start:stop], self.depth_map[start:stop], scores
        )


@MODELS.register_module(name=['MultiModal2.5DHead', 'MultiModal25DHead'])
class MultiModal25DHead(BaseModule):
    """Three deconvolutions and one 1x1 convolution to heat maps, depths, mask and depth map.

    Section 3.2 of the paper; layers and their initialisation follow the
    SimpleBaseline decoder (kernel 4, stride 2, no bias, N(0, 0.001)). The mask
    goes through a sigmoid, the depth map is linear.

    Args:
        in_channels: Channels of the latent features.
        num_joints: 21.
        deconv_channels: Channels of every deconvolution; their number is the
            number of deconvolutions, each doubling the resolution.
        branches: Branches that pass through the decoder.
        bn_groups: See :class:`~mmdualhand.models.branch_norm.BranchBatchNorm`.
        codec: Config of the 2.5D codec.
        loss_pose: Config of the pose distance.
        loss_maps: Config of the loss of mask and depth map.
        init_cfg: Initialisation in mmengine's form.
    """

    def __init__(
        self,
        in_channels: int,
        num_joints: int = 21,
        deconv_channels: Sequence[int] = (256, 256, 256),
        branches: Sequence[str] = BRANCHES,
        bn_groups: str = 'per_branch',
        codec: dict[str, Any] | None = None,
        loss_pose: dict[str, Any] | None = None,
        loss_maps: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_joints = num_joints
        self.codec = CODECS.build(codec or dict(type='Pose25D'))
        self.loss_pose = MODELS.build(loss_pose or dict(type='PoseDist'))
        self.loss_maps = MODELS.build(loss_maps or dict(type='MultiModalL1'))
        layers: list[nn.Module] = []
        channels = in_channels
        for width in deconv_channels:
            layers += [
                nn.ConvTranspose2d(channels, width, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            channels = width
        self.deconv = convert_batch_norm(nn.Sequential(*layers), branches, bn_groups)
        self.final = nn.Conv2d(channels, 2 * num_joints + 2, 1)
        for module in (*layers, self.final):
            if isinstance(module, nn.ConvTranspose2d | nn.Conv2d):
                nn.init.normal_(module.weight, std=0.001)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, features: Tensor, with_scores: bool = False) -> MultiModalPrediction:
        """Decode latent features.

        Args:
            features: ``(N, in_channels, h, w)``; say which branch the rows
                belong to with :func:`~mmdualhand.models.branch_norm.batch_layout`.
            with_scores: Also give a confidence for every joint.

        Returns:
            Predictions in float32, maps at ``8h x 8w`` for three deconvolutions.
        """
        maps = self.final(self.deconv(features)).float()
        heatmaps, depths, mask, depth_map = maps.split([self.num_joints, self.num_joints, 1, 1], dim=1)
        scores = self.codec.confidence(heatmaps) if with_scores else None
        return MultiModalPrediction(
            self.codec.decode(heatmaps, depths), torch.sigmoid(mask), depth_map, scores
        )

    def map_targets(self, targets: Mapping[str, Tensor], size: tuple[int, int]) -> dict[str, Tensor]:
        """Targets of mask and depth map at the size of the prediction.

        Args:
            targets: ``mask`` and ``depth_map``, each ``(B, 1, H, W)``.
            size: Height and width of the prediction.
        """
        if not self.loss_maps.needed:
            return {}
        return resize_map_targets(targets['mask'], targets['depth_map'], size)

    def loss(
        self, pred: MultiModalPrediction, pose25d: Tensor, maps: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """The multi-modal loss M of Eq. 2 for one branch.

        Args:
            pred: Prediction of B samples.
            pose25d: ``(B, 21, 3)``.
            maps: Targets from :meth:`map_targets`.

        Returns:
            ``loss_pose``, ``loss_mask`` and ``loss_depth_map``, weights included.
        """
        losses = {'loss_pose': self.loss_pose(pred.pose25d, pose25d)}
        losses.update(self.loss_maps({'mask': pred.mask, 'depth_map': pred.depth_map}, maps))
        return losses
