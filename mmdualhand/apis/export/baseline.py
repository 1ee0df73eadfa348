"""What the speed of an export is measured against: a top-down ResNet-101 with a heat map head."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from mmdualhand.models.backbones import ResNetEncoder

NUM_MAPS = 21


@dataclass(frozen=True)
class Baseline:
    """A network to compare with.

    Attributes:
        name: Says whose code it is.
        run: ``(B, 3, H, W)`` float32 to ``(B, 21, H/4, W/4)`` heat maps, without decoding.
        note: Why it is not MMPose's; '' where it is.
    """

    name: str
    run: Callable[[Tensor], Tensor]
    note: str = ''


def topdown_baseline(depth: int = 101) -> Baseline:
    """MMPose's ``TopdownPoseEstimator`` where it is installed, else the same layers in plain torch.

    Args:
        depth: Layers of the ResNet.
    """
    try:
        model = _mmpose_network(depth)
    except Exception as error:  # whatever an installation that does not fit raises
        reason = str(error).partition('\n')[0]
        note = f'MMPose does not load ({type(error).__name__}: {reason})'
        plain = PlainTopdown(depth).eval()
        return Baseline(f'plain torch R-{depth}, 3 deconvolutions', plain, note)
    return Baseline(f'MMPose R-{depth} top-down', model)


def _mmpose_network(depth: int) -> Callable[[Tensor], Tensor]:
    with _stand_ins('mmcv.ops', 'mmdet.utils'):
        from mmpose.models.backbones import ResNet
        from mmpose.models.heads import HeatmapHead

    loss = dict(type='KeypointMSELoss', use_target_weight=True)
    backbone: Any = ResNet(depth)
    head: Any = HeatmapHead(in_channels=2048, out_channels=NUM_MAPS, loss=loss)
    for part in (backbone, head):
        part.eval()  # not chained: train() of MMPose's ResNet returns nothing
    return lambda images: head(backbone(images))


@contextmanager
def _stand_ins(*names: str) -> Iterator[None]:
    """Modules that MMPose imports and no network here calls, where they are missing.

    mmcv-lite has no ``mmcv.ops``, and MMPose does not load without it.
    """
    added = []
    for name in names:
        parent = name.partition('.')[0]
        for module in (parent, name):
            try:
                import_module(module)
            except ImportError:
                sys.modules[module] = _StandIn(module)
                added.append(module)
    try:
        yield
    finally:
        for module in added:
            del sys.modules[module]


class _StandIn(ModuleType):
    """A module in which every public name is an empty class."""

    __path__: list[str] = []

    def __getattr__(self, name: str) -> type:
        if name.startswith('_'):
            raise AttributeError(name)
        return type(name, (nn.Module,), {})


class PlainTopdown(nn.Module):
    """The layers of MMPose's configs ``td-hm_res101``: ResNet, three deconvolutions, a 1x1 convolution.

    Args:
        depth: Layers of the ResNet.
        base_channels: Width of its stem.
        width: Channels of the deconvolutions.
    """

    def __init__(self, depth: int = 101, base_channels: int = 64, width: int = 256) -> None:
        super().__init__()
        self.backbone = ResNetEncoder(depth=depth, base_channels=base_channels)
        layers: list[nn.Module] = []
        channels = self.backbone.stage_channels[-1]
        for _ in range(3):
            layers += [
                nn.ConvTranspose2d(channels, width, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            channels = width
        self.head = nn.Sequential(*layers, nn.Conv2d(channels, NUM_MAPS, 1))

    def forward(self, images: Tensor) -> Tensor:
        """``(B, 3, H, W)`` to ``(B, 21, H/4, W/4)``."""
        return self.head(self.backbone(images))


@torch.inference_mode()
def run_once(baseline: Baseline, images: Tensor) -> Tensor:
    """A forward pass without gradients."""
    return baseline.run(images)
