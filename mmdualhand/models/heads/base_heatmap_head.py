"""What all heads of heat maps share: their prediction, targets and loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.registry import CODECS, MODELS


class HeatmapPrediction(NamedTuple):
    """What a 2D network says of a batch.

    Attributes:
        heatmaps: ``(B, 21, h, w)`` float32, as the network gives them.
        uv: ``(B, 21, 2)`` pixels of the 64-grid.
        score: ``(B, 21)`` in 0..1.
    """

    heatmaps: Tensor
    uv: Tensor
    score: Tensor


def draw_normal(module: nn.Module, std: float = 0.001) -> None:
    """Weights of all convolutions from N(0, std), biases 0: the decoders of SimpleBaseline."""
    for part in module.modules():
        if isinstance(part, nn.ConvTranspose2d | nn.Conv2d):
            nn.init.normal_(part.weight, std=std)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


class BaseHeatmapHead(BaseModule):
    """Codec and loss of a head of heat maps; a subclass adds ``maps`` and ``forward``.

    Args:
        num_joints: Number of heat maps.
        loss: Config of the loss of one output, called with maps, targets and weights.
        codec: Config of the codec.
        init_cfg: Initialisation in mmengine's form.
    """

    def __init__(
        self,
        num_joints: int = 21,
        loss: dict[str, Any] | None = None,
        codec: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_joints = num_joints
        self.codec: Any = CODECS.build(codec or dict(type='Heatmap'))
        self.loss_maps = MODELS.build(loss or dict(type='KeypointMSELoss'))

    def decode(self, heatmaps: Tensor) -> HeatmapPrediction:
        """Keypoints and scores of heat maps ``(B, num_joints, h, w)``."""
        return HeatmapPrediction(heatmaps, *self.codec.decode(heatmaps))

    def targets(self, targets: Mapping[str, Tensor], visible_only: bool = False) -> tuple[Tensor, Tensor]:
        """Maps to learn and their weights.

        Args:
            targets: ``pose25d (B, 21, 3)``; ``visible (B, 21)`` where ``visible_only``.
            visible_only: Leave out joints that the labels mark as not visible.

        Returns:
            ``(B, 21, h, w)`` and ``(B, 21)``; joints outside of the map have weight 0.
        """
        weight = targets['visible'] if visible_only else None
        return self.codec.encode(targets['pose25d'][..., :2], weight)

    def loss(self, maps: Sequence[Tensor], target: Tensor, weight: Tensor | None) -> Tensor:
        """Sum over the stages.

        Args:
            maps: ``(B, num_joints, h, w)`` heat maps, one or several outputs.
            target: ``(B, num_joints, h, w)``.
            weight: ``(B, num_joints)`` or None.

        Returns:
            A scalar.

        Raises:
            ConfigError: The maps have another size than the codec says.
        """
        if maps[-1].shape != target.shape:
            raise ConfigError(
                f'the head gives maps of {tuple(maps[-1].shape[-2:])} (h, w) and the targets have '
                f'{tuple(target.shape[-2:])}: set model.head.codec.heatmap_size to those of the network'
            )
        return torch.stack([self.loss_maps(one, target, weight) for one in maps]).sum()
