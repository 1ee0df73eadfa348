"""Epochs of a given number of steps, whatever the size of the dataset.

Some published schedules count epochs that are no passes over the data (RegDA: 500 batches each). Stage 1::

    train_dataloader = dict(batch_size=32, dataset=dict(type='RHDDataset', ...))
    train_cfg = dict(type='FixedEpochTrainLoop', max_epochs=70, epoch_length=500)

In stage 2 ``StreamTrainLoop`` takes the same ``epoch_length``.

Passes over the data follow each other as without it, each in a new order and with new random numbers, and an
epoch is the next ``epoch_length`` batches of this row. What it sees follows from the seed and its number: a
resumed run goes on as the undisturbed one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmdualhand.engine.numbered_batches import NumberedBatches
from mmdualhand.engine.told_epochs import TellingTrainLoop, ToldLoader, epoch_steps
from mmdualhand.errors import ConfigError
from mmdualhand.registry import LOOPS


class FixedEpochLoader(ToldLoader):
    """What the Runner takes for a DataLoader; one pass gives ``epoch_length`` batches.

    Args:
        loader: Its settings and dataset are used; it is not iterated.
        epoch_length: Steps of an epoch, or ``'whole'`` for as many as a pass takes without ``real_fraction``.
        seed: Seed of the run, until :meth:`set_epoch` tells another.

    Raises:
        ConfigError: A length without meaning, see
            :func:`~mmdualhand.engine.told_epochs.epoch_steps`; or a loader that gives no batch,
            has no end, or has an order that cannot be repeated.
    """

    def __init__(self, loader: DataLoader, epoch_length: int | str, seed: int = 0) -> None:
        super().__init__(seed)
        self.loader = loader
        self.epoch_length = epoch_steps(epoch_length, loader)
        self._batches = NumberedBatches(loader, 'train_dataloader')

    def __len__(self) -> int:
        return self.epoch_length

    def __iter__(self) -> Iterator[Any]:
        return self._batches.batches(self._epoch * self.epoch_length, self.epoch_length, self._seed)

    @property
    def batch_size(self) -> int | None:
        """Rows of a step of one process."""
        return self.loader.batch_size

    @property
    def dataset(self) -> Any:
        """The dataset, where the Runner and its hooks look for it."""
        return self.loader.dataset


@LOOPS.register_module()
class FixedEpochTrainLoop(TellingTrainLoop):
    """mmengine's epoch loop with epochs of ``epoch_length`` steps over an ordinary dataloader.

    Args:
        runner: The Runner.
        dataloader: ``train_dataloader``, without streams, or a DataLoader.
        epoch_length: Steps of an epoch, or ``'whole'`` for as many as a pass takes without ``real_fraction``.
        kwargs: ``max_epochs``, ``val_begin``, ``val_interval`` and
            ``dynamic_intervals`` of mmengine's ``EpochBasedTrainLoop``.

    Raises:
        ConfigError: See :class:`FixedEpochLoader`; or the dataloader has streams.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | Mapping[str, Any],
        epoch_length: int | str,
        **kwargs: Any,
    ) -> None:
        loader = FixedEpochLoader(_build(runner, dataloader), epoch_length, runner.seed)
        super().__init__(runner, loader, **kwargs)


def _build(runner: Runner, config: DataLoader | Mapping[str, Any]) -> DataLoader:
    if isinstance(config, Mapping) and 'streams' in config:
        raise ConfigError(
            'FixedEpochTrainLoop takes an ordinary train_dataloader; one with streams needs '
            "train_cfg=dict(type='StreamTrainLoop', epoch_length=...)"
        )
    different = runner._randomness_cfg.get('diff_rank_seed', False)
    return Runner.build_dataloader(config, seed=runner.seed, diff_rank_seed=different)
