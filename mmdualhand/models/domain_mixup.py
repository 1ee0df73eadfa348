"""Mixing images and heat maps of two domains (the mixup of Li and Lee, CVPR 2021)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.registry import MODELS


class MapBatch(NamedTuple):
    """Images with heat maps to learn.

    Attributes:
        rgb: ``(B, 3, H, W)`` normalised images.
        heatmaps: ``(B, K, h, w)`` targets.
        weight: ``(B, K)`` how much each joint counts.
    """

    rgb: Tensor
    heatmaps: Tensor
    weight: Tensor


@MODELS.register_module()
class DomainMixup(nn.Module):
    r"""Blends every target image with a source image, or with another target image.

    One number b ~ Beta(alpha, alpha) a batch. Across domains the target has the share
    :math:`\lambda = max(b, 1 - b)`, so it stays the larger part; inside the target batch
    the first image has the share b as it is. Heat maps are blended alike. A joint
    counts as much as in the image where it counts more, so one that is known in a single
    image is learned from a fainter map, as in the original.

    Args:
        alpha: Both parameters of the Beta distribution.
        cross_prob: How often domains are mixed; else the target alone.

    Raises:
        ConfigError: A value without meaning.
    """

    def __init__(self, alpha: float = 0.8, cross_prob: float = 0.5) -> None:
        super().__init__()
        if not alpha > 0 or not 0 <= cross_prob <= 1:
            raise ConfigError(
                f'DomainMixup needs alpha above 0 and cross_prob within 0..1, got {alpha} and {cross_prob}'
            )
        self.alpha, self.cross_prob = float(alpha), float(cross_prob)

    @torch.no_grad()
    def forward(self, target: MapBatch, source: MapBatch) -> MapBatch:
        """A mixed batch in place of the target's.

        Args:
            target: B images.
            source: Images of the other domain, of the same sizes; their number may
                differ.

        Returns:
            B mixed images.
        """
        share = float(torch.distributions.Beta(self.alpha, self.alpha).sample())
        crosses = float(torch.rand(())) < self.cross_prob
        partner = source if crosses else target
        rows = torch.randperm(len(partner.rgb)).repeat(-(-len(target.rgb) // len(partner.rgb)))
        chosen = rows[: len(target.rgb)].to(target.rgb.device)
        return mix(target, MapBatch(*(part[chosen] for part in partner)), share, crosses)


def mix(first: MapBatch, second: MapBatch, share: float, keeps_first: bool = False) -> MapBatch:
    """Blend two batches of the same shapes.

    Args:
        first: B images.
        second: B images.
        share: Share of ``first``, 0..1.
        keeps_first: Use the larger of ``share`` and ``1 - share``.
    """
    share = max(share, 1.0 - share) if keeps_first else share
    return MapBatch(
        share * first.rgb + (1.0 - share) * second.rgb,
        share * first.heatmaps + (1.0 - share) * second.heatmaps,
        torch.maximum(first.weight, second.weight),
    )
