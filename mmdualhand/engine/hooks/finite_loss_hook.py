"""Stops a run whose loss is no longer a number."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmdualhand.errors import TrainingDivergedError
from mmdualhand.registry import HOOKS


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Checks the total loss now and then; looking costs a wait for the device, so not at every step.

    Args:
        interval: Iterations between two looks.
    """

    priority = 'VERY_LOW'

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, torch.Tensor] | None = None,
    ) -> None:
        """Look at the loss.

        Raises:
            TrainingDivergedError: It is infinite or not a number.
        """
        if outputs is None or not self.every_n_train_iters(runner, self.interval):
            return
        if not torch.isfinite(outputs['loss']).all():
            wrong = [key for key, value in outputs.items() if not torch.isfinite(value).all()]
            raise TrainingDivergedError(
                f'the loss is not finite at epoch {runner.epoch + 1}, iteration {batch_idx + 1} '
                f'({", ".join(wrong)}): lower optim_wrapper.optimizer.lr, clip gradients with '
                'optim_wrapper.clip_grad="dict(max_norm=50)", or look for broken labels with browse-dataset'
            )
