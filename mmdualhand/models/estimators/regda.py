"""RegDA: adversarial regression of keypoints, three optimiser steps an iteration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.dist import all_reduce_params, get_world_size
from mmengine.optim import OptimWrapperDict
from torch import Tensor

from mmdualhand.errors import ConfigError
from mmdualhand.models.estimators.base import Targets
from mmdualhand.models.estimators.heatmap import HeatmapEstimator
from mmdualhand.registry import MODELS

Stream = Mapping[str, Any]
PARTS = ('feature', 'head', 'head_adv')
"""Names of the optimisers: f, h and h' of the paper."""
WARM_START = dict(form='warm_start', unit='iter', high=0.1, low=0.0, alpha=1.0, length=1000)
"""Of the authors' code: the gradient from h' grows from 0 to a tenth."""


@MODELS.register_module()
class RegDAEstimator(HeatmapEstimator):
    """Regressive domain adaptation for 2D keypoints (Jiang et al., CVPR 2021).

    A feature extractor f (backbone and deconvolutions), a main head h, and an adversarial
    head h'. On the target, h' learns to predict where the *other* joints are (ground false);
    f learns to make h' agree with h again (ground true). An iteration takes three steps, each
    with a forward pass of its own:

    ====  ===================================================================  ===========
    step  loss                                                                 moves
    ====  ===================================================================  ===========
    A     KL(label, h) + margin * trade_off * KL(T(h), h') on the source       f, h, h'
    B     trade_off * KL(F(h), h') on the target                               h'
    C     trade_off * KL(T(h), h') on the target                               f
    ====  ===================================================================  ===========

    The gradient from h' to f is scaled by ``gradient_scale``. The optimisers come as mmengine's
    ``OptimWrapperDict`` with the names ``feature``, ``head``, ``head_adv``; see
    :class:`~mmdualhand.engine.PartsOptimWrapperConstructor`. Only h predicts.

    Both heads start anew; the rest comes from a source-only :class:`HeatmapEstimator`.

    Args:
        head_adv: Config of h'; that of ``head`` without deconvolutions where None.
        gradient_scale: Config of a :class:`~mmdualhand.models.GradientScale`; the authors'
            warm start where None.
        pseudo_target: Config of a :class:`~mmdualhand.models.HeatmapPseudoTarget`.
        loss_disparity: Config of the loss between h' and the maps made of h.
        margin: gamma of the paper.
        trade_off: eta of the paper.
        **kwargs: Those of :class:`HeatmapEstimator`; ``head.loss`` is usually
            ``KeypointKLDivLoss``, ``data_preprocessor`` a ``StreamDataPreprocessor``.

    Raises:
        ConfigError: A negative margin or trade-off, or a head without deconvolutions of several
            stages.
    """

    def __init__(
        self,
        head_adv: dict[str, Any] | None = None,
        gradient_scale: dict[str, Any] | None = None,
        pseudo_target: dict[str, Any] | None = None,
        loss_disparity: dict[str, Any] | None = None,
        margin: float = 4.0,
        trade_off: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if margin < 0 or trade_off < 0:
            raise ConfigError(
                f'margin and trade_off of RegDA must not be negative, got {margin}, {trade_off}'
            )
        if self.head.num_stages != 1:
            raise ConfigError(f'RegDA needs a head of one stage, got num_stages={self.head.num_stages}')
        config = {**kwargs['head'], **(head_adv or {})}
        config.update(deconv_channels=(), in_channels=self.head.feature_channels)
        self.head_adv: Any = MODELS.build(config)
        scale = gradient_scale or dict(type='GradientScale', sign=1, schedule=WARM_START)
        self.gradient_scale = MODELS.build(scale)
        self.pseudo_target: Any = MODELS.build(pseudo_target or dict(type='HeatmapPseudoTarget'))
        self.loss_disparity = MODELS.build(loss_disparity or dict(type='KeypointKLDivLoss', epsilon=1e-7))
        self.margin = margin
        self.trade_off = trade_off

    optional_parts = ('head.conv.', 'head.final.', 'head.earlier.', 'head_adv.')

    def complete_start(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The state without heads, unless it is one of this method: both start anew."""
        if any(key.startswith('head_adv.') for key in state):
            return dict(state)
        return {key: value for key, value in state.items() if not key.startswith(self.optional_parts)}

    def forward(
        self,
        inputs: Any = None,
        targets: Targets | None = None,
        data_samples: Any = None,
        mode: str = 'tensor',
        source: Stream | None = None,
        target: Stream | None = None,
    ) -> Any:
        """One entry; see :class:`HeatmapEstimator`.

        Args:
            inputs: For every mode but ``loss``.
            targets: Likewise.
            data_samples: Likewise.
            mode: ``loss``, ``predict`` or ``tensor``.
            source: Preprocessed labelled batch: ``inputs``, ``targets``.
            target: Preprocessed unlabelled batch: ``inputs``.

        Returns:
            With ``loss``: all losses of an iteration at the weights as they are, none of them
            taken; training takes them one after the other, see :meth:`train_step`.

        Raises:
            ConfigError: Training without both streams.
        """
        if mode != 'loss':
            return super().forward(inputs or {}, targets, data_samples, mode)
        source, target = self._streams({'source': source, 'target': target})
        return {
            **self.losses_on_source(source),
            **self.loss_of_false(target),
            **self.loss_of_truth(target),
        }

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        """Steps A, B and C.

        Args:
            data: Collated batches of the streams ``source`` and ``target``.
            optim_wrapper: ``OptimWrapperDict`` of :data:`PARTS`.

        Returns:
            Every loss, and their sum as ``loss``, for the log.

        Raises:
            ConfigError: Other optimisers, or training without both streams.
        """
        if not isinstance(optim_wrapper, OptimWrapperDict) or set(optim_wrapper.keys()) != set(PARTS):
            raise ConfigError(
                f'RegDAEstimator needs an optimiser for each of {PARTS}: '
                "optim_wrapper=dict(constructor='PartsOptimWrapperConstructor', parts=...)"
            )
        source, target = self._streams(self.data_preprocessor(data, True))
        losses = self._step(optim_wrapper, self.losses_on_source, source, PARTS)
        losses.update(self._step(optim_wrapper, self.loss_of_false, target, ('head_adv',)))
        losses.update(self._step(optim_wrapper, self.loss_of_truth, target, ('feature',)))
        return self.parse_losses(losses)[1]

    def _step(
        self, optim_wrapper: Any, losses_of: Any, stream: Stream, parts: Sequence[str]
    ) -> dict[str, Tensor]:
        """Forward, backward, and one step of some of the optimisers."""
        first = optim_wrapper[parts[0]]
        optim_wrapper.zero_grad()
        with first.optim_context(self):
            losses: dict[str, Tensor] = losses_of(stream)
        first.backward(torch.stack(list(losses.values())).sum())
        for part in parts:
            if get_world_size() > 1:
                _average_gradients(optim_wrapper[part])
            optim_wrapper[part].step()
        return {name: value.detach() for name, value in losses.items()}

    def losses_on_source(self, stream: Stream) -> dict[str, Tensor]:
        """Step A: both heads learn the labels of the source, h' through the predictions of h.

        Args:
            stream: ``inputs``, ``targets``.

        Returns:
            ``loss_heatmap`` and ``loss_disparity``.
        """
        label, weight = self.encode(stream['targets'])
        features = self._upsampled(stream)
        main = self.head.classify(features)
        adversarial = self.head_adv.classify(self.gradient_scale(features))
        disparity = self.loss_disparity(adversarial, self.pseudo_target.truth(main), weight)
        return {
            'loss_heatmap': self.head.loss([main], label, weight),
            'loss_disparity': self.margin * self.trade_off * disparity,
        }

    def loss_of_false(self, stream: Stream) -> dict[str, Tensor]:
        """Step B: ``loss_false``; h' learns where the other joints are, and only h' gets a gradient."""
        with torch.no_grad():
            features = self._upsampled(stream)
            main = self.head.classify(features)
        adversarial = self.head_adv.classify(features)
        value = self.loss_disparity(adversarial, self.pseudo_target.false(main))
        return {'loss_false': self.trade_off * value}

    def loss_of_truth(self, stream: Stream) -> dict[str, Tensor]:
        """Step C: ``loss_truth``; f learns features on which h' agrees with h."""
        features = self._upsampled(stream)
        with torch.no_grad():
            main = self.head.classify(features)
        adversarial = self.head_adv.classify(self.gradient_scale(features))
        value = self.loss_disparity(adversarial, self.pseudo_target.truth(main))
        return {'loss_truth': self.trade_off * value}

    def _upsampled(self, stream: Stream) -> Tensor:
        return self.head.upsample(self.features(stream['inputs']['rgb']))

    def _streams(self, data: Mapping[str, Any]) -> tuple[Stream, Stream]:
        source, target = data.get('source'), data.get('target')
        if source is None or target is None:
            raise ConfigError(
                'RegDAEstimator trains on two streams: train_dataloader=dict(streams=dict(source=..., '
                "target=...)), train_cfg=dict(type='StreamTrainLoop')"
            )
        self._check_size(source['inputs'])
        self._check_size(target['inputs'])
        return source, target


def _average_gradients(wrapper: Any) -> None:
    """Mean over the processes, as every one steps with the same."""
    gradients = [p.grad for group in wrapper.param_groups for p in group['params'] if p.grad is not None]
    all_reduce_params(gradients, op='mean')
