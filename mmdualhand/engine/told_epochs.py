"""What loaders have in common whose epochs follow from seed and number, and the loop that tells them both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from mmengine.dist import get_world_size
from mmengine.runner import EpochBasedTrainLoop
from torch.utils.data import DataLoader

from mmdualhand.errors import ConfigError

WHOLE = 'whole'
"""``train_cfg.epoch_length`` of as many steps as a pass takes without the dataset's ``real_fraction``."""


def epoch_steps(value: int | str, loader: DataLoader) -> int:
    """Steps of an epoch by ``train_cfg.epoch_length``.

    Args:
        value: A number of steps, or :data:`WHOLE`: trainings on different shares of a dataset
            then have the same steps, learning rates and epochs.
        loader: What gives the batches.

    Raises:
        ConfigError: It is neither; or, for :data:`WHOLE`, the loader has no batch size, or the
            dataset has no ``whole_length``.
    """
    if value == WHOLE:
        return _steps_of_whole(loader)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(
            f"train_cfg.epoch_length must be a number of steps, 1 or more, or '{WHOLE}', got {value!r}"
        )
    return value


def _steps_of_whole(loader: DataLoader) -> int:
    samples, rows = getattr(loader.dataset, 'whole_length', None), loader.batch_size
    if samples is None or rows is None:
        lacks = 'batch size' if rows is None else f'whole_length ({type(loader.dataset).__name__})'
        raise ConfigError(
            f"train_cfg.epoch_length='{WHOLE}' needs a dataloader with a batch size over a dataset that "
            f'says how long it is without real_fraction; there is no {lacks}: give a number of steps'
        )
    here = -(-samples // get_world_size())
    steps = here // rows if loader.drop_last else -(-here // rows)
    if not steps:
        raise ConfigError(
            f"train_cfg.epoch_length='{WHOLE}': {here} samples do not fill a batch of {rows}; "
            'take a smaller batch_size, or drop_last=False'
        )
    return int(steps)


class ToldLoader(ABC):
    """What the Runner takes for a DataLoader; the next pass is the epoch that it was told.

    Args:
        seed: Seed of the run, until :meth:`set_epoch` tells another.
    """

    def __init__(self, seed: int = 0) -> None:
        self._epoch, self._seed = 0, seed

    @abstractmethod
    def __len__(self) -> int:
        """Steps of an epoch."""

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        """The batches of the epoch."""

    def set_epoch(self, epoch: int, seed: int | None = None) -> None:
        """Choose the epoch that the next pass gives.

        Args:
            epoch: Number of the epoch, from 0.
            seed: Seed of the run; unchanged where None.
        """
        self._epoch = epoch
        self._seed = self._seed if seed is None else seed

    @property
    def sampler(self) -> ToldLoader:
        """Has ``set_epoch``, which is all that hooks want of a sampler."""
        return self


class TellingTrainLoop(EpochBasedTrainLoop):
    """mmengine's epoch loop; every epoch its :class:`ToldLoader` is told number and seed."""

    dataloader: ToldLoader

    def run_epoch(self) -> None:
        """Train one epoch, its batches placed by its number."""
        self.dataloader.set_epoch(self._epoch, self.runner.seed)
        super().run_epoch()
