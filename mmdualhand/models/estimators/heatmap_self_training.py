"""Self-training of heat-map networks: CC-SSL (Mu et al., CVPR 2020), AnimalDA (Li and Lee, CVPR 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmdualhand.errors import ConfigError
from mmdualhand.models.branch_norm import frozen_statistics
from mmdualhand.models.domain_mixup import MapBatch
from mmdualhand.models.estimators.base import Inputs, Targets
from mmdualhand.models.estimators.heatmap import HeatmapEstimator
from mmdualhand.models.estimators.mean_teacher import MeanTeacher
from mmdualhand.models.estimators.self_training_settings import Labeler, PseudoLabels
from mmdualhand.models.heads import HeatmapPrediction, RefinedMaps, RefineHeatmapHead
from mmdualhand.models.perturbation import AffinePerturbation, warp_images
from mmdualhand.models.weight_schedules import WeightSchedule
from mmdualhand.registry import MODELS

STATISTICS = ('both', 'target')


@MODELS.register_module()
class HeatmapSelfTrainingEstimator(HeatmapEstimator):
    """Goes on from a stage-1 heat-map network with labelled source and unlabelled target images.

    Always: the loss of stage 1 on the source, and on the target a loss against
    pseudo-labels, which ``PseudoLabelHook(refresh='epoch')`` makes and ``LoadPseudoLabel``
    reads. That is CC-SSL. AnimalDA adds a teacher, ``consistency`` with it, ``mixup`` of
    the images that pseudo-labels are learned from, and a ``discriminator`` of domains; these
    want a :class:`~mmdualhand.models.heads.RefineHeatmapHead`.

    Streams run separately, so batch statistics are those of one domain.

    Args:
        label_weight: Weight of the loss against pseudo-labels: a number, or the config of
            a :class:`~mmdualhand.models.weight_schedules.WeightSchedule`.
        loss_label: Config of that loss, called for every output of the head with maps,
            targets and weights.
        consistency: Config of a
            :class:`~mmdualhand.models.losses.RefinementConsistency`. The student then sees
            the target image moved by ``perturbation``, the teacher the clean view.
        perturbation: Arguments of
            :class:`~mmdualhand.models.perturbation.AffinePerturbation`, for ``consistency``.
        teacher: ``momentum``, ``warm_up`` and ``buffers`` of
            :class:`~mmdualhand.models.estimators.MeanTeacher`, for ``consistency``.
        mixup: Config of a :class:`~mmdualhand.models.DomainMixup`, or None.
        discriminator: Config of a
            :class:`~mmdualhand.models.heads.DomainDiscriminatorHead`, or None; ``in_channels``
            and ``map_size`` are filled in. It judges the joined features of the head.
        domain_weight: Weight of its loss: a number or a schedule.
        statistics: Which images move the running statistics: ``'both'`` streams, or the
            plain ``'target'`` alone.
        test_network: ``'student'`` or ``'teacher'``, what predicts and labels; by default
            the teacher where there is one.
        **kwargs: Those of :class:`HeatmapEstimator`; ``data_preprocessor`` is usually a
            ``StreamDataPreprocessor``, with ``clean_view=True`` for ``consistency``.

    Raises:
        ConfigError: Parts that do not fit together.
    """

    optional_parts = (*HeatmapEstimator.optional_parts, 'teacher.', 'discriminator.')

    def __init__(
        self,
        label_weight: Mapping[str, Any] | float = 10.0,
        loss_label: Mapping[str, Any] | None = None,
        consistency: Mapping[str, Any] | None = None,
        perturbation: Mapping[str, Any] | None = None,
        teacher: Mapping[str, Any] | None = None,
        mixup: Mapping[str, Any] | None = None,
        discriminator: Mapping[str, Any] | None = None,
        domain_weight: Mapping[str, Any] | float = 5e-4,
        statistics: str = 'both',
        test_network: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.labeler: Labeler | None = None
        self.label_weight = WeightSchedule.from_config(label_weight)
        self.loss_label = MODELS.build(dict(loss_label or dict(type='KeypointMSELoss')))
        self._check_parts(consistency, perturbation, teacher, discriminator)
        self.consistency: Any = None if consistency is None else MODELS.build(dict(consistency))
        self.perturbation = AffinePerturbation(**(perturbation or {}))
        self.mixup: Any = None if mixup is None else MODELS.build(dict(mixup))
        self.discriminator: Any = None
        if discriminator is not None:
            shape = dict(in_channels=self.head.feature_channels, map_size=self.codec.heatmap_size)
            self.discriminator = MODELS.build({**shape, **discriminator})
        self.domain_weight = WeightSchedule.from_config(domain_weight)
        self.teacher: MeanTeacher | None = None
        if teacher is not None:
            self.teacher = MeanTeacher(self._parts(), **teacher)
        self.statistics = self._check_statistics(statistics)
        self.test_network = test_network or ('student' if teacher is None else 'teacher')
        if self.test_network not in ('student', *(() if teacher is None else ('teacher',))):
            raise ConfigError(
                f"test_network={test_network!r} is neither 'student' nor, where teacher is set, 'teacher'"
            )

    def _check_parts(self, consistency: Any, perturbation: Any, teacher: Any, discriminator: Any) -> None:
        refines = isinstance(self.head, RefineHeatmapHead)
        branches = self.head.num_branches if refines else 0
        if (consistency is None) != (teacher is None):
            raise ConfigError('consistency is that with a teacher: set both, or neither of them')
        if perturbation is not None and consistency is None:
            raise ConfigError('perturbation moves the view of the student for consistency, which is not set')
        if consistency is not None and branches != 2:
            raise ConfigError(
                "consistency needs head=dict(type='RefineHeatmapHead', num_branches=2): its second branch "
                'follows the teacher'
            )
        if branches == 2 and consistency is None:
            raise ConfigError('the second branch of the head learns from consistency: use num_branches=1')
        if discriminator is not None and not refines:
            raise ConfigError('discriminator judges the features of a RefineHeatmapHead')

    def _check_statistics(self, statistics: str) -> str:
        if statistics not in STATISTICS:
            raise ConfigError(f'statistics must be one of {STATISTICS}, got {statistics!r}')
        ordinary = [m for part in self._parts().values() for m in part.modules() if isinstance(m, _BatchNorm)]
        if statistics == 'target' and ordinary:
            raise ConfigError(
                f"statistics='target' needs batch normalisation that can be told so, unlike {ordinary[0]}: "
                "use 'both', or another backbone"
            )
        return statistics

    def _parts(self) -> dict[str, nn.Module]:
        return {'backbone': self.backbone, 'head': self.head}

    def complete_start(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See :class:`HeatmapEstimator`; a second branch starts as the first."""
        return RefineHeatmapHead.spread_branches(super().complete_start(state), self.state_dict())

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
            inputs: As for :class:`HeatmapEstimator`, for every mode but ``loss``.
            targets: Likewise.
            data_samples: Likewise.
            mode: ``loss``, ``predict`` or ``tensor``.
            source: Preprocessed labelled batch: ``inputs``, ``targets``.
            target: Preprocessed unlabelled batch.

        Raises:
            ConfigError: Training without both streams.
        """
        if mode != 'loss':
            return super().forward(inputs or {}, targets, data_samples, mode)
        if source is None or target is None:
            raise ConfigError(
                f'{type(self).__name__} trains on two streams: train_dataloader=dict(streams=dict('
                "source=..., target=...)), train_cfg=dict(type='StreamTrainLoop')"
            )
        self._check_size(source['inputs'])
        self._check_size(target['inputs'])
        return self._step(source['inputs'], source['targets'], target['inputs'], target['targets'])

    def _step(self, source: Inputs, truth: Targets, target: Inputs, facts: Targets) -> dict[str, Tensor]:
        """The losses of a step, all in one sum."""
        known = MapBatch(source['rgb'], *self.encode(truth))
        with self._source_pass():
            seen = self._outputs(known.rgb)
        losses = {'loss_heatmap': self.head.loss(self._supervised(seen), known.heatmaps, known.weight)}
        found = self._target_pass(target, losses)
        if self.discriminator is not None:
            judged = self.discriminator.loss(seen.fused, found.fused)
            losses['domain_accuracy'] = judged['domain_accuracy']
            losses['loss_domain'] = self.domain_weight() * judged['loss_domain']
        labels = self._labels(self._supervised(found)[-1], facts)
        if labels is not None:
            losses['loss_label'] = self._label_loss(labels, found, target['rgb'], known)
            losses.update(labels.monitor)
        return losses

    def _source_pass(self) -> AbstractContextManager[None]:
        """Around a pass of images that are not plain images of the target."""
        return frozen_statistics() if self.statistics == 'target' else nullcontext()

    def _outputs(self, rgb: Tensor) -> Any:
        """:class:`RefinedMaps`, or the heat maps of every stage."""
        refines = isinstance(self.head, RefineHeatmapHead)
        return (self.head.outputs if refines else self.head.maps)(self.features(rgb))

    @staticmethod
    def _supervised(outputs: Any) -> list[Tensor]:
        """Outputs that labels supervise, the one that predicts last."""
        return [outputs.coarse, outputs.refined[0]] if isinstance(outputs, RefinedMaps) else outputs

    def _target_pass(self, inputs: Inputs, losses: dict[str, Tensor]) -> Any:
        """Outputs for the plain target images, or for moved ones with their consistency."""
        rgb = inputs['rgb']
        if self.consistency is None or self.teacher is None:
            return self._outputs(rgb)
        if 'clean' not in inputs:
            raise ConfigError(
                "the teacher sees the clean view: use data_preprocessor=dict(type='StreamDataPreprocessor', "
                'clean_view=True, ...)'
            )
        warp = self.perturbation.sample(len(rgb), rgb.device)
        found: RefinedMaps = self._outputs(warp_images(rgb, warp))
        self.teacher.follow(self._parts())
        with torch.no_grad(), self.teacher.own_statistics():
            aim = warp_images(self._by(self.teacher.parts, inputs['clean']).heatmaps, warp)
        losses.update(self.consistency(found.coarse, *found.refined, aim))
        return found

    def _by(self, parts: Any, rgb: Tensor) -> HeatmapPrediction:
        """What one of the networks predicts."""
        found = parts['backbone'](rgb)
        prediction: HeatmapPrediction = parts['head'](found['rgb'] if isinstance(found, Mapping) else found)
        return prediction

    @torch.no_grad()
    def _labels(self, heatmaps: Tensor, facts: Targets) -> PseudoLabels | None:
        if self.labeler is None:
            return None
        uv, _ = self.codec.decode(heatmaps)
        return self.labeler({'rgb': torch.cat([uv, torch.zeros_like(uv[..., :1])], dim=-1)}, facts)

    def _label_loss(self, labels: PseudoLabels, found: Any, rgb: Tensor, known: MapBatch) -> Tensor:
        weight = labels.weight.view(len(rgb), -1).expand(labels.pose25d.shape[:2])
        wanted = MapBatch(rgb, *self.codec.encode(labels.pose25d[..., :2], weight))
        if self.mixup is not None:
            wanted = self.mixup(wanted, known)
        if self.mixup is not None or self.consistency is not None:
            with self._source_pass() if self.mixup is not None else nullcontext():
                found = self._outputs(wanted.rgb)
        parts = [self.loss_label(one, wanted.heatmaps, wanted.weight) for one in self._supervised(found)]
        return self.label_weight() * torch.stack(parts).sum()

    @torch.no_grad()
    def look(self, rgb: Tensor) -> dict[str, HeatmapPrediction]:
        """What the network that is tested says of images in eval mode, as labels are made of it.

        Args:
            rgb: ``(B, 3, H, W)`` normalised.

        Returns:
            ``rgb`` to the prediction.

        Raises:
            ConfigError: The crops are not of the size of the network.
        """
        self._check_size({'rgb': rgb})
        modes = {name: part.training for name, part in self._parts().items()}
        for part in self._parts().values():
            part.eval()
        try:
            return self.predict_branches({'rgb': rgb})
        finally:
            for name, part in self._parts().items():
                part.train(modes[name])

    def predict_branches(self, inputs: Inputs) -> dict[str, Any]:
        """The prediction of the network that is tested, under ``rgb``."""
        if self.test_network == 'student' or self.teacher is None:
            return super().predict_branches(inputs)
        self.teacher.start(self._parts())
        return {'rgb': self._by(self.teacher.parts, inputs['rgb'])}
