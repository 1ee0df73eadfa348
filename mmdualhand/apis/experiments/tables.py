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
        std: Standard deviation; NaN of one value, which has none.
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
    return Spread(float(found.mean()), float(found.std(ddof=1)) if len(found) > 1 else math.nan, len(found))


def quoted(value: float | None) -> Spread | None:
    """A number of somebody else's, to stand beside measured ones."""
    return None if value is None else Spread(value, math.nan, 0)


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: Short name, for the CSV.
        title: What is in it, with units: the line above it, in LaTeX below it but for its first sentence.
        columns: Heads of the columns after the first.
        rows: Head of each row, and its values; None where there is nothing.
        digits: Digits after the point.
        seeds: Seeds in all; a value of fewer says of how many.
        legend: What comes below it.
        percent: Heads of the rows whose values are percentages.
        best: ``'min'`` or ``'max'``: the best value of a column is bold; empty for none.
        competing: Heads of the rows that it is the best of, and the values that are compared for
            it: over the same seeds, where those of ``rows`` need not be.
        unit: What the values are, for the axis of a picture.
        groups: Words above columns, and how many columns each is above; empty for none.
        short: Title in a few words, the caption in LaTeX and the title of a picture; the first
            sentence of ``title`` where empty.
        metrics: What is measured in each column, one for all of them where it is the same.
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
    competing: tuple[tuple[str, tuple[Spread | None, ...]], ...] = ()
    unit: str = ''
    groups: tuple[tuple[str, int], ...] = ()
    short: str = ''
    metrics: tuple[str, ...] = ()

    @property
    def caption(self) -> str:
        """The title in a few words."""
        return self.short or self.title.partition('. ')[0]

    @property
    def notes(self) -> str:
        """What the caption leaves out: the title from its second sentence on, and the legend."""
        return ' '.join(filter(None, (self.title.partition('. ')[2], self.legend)))

    def metric(self, head: str, place: int) -> str:
        """What a value is of: that of its column, and in a row of percentages the gain in it."""
        if not self.metrics:
            return ''
        name = self.metrics[place if len(self.metrics) > 1 else 0]
        return f'{name}, gain in %' if head in self.percent else name

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
        column = {h: values[place] for h, values in self.competing}
        means = {h: round(v.mean, self.digits) for h, v in column.items() if v and not math.isnan(v.mean)}
        if not self.best or len(means) < 2 or head not in means:
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
    """Tables as LaTeX with the packages ``booktabs`` and ``graphicx``.

    Each is a ``table*`` environment as wide as the page at most, with a short caption and all that is
    to be said of it below.

    Args:
        tables: Of a suite.

    Returns:
        The text of a file to be included.
    """
    return '\n\n'.join([rf'% \usepackage{{{_PACKAGES}}}', *map(_latex, tables)]) + '\n'


def _latex(table: Table) -> str:
    lines = [
        r'\begin{table*}',
        r'\centering',
        rf'\caption{{{_escaped(table.caption)}}}',
        rf'\label{{tab:{_label(table.name)}}}',
        rf'\resizebox{{{_AT_MOST_TEXTWIDTH}}}{{!}}{{%',
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
    lines += [r'\bottomrule', r'\end{tabular}%', '}']
    if table.notes:
        lines += [r'\par\smallskip', rf'\parbox{{\textwidth}}{{\footnotesize {_escaped(table.notes)}}}']
    return '\n'.join([*lines, r'\end{table*}'])


_PACKAGES = 'booktabs,graphicx'
_AT_MOST_TEXTWIDTH = r'\ifdim\width>\textwidth\textwidth\else\width\fi'
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
    """Tables as CSV, a line a value: table, row, column, metric, mean, std, seeds.

    ``std`` is empty where there is none, of one seed and of a quoted number.

    Args:
        tables: Of a suite.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(['table', 'row', 'column', 'metric', 'mean', 'std', 'seeds'])
    for table in tables:
        for head, values in table.rows:
            for place, ((column, group), value) in enumerate(zip(_heads(table), values, strict=True)):
                if value is not None:
                    name = f'{column} ({group})' if group else column
                    std = f'{value.std:.6g}' if value.number > 1 else ''
                    numbers = [f'{value.mean:.6g}', std, value.number]
                    writer.writerow([table.name, head, name, table.metric(head, place), *numbers])
    return out.getvalue()
