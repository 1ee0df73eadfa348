"""Fits the circles of SemiHand's silhouette to the source before training."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor

from mmdualhand.engine.labels.batches import clean_batches
from mmdualhand.engine.labels.target_data import clean_config, find_stream
from mmdualhand.errors import ConfigError
from mmdualhand.models import SilhouetteCircleLoss
from mmdualhand.registry import DATASETS, HOOKS


@HOOKS.register_module()
class CircleRadiiHook(Hook):
    """Fits the radii of a ``SilhouetteCircleLoss`` to labelled images of the source, once.

    The fitted radii are part of the checkpoint, so a resumed run keeps them.

    Args:
        samples: Hands that are read, without augmentation.
        steps: Steps of Adam.
        batch_size: Hands a step.
        lr: Learning rate.
        mask_size: Side of the masks, px.
        stream: Name of the stream of labelled images.
        num_workers: Processes that read.

    Raises:
        ConfigError: A number below 1.
    """

    def __init__(
        self,
        samples: int = 1000,
        steps: int = 300,
        batch_size: int = 16,
        lr: float = 3e-3,
        mask_size: int = 32,
        stream: str = 'source',
        num_workers: int = 0,
    ) -> None:
        if min(samples, steps, mask_size) < 1 or batch_size < 2 or not lr > 0:
            raise ConfigError(
                'CircleRadiiHook needs samples, steps, mask_size and lr above 0 and at least two hands a '
                'batch'
            )
        self.samples, self.steps, self.batch_size, self.lr = samples, steps, batch_size, lr
        self.mask_size, self.stream, self.num_workers = mask_size, stream, num_workers

    def before_train(self, runner: Runner) -> None:
        """Fit what is not fitted yet.

        Raises:
            ConfigError: The model has no ``SilhouetteCircleLoss``, or the stream no masks.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        losses = [part for part in model.modules() if isinstance(part, SilhouetteCircleLoss)]
        if not losses:
            raise ConfigError('CircleRadiiHook fits a SilhouetteCircleLoss, and the model has none')
        if all(bool(loss.fitted) for loss in losses):
            return
        uv, mask = self._labels(runner, model)
        for loss in losses:
            energies = loss.fit(uv, mask, self.steps, self.batch_size, self.lr)
            last = energies[-max(1, self.steps // 10) :]
            print_log(
                f'circles fitted to {len(uv)} hands of the source: energy {energies[0]:.3g} to '
                f'{sum(last) / len(last):.3g}',
                logger='current',
            )

    def _labels(self, runner: Runner, model: Any) -> tuple[Tensor, Tensor]:
        """2D joints ``(N, 21, 2)`` on the 64-grid and masks ``(N, 1, h, w)``."""
        find_stream(runner, self.stream)
        dataset = DATASETS.build(clean_config(runner, self.stream))
        count = min(self.samples, len(dataset))
        rows = np.random.default_rng(0).permutation(len(dataset))[:count].tolist()
        poses, masks = [], []
        for batch in clean_batches(dataset, rows, self.batch_size, self.num_workers):
            targets = model.data_preprocessor({self.stream: batch}, training=False)[self.stream]['targets']
            missing = [key for key in ('pose25d', 'mask') if key not in targets]
            if missing:
                raise ConfigError(
                    f'CircleRadiiHook needs {missing} of the stream {self.stream!r}, which its dataset or '
                    'pipeline does not give'
                )
            poses.append(targets['pose25d'][..., :2])
            masks.append((F.adaptive_avg_pool2d(targets['mask'], self.mask_size) >= 0.5).float())
        return torch.cat(poses), torch.cat(masks)
