"""Pixel-wise alignment of RGB and depth features, a compared method of Table 3."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmdualhand.registry import MODELS


@MODELS.register_module()
class FeatureAlign(nn.Module):
    """L1 between RGB and depth feature maps (row "l1 alignment" of Table 3).

    Args:
        stages: Stages whose maps are compared; their means are added.
        weight: Factor of the sum.
        detach_target: Let the gradient reach the RGB encoder only, so that it
            follows the depth encoder and not the reverse.
    """

    def __init__(
        self,
        stages: Sequence[str] = ('stem', 'layer1', 'layer2', 'layer3', 'layer4'),
        weight: float = 1.0,
        detach_target: bool = True,
    ) -> None:
        super().__init__()
        if not stages:
            raise ValueError('stages must name at least one stage')
        self.stages = tuple(stages)
        self.weight = weight
        self.detach_target = detach_target

    def forward(self, rgb: Sequence[Tensor], depth: Sequence[Tensor]) -> Tensor:
        """Alignment loss.

        Args:
            rgb: One ``(B, C, h, w)`` map a stage.
            depth: Maps of the same shapes, before attention.

        Returns:
            A scalar.

        Raises:
            ValueError: Numbers of maps or shapes differ.
        """
        if len(rgb) != len(depth) or not rgb:
            raise ValueError(f'got {len(rgb)} rgb and {len(depth)} depth maps; need equal and at least one')
        losses = []
        for r, d in zip(rgb, depth, strict=True):
            if r.shape != d.shape:
                raise ValueError(f'rgb features are {tuple(r.shape)} but depth features {tuple(d.shape)}')
            target = d.detach() if self.detach_target else d
            losses.append((r.float() - target.float()).abs().mean())
        return self.weight * torch.stack(losses).sum()
