"""What a network says of test pictures, with the maps that a table does not show."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from torch import Tensor

from mmdualhand import compat
from mmdualhand.apis.evaluate import fit_test, take_network
from mmdualhand.engine.labels.batches import clean_batches
from mmdualhand.engine.weights import load_weights
from mmdualhand.errors import ConfigError
from mmdualhand.models.estimators.predicted_depth import depth_input
from mmdualhand.registry import DATASETS, MODELS
from mmdualhand.structures import HandDataSample
from mmdualhand.visualization import sample_epe

BATCH = 32


@dataclass
class LoadedNetwork:
    """A network and the test pictures as it wants them.

    Attributes:
        model: In eval mode; predicts from RGB alone.
        dataset: Packed test samples, cropped to the size that the network was trained on.
        config: The benchmark's config with this network in it.
    """

    model: Any
    dataset: Any
    config: Config

    @torch.no_grad()
    def errors(self) -> np.ndarray:
        """Mean 3D error of every test sample, mm.

        Returns:
            ``(N,)``; NaN where a sample has no 3D label or the prediction is not finite.
        """
        found: list[float] = []
        for batch in clean_batches(self.dataset, range(len(self.dataset)), BATCH):
            for sample in self.model.test_step(batch):
                error = sample_epe(sample)
                found.append(math.nan if error is None else error)
        return np.array(found, np.float64)

    @torch.no_grad()
    def look(self, rows: Sequence[int]) -> list[HandDataSample]:
        """Predictions on some samples, with the attention of the second pass.

        Args:
            rows: Sample numbers.

        Returns:
            A sample each, with ``pred_instances`` and ``pred_fields`` of the RGB branch
            and, where the network has a depth encoder, ``pred_attention``.
        """
        samples: list[HandDataSample] = []
        for batch in clean_batches(self.dataset, rows, BATCH):
            data = self.model.data_preprocessor(batch, training=False)
            predicted = self.model(**data, mode='predict')
            weights = second_pass_attention(self.model, data['inputs']['rgb'])
            for place, sample in enumerate(predicted):
                if weights is not None:
                    one = PixelData(weights=weights[place].float().cpu().numpy())
                    sample.set_field(one, 'pred_attention', dtype=PixelData)
                samples.append(sample)
        return samples


def load_network(checkpoint: str | Path, config: Config) -> LoadedNetwork:
    """Build the network of a checkpoint for the test pictures of a config.

    Args:
        checkpoint: File of a training run.
        config: With a ``test_dataloader``; not changed.

    Raises:
        MissingFileError: No such checkpoint, or the pictures are not there.
        UnsafeFileError: The checkpoint is damaged.
        ConfigError: No test pictures, or neither checkpoint nor config names a network.
    """
    if not config.get('test_dataloader'):
        raise ConfigError('a comparison needs a config with a test_dataloader')
    cfg = copy.deepcopy(config)
    content = compat.load_from_local(str(checkpoint), map_location='cpu')
    if not take_network(cfg, content):
        raise ConfigError(f'{checkpoint} does not name its network, and neither does the config')
    fit_test(cfg, branches=('rgb',))
    model = MODELS.build(cfg.model)
    load_weights(model, content, source=str(checkpoint))
    return LoadedNetwork(model.eval(), DATASETS.build(dict(cfg.test_dataloader.dataset)), cfg)


def second_pass_attention(model: Any, rgb: Tensor) -> Tensor | None:
    """Attention of the depth stem over pictures without a depth map: it sees the predicted one.

    Args:
        model: An estimator in eval mode.
        rgb: ``(B, 3, H, W)`` normalised.

    Returns:
        ``(B, 1, h, w)`` with spatial mean 1; None where the network has no depth encoder.
    """
    if 'depth' not in model.branches:
        return None
    first = model.extract({'rgb': rgb})['rgb']
    clean = bool(getattr(getattr(model, 'settings', None), 'clean_depth', False))
    depth = depth_input(first, rgb.shape[-2:], clean=clean)
    return model.backbone.encode(rgb, depth).attention[0]
