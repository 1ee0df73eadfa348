"""Several named streams of data in one training step.

``train_dataloader`` names them, and ``StreamTrainLoop`` zips them::

    train_dataloader = dict(
        batch_size=20, num_workers=4, driver='target',
        streams=dict(
            source=dict(dataset=dict(type='RHDDataset', ...)),
            target=dict(dataset=dict(type='STBDataset', ...), drop_last=True)))
    train_cfg = dict(type='StreamTrainLoop', max_epochs=6)

Each stream is an ordinary DataLoader; keys that a stream does not give are taken
from the common ones beside ``streams``. An epoch is one pass over the driver, or
``train_cfg.epoch_length`` steps where that is given; the streams go round, each pass
in a new order. The model gets ``{'source': batch, 'target': batch}``.

What a step sees follows from seed, epoch and step alone: batch n of a stream is
batch ``n % length`` of pass ``n // length``, whether the run came there in one go
or was resumed, and nothing is read ahead over the end of an epoch. So no state is
kept in checkpoints, and what a hook changes between two epochs (a bank of
pseudo-labels) is seen by every batch of the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zlib import crc32

from mmengine.dist import all_gather_object
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmdualhand.engine.numbered_batches import NumberedBatches
from mmdualhand.engine.told_epochs import TellingTrainLoop, ToldLoader, epoch_steps
from mmdualhand.errors import ConfigError
from mmdualhand.registry import LOOPS

_PLACE = 'train_dataloader.streams'


def stream_configs(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The DataLoader config of each stream, common keys filled in.

    Args:
        config: ``train_dataloader`` with ``streams`` and ``driver``. A stream
            without ``sampler`` is shuffled by a ``DefaultSampler``; one without
            workers gets none of the keys that need them.

    Returns:
        Stream name to the config of an ordinary DataLoader.

    Raises:
        ConfigError: No streams, no such driver, a stream without dataset, or a dataset
            beside the streams.
    """
    streams = config.get('streams')
    if not isinstance(streams, Mapping) or not streams:
        raise ConfigError(
            'StreamTrainLoop needs train_dataloader=dict(driver=..., streams=dict(source=..., target=...))'
        )
    _check_driver(config.get('driver'), streams)
    if 'dataset' in config:
        names = ', '.join(f'{_PLACE}.{name}.dataset' for name in streams)
        raise ConfigError(
            f'train_dataloader.dataset is read by no stream, each has a dataset of its own: set {names} '
            '(or keys below it, such as data_root)'
        )
    common = {key: value for key, value in config.items() if key not in ('streams', 'driver')}
    merged = {}
    for name, own in streams.items():
        loader = {'sampler': dict(type='DefaultSampler', shuffle=True), **common, **own}
        if not loader.get('dataset'):
            raise ConfigError(f'{_PLACE}.{name} has no dataset')
        if not loader.get('num_workers'):
            for key in ('persistent_workers', 'prefetch_factor', 'multiprocessing_context'):
                loader.pop(key, None)
        merged[str(name)] = loader
    return merged


def stream_seed(seed: int, name: str) -> int:
    """Seed of one stream, so that streams of one length are not shuffled alike.

    Args:
        seed: Seed of the run.
        name: Name of the stream.

    Returns:
        An integer in 0..2**31 - 1.
    """
    return (seed + crc32(name.encode())) % 2**31


