"""The paper's backbone: an RGB and a depth ResNet joined by depth attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdualhand.models.backbones.dual_encoder import DualEncoder, check_branches
from mmdualhand.models.backbones.pretrained import load_resnet_weights
from mmdualhand.registry import MODELS
from mmdualhand.structures import BRANCHES


@MODELS.register_module()
class DualResNet(DualEncoder):
    """Two ResNets with :class:`DepthAttention` after conv1 and conv2_x..conv5_x.

    Args:
        depth: 18, 34, 50, 101 or 152 layers, for both encoders.
        base_channels: Width of the stem; 64 is the published network.
        branches: Any of ``rgb``, ``depth``, ``fused``; ``rgb`` always.
        attention: Config of the attention module.
        bn_groups: See :class:`~mmdualhand.models.branch_norm.BranchBatchNorm`.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` with a URL or a
            local path of a torchvision-named ResNet state dict, or None for
            random weights.
    """

    def __init__(
        self,
        depth: int = 101,
        base_channels: int = 64,
        branches: Sequence[str] = BRANCHES,
        attention: dict[str, Any] | None = None,
        bn_groups: str = 'per_branch',
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        encoder = dict(type='ResNetEncoder', depth=depth, base_channels=base_channels)
        with_depth = len(check_branches(branches)) > 1
        super().__init__(
            rgb_encoder=dict(encoder, in_channels=3),
            depth_encoder=dict(encoder, in_channels=1) if with_depth else None,
            attention=attention,
            branches=branches,
            bn_groups=bn_groups,
            init_cfg=init_cfg,
        )
        self._pretrained_loaded = False

    def init_weights(self) -> None:
        """Load the pretrained weights that ``init_cfg`` names, if any.

        Raises:
            ConfigError: ``init_cfg`` is of another type, or the weights do not
                fit the network.
            MissingFileError: The weights cannot be had.
        """
        if self.init_cfg and not self._pretrained_loaded:
            load_resnet_weights(self, self.init_cfg)
        self._pretrained_loaded = True
