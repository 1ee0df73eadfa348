"""What an experiment consists of: trainings, each of which may start from another, and measurements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mmdualhand.errors import ConfigError

_NAME = re.compile(r'[A-Za-z0-9_.+]+')


@dataclass(frozen=True)
class Training:
    """One network to train.

    Attributes:
        name: Short name; together with the seed it names folders and files.
        config: Name of a shipped config, or a file.
        seed: Seed of weights, order, augmentation.
        options: Overrides of config values, (dotted key, value) pairs.
        start: The training whose last checkpoint this one starts from.
        best_on: Benchmark on whose images the best checkpoint is chosen; the last
            checkpoint counts where empty. See ``selection``.

    Raises:
        ConfigError: A name that is no file name, or a start of another seed.
    """

    name: str
    config: str
    seed: int = 0
    options: tuple[tuple[str, Any], ...] = ()
    start: Training | None = None
    best_on: str = ''

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(f'a training is named with letters, digits, "_", "." and "+": {self.name!r}')
        if self.start is not None and self.start.seed != self.seed:
            raise ConfigError(
                f'{self.name} of seed {self.seed} starts from {self.start.name} of seed {self.start.seed}'
            )

    @property
    def key(self) -> str:
        """Name of its folder."""
        return f'{self.name}_s{self.seed}'

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Training:
        """Rebuild from what ``dataclasses.asdict`` gave, also after a trip through JSON."""
        start = plain['start']
        return cls(
            plain['name'],
            plain['config'],
            plain['seed'],
            tuple((key, _tuples(value)) for key, value in plain['options']),
            None if start is None else cls.from_plain(start),
            plain.get('best_on', ''),
        )


@dataclass(frozen=True)
class Measurement:
    """One trained network on one benchmark.

    Attributes:
        training: Whose last checkpoint is measured.
        benchmark: Name or file of a config with a ``test_dataloader``.
        branches: Branches to measure; others than ``rgb`` need depth maps.
        root_depth: ``'given'`` by the data, or ``'solve'`` from the predicted palm.
        reestimate_bn: Re-estimate the statistics of batch normalisation on the
            benchmark's unlabelled train images first, and nothing else.
    """

    training: Training
    benchmark: str
    branches: tuple[str, ...] = ('rgb',)
    root_depth: str = 'given'
    reestimate_bn: bool = False

    @property
    def file_name(self) -> str:
        """Name of its file, such as ``pretrain_s0--small_finetune_stb--bn.json``."""
        place = self.benchmark.removesuffix('.py')
        place = Path(place).stem if Path(self.benchmark).is_absolute() else place.replace('/', '_')
        parts = [self.training.key, place]
        if len(self.branches) > 1:
            parts.append('-'.join(self.branches))
        if self.reestimate_bn:
            parts.append('bn')
        if self.root_depth != 'given':
            parts.append(self.root_depth)
        return f'{"--".join(parts)}.json'

    def to_plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Measurement:
        """Rebuild from :meth:`to_plain`, also after a trip through JSON."""
        rest = {key: value for key, value in plain.items() if key not in ('training', 'branches')}
        return cls(Training.from_plain(plain['training']), branches=tuple(plain['branches']), **rest)


def with_options(
    measurements: Iterable[Measurement], options: tuple[tuple[str, Any], ...]
) -> list[Measurement]:
    """The same measurements of trainings that all, their starts too, have further overrides."""

    def changed(training: Training) -> Training:
        start = None if training.start is None else changed(training.start)
        return replace(training, options=(*training.options, *options), start=start)

    return [replace(one, training=changed(one.training)) for one in measurements]


def check_names(measurements: Iterable[Measurement]) -> None:
    """Refuse two different things of one name: they would share a folder or a file.

    Raises:
        ConfigError: There are such.
    """
    trainings: dict[str, Training] = {}
    files: dict[str, Measurement] = {}
    for one in measurements:
        training: Training | None = one.training
        while training is not None:
            if trainings.setdefault(training.key, training) != training:
                raise ConfigError(f'two different trainings are named {training.name} (seed {training.seed})')
            training = training.start
        if files.setdefault(one.file_name, one) != one:
            raise ConfigError(f'two different measurements would be written to {one.file_name}')


def _tuples(value: Any) -> Any:
    """Lists as tuples, as configs write them."""
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value
