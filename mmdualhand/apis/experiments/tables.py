"""Tables of results: means and spreads over seeds, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation (n - 1) of one value over the seeds.

    Attributes:
        mean: Mean; NaN where one of the values is no number.
        std: Standard deviation; 0 of one value.
        number: How many values.
    """

    mean: float
    std: float
    number: int


def spread(values: Iterable[float | None]) -> Spread | None:
    """Mean and standard deviation of the values that are there (not None); None where none is."""
    found = np.array([value for value in values if value is not None], np.float64)
    if not len(found):
        return None
    if not np.isfinite(found).all():
        return Spread(math.nan, math.nan, len(found))
    return Spread(float(found.mean()), float(found.std(ddof=1)) if len(found) > 1 else 0.0, len(found))


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: Short name, for the CSV.
        title: What is in it, with units: the line above it.
        columns: Heads of the columns after the first.
        rows: Head of each row, and its values; None where there is nothing.
        digits: Digits after the point.
        seeds: Seeds in all; a value of fewer says of how many.
        legend: What comes below it.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Spread | None, ...]], ...]
    digits: int = 2
    seeds: int = 1
    legend: str = ''


def markdown_text(table: Table) -> str:
    """A table as Markdown between its title and its legend.

    A value is ``mean +- std`` where there are several seeds, with ``(n=...)`` where these
    are fewer than the table's, ``n/a`` where one of them is no number, ``-`` where there is none.
    """
    lines = [table.title, '', f'| | {" | ".join(table.columns)} |', f'|---|{"---|" * len(table.columns)}']
    for head, values in table.rows:
        lines.append(f'| {head} | {" | ".join(_cell(value, table) for value in values)} |')
    return '\n'.join([*lines, *(['', table.legend] if table.legend else [])])


def _cell(value: Spread | None, table: Table) -> str:
    if value is None:
        return '-'
    text = 'n/a' if math.isnan(value.mean) else f'{value.mean:.{table.digits}f}'
    if value.number > 1 and not math.isnan(value.mean):
        text += f' +- {value.std:.{table.digits}f}'
    return text if value.number >= table.seeds else f'{text} (n={value.number})'


def csv_text(tables: Sequence[Table]) -> str:
    """Tables as CSV, a line a value: table, row, column, mean, std, seeds."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(['table', 'row', 'column', 'mean', 'std', 'seeds'])
    for table in tables:
        for head, values in table.rows:
            for column, value in zip(table.columns, values, strict=True):
                if value is not None:
                    numbers = [f'{value.mean:.6g}', f'{value.std:.6g}', value.number]
                    writer.writerow([table.name, head, column, *numbers])
    return out.getvalue()