class StreamLoader(ToldLoader):
    """What the Runner takes for a DataLoader: one pass gives a batch of every stream a step.

    Args:
        loaders: Stream name to its DataLoader, the same names on every process.
        driver: The stream whose pass is an epoch.
        seed: Seed of the run, until :meth:`set_epoch` tells another.
        epoch_length: Steps of an epoch, or ``'whole'`` for as many as a pass of the driver takes
            without ``real_fraction``; None: a pass of the driver.

    Attributes:
        loaders: As given, for their settings and datasets; they are not iterated.

    Raises:
        ConfigError: No such driver, an epoch without steps; a stream that gives no
            batch, has no end, has an order that cannot be repeated, or gives the
            processes different numbers of batches or the same rows.
    """

    def __init__(
        self,
        loaders: Mapping[str, DataLoader],
        driver: str,
        seed: int = 0,
        epoch_length: int | str | None = None,
    ) -> None:
        super().__init__(seed)
        _check_driver(driver, loaders)
        self.loaders = dict(loaders)
        self.driver = driver
        self.epoch_length = None if epoch_length is None else epoch_steps(epoch_length, loaders[driver])
        self._streams = {
            name: NumberedBatches(loader, f'{_PLACE}.{name}') for name, loader in loaders.items()
        }
        _check_processes({name: len(stream) for name, stream in self._streams.items()})

    def __len__(self) -> int:
        return self.epoch_length or len(self._streams[self.driver])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        steps = len(self)
        parts = {
            name: stream.batches(self._epoch * steps, steps, stream_seed(self._seed, name))
            for name, stream in self._streams.items()
        }
        for batches in zip(*parts.values(), strict=True):
            yield dict(zip(parts, batches, strict=True))

    @property
    def batch_size(self) -> int | None:
        """Rows of the driver in a step of one process."""
        return self.loaders[self.driver].batch_size

    @property
    def dataset(self) -> StreamDatasets:
        """Stands for the datasets where the Runner and its hooks look for one."""
        return StreamDatasets(self)


class StreamDatasets:
    """The datasets of all streams; looks like that of the driver.

    Args:
        loader: The loader whose streams they are.

    Attributes:
        streams: Stream name to dataset.
    """

    def __init__(self, loader: StreamLoader) -> None:
        self._loader = loader
        self.streams: dict[str, Any] = {name: one.dataset for name, one in loader.loaders.items()}

    def __len__(self) -> int:
        return len(self.streams[self._loader.driver])

    @property
    def metainfo(self) -> dict[str, Any]:
        """That of the driver, and under ``streams`` that of every stream."""
        every = {name: dict(getattr(one, 'metainfo', {})) for name, one in self.streams.items()}
        return {**every[self._loader.driver], 'streams': every}

    def set_epoch(self, epoch: int, seed: int | None = None) -> None:
        """Epoch and seed of the run, for all streams; see :meth:`StreamLoader.set_epoch`."""
        self._loader.set_epoch(epoch, seed)


@LOOPS.register_module()
class StreamTrainLoop(TellingTrainLoop):
    """mmengine's epoch loop over named streams.

    Args:
        runner: The Runner.
        dataloader: A :class:`StreamLoader`, or ``train_dataloader`` as the module
            describes it.
        epoch_length: Steps of an epoch, or ``'whole'`` for as many as a pass of the driver takes
            without ``real_fraction``; None: a pass of the driver. A :class:`StreamLoader` that
            is given has its own.
        kwargs: ``max_epochs``, ``val_begin``, ``val_interval`` and
            ``dynamic_intervals`` of mmengine's ``EpochBasedTrainLoop``.

    Raises:
        ConfigError: See :func:`stream_configs` and :class:`StreamLoader`.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: StreamLoader | Mapping[str, Any],
        epoch_length: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(dataloader, StreamLoader):
            dataloader = _build(runner, dataloader, epoch_length)
        super().__init__(runner, dataloader, **kwargs)


def _build(runner: Runner, config: Mapping[str, Any], epoch_length: int | str | None) -> StreamLoader:
    different = runner._randomness_cfg.get('diff_rank_seed', False)
    loaders = {
        name: Runner.build_dataloader(one, seed=stream_seed(runner.seed, name), diff_rank_seed=different)
        for name, one in stream_configs(config).items()
    }
    return StreamLoader(loaders, config['driver'], runner.seed, epoch_length)


def _check_driver(driver: Any, streams: Iterable[str]) -> None:
    names = [str(name) for name in streams]
    if driver not in names:
        raise ConfigError(
            f'train_dataloader.driver must name the stream whose pass is an epoch, one of {names}, '
            f'got {driver!r}'
        )


def _check_processes(lengths: dict[str, int]) -> None:
    everywhere: list[dict[str, int]] = all_gather_object(lengths)
    for name in lengths:
        counts = [other.get(name) for other in everywhere]
        if len(set(counts)) > 1:
            raise ConfigError(
                f'{_PLACE}.{name} gives the processes different numbers of batches, {counts}: they would '
                'wait for each other; use a sampler with round_up=True'
            )
