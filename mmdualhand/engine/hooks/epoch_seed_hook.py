"""Random numbers that depend on seed and epoch alone, so that resuming is exact."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmdualhand.registry import HOOKS

_EPOCH_STRIDE = 1_000_003


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Reseeds at the start of every training epoch.

    Geometry is drawn per sample from (seed, epoch, index), texture on the
    device from torch's generator, reseeded here from (seed, epoch, rank). A
    run resumed at an epoch boundary therefore repeats the undisturbed run, and
    the number of workers does not change the data. The generator is set again
    before the first iteration: a DataLoader draws from it when it starts its
    workers, and persistent ones start only once.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Reseed torch and tell the dataset its epoch."""
        self._seed(runner)
        set_epoch = getattr(runner.train_dataloader.dataset, 'set_epoch', None)
        if set_epoch is not None:
            set_epoch(runner.epoch, seed=runner.seed)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Reseed torch once the workers of the epoch have started."""
        if batch_idx == 0:
            self._seed(runner)

    @staticmethod
    def _seed(runner: Runner) -> None:
        torch.manual_seed((runner.seed + _EPOCH_STRIDE * (runner.epoch + 1) + get_rank()) % 2**63)
