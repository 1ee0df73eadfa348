"""A ResNet that follows the staged protocol, built from mmcv's residual blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mmcv.cnn.resnet import BasicBlock, Bottleneck, make_res_layer
from torch import Tensor, nn

from mmdualhand.registry import MODELS

_ARCHITECTURES: dict[int, tuple[Any, tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
    152: (Bottleneck, (3, 8, 36, 3)),
}


@MODELS.register_module()
class ResNetEncoder(nn.Module):
    """ResNet without pooling and classifier, parameter names as in torchvision.

    Args:
        depth: 18, 34, 50, 101 or 152.
        in_channels: 3 for RGB, 1 for depth maps.
        base_channels: Width of the stem; 64 is the published network.

    Attributes:
        stage_channels: Channels after ``stem, layer1..layer4`` (conv1 and
            conv2_x..conv5_x of the paper), at strides 2, 4, 8, 16, 32.
    """

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(self, depth: int = 101, in_channels: int = 3, base_channels: int = 64) -> None:
        super().__init__()
        if depth not in _ARCHITECTURES:
            raise ValueError(f'depth must be one of {sorted(_ARCHITECTURES)}, got {depth!r}')
        block, blocks = _ARCHITECTURES[depth]
        self.depth = depth
        self.conv1 = nn.Conv2d(in_channels, base_channels, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(base_channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels, self.stage_channels = base_channels, [base_channels]
        for i, count in enumerate(blocks):
            planes = base_channels * 2**i
            layer = make_res_layer(block, channels, planes, count, stride=1 if i == 0 else 2)
            channels = planes * block.expansion
            self.stage_channels.append(channels)
            self.add_module(f'layer{i + 1}', layer)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')

    def stem(self, x: Tensor) -> Tensor:
        """``(B, in_channels, H, W)`` to ``(B, base_channels, H/2, W/2)``, before max-pooling."""
        return self.relu(self.bn1(self.conv1(x)))

    @property
    def stages(self) -> Sequence[Callable[[Tensor], Tensor]]:
        """``layer1`` (with the max-pooling before it) to ``layer4``."""
        return (lambda x: self.layer1(self.maxpool(x)), self.layer2, self.layer3, self.layer4)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, in_channels, H, W)`` to ``(B, stage_channels[-1], H/32, W/32)``."""
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return x
