"""The stacked hourglass network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.registry import MODELS

STEM_STRIDES = (1, 2, 4)


class PreActivationBottleneck(nn.Module):
    """Batch normalisation, ReLU and convolution three times, added to the input (He et al., 2016).

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output, twice those in between.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        middle = out_channels // 2
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, middle, 1)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, padding=1)
        self.bn3 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, out_channels, 1)
        self.shortcut = (
            nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, in_channels, h, w)`` to ``(B, out_channels, h, w)``."""
        out = self.conv1(F.relu(self.bn1(x)))
        out = self.conv2(F.relu(self.bn2(out)))
        return self.conv3(F.relu(self.bn3(out))) + self.shortcut(x)


class Hourglass(nn.Module):
    """One hourglass: halve the resolution ``depth`` times and come back, a skip at every level.

    Args:
        channels: Of input and output.
        num_blocks: Residual blocks at every place.
        depth: Levels.
    """

    def __init__(self, channels: int, num_blocks: int = 1, depth: int = 4) -> None:
        super().__init__()
        self.skip = _blocks(channels, num_blocks)
        self.down = _blocks(channels, num_blocks)
        self.inner = (
            Hourglass(channels, num_blocks, depth - 1) if depth > 1 else _blocks(channels, num_blocks)
        )
        self.up = _blocks(channels, num_blocks)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, h, w)``, same shape."""
        skip = self.skip(x)
        low = self.up(self.inner(self.down(F.max_pool2d(x, 2))))
        return skip + F.interpolate(low, size=skip.shape[-2:], mode='nearest')


@MODELS.register_module()
class HourglassNet(nn.Module):
    """Stacked hourglass network (Newell et al., ECCV 2016).

    A stem to a quarter of the input's resolution, then hourglasses of four levels one
    behind the other. Each ends in a residual block, a 1x1 convolution, batch normalisation
    and ReLU; these features are the output of the stack, and through a 1x1 convolution they
    are added to the input of the next one. Heat maps are the head's; unlike in the original
    they are not fed back to the next stack.

    It also follows the staged protocol, as a stem and one stage: all stacks, of which the
    last one's features are seen.

    Args:
        num_stacks: Hourglasses.
        num_blocks: Residual blocks at every place of an hourglass.
        channels: Of the features; 256 is the published network. A multiple of 8.
        depth: Levels of an hourglass; a map of the stem must be at least ``2 ** depth`` wide.
        in_channels: 3 for RGB, 1 for depth maps.
        stem_stride: How much smaller the features are than the input: 4 (a convolution of
            stride 2 and a pooling), 2 (without the pooling) or 1.

    Raises:
        ConfigError: A value without meaning.
    """

    def __init__(
        self,
        num_stacks: int = 4,
        num_blocks: int = 1,
        channels: int = 256,
        depth: int = 4,
        in_channels: int = 3,
        stem_stride: int = 4,
    ) -> None:
        super().__init__()
        if min(num_stacks, num_blocks, depth) < 1 or channels < 8 or channels % 8:
            raise ConfigError(
                'HourglassNet needs num_stacks, num_blocks and depth of 1 or more and channels that are a '
                f'multiple of 8, got {num_stacks}, {num_blocks}, {depth} and {channels}'
            )
        if stem_stride not in STEM_STRIDES:
            raise ConfigError(
                f'stem_stride of HourglassNet must be one of {STEM_STRIDES}, got {stem_stride!r}'
            )
        first, second = channels // 4, channels // 2
        self.stem_stride = stem_stride
        self.depth = depth
        self.out_channels = channels
        self.stage_channels = [first, channels]
        self.conv1 = nn.Conv2d(in_channels, first, 7, stride=min(stem_stride, 2), padding=3)
        self.bn1 = nn.BatchNorm2d(first)
        self.layer1 = PreActivationBottleneck(first, second)
        self.layer2 = PreActivationBottleneck(second, channels)
        self.layer3 = PreActivationBottleneck(channels, channels)
        self.hourglasses = nn.ModuleList(Hourglass(channels, num_blocks, depth) for _ in range(num_stacks))
        self.residuals = nn.ModuleList(_blocks(channels, num_blocks) for _ in range(num_stacks))
        self.outputs = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels), nn.ReLU())
            for _ in range(num_stacks)
        )
        self.remaps = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(num_stacks - 1))

    @property
    def num_stacks(self) -> int:
        """Hourglasses, and feature maps of a forward pass."""
        return len(self.hourglasses)

    def stem(self, x: Tensor) -> Tensor:
        """``(B, in_channels, H, W)`` to ``(B, channels / 4, h, w)``, before any pooling."""
        return F.relu(self.bn1(self.conv1(x)))

    @property
    def stages(self) -> Sequence[Callable[[Tensor], Tensor]]:
        """All stacks as one stage, to the features of the last."""
        return (lambda x: self.stacks(x)[-1],)

    def stacks(self, x: Tensor) -> list[Tensor]:
        """Features of the stem to those of every stack.

        Args:
            x: ``(B, channels / 4, h, w)`` from :meth:`stem`.

        Returns:
            ``(B, channels, h', w')`` a stack, not negative.

        Raises:
            ConfigError: The maps are too small for the hourglasses.
        """
        x = self.layer1(x)
        x = self.layer3(self.layer2(F.max_pool2d(x, 2) if self.stem_stride == 4 else x))
        if min(x.shape[-2:]) < 2**self.depth:
            raise ConfigError(
                f'an hourglass of {self.depth} levels needs maps of {2**self.depth} pixels or more, these '
                f'have {min(x.shape[-2:])}: larger crops, a smaller model.backbone.stem_stride or depth'
            )
        found: list[Tensor] = []
        for index, hourglass in enumerate(self.hourglasses):
            found.append(self.outputs[index](self.residuals[index](hourglass(x))))
            if index < len(self.remaps):
                x = x + self.remaps[index](found[-1])
        return found

    def forward(self, x: Tensor) -> list[Tensor]:
        """``(B, in_channels, H, W)`` to the features of every stack, ``(B, channels, h', w')`` each."""
        return self.stacks(self.stem(x))


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(PreActivationBottleneck(channels, channels) for _ in range(count)))
