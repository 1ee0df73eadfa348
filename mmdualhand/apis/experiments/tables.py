"""Tables of results: means and spreads over seeds, as Markdown, CSV and LaTeX."""

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
        number: How many values; 0 of a number that is quoted and was not measured here.
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


def quoted(value: float | None) -> Spread | None:
    """A number of somebody else's, to stand beside measured ones."""
    return None if value is None else Spread(value, math.nan, 0)


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
        percent: Heads of the rows whose values are percentages.
        best: ``'min'`` or ``'max'``: the best value of a column is bold; empty for none.
        competing: Heads of the rows that it is the best of.
        unit: What the values are, for the axis of a picture.
        groups: Words above columns, and how many columns each is above; empty for none.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Spread | None, ...]], ...]
    digits: int = 2
    seeds: int = 1
    legend: str = ''
    percent: tuple[str, ...] = ()
    best: str = ''
    competing: tuple[str, ...] = ()
    unit: str = ''
    groups: tuple[tuple[str, int], ...] = ()

    def text(self, head: str, value: Spread | None) -> str:
        """One value in words: see :func:`markdown_text`."""
        if value is None:
            return '-'
        digits, sign, unit = (1, '+', ' %') if head in self.percent else (self.digits, '', '')
        known = not math.isnan(value.mean)
        text = f'{value.mean:{sign}.{digits}f}' if known else 'n/a'
        if value.number > 1 and known:
            text += f' +- {value.std:.{digits}f}'
        text += unit if known else ''
        return f'{text} (n={value.number})' if 0 < value.number < self.seeds else text

    def is_best(self, head: str, place: int) -> bool:
        """Whether a value is printed like the best of its column; not where nothing competes with it."""
        if not self.best or head not in self.competing:
            return False
        column = {h: values[place] for h, values in self.rows if h in self.competing}
        means = {h: round(v.mean, self.digits) for h, v in column.items() if v and not math.isnan(v.mean)}
        if len(means) < 2 or head not in means:
            return False
        return means[head] == (min if self.best == 'min' else max)(means.values())


def markdown_text(table: Table) -> str:
    """A table as Markdown between its title and its legend.

    A value is ``mean +- std`` where there are several seeds, with ``(n=...)`` where these
    are fewer than the table's, ``n/a`` where one of them is no number, ``-`` where there is none.
    """
    columns = [f'{name} ({group})' if group else name for name, group in _heads(table)]
    lines = [table.title, '', f'| | {" | ".join(columns)} |', f'|---|{"---|" * len(table.columns)}']
    for head, values in table.rows:
        cells = []
        for place, value in enumerate(values):
            text = table.text(head, value)
            cells.append(f'**{text}**' if table.is_best(head, place) else text)
        lines.append(f'| {head} | {" | ".join(cells)} |')
    return '\n'.join([*lines, *(['', table.legend] if table.legend else [])])


def _heads(table: Table) -> list[tuple[str, str]]:
    """Every column's name and the words above it, if any."""
    above = [words for words, number in table.groups for _ in range(number)]
    above += [''] * (len(table.columns) - len(above))
    return list(zip(table.columns, above, strict=True))


def latex_text(tables: Sequence[Table]) -> str:
    """Tables as LaTeX with the package ``booktabs``, each a ``table`` environment."""
    return '\n\n'.join(_latex(table) for table in tables) + '\n'


def _latex(table: Table) -> str:
    lines = [
        r'\begin{table}',
        r'\centering',
        rf'\caption{{{_escaped(" ".join(filter(None, (table.title, table.legend))))}}}',
        rf'\label{{tab:{_label(table.name)}}}',
        rf'\begin{{tabular}}{{l{"r" * len(table.columns)}}}',
        r'\toprule',
    ]
    if table.groups:
        cells = [rf'\multicolumn{{{number}}}{{c}}{{{_escaped(words)}}}' for words, number in table.groups]
        lines.append(f' & {" & ".join(cells)} {_END}')
    lines += [f' & {" & ".join(map(_escaped, table.columns))} {_END}', r'\midrule']
    for head, values in table.rows:
        cells = []
        for place, value in enumerate(values):
            text = _escaped(table.text(head, value))
            cells.append(rf'\textbf{{{text}}}' if table.is_best(head, place) else text)
        lines.append(f'{_escaped(head)} & {" & ".join(cells)} {_END}')
    return '\n'.join([*lines, r'\bottomrule', r'\end{tabular}', r'\end{table}'])


_END = r'\\'
_SPECIAL = {
    '\\': r'\textbackslash{}', '&': r'\&', '%': r'\%', '$': r'\$', '#': r'\#', '_': r'\_', '{': r'\{',
    '}': r'\}', '~': r'\textasciitilde{}', '^': r'\textasciicircum{}', '<': '$<$', '>': '$>$', '`': "'",
}  # fmt: skip


def _escaped(text: str) -> str:
    """A text for LaTeX: its special characters escaped, ``+-`` as a sign."""
    return ''.join(_SPECIAL.get(letter, letter) for letter in text).replace('+-', r'$\pm$')


def _label(name: str) -> str:
    return ''.join(letter if letter.isalnum() else '-' for letter in name)


def csv_text(tables: Sequence[Table]) -> str:
    """Tables as CSV, a line a value: table, row, column, mean, std, seeds."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(['table', 'row', 'column', 'mean', 'std', 'seeds'])
    for table in tables:
        for head, values in table.rows:
            for (column, group), value in zip(_heads(table), values, strict=True):
                if value is not None:
                    numbers = [f'{value.mean:.6g}', f'{value.std:.6g}', value.number]
                    name = f'{column} ({group})' if group else column
                    writer.writerow([table.name, head, name, *numbers])
    return out.getvalue()
