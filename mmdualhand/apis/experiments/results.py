"""Finished measurements by what they measured: one reading of them for suites, tables and reports."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mmdualhand.apis.experiments.tables import Spread, spread
from mmdualhand.errors import DataError

TARGETS = {'stb': 'STB', 'freihand': 'FreiHAND', 'h3d': 'H3D', 'mvhand': 'MVHand'}
"""The four targets of the paper, in its order, and their names for readers."""
SOURCE = 'rhd'
REAL = 'ge_real'
BENCHMARKS = (*TARGETS, REAL, SOURCE)
"""Names that :func:`target_of` gives for the shipped configs."""
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
        record: The measurement as it was written.
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
    record: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


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
    targets = {target_of(record['benchmark']) for record in records} | set(BENCHMARKS)
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
        record=record,
    )


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


@dataclass(frozen=True)
class Row:
    """One row of a table of targets; ``{}`` in the name of the training is the target.

    Attributes:
        head: What stands before it.
        training: Name of the training, or of one a target.
        reestimate_bn: See ``Measurement``.
        root_depth: See ``Measurement``.
    """

    head: str
    training: str
    reestimate_bn: bool = False
    root_depth: str = 'given'


class CellIndex:
    """Measurements, to be asked for one by one and in rows.

    Args:
        records: Cells as they were written.

    Attributes:
        cells: As :class:`Cell`, in their order.
        seeds: Seeds of the trainings, ascending.

    Raises:
        DataError: A record lacks a key.
    """

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self.cells = read_cells(records)
        self.seeds = sorted({cell.seed for cell in self.cells})
        self._found = {
            (cell.training, cell.seed, cell.target, cell.reestimated, cell.root_depth): cell
            for cell in self.cells
        }

    def find(self, row: Row, seed: int, target: str, training: str | None = None) -> Cell | None:
        """The measurement of a row on a benchmark; ``training`` names another than the row's for it."""
        name = training or row.training.format(target)
        return self._found.get((name, seed, target, row.reestimate_bn, row.root_depth))

    def on_target(self, row: Row, seed: int, target: str, metric: str) -> float | None:
        """Value of a row on a target; None where it was not measured."""
        cell = self.find(row, seed, target)
        return None if cell is None else cell.metrics.get(metric)

    def on_source(self, row: Row, seed: int, metric: str) -> float | None:
        """Value of a row on the source, the mean over its networks where it has one for each target."""
        names = dict.fromkeys(row.training.format(target) for target in TARGETS)
        found = [self.find(row, seed, SOURCE, name) for name in names]
        return mean([None if cell is None else cell.metrics.get(metric) for cell in found])

    def over_targets(self, row: Row, seed: int, metric: str) -> float | None:
        """Mean over the four targets; None where one is missing."""
        return mean([self.on_target(row, seed, target, metric) for target in TARGETS])

    def by_seed(self, row: Row, metric: str) -> tuple[dict[int, float], ...]:
        """Values of a row by seed, for those that have one: on each target, and the mean over them."""
        columns = [{seed: self.on_target(row, seed, t, metric) for seed in self.seeds} for t in TARGETS]
        columns.append({seed: self.over_targets(row, seed, metric) for seed in self.seeds})
        return tuple(
            {seed: value for seed, value in column.items() if value is not None} for column in columns
        )

    def spreads(self, row: Row, metric: str) -> tuple[Spread | None, ...]:
        """Over the seeds: a row on each target, and its mean over them."""
        return tuple(spread(column.values()) for column in self.by_seed(row, metric))


def mean(values: Sequence[float | None]) -> float | None:
    """Mean; None where one is missing or none is there."""
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found and len(found) == len(values) else None
