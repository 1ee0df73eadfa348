"""Deconvolutions that keep the map of every resolution."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.registry import MODELS


@MODELS.register_module()
class MultiScaleDeconvNeck(BaseModule):
    """A 1x1 convolution and deconvolutions, each doubling the resolution (Li and Lee, CVPR 2021).

    Layers and initialisation of the deconvolutions are those of the common decoder
    (kernel 4, stride 2, no bias, N(0, 0.001)).

    Args:
        in_channels: Channels of the latent features.
        channels: Channels of every map.
        num_deconvs: Number of deconvolutions; there is one map more.
        init_cfg: Initialisation in mmengine's form.

    Raises:
        ConfigError: A number is not positive.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int = 256,
        num_deconvs: int = 3,
        init_cfg: dict[str, object] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if channels < 1 or num_deconvs < 1:
            raise ConfigError(
                f'channels and num_deconvs of MultiScaleDeconvNeck must be at least 1, got {channels} '
                f'and {num_deconvs}'
            )
        self.channels = channels
        blocks: list[nn.Module] = [nn.Conv2d(in_channels, channels, 1, bias=False)]
        for _ in range(num_deconvs):
            deconv = nn.ConvTranspose2d(channels, channels, 4, stride=2, padding=1, bias=False)
            nn.init.normal_(deconv.weight, std=0.001)
            blocks.append(deconv)
        self.levels = nn.ModuleList(
            nn.Sequential(block, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)) for block in blocks
        )

    def forward(self, features: Tensor) -> list[Tensor]:
        """Maps from coarse to fine.

        Args:
            features: ``(B, in_channels, h, w)``.

        Returns:
            ``(B, channels, h, w)``, then twice the size each.
        """
        maps = []
        for level in self.levels:
            features = level(features)
            maps.append(features)
        return maps
