"""Tables and 3D PCK curves as PNG pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmdualhand.apis.experiments.tables import Spread, Table

_DOTS_PER_INCH = 150
_CONTROL, _METHOD, _INK = '#8a94a0', '#2f74c0', '#1c2128'
_LINES = ('#8a94a0', '#2f74c0', '#2b8a5b', '#8a4fc0', '#b07d08', '#c2387f', '#4d7d86', '#d9542b')
_AUC_MM = (20.0, 50.0)
_STYLE: dict[Any, Any] = {
    'font.size': 8.0,
    'axes.titlesize': 9.0,
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

    heights = [0.8 + 0.22 * len(_drawn_rows(table)) for table in shown]
    columns = max(_drawn_columns(table) for table in shown)
    with rc_context(_STYLE):
        figure = Figure(figsize=(2.2 + 1.7 * columns, sum(heights)), layout='constrained')
        parts = figure.subfigures(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
        for table, part in zip(shown, parts, strict=True):
            _draw_table(table, part)
        figure.savefig(file, dpi=_DOTS_PER_INCH, format='png', metadata={'Software': None})
    return True


def _drawn_rows(table: Table) -> list[tuple[str, tuple[Spread | None, ...]]]:
    return [(head, values) for head, values in table.rows if head not in table.percent]


def _drawn_columns(table: Table) -> int:
    return table.groups[0][1] if table.groups else len(table.columns)


def _draw_table(table: Table, figure: Any) -> None:
    rows, count = _drawn_rows(table), _drawn_columns(table)
    panels = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    for place, (axis, name) in enumerate(zip(panels, table.columns, strict=False)):
        for line, (head, values) in enumerate(rows):
            value = values[place]
            if value is None or math.isnan(value.mean):
                continue
            colour = _METHOD if head in table.competing else _CONTROL
            width = value.std if value.number > 1 else None
            filled = colour if table.is_best(head, place) else 'white'
            axis.errorbar(
                value.mean, line, xerr=width, color=colour, marker='o', markersize=5, markerfacecolor=filled
            )
        axis.set_title(name)
        axis.set_yticks(range(len(rows)), [head for head, _ in rows])
        axis.set_ylim(len(rows) - 0.5, -0.5)
    figure.suptitle(_first_sentence(table.title), fontsize=9, color=_INK)
    direction = 'lower' if table.best == 'min' else 'higher'
    words = f'{table.unit}; {direction} is better; filled: best method; grey: controls'
    figure.supxlabel(words, fontsize=8)


def draw_curves(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str, file: Path
) -> bool:
    """3D PCK curves in one panel.

    Args:
        curves: Words of the legend to thresholds, mm, and shares of joints.
        title: Line above it.
        file: PNG file to write.

    Returns:
        Whether there was something to draw.
    """
    if not curves:
        return False
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(5.6, 4.0), layout='constrained')
        axis = figure.subplots()
        axis.axvspan(*_AUC_MM, color='#f2f5f8', linewidth=0)
        for place, (words, (thresholds, shares)) in enumerate(curves.items()):
            axis.plot(thresholds, shares, color=_LINES[place % len(_LINES)], label=words)
        axis.set(xlabel='threshold, mm', ylabel='share of joints', ylim=(0, 1), title=title)
        axis.set_xlim(0, max(thresholds[-1] for thresholds, _ in curves.values()))
        axis.legend(loc='lower right')
        figure.savefig(file, dpi=_DOTS_PER_INCH, format='png', metadata={'Software': None})
    return True


def _first_sentence(text: str) -> str:
    return text.split('. ', 1)[0]
