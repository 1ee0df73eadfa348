"""Stage 1: pre-training with multi-level alignment, and every row built from its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmdualhand.compat import CHANNELS_LAST_FROM
from mmdualhand.errors import ConfigError
from mmdualhand.models.backbones.dual_encoder import DualFeatures, check_branches
from mmdualhand.models.branch_norm import Segment, batch_layout, view_segments
from mmdualhand.models.estimators.base import BaseHandEstimator, Inputs, Targets
from mmdualhand.models.estimators.dual_settings import check_pairs, check_share
from mmdualhand.models.estimators.predicted_depth import depth_input, replace_rows
from mmdualhand.models.estimators.rgb_start import fill_from_rgb
from mmdualhand.models.estimators.root_depth import PalmDepth
from mmdualhand.models.estimators.second_view import SecondView
from mmdualhand.models.heads import MultiModalPrediction
from mmdualhand.models.perturbation import Warp
from mmdualhand.registry import MODELS
from mmdualhand.structures import BRANCHES


@MODELS.register_module()
class DualModalityEstimator(BaseHandEstimator):
    """Supervised branches, contrastive pairs and feature alignment, chosen by config.

    The full form is Eq. 7 of the paper: M(y_R) + M(y_D) + M(y_F) +
    lambda_c L_c. With ``branches=('rgb',)`` it is the synthetic-only baseline;
    rows of Table 4 up to +L_c and the alignment and contrastive rows of
    Table 3 are other choices of ``branches``, ``contrast`` and ``align``. At
    test time only RGB is used unless ``test_cfg`` names more branches.

    The plain view is decoded, all branches as one batch; the augmented view
    only meets the contrastive loss.

    Args:
        backbone: Config of a :class:`DualResNet` or :class:`DualEncoder`.
        head: Config of the decoder; ``in_channels`` is filled in.
        branches: Branches that are built and supervised.
        contrast: Positive pairs, each two of ``rgb, depth, fused``, a ``+``
            behind a name meaning its augmented view.
        contrast_weight: lambda_c.
        loss_contrast: Config of the contrastive loss.
        projector: Config of the projection head, one for the RGB encoder
            (rgb and fused) and one for the depth encoder are built from it.
        view_perturbation: Keys of :class:`~mmdualhand.models.AffinePerturbation`: the
            augmented view moves by itself, and its embeddings are moved back before the
            contrastive loss (PeCLR). None: both views share their geometry.
        align: Config of a feature alignment loss, or None.
        predicted_depth: Share of the training samples whose depth input of the plain
            view is the map that the rgb branch has just predicted (detached) instead
            of the given one. It is what the depth encoder meets in stage 2; the
            labels stay the given ones. Without a depth branch it means nothing.
        bn_groups: See :class:`~mmdualhand.models.branch_norm.BranchBatchNorm`.
        channels_last: Keep weights in channels-last memory order, which is faster;
            left out for encoders narrower than 16 channels (see ``compat``).
        test_cfg: ``branches`` to predict at test time, default rgb alone;
            ``attention=True`` also keeps the attention weights of the depth stem
            for pictures (with ``depth`` or ``fused`` among the branches);
            ``root_depth='solve'`` lifts to mm with the root depth of the predicted
            palm, of the hand ``template`` (``'source'`` or a file), instead of the
            ``'given'`` one.
        data_preprocessor: Config; ``augmented_view`` follows from ``contrast``.
        init_cfg: Initialisation in mmengine's form.

    Attributes:
        optional_parts: Beginnings of names of tensors that a network to start from
            need not have.
    """

    optional_parts: tuple[str, ...] = ('projectors.',)

    def __init__(
        self,
        backbone: dict[str, Any],
        head: dict[str, Any],
        branches: Sequence[str] = BRANCHES,
        contrast: Sequence[Sequence[str]] = (),
        contrast_weight: float = 0.1,
        loss_contrast: dict[str, Any] | None = None,
        projector: dict[str, Any] | None = None,
        view_perturbation: dict[str, Any] | None = None,
        align: dict[str, Any] | None = None,
        predicted_depth: float = 0.0,
        bn_groups: str = 'per_branch',
        channels_last: bool = False,
        test_cfg: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        self.branches = check_branches(branches)
        self.contrast = check_pairs(contrast, self.branches)
        preprocessor = dict(data_preprocessor or dict(type='HandDataPreprocessor'))
        preprocessor.setdefault('augmented_view', any('+' in name for pair in self.contrast for name in pair))
        super().__init__(data_preprocessor=MODELS.build(preprocessor), init_cfg=init_cfg)
        shared = dict(branches=self.branches, bn_groups=bn_groups)
        self.backbone = MODELS.build({**shared, **backbone})
        self.head = MODELS.build({**shared, **head, 'in_channels': self.backbone.out_channels})
        self.contrast_weight = contrast_weight
        if self.contrast:
            self.loss_contrast = MODELS.build(loss_contrast or dict(type='NTXent'))
            self.projectors = self._build_projectors(projector or dict(type='ProjectionHead'), bn_groups)
        self.second_view = SecondView.from_config(view_perturbation, self.contrast)
        self.align: Any = None if align is None else MODELS.build(align)
        if self.align is not None and 'depth' not in self.branches:
            raise ConfigError('align compares RGB with depth features: add "depth" to branches')
        self.predicted_depth = check_share(predicted_depth, self.branches)
        test_cfg = test_cfg or {}
        self.test_branches = check_branches(test_cfg.get('branches', ('rgb',)))
        self.test_attention = bool(test_cfg.get('attention', False))
        self.palm_depth = PalmDepth.from_config(self.codec, test_cfg)
        if not set(self.test_branches) <= set(self.branches):
            raise ConfigError(
                f'test_cfg.branches {self.test_branches} are not all among the branches {self.branches}'
            )
        if channels_last and min(self.backbone.stage_channels) >= CHANNELS_LAST_FROM:
            self.to(memory_format=torch.channels_last)

    @property
    def codec(self) -> Any:
        """The 2.5D codec of the decoder."""
        return self.head.codec

    def _build_projectors(self, config: dict[str, Any], bn_groups: str) -> Any:
        used = {name.rstrip('+') for pair in self.contrast for name in pair}
        config = {'bn_groups': bn_groups, **config, 'in_channels': self.backbone.out_channels}
        encoders = {'rgb': ('rgb', 'fused'), 'depth': ('depth',)}
        users = {name: [b for b in branches if b in used] for name, branches in encoders.items()}
        return nn.ModuleDict(
            {name: MODELS.build({**config, 'branches': some}) for name, some in users.items() if some}
        )

    def complete_start(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Make the state of a network to start from (``load_from``) one of this network.

        That of an RGB network is completed by
        :func:`~mmdualhand.models.estimators.rgb_start.fill_from_rgb`.
        """
        return fill_from_rgb(state, self.state_dict())

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        """Losses of one step (Eq. 7).

        Args:
            inputs: ``rgb (V*B, 3, H, W)``, ``depth (V*B, 1, H, W)`` for more
                than the rgb branch, ``views`` V, plain rows first.
            targets: ``pose25d (B, 21, 3)``, ``mask`` and ``depth_map (B, 1, H, W)``.

        Returns:
            ``loss_pose_*``, ``loss_mask_*``, ``loss_depth_map_*`` for every
            branch, ``loss_contrast`` and ``loss_align`` where configured; all
            weights included.

        Raises:
            ConfigError: The batch lacks what the branches or pairs need.
        """
        return self._supervised_step(inputs, targets)[0]

    def _supervised_step(
        self, inputs: Inputs, targets: Targets
    ) -> tuple[dict[str, Tensor], dict[str, MultiModalPrediction]]:
        """Losses, and the predictions of the plain view that they are of."""
        views = int(inputs.get('views', 1))
        self._check_batch(inputs, targets, views)
        warp = None
        if self.second_view is not None:
            inputs, warp = self.second_view.move(inputs)
        features, predictions = self._pass(inputs, views)
        losses = self._supervised(predictions, targets)
        if self.contrast:
            losses['loss_contrast'] = self.contrast_weight * self._contrastive(features, views, warp)
        if self.align is not None:
            losses['loss_align'] = self._aligned(features, inputs['rgb'].shape[0] // views)
        return losses, predictions

    def _check_batch(self, inputs: Inputs, targets: Targets, views: int) -> None:
        if len(self.branches) > 1 and inputs.get('depth') is None:
            raise ConfigError(
                f'the branches {self.branches} need depth maps in the batch: load depth and mask in the '
                'pipeline (LoadHandModalities, NormalizeDepth)'
            )
        missing = [key for key in ('pose25d', *self.head.loss_maps.needed) if key not in targets]
        if 'pose25d' in missing and 'visible' in targets:
            raise ConfigError(
                'these samples have 2D labels alone, and the losses need 3D ones (the target pose25d): train '
                'on a dataset with keypoints_3d; a set of 2D labels can be tested on, with the metric PCK'
            )
        if missing:
            raise ConfigError(
                f'the losses need the targets {missing}, which the dataset or the pipeline does not give; '
                'mask and depth map are not needed where model.head.loss_maps.mask_weight and '
                'depth_map_weight are 0'
            )
        if views == 1 and any('+' in name for pair in self.contrast for name in pair):
            raise ConfigError(
                f'the pairs {self.contrast} need an augmented view: set data_preprocessor.augmented_view=True'
            )

    def _pass(self, inputs: Inputs, views: int) -> tuple[DualFeatures, dict[str, MultiModalPrediction]]:
        """Features of all views and decoded plain views of every branch."""
        rgb, depth, keep = inputs['rgb'], inputs.get('depth'), self.align is not None
        rows = rgb.shape[0] // views
        if not self.predicted_depth:
            features = self.backbone.encode(rgb, depth, views, keep_stages=keep)
            return features, self._decode({b: x[:rows] for b, x in features.final.items()})
        features = self.backbone.encode(rgb, None, views, keep_stages=keep)
        first = self._decode({'rgb': features.final['rgb'][:rows]})
        predicted = depth_input(first['rgb'], rgb.shape[-2:])
        mixed = replace_rows(inputs['depth'], predicted, self.predicted_depth)
        second = self.backbone.second_pass(features.stem, mixed, views, keep_stages=keep)
        features.final.update(second.final)
        features.stages.update(second.stages)
        return features, {**first, **self._decode({b: x[:rows] for b, x in second.final.items()})}

    def _supervised(
        self, predictions: dict[str, MultiModalPrediction], targets: Targets
    ) -> dict[str, Tensor]:
        maps = self.head.map_targets(targets, tuple(predictions['rgb'].mask.shape[-2:]))
        losses = {}
        for branch, prediction in predictions.items():
            for name, value in self.head.loss(prediction, targets['pose25d'], maps).items():
                losses[f'{name}_{branch}'] = value
        return losses

    def _decode(
        self, features: dict[str, Tensor], with_scores: bool = False, head: Any = None
    ) -> dict[str, MultiModalPrediction]:
        """Run the decoder (or another one of its kind) once on all branches."""
        decoder = self.head if head is None else head
        segments = [Segment(branch, x.shape[0]) for branch, x in features.items()]
        with batch_layout(segments):
            together = decoder(torch.cat(list(features.values())), with_scores=with_scores)
        out, start = {}, 0
        for segment in segments:
            out[segment.branch] = together.rows(start, start + segment.size)
            start += segment.size
        return out

    def _contrastive(self, features: DualFeatures, views: int, warp: Warp | None = None) -> Tensor:
        embeddings: dict[str, Tensor] = {}
        for projector in self.projectors.values():
            users = projector.branches
            rows = [view_segments(b, features.final[b].shape[0], views) for b in users]
            with batch_layout([segment for segments in rows for segment in segments]):
                z = projector(torch.cat([features.final[b] for b in users]))
            for branch, part in zip(users, z.chunk(len(users)), strict=True):
                embeddings.update(zip((branch, f'{branch}+'), part.chunk(views), strict=False))
        if self.second_view is not None and warp is not None:
            embeddings = self.second_view.undo(embeddings, warp)
        terms = [self.loss_contrast(embeddings[a], embeddings[b]) for a, b in self.contrast]
        return torch.stack(terms).sum()

    def _aligned(self, features: DualFeatures, rows: int) -> Tensor:
        index = [self.backbone.stage_index(name) for name in self.align.stages]
        rgb, depth = features.stages['rgb'], features.stages['depth']
        return self.align([rgb[i][:rows] for i in index], [depth[i][:rows] for i in index])

    def predict_branches(self, inputs: Inputs) -> dict[str, MultiModalPrediction]:
        """Predictions of the test branches; RGB alone needs no depth input.

        Raises:
            ConfigError: Depth or fused is asked for and the batch has no depth.
        """
        depth = inputs.get('depth') if len(self.test_branches) > 1 else None
        if len(self.test_branches) > 1 and depth is None:
            raise ConfigError(
                f'test_cfg.branches {self.test_branches} need depth maps and this dataset gives none: '
                "use test_cfg.branches=('rgb',)"
            )
        features = self.backbone.encode(inputs['rgb'], depth)
        out = self._decode({b: features.final[b] for b in self.test_branches}, with_scores=True)
        if self.test_attention and features.attention:
            out['rgb'] = out['rgb']._replace(attention=features.attention[0])
        return out

    def extract(self, inputs: Inputs) -> dict[str, MultiModalPrediction]:
        """Raw predictions of every branch that the input allows."""
        return self._decode(self.backbone(inputs['rgb'], inputs.get('depth')))
