"""Maps of several resolutions, refined and brought together (the refinement of Li and Lee, CVPR 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.registry import MODELS


class RefineBottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution beside a 1x1 shortcut that is always there.

    Args:
        in_channels: Channels in.
        hidden_channels: Channels between.
        out_channels: Channels out.
    """

    def __init__(self, in_channels: int, hidden_channels: int, out_channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, hidden_channels, 1, bias=False),
            nn.BatchNorm2d(hidden_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden_channels, hidden_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(hidden_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, in_channels, h, w)`` to ``(B, out_channels, h, w)``."""
        return F.relu(self.body(x) + self.shortcut(x))


@MODELS.register_module()
class RefineCascade(BaseModule):
    """Bottlenecks on every map, fewer the finer it is; all in the size of the finest, side by side.

    Args:
        channels: Channels of every map.
        hidden_channels: Width of the bottlenecks.
        blocks: Number of bottlenecks on each map, from coarse to fine.
        init_cfg: Initialisation in mmengine's form.

    Attributes:
        out_channels: Channels of the result.

    Raises:
        ConfigError: A number without meaning.
    """

    def __init__(
        self,
        channels: int = 256,
        hidden_channels: int = 128,
        blocks: Sequence[int] = (3, 2, 1, 0),
        init_cfg: dict[str, object] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not blocks or min(blocks) < 0 or min(channels, hidden_channels) < 1:
            raise ConfigError(
                'RefineCascade needs blocks of 0 or more for every map and channels of 1 or more, got '
                f'blocks={tuple(blocks)}, channels={channels}, hidden_channels={hidden_channels}'
            )
        self.out_channels = channels * len(blocks)
        self.paths = nn.ModuleList(
            nn.Sequential(*(RefineBottleneck(channels, hidden_channels, channels) for _ in range(count)))
            for count in blocks
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Refine and join.

        Args:
            maps: As many as ``blocks``, ``(B, channels, h, w)`` from coarse to fine.

        Returns:
            ``(B, out_channels, h, w)`` in the size of the last.

        Raises:
            ConfigError: Another number of maps.
        """
        if len(maps) != len(self.paths):
            raise ConfigError(f'blocks of RefineCascade are for {len(self.paths)} maps, got {len(maps)}')
        size = maps[-1].shape[-2:]
        refined = [path(one) for path, one in zip(self.paths, maps, strict=True)]
        return torch.cat(
            [
                x if x.shape[-2:] == size else F.interpolate(x, size, mode='bilinear', align_corners=False)
                for x in refined
            ],
            dim=1,
        )
