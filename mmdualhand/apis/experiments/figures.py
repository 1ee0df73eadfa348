"""Tables and 3D PCK curves as PNG pictures."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmdualhand.apis.experiments.tables import Spread, Table

_DOTS_PER_INCH = 150
_CONTROL, _METHOD, _INK = '#8a94a0', '#2f74c0', '#1c2128'
_LINES = ('#8a94a0', '#2f74c0', '#2b8a5b', '#8a4fc0', '#b07d08', '#c2387f', '#4d7d86', '#d9542b')
_ALL, _FEWER = 'o', 'D'
"""Marks of values of all seeds of a table, and of fewer."""
_TITLE_POINTS, _NOTE_POINTS = 9.0, 8.0
_LETTER = 0.58  # width of a letter, mean of a text, in its size
_AUC_MM = (20.0, 50.0)
_STYLE: dict[Any, Any] = {
    'font.size': _NOTE_POINTS,
    'axes.titlesize': _TITLE_POINTS,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.grid': True,
    'axes.axisbelow': True,
    'grid.color': '#dde2e7',
    'grid.linewidth': 0.6,
    'legend.frameon': False,
}


def draw_tables(tables: Sequence[Table], file: Path) -> bool:
    """A panel a column with a dot a row and its deviation; tables without a best value are not drawn.

    Args:
        tables: Of a suite; of those with groups of columns the first group is drawn.
        file: PNG file to write.

    Returns:
        Whether there was something to draw.
    """
    shown = [table for table in tables if table.best and table.rows]
    if not shown:
        return False
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    columns = max(_drawn_columns(table) for table in shown)
    width = 2.2 + 1.7 * columns
    titles = [_wrapped(table.caption, width) for table in shown]
    keys = [_wrapped(_key(table), width, _NOTE_POINTS) for table in shown]
    heights = [
        0.8 + 0.22 * len(_drawn_rows(table)) + 0.16 * (title + key).count('\n')
        for table, title, key in zip(shown, titles, keys, strict=True)
    ]
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, sum(heights)), layout='constrained')
        parts = figure.subfigures(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
        for table, title, key, part in zip(shown, titles, keys, parts, strict=True):
            _draw_table(table, part)
            part.suptitle(title, fontsize=_TITLE_POINTS, color=_INK)
            part.supxlabel(key, fontsize=_NOTE_POINTS)
        figure.savefig(file, dpi=_DOTS_PER_INCH, format='png', metadata={'Software': None})
    return True


def _drawn_rows(table: Table) -> list[tuple[str, tuple[Spread | None, ...]]]:
    return [(head, values) for head, values in table.rows if head not in table.percent]


def _drawn_columns(table: Table) -> int:
    return table.groups[0][1] if table.groups else len(table.columns)


def _draw_table(table: Table, figure: Any) -> None:
    rows, count = _drawn_rows(table), _drawn_columns(table)
    methods = {head for head, _ in table.competing}
    panels = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    for place, (axis, name) in enumerate(zip(panels, table.columns, strict=False)):
        for line, (head, values) in enumerate(rows):
            value = values[place]
            if value is None or math.isnan(value.mean):
                continue
            colour = _METHOD if head in methods else _CONTROL
            axis.errorbar(
                value.mean,
                line,
                xerr=value.std if value.number > 1 else None,
                color=colour,
                marker=_FEWER if value.number < table.seeds else _ALL,
                markersize=5,
                markerfacecolor=colour if table.is_best(head, place) else 'white',
            )
        axis.set_title(name)
        axis.set_yticks(range(len(rows)), [head for head, _ in rows])
        axis.set_ylim(len(rows) - 0.5, -0.5)


def _key(table: Table) -> str:
    """What the marks of a table mean, of those that are there."""
    count, methods = _drawn_columns(table), {head for head, _ in table.competing}
    drawn = [
        (head, place, v) for head, values in _drawn_rows(table) for place, v in enumerate(values[:count]) if v
    ]
    fewer = sorted({value.number for _, _, value in drawn if value.number < table.seeds})
    parts = [table.unit, f'{"lower" if table.best == "min" else "higher"} is better']
    if any(table.is_best(head, place) for head, place, _ in drawn):
        shared = any(value.number in fewer for head, _, value in drawn if head in methods)
        parts.append('filled: best method' + (' on the seeds that all of a panel have' if shared else ''))
    if any(head not in methods for head, _, _ in drawn):
        parts.append('grey: controls')
    if any(value.number > 1 for _, _, value in drawn):
        parts.append('bars: standard deviation of the seeds')
    if fewer:
        parts.append(f'diamonds: {" or ".join(map(str, fewer))} of {table.seeds} seeds')
    return '; '.join(parts)


def draw_curves(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str, file: Path, note: str = ''
) -> bool:
    """3D PCK curves in one panel.

    Args:
        curves: Words of the legend to thresholds, mm, and shares of joints.
        title: Line above it.
        file: PNG file to write.
        note: What else to say, below it.

    Returns:
        Whether there was something to draw.
    """
    if not curves:
        return False
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    width = 5.6
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, 4.0), layout='constrained')
        axis = figure.subplots()
        axis.axvspan(*_AUC_MM, color='#f2f5f8', linewidth=0)
        for place, (words, (thresholds, shares)) in enumerate(curves.items()):
            axis.plot(thresholds, shares, color=_LINES[place % len(_LINES)], label=words)
        axis.set(xlabel='threshold, mm', ylabel='share of joints', ylim=(0, 1))
        axis.set_xlim(0, max(thresholds[-1] for thresholds, _ in curves.values()))
        axis.legend(loc='lower right')
        figure.suptitle(_wrapped(title, width), fontsize=_TITLE_POINTS, color=_INK)
        if note:
            figure.supxlabel(_wrapped(note, width, _NOTE_POINTS), fontsize=_NOTE_POINTS)
        figure.savefig(file, dpi=_DOTS_PER_INCH, format='png', metadata={'Software': None})
    return True


def _wrapped(text: str, width: float, points: float = _TITLE_POINTS) -> str:
    """A text in lines that fit into a picture so many inches wide."""
    return textwrap.fill(text, int(72 * width / (_LETTER * points)))
