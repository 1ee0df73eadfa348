"""A decoder to coarse heat maps and refined ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.models.branch_norm import convert_batch_norm
from mmdualhand.models.heads.base_heatmap_head import BaseHeatmapHead, HeatmapPrediction, draw_normal
from mmdualhand.models.necks.multi_scale_deconv import MultiScaleDeconvNeck
from mmdualhand.models.necks.refine_cascade import RefineBottleneck, RefineCascade
from mmdualhand.registry import MODELS


class RefinedMaps(NamedTuple):
    """What the decoder gives in training.

    Attributes:
        coarse: ``(B, K, h, w)`` heat maps of the deconvolutions.
        refined: ``(B, K, h, w)`` a branch; the first predicts.
        fused: ``(B, C, h, w)`` the features that the branches decode.
    """

    coarse: Tensor
    refined: tuple[Tensor, ...]
    fused: Tensor


@MODELS.register_module()
class RefineHeatmapHead(BaseHeatmapHead):
    """Coarse heat maps, and refined ones from the maps of all resolutions (Li and Lee, CVPR 2021).

    A 1x1 convolution and three deconvolutions; a 1x1 convolution gives the coarse heat maps.
    The maps of all four resolutions are refined and joined, and one or two equal branches
    (a bottleneck and a 3x3 convolution) give refined heat maps. Both kinds are
    supervised; the first branch predicts.

    Used as :class:`HeatmapHead` is.

    Args:
        in_channels: Channels of the latent features.
        num_joints: 21.
        num_branches: 1, or 2 where a second branch learns from a teacher.
        deconv_channels: Channels of every deconvolution; all alike.
        hidden_channels: Width of the bottlenecks; half of ``deconv_channels`` by default.
        blocks: Bottlenecks on the map of every resolution, from coarse to fine.
        loss: Config of the loss of heat maps, called with maps, targets and weights.
        codec: Config of the codec.
        init_cfg: Initialisation in mmengine's form.

    Raises:
        ConfigError: A setting without meaning.
    """

    def __init__(
        self,
        in_channels: int,
        num_joints: int = 21,
        num_branches: int = 1,
        deconv_channels: Sequence[int] = (256, 256, 256),
        hidden_channels: int | None = None,
        blocks: Sequence[int] = (3, 2, 1, 0),
        loss: dict[str, Any] | None = None,
        codec: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(num_joints, loss, codec, init_cfg)
        if num_branches not in (1, 2):
            raise ConfigError(f'num_branches of RefineHeatmapHead must be 1 or 2, got {num_branches}')
        if len(set(deconv_channels)) != 1 or len(blocks) != len(deconv_channels) + 1:
            raise ConfigError(
                'RefineHeatmapHead needs deconvolutions of one width and blocks for every map, one more; got '
                f'deconv_channels={tuple(deconv_channels)} and blocks={tuple(blocks)}'
            )
        width = deconv_channels[0]
        hidden = width // 2 if hidden_channels is None else hidden_channels
        self.num_branches = num_branches
        self.neck: Any = MultiScaleDeconvNeck(in_channels, width, len(deconv_channels))
        self.coarse = nn.Conv2d(width, num_joints, 1)
        self.cascade: Any = RefineCascade(width, hidden, blocks)
        self.feature_channels = self.cascade.out_channels
        self.branches: Any = nn.ModuleList(
            nn.Sequential(
                RefineBottleneck(self.feature_channels, hidden, width),
                nn.Conv2d(width, num_joints, 3, padding=1),
            )
            for _ in range(num_branches)
        )
        draw_normal(self.coarse)
        for branch in self.branches.children():
            draw_normal(list(branch.children())[-1])
        convert_batch_norm(self, ('rgb',), 'per_branch')

    def outputs(self, features: Tensor) -> RefinedMaps:
        """All heat maps of ``(B, in_channels, h, w)``, float32, and the features between."""
        maps = self.neck(features)
        fused = self.cascade(maps)
        refined = tuple(branch(fused).float() for branch in self.branches)
        return RefinedMaps(self.coarse(maps[-1]).float(), refined, fused)

    def maps(self, features: Tensor) -> list[Tensor]:
        """Coarse heat maps and those of the first branch, ``(B, num_joints, H, W)`` float32 each."""
        found = self.outputs(features)
        return [found.coarse, found.refined[0]]

    def forward(self, features: Tensor) -> HeatmapPrediction:
        """Predict by the first branch."""
        return self.decode(self.branches[0](self.cascade(self.neck(features))).float())

    @staticmethod
    def spread_branches(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Start a second branch as the first, where the state to start from has no second.

        Args:
            state: State dict of an estimator to start from.
            own: That of the estimator.
        """
        first, second = 'head.branches.0.', 'head.branches.1.'
        if any(key.startswith(second) for key in state):
            return dict(state)
        copies = {key.replace(first, second, 1): state[key] for key in state if key.startswith(first)}
        return {**state, **{key: value for key, value in copies.items() if key in own}}
