"""Networks that predict 2D keypoints as heat maps: training on labelled images, and prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmdualhand.compat import CHANNELS_LAST_FROM
from mmdualhand.errors import ConfigError
from mmdualhand.models.estimators.base import BaseHandEstimator, Inputs, Targets
from mmdualhand.models.estimators.uncrop import points_to_image
from mmdualhand.models.heads import HeatmapPrediction
from mmdualhand.registry import MODELS
from mmdualhand.structures import INSTANCE_FIELDS, HandDataSample

_TEST_CFG = {'branches': ('rgb',), 'root_depth': 'given'}
"""Keys of ``test_cfg`` that have a meaning here, and the only value of each."""


@MODELS.register_module()
class HeatmapEstimator(BaseHandEstimator):
    """A backbone and a heat map head, trained on the source alone.

    Stage 1 of RegDA, CC-SSL and AnimalDA. There is no 3D: predictions are 2D keypoints
    and scores, so PCK is the metric.

    Args:
        backbone: Config of a network that gives a feature map, a list of them (stacked
            hourglass), or a mapping with ``rgb`` (``DualResNet`` with
            ``branches=('rgb',)``, which brings ImageNet weights and can start from any
            network of this package).
        head: Config of the decoder; ``in_channels`` is filled in.
        visible_only: Leave joints that the labels mark as not visible out of the loss. False
            takes every joint whose label is known, as the 2.5D networks do.
        channels_last: Keep weights in channels-last memory order, which is faster; left out
            for narrow networks (see ``compat``).
        test_cfg: ``branches=('rgb',)``, ``root_depth='given'``: what other networks may be
            asked for besides has no meaning here.
        data_preprocessor: Config.
        init_cfg: Initialisation in mmengine's form.

    Attributes:
        branches: ``rgb`` alone.
        optional_parts: Beginnings of names of tensors that a network to start from need not
            have: the last layers.

    Raises:
        ConfigError: A backbone with depth, or a ``test_cfg`` without meaning.
    """

    branches: tuple[str, ...] = ('rgb',)
    test_branches: tuple[str, ...] = ('rgb',)
    optional_parts: tuple[str, ...] = (
        *('head.conv.', 'head.final.', 'head.earlier.'),
        *('head.neck.', 'head.coarse.', 'head.cascade.', 'head.branches.'),
    )

    def __init__(
        self,
        backbone: dict[str, Any],
        head: dict[str, Any],
        visible_only: bool = False,
        channels_last: bool = False,
        test_cfg: Mapping[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        preprocessor = dict(data_preprocessor or dict(type='HandDataPreprocessor'))
        preprocessor.setdefault('augmented_view', False)
        super().__init__(data_preprocessor=MODELS.build(preprocessor), init_cfg=init_cfg)
        _check_test_cfg(test_cfg or {})
        self.backbone: Any = MODELS.build(backbone)
        if getattr(self.backbone, 'uses_depth', False):
            raise ConfigError(
                f'{type(self).__name__} sees photos alone: build its backbone with '
                "model.backbone.branches=('rgb',)"
            )
        self.head: Any = MODELS.build({**head, 'in_channels': self._feature_channels()})
        self.visible_only = visible_only
        if channels_last and min(self.backbone.stage_channels) >= CHANNELS_LAST_FROM:
            self.to(memory_format=torch.channels_last)

    def _feature_channels(self) -> int:
        """Channels of the features that the head gets."""
        if hasattr(self.backbone, 'out_channels'):
            return int(self.backbone.out_channels)
        return int(self.backbone.stage_channels[-1])

    @property
    def codec(self) -> Any:
        """The heat map codec of the decoder."""
        return self.head.codec

    def complete_start(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Leave out what a network to start from (``load_from``) has of another kind.

        Args:
            state: Its state dict, of a heat map or a 2.5D network.

        Returns:
            The state without last layers that do not fit.
        """
        own = self.state_dict()
        return {
            key: value
            for key, value in state.items()
            if not key.startswith(self.optional_parts) or (key in own and own[key].shape == value.shape)
        }

    def features(self, rgb: Tensor) -> Any:
        """What the backbone gives for ``(B, 3, H, W)``: a feature map, or a list of them."""
        found = self.backbone(rgb)
        return found['rgb'] if isinstance(found, Mapping) else found

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        """Loss of labelled images.

        Args:
            inputs: ``rgb (B, 3, H, W)``.
            targets: ``pose25d (B, 21, 3)``, of which u, v count; ``visible (B, 21)`` where
                ``visible_only``.

        Returns:
            ``loss_heatmap``.

        Raises:
            ConfigError: There are no labels.
        """
        target, weight = self.encode(targets)
        maps = self.head.maps(self.features(inputs['rgb']))
        return {'loss_heatmap': self.head.loss(maps, target, weight)}

    def encode(self, targets: Targets) -> tuple[Tensor, Tensor]:
        """Heat maps ``(B, 21, h, w)`` and weights ``(B, 21)`` of labels.

        Raises:
            ConfigError: There are no labels.
        """
        needed = ('pose25d', 'visible') if self.visible_only else ('pose25d',)
        missing = [key for key in needed if key not in targets]
        if missing:
            raise ConfigError(
                f'the heat map loss needs the targets {missing}, which the dataset or the pipeline does not '
                'give: train on a dataset with labels, without DropLabels in its pipeline'
            )
        return self.head.targets(targets, self.visible_only)

    def predict_branches(self, inputs: Inputs) -> dict[str, Any]:
        """The :class:`HeatmapPrediction` of the images, under ``rgb``."""
        return {'rgb': self.head(self.features(inputs['rgb']))}

    def extract(self, inputs: Inputs) -> dict[str, Any]:
        """The same as :meth:`predict_branches`."""
        return self.predict_branches(inputs)

    def predict(
        self, inputs: Inputs, targets: Targets, data_samples: Sequence[HandDataSample]
    ) -> list[HandDataSample]:
        """Predict and write the results on the data samples.

        ``keypoints`` are pixels of the original image; ``pose25d`` has u, v on the 64-grid of
        the crop and NaN for d. There are no ``keypoints_3d``, and ``prediction_dims`` among
        the meta data says so: 2.
        """
        found: HeatmapPrediction = self.predict_branches(inputs)['rgb']
        return write_points(self.codec, found.uv, found.score, targets, data_samples)


