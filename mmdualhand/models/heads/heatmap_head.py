"""A decoder from features to one heat map a joint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.models.branch_norm import convert_batch_norm
from mmdualhand.models.heads.base_heatmap_head import BaseHeatmapHead, HeatmapPrediction, draw_normal
from mmdualhand.registry import MODELS

_BRANCH = ('rgb',)


@MODELS.register_module()
class HeatmapHead(BaseHeatmapHead):
    """Deconvolutions, convolutions and a 1x1 convolution to heat maps (SimpleBaseline, ECCV 2018).

    The deconvolutions are those of the 2.5D decoder, layer for layer and by the same names,
    so a network of either kind can start from the other.

    With ``num_stages`` above 1 the features are those of a stacked hourglass, one map a
    stack; each gets its own convolutions, every stage is supervised, the last predicts.

    Args:
        in_channels: Channels of the features.
        num_joints: 21.
        deconv_channels: Channels of every deconvolution (kernel 4, stride 2, no bias,
            batch normalisation, ReLU); each doubles the resolution. Empty: none.
        conv_channels: Channels of the convolutions that follow, each with batch
            normalisation and ReLU.
        conv_kernel: Their kernel, odd.
        num_stages: Feature maps of a forward pass.
        loss: Config of the loss of a stage, called with maps, targets and weights.
        codec: Config of the codec.
        init_cfg: Initialisation in mmengine's form.

    Raises:
        ConfigError: A setting without meaning.
    """

    def __init__(
        self,
        in_channels: int,
        num_joints: int = 21,
        deconv_channels: Sequence[int] = (256, 256, 256),
        conv_channels: Sequence[int] = (),
        conv_kernel: int = 3,
        num_stages: int = 1,
        loss: dict[str, Any] | None = None,
        codec: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(num_joints, loss, codec, init_cfg)
        if num_stages < 1 or conv_kernel < 1 or conv_kernel % 2 == 0:
            raise ConfigError(
                f'HeatmapHead needs num_stages of 1 or more and an odd conv_kernel, got {num_stages} and '
                f'{conv_kernel}'
            )
        if num_stages > 1 and deconv_channels:
            raise ConfigError(
                'HeatmapHead with several stages decodes maps of a stacked hourglass as large as the '
                'output: use deconv_channels=()'
            )
        self.num_stages = num_stages
        self.deconv = convert_batch_norm(_deconvolutions(in_channels, deconv_channels), _BRANCH, 'per_branch')
        self.feature_channels = deconv_channels[-1] if deconv_channels else in_channels
        stages = [self._stage(conv_channels, conv_kernel) for _ in range(num_stages)]
        self.conv, self.final = stages[-1]
        self.earlier = nn.ModuleList(nn.Sequential(*stage) for stage in stages[:-1])
        draw_normal(self)

    def _stage(self, widths: Sequence[int], kernel: int) -> tuple[nn.Module, nn.Conv2d]:
        layers: list[nn.Module] = []
        channels = self.feature_channels
        for width in widths:
            layers += [
                nn.Conv2d(channels, width, kernel, padding=kernel // 2),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            channels = width
        conv = convert_batch_norm(nn.Sequential(*layers), _BRANCH, 'per_branch')
        return conv, nn.Conv2d(channels, self.num_joints, 1)

    def upsample(self, features: Tensor) -> Tensor:
        """The deconvolutions: ``(B, in_channels, h, w)`` to ``(B, feature_channels, H, W)``."""
        return self.deconv(features)

    def classify(self, features: Tensor) -> Tensor:
        """What follows them: ``(B, feature_channels, H, W)`` to ``(B, num_joints, H, W)``, float32."""
        return self.final(self.conv(features)).float()

    def maps(self, features: Tensor | Sequence[Tensor]) -> list[Tensor]:
        """Heat maps of every stage.

        Args:
            features: ``(B, in_channels, h, w)``, or one of these a stage.

        Returns:
            ``(B, num_joints, H, W)`` float32 a stage, the last one the prediction.

        Raises:
            ConfigError: Another number of feature maps than of stages.
        """
        every = [features] if isinstance(features, Tensor) else list(features)
        if len(every) != self.num_stages:
            raise ConfigError(
                f'HeatmapHead has {self.num_stages} stages and the backbone gives {len(every)} feature maps: '
                'set model.head.num_stages to the number of stacks'
            )
        maps = [stage(x).float() for stage, x in zip(self.earlier, every, strict=False)]
        return [*maps, self.classify(self.upsample(every[-1]))]

    def forward(self, features: Tensor | Sequence[Tensor]) -> HeatmapPrediction:
        """Predict; see :meth:`maps`."""
        return self.decode(self.maps(features)[-1])


def _deconvolutions(channels: int, widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in widths:
        layers += [
            nn.ConvTranspose2d(channels, width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
        channels = width
    return nn.Sequential(*layers)
