"""Measurements by method and target: means and deviations over seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdualhand.errors import DataError

SOURCE = 'rhd'
TARGET_TITLES = {
    'stb': 'STB', 'freihand': 'FreiHAND', 'h3d': 'H3D', 'mvhand': 'MVHand', 'ge_real': 'Ge et al., real',
    'rhd': 'RHD (source)',
}  # fmt: skip
"""Benchmarks in the order in which they are shown; others follow by their own name."""
REAL = 'ge_real'
STAGES = ('baseline', 'pretrain', 'finetune')
METHOD_TITLES = {
    'baseline': 'Baseline',
    'pretrain': 'Pre-trained',
    'finetune': 'Fine-tuned',
    'source_only': 'Stage 2 without target pictures',
    'equal_compute': 'Baseline, equal compute',
    'one_pass': 'Stage 2 with one pass',
}
"""Methods in the order in which they are shown; others follow by their own name."""
_NEEDED = ('training', 'seed', 'benchmark', 'metrics')
_KINDS = ('finetune_', 'pretrain_')


@dataclass(frozen=True)
class Statistic:
    """A number over seeds.

    Attributes:
        values: One a seed, seeds in their order; NaN where a seed has none.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean; NaN where one of them is."""
        return float(np.mean(self.values))

    @property
    def deviation(self) -> float | None:
        """Standard deviation (of a sample: n - 1); None for a single seed."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else None

    @property
    def known(self) -> bool:
        """Whether it is a number."""
        return math.isfinite(self.mean)


@dataclass(frozen=True)
class Cell:
    """One measurement.

    Attributes:
        training: Name of the training.
        method: That name without the target that it was made for.
        own: The target it was made for, or None.
        seed: Seed of the training.
        target: What it was measured on.
        reestimated: Whether batch normalisation was fitted to the target's train pictures.
        root_depth: ``'given'`` or ``'solve'``.
        metrics: Name to value, NaN where it is not known.
        thresholds: Of the 3D PCK curve, mm; empty where there is none.
        shares: Share of joints within each.
    """

    training: str
    method: str
    own: str | None
    seed: int
    target: str
    reestimated: bool
    root_depth: str
    metrics: Mapping[str, float]
    thresholds: tuple[float, ...]
    shares: tuple[float, ...]


def target_of(benchmark: str) -> str:
    """What a benchmark measures: ``small/finetune_stb`` and ``benchmarks/stb`` are both ``stb``."""
    name = benchmark.rsplit('/', 1)[-1]
    for kind in _KINDS:
        name = name.removeprefix(kind)
    return name


def split_training(training: str, targets: Iterable[str]) -> tuple[str, str | None]:
    """``finetune_stb`` is the method ``finetune`` for ``stb``; ``baseline`` is for no target."""
    own = next((target for target in sorted(targets) if training.endswith(f'_{target}')), None)
    return (training, None) if own is None else (training.removesuffix(f'_{own}'), own)


def target_title(name: str) -> str:
    """Name of a target for readers."""
    return TARGET_TITLES.get(name, name)


def method_title(name: str) -> str:
    """Name of a method for readers."""
    return METHOD_TITLES.get(name, name.replace('_', ' '))


def training_title(training: str) -> str:
    """Name of a training for readers: ``Fine-tuned, STB``; a name that is none of ours stays as it is."""
    method, own = split_training(training, set(TARGET_TITLES) - {SOURCE})
    if method not in METHOD_TITLES:
        return training
    return METHOD_TITLES[method] if own is None else f'{METHOD_TITLES[method]}, {TARGET_TITLES[own]}'


def read_cells(records: Iterable[Mapping[str, Any]]) -> list[Cell]:
    """Read measurements; of two of the same kind the later one counts.

    Raises:
        DataError: A record lacks a key.
    """
    records = list(records)
    for number, record in enumerate(records):
        missing = [key for key in _NEEDED if key not in record]
        if missing:
            raise DataError(f'measurement {number} of the report lacks {missing}; it has {sorted(record)}')
    targets = {target_of(record['benchmark']) for record in records} | set(TARGET_TITLES)
    cells = {}
    for record in records:
        cell = _cell(record, targets - {SOURCE})
        cells[cell.training, cell.seed, cell.target, cell.reestimated, cell.root_depth] = cell
    return list(cells.values())


