"""An exported file in the place of an estimator, so that benchmarks can measure it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmdualhand.apis.export.runners import Runner
from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError
from mmdualhand.models.estimators.base import BaseHandEstimator, Inputs, Targets
from mmdualhand.models.estimators.heatmap import write_points
from mmdualhand.models.estimators.root_depth import PalmDepth
from mmdualhand.models.heads import MultiModalPrediction
from mmdualhand.registry import MODELS
from mmdualhand.structures import HandDataSample

_PIXELS = dict(type='HandDataPreprocessor', mean=(0, 0, 0), std=(1, 1, 1), augmented_view=False)
"""Leaves the colours as they are: normalisation is inside an exported file."""


class ExportedEstimator(BaseHandEstimator):
    """Predicts with a runner; has no weights of its own and cannot be trained.

    Args:
        runner: The exported network, see :mod:`mmdualhand.apis.export.runners`.
        root_depth: ``'given'``, or ``'solve'``: found from the predicted palm.

    Raises:
        ConfigError: An unknown ``root_depth``, or ``'solve'`` for a network of 2D heat maps.
    """

    def __init__(self, runner: Runner, root_depth: str = 'given') -> None:
        super().__init__(data_preprocessor=MODELS.build(_PIXELS))
        self._runner = runner
        self._codec = Pose25D(runner.facts.input_size, learnable_beta=False)
        self.flat = runner.facts.dims == 2
        if self.flat and root_depth != 'given':
            raise ConfigError(f'root_depth={root_depth!r} has no meaning for a network of 2D heat maps')
        self.palm_depth = PalmDepth.from_config(self._codec, {'root_depth': root_depth})

    @property
    def codec(self) -> Any:
        """Of the crop's size."""
        return self._codec

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        """An exported file has none.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError('an exported file cannot be trained: train the checkpoint it was made of')

    def predict_branches(self, inputs: Inputs) -> dict[str, MultiModalPrediction]:
        """What the file says of ``rgb (B, 3, H, W)``, colours in 0..255, under ``rgb``."""
        found = self._run(inputs)
        pose = found['pose25d']
        empty = pose.new_zeros(len(pose), 0, 0)  # a network of 2D heat maps has neither mask nor depth map
        mask, depth = (found.get(name, empty)[:, None] for name in ('mask', 'depth_map'))
        return {'rgb': MultiModalPrediction(pose, mask, depth, found['confidence_raw'])}

    def extract(self, inputs: Inputs) -> dict[str, MultiModalPrediction]:
        """The same as :meth:`predict_branches`."""
        return self.predict_branches(inputs)

    def predict(
        self, inputs: Inputs, targets: Targets, data_samples: Sequence[HandDataSample]
    ) -> list[HandDataSample]:
        """As the estimator that the file was made of: in 3D, or 2D keypoints alone."""
        if not self.flat:
            return super().predict(inputs, targets, data_samples)
        found = self._run(inputs)
        uv = found['pose25d'][..., :2]
        return write_points(self.codec, uv, found['confidence_raw'], targets, data_samples)

    def _run(self, inputs: Inputs) -> dict[str, Tensor]:
        crops = inputs['rgb'].permute(0, 2, 3, 1).cpu().numpy().astype(np.uint8)
        return {name: torch.from_numpy(value) for name, value in self._runner(crops).items()}
