"""A DataLoader seen as an endless row of numbered batches, any of which can be asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from torch.utils.data import DataLoader, IterableDataset, SequentialSampler

from mmdualhand.errors import ConfigError


class NumberedBatches:
    """Batch n is batch ``n % len`` of pass ``n // len``.

    Order and random numbers of a pass follow from its number and the seed: the
    sampler and the dataset are told both by their ``set_epoch``. The loader may be
    entered at any batch, without reading those before. What a DataLoader draws
    from torch's generator comes from one of its own here, or a resumed run would
    draw other numbers than an undisturbed one.

    Args:
        loader: Its settings are used; it is not iterated itself.
        place: Where it stands in the config, for messages.

    Raises:
        ConfigError: It gives no batch, has no end, has an order that cannot be
            repeated, or gives every process the same rows.
    """

    def __init__(self, loader: DataLoader, place: str) -> None:
        self._samplers = _order(loader, place)
        _check_rows(loader, place)
        self._dataset = loader.dataset
        self._window = _Window(loader.batch_sampler, place)
        self._generator = torch.Generator()
        self._reader = _reader(loader, self._window, self._generator)

    def __len__(self) -> int:
        return self._window.total

    def batches(self, first: int, count: int, seed: int) -> Iterator[Any]:
        """Some consecutive batches, of one pass or several.

        Args:
            first: Number of the first batch.
            count: How many.
            seed: Seed of the stream.

        Returns:
            An iterator; workers are reading already when it is returned, and read
            nothing behind the last batch. One may be in use at a time.
        """
        return self._go_on(self._open(first, count, seed), first, count, seed)

    def _go_on(self, opened: tuple[Iterator[Any], int], first: int, count: int, seed: int) -> Iterator[Any]:
        while True:
            batches, given = opened
            yield from batches
            first, count = first + given, count - given
            if count <= 0:
                return
            opened = self._open(first, count, seed)

    def _open(self, first: int, count: int, seed: int) -> tuple[Iterator[Any], int]:
        """As much of what is asked for as lies in one pass, and how many batches that is."""
        number, start = divmod(first, len(self))
        self._window.start, self._window.stop = start, min(start + count, len(self))
        for sampler in self._samplers:
            if hasattr(sampler, 'set_epoch'):
                sampler.set_epoch(number)
        _set_epoch(self._dataset, number, seed)
        self._generator.manual_seed(seed + number)
        return iter(self._reader), len(self._window)


class _Window:
    """Batches ``start`` to ``stop`` of a pass, as a batch sampler: only those are read."""

    def __init__(self, batches: Any, place: str) -> None:
        self._batches, self._place = batches, place
        self.start, self.stop, self.total = 0, len(batches), len(batches)

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[list[int]]:
        return self._between(self.start, self.stop)

    def _between(self, start: int, stop: int) -> Iterator[list[int]]:
        given, count = iter(self._batches), 0
        for batch in islice(given, start, stop):
            count += 1
            yield batch
        more = stop == self.total and next(given, None) is not None
        if more or count < stop - start:
            raise ConfigError(
                f'{self._place}: its sampler gives {"more" if more else "fewer"} batches than the '
                f'{self.total} of its length; an endless sampler has no passes, use DefaultSampler'
            )


def _reader(loader: DataLoader, window: _Window, generator: torch.Generator) -> DataLoader:
    """A DataLoader with the settings of another that reads only the window."""
    workers: dict[str, Any] = {}
    if loader.num_workers:
        workers = dict(
            prefetch_factor=loader.prefetch_factor,
            persistent_workers=loader.persistent_workers,
            multiprocessing_context=loader.multiprocessing_context,
        )
    return DataLoader(
        loader.dataset,
        batch_sampler=window,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        generator=generator,
        **workers,
    )


def _set_epoch(dataset: Any, number: int, seed: int) -> None:
    """Tell a dataset, or those that it is made of, the pass and the seed."""
    if hasattr(dataset, 'set_epoch'):
        dataset.set_epoch(number, seed=seed)
        return
    for inner in (*getattr(dataset, 'datasets', ()), getattr(dataset, 'dataset', None)):
        if inner is not None:
            _set_epoch(inner, number, seed)


def _order(loader: DataLoader, place: str) -> list[Any]:
    """The samplers that decide about the order, batch sampler first.

    Raises:
        ConfigError: There is no end, or the order cannot be repeated.
    """
    if isinstance(loader.dataset, IterableDataset) or loader.batch_sampler is None:
        raise ConfigError(f'{place}: a stream needs a dataset of known length and a batch_size')
    samplers = [loader.batch_sampler, getattr(loader.batch_sampler, 'sampler', loader.sampler)]
    if any(isinstance(sampler, InfiniteSampler) for sampler in samplers):
        raise ConfigError(
            f'{place}: InfiniteSampler has no passes; use DefaultSampler, streams go round by themselves'
        )
    if not any(hasattr(one, 'set_epoch') or isinstance(one, SequentialSampler) for one in samplers):
        raise ConfigError(
            f'{place}: the order of {type(samplers[-1]).__name__} cannot be repeated after a resume, for it '
            "has no set_epoch; use sampler=dict(type='DefaultSampler', shuffle=True)"
        )
    return samplers


def _check_rows(loader: DataLoader, place: str) -> None:
    plain = loader.batch_size is not None  # no batch sampler of its own, which may know the ranks
    rows, world = len(loader.sampler), get_world_size()  # type: ignore[arg-type]
    if plain and world > 1 and rows == len(loader.dataset) > 1:  # type: ignore[arg-type]
        raise ConfigError(
            f'{place}: {type(loader.sampler).__name__} gives all {rows} rows to each of the {world} '
            'processes; use DefaultSampler'
        )
    if len(loader) == 0:
        raise ConfigError(
            f'{place} gives no batch: {rows} rows are fewer than batch_size={loader.batch_size}, and '
            f'drop_last leaves nothing; use {place}.batch_size={max(rows, 1)} or less'
        )
