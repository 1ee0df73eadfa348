"""Rows of a table on the seeds that all of them have: what may be compared with each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from mmdualhand.apis.experiments.results import CellIndex, Row
from mmdualhand.apis.experiments.tables import Spread, spread


class SharedSeeds:
    """Rows that are compared, column by column: the four targets, and the mean over them.

    A row without any value in a column is not compared there and takes no seed away.

    Args:
        found: Finished measurements.
        rows: Rows that are compared with each other.
        metric: Name of the metric.

    Attributes:
        seeds: Of every column, the seeds in which all its rows have a value; none where no
            seed is common to them.
    """

    def __init__(self, found: CellIndex, rows: Sequence[Row], metric: str) -> None:
        self._columns = {row: found.by_seed(row, metric) for row in rows}
        self.seeds = tuple(_common(column) for column in zip(*self._columns.values(), strict=True))

    def by_seed(self, row: Row, place: int) -> Mapping[int, float]:
        """All values of a row in a column, by seed, also those of seeds that are not shared.

        Args:
            row: One of the rows.
            place: Number of the column.
        """
        return self._columns[row][place]

    def value(self, row: Row, place: int) -> Spread | None:
        """A row in a column over the shared seeds.

        Args:
            row: One of the rows.
            place: Number of the column.

        Returns:
            Mean and spread, the mean NaN where a seed has no number; None where there is nothing
            to compare.
        """
        column = self._columns[row][place]
        return spread(column[seed] for seed in self.seeds[place] if seed in column)

    def known(self, row: Row, place: int) -> float | None:
        """The mean of :meth:`value` where it is a number, else None."""
        value = self.value(row, place)
        return None if value is None or math.isnan(value.mean) else value.mean

    def fewer(self, names: Sequence[str], wanted: Sequence[int]) -> str:
        """Which seeds the rows share, where these are not all; of the columns with several rows.

        Args:
            names: Of the columns; those after the last name do not count.
            wanted: All seeds.

        Returns:
            Words such as ``'seed 0'`` or ``'STB seed 0; H3D none'``; empty where all are shared.
        """
        several = [
            place
            for place in range(len(names))
            if sum(bool(columns[place]) for columns in self._columns.values()) > 1
        ]
        if all(self.seeds[place] == tuple(wanted) for place in several):
            return ''
        words = {names[place]: seeds_words(self.seeds[place]) for place in several}
        if len(set(words.values())) == 1:
            return next(iter(words.values()))
        return '; '.join(f'{name} {text}' for name, text in words.items())


def _common(columns: Sequence[Mapping[int, float]]) -> tuple[int, ...]:
    """Seeds of all the columns that have any."""
    sets = [set(column) for column in columns if column]
    return tuple(sorted(set.intersection(*sets))) if sets else ()


def seeds_words(seeds: Sequence[int]) -> str:
    """Seeds in short: ``'seed 0'``, ``'seeds 0, 1'``, ``'none'``."""
    if not seeds:
        return 'none'
    return f'seed{"s" if len(seeds) > 1 else ""} {", ".join(map(str, seeds))}'


def over(seeds: Sequence[int]) -> str:
    """What a value is of the seeds, for the title of a table."""
    return f'mean +- standard deviation of the seeds {list(seeds)}' if len(seeds) > 1 else seeds_words(seeds)