def write_points(
    codec: Any, uv: Tensor, score: Tensor, targets: Targets, data_samples: Sequence[HandDataSample]
) -> list[HandDataSample]:
    """Write 2D predictions on data samples, see :meth:`HeatmapEstimator.predict`.

    Args:
        codec: With ``grid_size`` and ``input_size``.
        uv: ``(B, 21, 2)`` pixels of the 64-grid.
        score: ``(B, 21)`` in 0..1.
        targets: ``crop_matrix (B, 3, 3)`` from original to crop pixels.
        data_samples: B, changed in place.
    """
    uv, score = uv.float(), score.float()
    arrays = {
        'pose25d': torch.cat([uv, torch.full_like(uv[..., :1], torch.nan)], -1).cpu().numpy(),
        'keypoints': points_to_image(codec, uv, targets['crop_matrix']).numpy(),
        'keypoint_scores': score.cpu().numpy(),
    }
    for i, sample in enumerate(data_samples):
        sample.set_metainfo({'prediction_dims': 2})
        fields = {key: value[i : i + 1] for key, value in arrays.items()}
        setattr(sample, INSTANCE_FIELDS['rgb'], InstanceData(**fields))
    return list(data_samples)


def _check_test_cfg(test_cfg: Mapping[str, Any]) -> None:
    for key, value in test_cfg.items():
        given = tuple(value) if isinstance(value, list | tuple) else value
        if key not in _TEST_CFG or given != _TEST_CFG[key]:
            raise ConfigError(
                f'test_cfg.{key}={value!r} has no meaning for a network of 2D heat maps, which has one '
                'branch and no depth'
            )
