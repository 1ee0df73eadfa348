"""An encoder of depthwise-separable convolutions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mmdualhand.registry import MODELS


def separable(in_channels: int, out_channels: int) -> nn.Sequential:
    """Halve the resolution with a depthwise and a pointwise convolution."""
    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, 3, stride=2, padding=1, groups=in_channels, bias=False),
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


@MODELS.register_module()
class SeparableEncoder(nn.Module):
    """A light encoder for photos or depth maps.

    Args:
        in_channels: 3 for photos, 1 for depth maps.
        stage_channels: Channels after the stem and after every stage; each
            halves the resolution.
    """

    def __init__(self, in_channels: int = 3, stage_channels: Sequence[int] = (16, 32, 64, 128)) -> None:
        super().__init__()
        self.stage_channels = list(stage_channels)
        first, *rest = self.stage_channels
        self.first = nn.Sequential(
            nn.Conv2d(in_channels, first, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(inplace=True),
        )
        self.rest = nn.ModuleList(
            separable(before, after) for before, after in zip([first, *rest], rest, strict=False)
        )

    def stem(self, x: Tensor) -> Tensor:
        """``(B, in_channels, H, W)`` to ``(B, C0, H/2, W/2)``."""
        return self.first(x)

    @property
    def stages(self) -> Sequence[nn.Module]:
        """The stages after the stem."""
        return list(self.rest)
