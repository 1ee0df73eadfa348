"""Which domain a feature map comes from, and an encoder that learns to hide it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdualhand.codecs import full_precision
from mmdualhand.errors import ConfigError
from mmdualhand.models.gradient_scale import GradientScale
from mmdualhand.registry import MODELS

REVERSAL: dict[str, Any] = dict(form='dann')
"""2 / (1 + exp(-10 p)) - 1 of the share p of the run that is done."""


@MODELS.register_module()
class DomainDiscriminatorHead(BaseModule):
    r"""Convolutions from a feature map to one logit, behind gradient reversal (Li and Lee, CVPR 2021).

    Bias-free convolutions of kernel 4 and stride 2 with leaky ReLU (0.1), and one that
    covers what is left of the map. The loss is
    :math:`\frac12 [BCE(D(s), 1) + BCE(D(t), 0)]`; the discriminator descends on it and
    whatever made the features ascends, as fast as ``reversal`` says.

    Args:
        in_channels: Channels of the feature map.
        map_size: ``(w, h)`` of the feature map, or one integer; halved as often as there
            are ``channels``.
        channels: Channels after every convolution but the last.
        reversal: Schedule of the reversed gradient: a number or the config of a
            :class:`~mmdualhand.models.weight_schedules.WeightSchedule`.
        init_cfg: Initialisation in mmengine's form.

    Raises:
        ConfigError: The map is too small for the convolutions.
    """

    def __init__(
        self,
        in_channels: int,
        map_size: int | Sequence[int] = 64,
        channels: Sequence[int] = (64, 128, 256, 512, 1024),
        reversal: Mapping[str, Any] | float | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        sides = (map_size, map_size) if isinstance(map_size, int) else tuple(map_size)
        left = [side // 2 ** len(channels) for side in sides]
        if min(left) < 1:
            raise ConfigError(
                f'DomainDiscriminatorHead halves maps of {sides} px {len(channels)} times: use fewer channels'
            )
        self.reversal = GradientScale(sign=-1, schedule=REVERSAL if reversal is None else reversal)
        layers: list[nn.Module] = []
        for width in channels:
            layers += [
                nn.Conv2d(in_channels, width, 4, stride=2, padding=1, bias=False),
                nn.LeakyReLU(0.1, inplace=True),
            ]
            in_channels = width
        layers.append(nn.Conv2d(in_channels, 1, (left[1], left[0]), bias=False))
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """``(B, in_channels, h, w)`` to logits ``(B,)``, high for the source."""
        logits: Tensor = self.layers(self.reversal(features)).float().mean((1, 2, 3))
        return logits

    def loss(self, source: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Loss of features of both domains.

        Args:
            source: ``(B, in_channels, h, w)``.
            target: ``(B', in_channels, h, w)``.

        Returns:
            ``loss_domain``, and ``domain_accuracy``: the share that it tells right, one
            half where it cannot.
        """
        logits = self.forward(torch.cat([source, target]))
        with full_precision(logits.device):
            first, second = logits.split([len(source), len(target)])
            parts = F.softplus(-first).mean() + F.softplus(second).mean()
            right = (first.detach() > 0).float().mean() + (second.detach() <= 0).float().mean()
            return {'loss_domain': 0.5 * parts, 'domain_accuracy': 0.5 * right}
