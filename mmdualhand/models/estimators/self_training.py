"""Stage 2: supervised on the source, pseudo-labels and self-distillation on the target (Algorithm 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from mmdualhand.errors import ConfigError
from mmdualhand.models.backbones.dual_encoder import DualFeatures
from mmdualhand.models.branch_norm import frozen_statistics
from mmdualhand.models.estimators.base import Inputs, Targets
from mmdualhand.models.estimators.consistency import STREAMS, Consistency, MovedView
from mmdualhand.models.estimators.dual_modality import DualModalityEstimator
from mmdualhand.models.estimators.mean_teacher import MeanTeacher
from mmdualhand.models.estimators.predicted_depth import depth_input
from mmdualhand.models.estimators.self_training_settings import Labeler, PseudoLabels, SelfTraining
from mmdualhand.models.heads import MultiModalPrediction
from mmdualhand.models.losses import PoseDist
from mmdualhand.registry import MODELS
from mmdualhand.structures import BRANCHES

Predictions = dict[str, MultiModalPrediction]


@MODELS.register_module()
class SelfTrainingEstimator(DualModalityEstimator):
    """Fine-tunes a stage-1 network on labelled source and unlabelled target images.

    One step (Eq. 11): L_s on the source as in stage 1 without contrast; on the
    target a first pass of the rgb branch, whose depth map feeds a second pass of
    the depth and fused branches; pseudo-labels by the labeler that
    ``PseudoLabelHook`` hands in; L = L_s + lambda_l L_l + lambda_f L_d. Without a
    labeler there are no pseudo-labels; the loss says so.

    Batches of the two streams run separately, so batch statistics are those of
    one domain.

    The running mean of the weights is no part of the network that is fine-tuned, so
    a checkpoint of stage 1 need not have it.

    Args:
        self_training: Keys of :class:`SelfTraining`.
        consistency: Configs of losses that need no label, such as ``ViewConsistencyLoss``
            and ``SilhouetteCircleLoss`` (SemiHand), of the rgb branch.
        consistency_weight: Factor of all of them.
        consistency_streams: Images that they are taken of: ``'source'``, ``'target'``.
        perturbation: How they move an image: keys of
            :class:`~mmdualhand.models.AffinePerturbation`.
        **kwargs: Those of :class:`DualModalityEstimator`; ``data_preprocessor``
            is usually a ``StreamDataPreprocessor``.

    Raises:
        ConfigError: A setting has no meaning, or two passes are asked of a network
            without the depth and fused branches.
    """

    optional_parts = ('teacher.', 'consistency.')

    def __init__(
        self,
        self_training: Mapping[str, Any] | None = None,
        consistency: Sequence[Mapping[str, Any]] = (),
        consistency_weight: float = 0.1,
        consistency_streams: Sequence[str] = STREAMS,
        perturbation: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.settings = SelfTraining.from_config(self_training)
        needed = set(BRANCHES) if self.settings.passes == 2 else {'rgb'}
        if not needed <= set(self.branches):
            raise ConfigError(
                f'self_training.passes=2 needs the branches {BRANCHES}, the network has {self.branches}; '
                'use passes=1 for an RGB network'
            )
        pose = self.head.loss_pose
        self.loss_label = PoseDist(pose.depth_weight, pose.norm, pose.reduction)
        self.consistency: Consistency | None = None
        if consistency:
            self.consistency = Consistency(consistency, perturbation, consistency_weight, consistency_streams)
        elif perturbation is not None:
            raise ConfigError('perturbation moves images for consistency, and consistency is empty')
        self.labeler: Labeler | None = None
        self.teacher: MeanTeacher | None = None
        if self.settings.teacher_momentum:
            self.teacher = MeanTeacher(self._parts(), self.settings.teacher_momentum)

    def complete_start(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Stage 2 begins with a network of stage 1 as it is: nothing is filled in."""
        return dict(state)

    def forward(
        self,
        inputs: Inputs | None = None,
        targets: Targets | None = None,
        data_samples: Any = None,
        mode: str = 'tensor',
        source: Mapping[str, Any] | None = None,
        target: Mapping[str, Any] | None = None,
    ) -> Any:
        """One entry for the Runner; the streams of training come by name.

        Args:
            inputs: As for :class:`DualModalityEstimator`, for every mode but
                ``loss``.
            targets: Likewise.
            data_samples: Likewise.
            mode: ``loss``, ``predict`` or ``tensor``.
            source: Preprocessed labelled batch: ``inputs``, ``targets``.
            target: Preprocessed unlabelled batch; ``inputs['clean']`` where labels
                come from a clean view.

        Raises:
            ConfigError: Training without both streams.
        """
        if mode != 'loss':
            return super().forward(inputs or {}, targets, data_samples, mode)
        if source is None or target is None:
            raise ConfigError(
                'SelfTrainingEstimator trains on two streams: train_dataloader=dict(streams=dict(source=..., '
                "target=...)), train_cfg=dict(type='StreamTrainLoop')"
            )
        self._check_size(source['inputs'])
        self._check_size(target['inputs'])
        with nullcontext() if self.settings.statistics == 'both' else frozen_statistics():
            losses, predictions = self._supervised_step(source['inputs'], source['targets'])
        if self.consistency is not None and 'source' in self.consistency.streams:
            view = self._look_moved(source['inputs']['rgb'])
            losses.update(self.consistency(predictions['rgb'], view, 'source'))
        return {**losses, **self.target_loss(target['inputs'], target['targets'])}

    def target_loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        """L_l and L_d on unlabelled images.

        Args:
            inputs: ``rgb (B, 3, H, W)``; ``clean (B, 3, H, W)`` for
                ``label_view='clean'``.
            targets: Camera facts: ``camera``, ``root_depth``, ``ref_length``; no label.

        Returns:
            ``loss_label_*``, ``loss_distill_*`` and the consistency losses, weights
            included, and the labeler's monitor values.
        """
        predictions = self._two_passes(inputs['rgb'], self.backbone, self.head)
        losses: dict[str, Tensor] = {}
        view = None
        if self.consistency is not None and 'target' in self.consistency.streams:
            view = self._look_moved(inputs['rgb'])
            losses.update(self.consistency(predictions['rgb'], view, 'target'))
        labels = self._labels(inputs, targets, predictions, view)
        if labels is not None:
            losses.update(self._label_losses(predictions, labels))
        if self.settings.passes == 2 and self.settings.distill_weight:
            losses.update(self._distill_losses(predictions, None if labels is None else labels.weight))
        return losses

    def _two_passes(self, rgb: Tensor, backbone: Any, head: Any) -> Predictions:
        """y_R of the first pass; y_F and y_D of the second, which sees predicted depth."""
        first = backbone.encode(rgb)
        predictions = self._decode(first.final, head=head)
        if self.settings.passes == 1:
            return predictions
        depth = depth_input(
            predictions['rgb'], rgb.shape[-2:], self.settings.detach_depth, self.settings.clean_depth
        )
        second: DualFeatures = backbone.second_pass(first.stem, depth)
        return {**predictions, **self._decode(second.final, head=head)}

    def _look_moved(self, rgb: Tensor) -> MovedView | None:
        """y_R of moved images; they leave the running statistics alone."""

        def predict(images: Tensor) -> MultiModalPrediction:
            with frozen_statistics():
                return self._decode(self.backbone.encode(images).final)['rgb']

        return None if self.consistency is None else self.consistency.look(rgb, predict)

    @torch.no_grad()
    def _labels(
        self, inputs: Inputs, targets: Targets, predictions: Predictions, view: MovedView | None = None
    ) -> PseudoLabels | None:
        if self.labeler is None:
            return None
        if self.teacher is not None:
            self.teacher.follow(self._parts())
        if self.settings.label_view == 'clean' and getattr(self.labeler, 'uses_poses', True):
            if 'clean' not in inputs:
                raise ConfigError(
                    "self_training.label_view='clean' needs the clean view: use data_preprocessor="
                    "dict(type='StreamDataPreprocessor', clean_view=True, ...)"
                )
            predictions = self.look(inputs['clean'])
        poses = {branch: one.pose25d.detach() for branch, one in predictions.items()}
        if view is not None:
            poses['moved'] = view.pose_moved_back.detach()
        return self.labeler(poses, targets)

    def _parts(self) -> dict[str, Any]:
        return {'backbone': self.backbone, 'head': self.head}

    @torch.no_grad()
    def look(self, rgb: Tensor) -> Predictions:
        """What both passes say of images in eval mode, as labels are made of it.

        By the running mean of the weights where there is one.

        Args:
            rgb: ``(B, 3, H, W)`` normalised.

        Returns:
            Branch to prediction; ``rgb`` alone with ``passes=1``.

        Raises:
            ConfigError: The crops are not of the size that the codec decodes to.
        """
        self._check_size({'rgb': rgb})
        if self.teacher is not None:
            self.teacher.start(self._parts())
            parts = self.teacher.parts
            return self._two_passes(rgb, parts['backbone'], parts['head'])
        modes = self.backbone.training, self.head.training
        try:
            return self._two_passes(rgb, self.backbone.eval(), self.head.eval())
        finally:
            self.backbone.train(modes[0])
            self.head.train(modes[1])

    def _label_losses(self, predictions: Predictions, labels: PseudoLabels) -> dict[str, Tensor]:
        weight = labels.weight
        if self.settings.normalize_by_accepted:
            weight = weight * (weight.numel() / weight.sum().clamp_min(1e-6))
        losses = {
            f'loss_label_{branch}': self.settings.label_weight
            * self.loss_label(predictions[branch].pose25d, labels.pose25d, weight)
            for branch in self.settings.label_branches
            if branch in predictions
        }
        if labels.corrected is not None:
            apart = self.loss_label(predictions['rgb'].pose25d, labels.corrected, labels.corrected_weight)
            losses['loss_correction_rgb'] = self.settings.label_weight * apart
        return {**losses, **labels.monitor}

    def _distill_losses(self, predictions: Predictions, weight: Tensor | None) -> dict[str, Tensor]:
        """L_d = M(y_R, y_F) of Eq. 10."""
        sides = {branch: predictions[branch] for branch in ('rgb', 'fused')}
        if self.settings.distill_detach is not None:
            branch = self.settings.distill_detach
            sides[branch] = MultiModalPrediction(*(x.detach() for x in sides[branch][:3]))
        rgb, fused = sides['rgb'], sides['fused']
        if self.settings.distill_gated and weight is not None:
            fused = _gated(rgb, fused, weight if weight.ndim == 1 else weight.mean(1))
        maps = {'mask': fused.mask, 'depth_map': fused.depth_map}
        parts = self.head.loss(rgb, fused.pose25d, maps)
        scale = self.settings.distill_weight
        return {name.replace('loss_', 'loss_distill_'): scale * value for name, value in parts.items()}


def _gated(near: MultiModalPrediction, far: MultiModalPrediction, weight: Tensor) -> MultiModalPrediction:
    """``far`` moved to ``near`` where the weight ``(B,)`` is 0, so that their distance vanishes there."""
    moved = []
    for one, other in zip(near[:3], far[:3], strict=True):
        share = weight.reshape(-1, *[1] * (one.ndim - 1))
        moved.append(one + share * (other - one))
    return MultiModalPrediction(*moved)
