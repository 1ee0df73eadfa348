"""Two encoders joined by depth attention, run stage by stage in the fewest passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.models.backbones.staged import STAGE_NAMES, check_staged
from mmdualhand.models.branch_norm import batch_layout, convert_batch_norm, view_segments
from mmdualhand.registry import MODELS
from mmdualhand.structures import BRANCHES


def check_branches(branches: Sequence[str]) -> tuple[str, ...]:
    """Return the branches in canonical order.

    Raises:
        ConfigError: Unknown or missing branches.
    """
    unknown = set(branches) - set(BRANCHES)
    if unknown or 'rgb' not in branches:
        raise ConfigError(f'branches must hold "rgb" and otherwise only {BRANCHES}, got {tuple(branches)}')
    return tuple(branch for branch in BRANCHES if branch in branches)


@dataclass
class DualFeatures:
    """What one stage-interleaved forward pass yields.

    Attributes:
        final: Branch to latent features ``(V*B, C, h, w)`` (s_R, s_D, s_F).
        attention: Attention weights ``(V*B, 1, h, w)`` after each stage, empty
            without depth.
        stages: ``rgb`` and ``depth`` to their feature maps after each stage,
            depth before its attention; empty unless asked for.
        stem: The RGB stem's features, which a second pass over the same images
            may start from.
    """

    final: dict[str, Tensor]
    attention: list[Tensor] = field(default_factory=list)
    stages: dict[str, list[Tensor]] = field(default_factory=dict)
    stem: Tensor | None = None


@MODELS.register_module()
class DualEncoder(BaseModule):
    """Joins any two staged encoders by depth attention (Section 3 of the paper).

    The depth encoder runs once; the attention weights of each of its stages
    serve both its own features (self-attention) and the fused branch. The
    fused branch is a second pass through the RGB encoder that shares the stem
    with the rgb branch. What no branch asks for is not built.

    Args:
        rgb_encoder: Config of (or) a module that follows
            :class:`~mmdualhand.models.backbones.StagedEncoder`.
        depth_encoder: Likewise, with one input channel; None without the
            depth and fused branches.
        attention: Config of the attention module.
        branches: Any of ``rgb``, ``depth``, ``fused``; ``rgb`` always.
        bn_groups: See :class:`~mmdualhand.models.branch_norm.BranchBatchNorm`.
        init_cfg: Initialisation in mmengine's form.
    """

    def __init__(
        self,
        rgb_encoder: dict[str, Any] | nn.Module,
        depth_encoder: dict[str, Any] | nn.Module | None = None,
        attention: dict[str, Any] | None = None,
        branches: Sequence[str] = BRANCHES,
        bn_groups: str = 'per_branch',
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.branches = check_branches(branches)
        self.bn_groups = bn_groups
        self.rgb_encoder: Any = self._encoder(rgb_encoder, [b for b in self.branches if b != 'depth'])
        self.stage_channels = list(self.rgb_encoder.stage_channels)
        self.depth_encoder: Any = None
        if self.uses_depth:
            if depth_encoder is None:
                raise ValueError(f'depth_encoder is needed for the branches {self.branches}')
            self.depth_encoder = self._encoder(depth_encoder, ['depth'])
            if len(self.depth_encoder.stages) != len(self.rgb_encoder.stages):
                raise ValueError(
                    f'both encoders need the same number of stages, got {len(self.rgb_encoder.stages)} '
                    f'(rgb) and {len(self.depth_encoder.stages)} (depth)'
                )
            self.attention = MODELS.build(attention or dict(type='DepthAttention'))

    @property
    def uses_depth(self) -> bool:
        """Whether a branch other than ``rgb`` exists."""
        return len(self.branches) > 1

    @property
    def out_channels(self) -> int:
        """Channels of the latent features."""
        return self.stage_channels[-1]

    def _encoder(self, encoder: dict[str, Any] | nn.Module, branches: Sequence[str]) -> Any:
        built = encoder if isinstance(encoder, nn.Module) else MODELS.build(encoder)
        return convert_batch_norm(check_staged(built), branches, self.bn_groups)

    def forward(self, rgb: Tensor, depth: Tensor | None = None, views: int = 1) -> dict[str, Tensor]:
        """Latent features of every branch that the input allows.

        Args:
            rgb: ``(V*B, 3, H, W)`` normalised images, plain view first.
            depth: ``(V*B, 1, H, W)`` normalised depth maps in 0..1, or None.
            views: V, 1 or 2.

        Returns:
            Branch to ``(V*B, C, h, w)``; only ``rgb`` where ``depth`` is None.
        """
        return self.encode(rgb, depth, views).final

    def encode(
        self, rgb: Tensor, depth: Tensor | None = None, views: int = 1, keep_stages: bool = False
    ) -> DualFeatures:
        """Like :meth:`forward`, with attention weights and, if asked, stage features.

        Raises:
            ValueError: Depth and RGB do not have the same number of rows.
        """
        with batch_layout(view_segments('rgb', rgb.shape[0], views)):
            r = self.rgb_encoder.stem(rgb)
        if depth is None or self.depth_encoder is None:
            return self._encode_rgb(r, views, keep_stages)
        if depth.shape[0] != rgb.shape[0]:
            raise ValueError(f'rgb has {rgb.shape[0]} rows and depth {depth.shape[0]}; they must agree')
        fused = 'fused' in self.branches
        out = DualFeatures({}, stages={'rgb': [], 'depth': []} if keep_stages else {}, stem=r)
        d, f = self.attend(depth, self.depth_encoder.stem, r if fused else None, views, out)
        for i in range(len(self.rgb_encoder.stages)):
            self._keep(out, 'rgb', r)
            r, f_next = self._rgb_and_fused(self.rgb_encoder.stages[i], r, f, views)
            d, f = self.attend(d, self.depth_encoder.stages[i], f_next, views, out)
        self._keep(out, 'rgb', r)
        final = {'rgb': r, 'depth': d, 'fused': f}
        out.final = {branch: x for branch in self.branches if (x := final[branch]) is not None}
        return out

    def second_pass(
        self, stem: Tensor, depth: Tensor, views: int = 1, keep_stages: bool = False
    ) -> DualFeatures:
        """Depth and fused branch over images whose rgb branch has run already (Algorithm 1, line 9).

        Args:
            stem: ``(V*B, C, h, w)``, :attr:`DualFeatures.stem` of the first pass.
            depth: ``(V*B, 1, H, W)`` depth maps in 0..1, for example predicted ones.
            views: V, 1 or 2.
            keep_stages: Also give the depth encoder's features after each stage.

        Returns:
            Features of ``depth`` and ``fused``, and the attention weights.

        Raises:
            ConfigError: The encoder was built without the depth branch.
        """
        if self.depth_encoder is None:
            raise ConfigError('a second pass needs the branches "depth" and "fused"')
        out = DualFeatures({}, stages={'depth': []} if keep_stages else {}, stem=stem)
        start = stem if 'fused' in self.branches else None
        d, f = self.attend(depth, self.depth_encoder.stem, start, views, out)
        for rgb_stage, depth_stage in zip(self.rgb_encoder.stages, self.depth_encoder.stages, strict=True):
            if f is not None:
                with batch_layout(view_segments('fused', f.shape[0], views)):
                    f = rgb_stage(f)
            d, f = self.attend(d, depth_stage, f, views, out)
        out.final = {'depth': d} if f is None else {'depth': d, 'fused': f}
        return out

    def attend(
        self,
        depth: Tensor,
        stage: Callable[[Tensor], Tensor],
        fused: Tensor | None,
        views: int,
        out: DualFeatures,
    ) -> tuple[Tensor, Tensor | None]:
        """One depth stage; its weights act on its own and on the fused features (Section 3 of the paper).

        A subclass that overrides it joins the two encoders in another way.

        Args:
            depth: ``(V*B, C, h, w)`` input of the stage.
            stage: The stage of the depth encoder.
            fused: ``(V*B, C', h', w')`` features of the fused branch as the stage's RGB counterpart
                gives them; None without the branch.
            views: V, 1 or 2.
            out: Takes the attention weights and what else is kept.

        Returns:
            Features of ``depth`` and ``fused``, both attended; they go into the next stage.
        """
        with batch_layout(view_segments('depth', depth.shape[0], views)):
            depth = stage(depth)
        self._keep(out, 'depth', depth)
        weights = self.attention.weights(depth)
        out.attention.append(weights)
        attended = depth * weights.to(depth.dtype)
        return attended, None if fused is None else fused * weights.to(fused.dtype)

    def _encode_rgb(self, r: Tensor, views: int, keep_stages: bool) -> DualFeatures:
        out = DualFeatures({}, stages={'rgb': []} if keep_stages else {}, stem=r)
        self._keep(out, 'rgb', r)
        with batch_layout(view_segments('rgb', r.shape[0], views)):
            for stage in self.rgb_encoder.stages:
                r = stage(r)
                self._keep(out, 'rgb', r)
        out.final = {'rgb': r}
        return out

    def _rgb_and_fused(
        self, stage: Callable[[Tensor], Tensor], r: Tensor, f: Tensor | None, views: int
    ) -> tuple[Tensor, Tensor | None]:
        """One RGB stage for both branches: two calls, or one where statistics are joint."""
        rgb = view_segments('rgb', r.shape[0], views)
        fused = view_segments('fused', r.shape[0], views)
        if f is not None and self.bn_groups == 'joint':
            with batch_layout([*rgb, *fused]):
                both = stage(torch.cat([r, f]))
            return both[: r.shape[0]], both[r.shape[0] :]
        with batch_layout(rgb):
            r = stage(r)
        if f is not None:
            with batch_layout(fused):
                f = stage(f)
        return r, f

    @staticmethod
    def _keep(out: DualFeatures, branch: str, features: Tensor) -> None:
        if branch in out.stages:
            out.stages[branch].append(features)

    def stage_index(self, name: str) -> int:
        """Position of a stage name (``stem``, ``layer1`` ...) among the stage features.

        Raises:
            ValueError: No such stage.
        """
        names = STAGE_NAMES[: len(self.stage_channels)]
        if name not in names:
            raise ValueError(f'stage must be one of {names}, got {name!r}')
        return names.index(name)