def _cell(record: Mapping[str, Any], targets: Iterable[str]) -> Cell:
    training = str(record['training']).rsplit('/', 1)[-1]
    method, own = split_training(training, targets)
    curve = record.get('curve3d') or {}
    return Cell(
        training=training,
        method=method,
        own=own,
        seed=int(record['seed']),
        target=target_of(record['benchmark']),
        reestimated=bool(record.get('reestimate_bn', False)),
        root_depth=str(record.get('root_depth') or 'given'),
        metrics={key: _number(value) for key, value in record['metrics'].items()},
        thresholds=tuple(curve.get('thresholds_mm', ())),
        shares=tuple(_number(value) for value in curve.get('pck', ())),
    )


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


class Results:
    """All measurements of a report.

    Args:
        records: Cells as in ``ReportContent.cells``.

    Raises:
        DataError: A record lacks a key.
    """

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self.cells = read_cells(records)

    @property
    def benchmarks(self) -> list[str]:
        """What was measured on, the targets first."""
        return _ordered({cell.target for cell in self.cells}, TARGET_TITLES)

    @property
    def targets(self) -> list[str]:
        """Benchmarks without the source."""
        return [name for name in self.benchmarks if name != SOURCE]

    @property
    def methods(self) -> list[str]:
        """Methods that were measured."""
        return _ordered({cell.method for cell in self.cells}, METHOD_TITLES)

    @property
    def trainings(self) -> list[str]:
        """Trainings that were measured, by method and target."""
        methods, places = self.methods, ['', *_ordered({c.own for c in self.cells if c.own}, TARGET_TITLES)]
        key = {c.training: (methods.index(c.method), places.index(c.own or '')) for c in self.cells}
        return sorted(key, key=key.__getitem__)

    @property
    def seeds(self) -> list[int]:
        """Seeds of the trainings."""
        return sorted({cell.seed for cell in self.cells})

    def select(
        self, method: str, target: str, *, reestimated: bool = False, root_depth: str = 'given'
    ) -> list[Cell]:
        """What was measured of a method on a benchmark.

        A training made for a target counts on that target and on the source.
        """
        return [
            cell
            for cell in self.cells
            if (cell.method, cell.target) == (method, target)
            and cell.own in (None, target, *([cell.own] if target == SOURCE else ()))
            and (cell.reestimated, cell.root_depth) == (reestimated, root_depth)
        ]

    def value(
        self, method: str, target: str, metric: str, *, reestimated: bool = False, root_depth: str = 'given'
    ) -> Statistic | None:
        """A metric of a method on a benchmark; on the source the mean of its trainings.

        Returns:
            A value a seed; None where nothing was measured.
        """
        cells = self.select(method, target, reestimated=reestimated, root_depth=root_depth)
        return _over_seeds([(cell.seed, cell.metrics.get(metric, math.nan)) for cell in cells])

    def mean_of_targets(self, method: str, metric: str, *, reestimated: bool = False) -> Statistic | None:
        """Mean over the rendered targets, seed by seed; None where one is missing or there are not two."""
        targets = [name for name in self.targets if name != REAL]
        found = [self.value(method, target, metric, reestimated=reestimated) for target in targets]
        if len(found) < 2 or any(one is None or len(one.values) != len(self.seeds) for one in found):
            return None
        rows = [one.values for one in found if one is not None]
        return Statistic(tuple(float(np.mean(column)) for column in zip(*rows, strict=True)))

    def of_training(self, training: str, target: str, metric: str) -> Statistic | None:
        """A metric of one training on a benchmark, its own target or not."""
        chosen = [
            cell
            for cell in self.cells
            if (cell.training, cell.target) == (training, target)
            and not cell.reestimated
            and cell.root_depth == 'given'
        ]
        return _over_seeds([(cell.seed, cell.metrics.get(metric, math.nan)) for cell in chosen])


def _over_seeds(pairs: Sequence[tuple[int, float]]) -> Statistic | None:
    """Mean of the values of each seed."""
    if not pairs:
        return None
    seeds = sorted({seed for seed, _ in pairs})
    return Statistic(tuple(float(np.mean([v for s, v in pairs if s == seed])) for seed in seeds))


def _ordered(names: Iterable[str], known: Iterable[str]) -> list[str]:
    order = list(known)
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))
