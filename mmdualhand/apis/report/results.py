"""Measurements by method and target, with names for readers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from mmdualhand.apis.experiments.results import REAL, SOURCE, Cell, CellIndex, Statistic, split_training

TARGET_TITLES = {
    'stb': 'STB', 'freihand': 'FreiHAND', 'h3d': 'H3D', 'mvhand': 'MVHand', 'ge_real': 'Ge et al., real',
    'rhd': 'RHD (source)',
}  # fmt: skip
"""Benchmarks in the order in which they are shown; others follow by their own name."""
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


class Results(CellIndex):
    """All measurements of a report.

    Args:
        records: Cells as in ``ReportContent.cells``.

    Raises:
        DataError: A record lacks a key.
    """

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
