"""What loaders have in common whose epochs follow from seed and number, and the loop that tells them both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from mmengine.runner import EpochBasedTrainLoop

from mmdualhand.errors import ConfigError


def check_epoch_length(value: Any) -> int:
    """``train_cfg.epoch_length`` as it is given.

    Raises:
        ConfigError: It is no positive whole number.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f'train_cfg.epoch_length must be a number of steps, 1 or more, got {value!r}')
    return value


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
