"""Errors and PCK curves of the stages as charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmdualhand.apis.report.html import escape, figure, grid, legend, note
from mmdualhand.apis.report.results import STAGES, Cell, Results, Statistic, method_title, target_title
from mmdualhand.apis.report.tables import EPE
from mmdualhand.visualization import chart_colour, svg_figure

STAGE_COLOURS = {stage: f'stage-{number}' for number, stage in enumerate(STAGES, 1)}
AUC_RANGE_MM = (20.0, 50.0)


def stage_legend(results: Results) -> str:
    """Which colour is which stage."""
    return legend([(method_title(s), STAGE_COLOURS[s]) for s in STAGES if s in results.methods])


def error_chart(results: Results) -> str:
    """A line a benchmark with a dot a stage and a ring a control; empty where there is nothing to draw."""
    rows: list[tuple[str, dict[str, Statistic], dict[str, Statistic]]] = []
    for name in results.benchmarks:
        found, rings = (_known(results, name, flag) for flag in (False, True))
        if found:
            rows.append((target_title(name), found, rings))
    if not rows:
        return ''

    def draw(canvas: Any) -> None:
        axis = canvas.subplots()
        for place, (_, found, rings) in enumerate(rows):
            means = [value.mean for value in found.values()]
            axis.plot([min(means), max(means)], [place, place], color=chart_colour('rule'), linewidth=5)
            for stage, value in found.items():
                colour = chart_colour(STAGE_COLOURS[stage])
                axis.errorbar(value.mean, place, xerr=value.deviation, color=colour, marker='o', markersize=8)
            for stage, value in rings.items():
                colour = chart_colour(STAGE_COLOURS[stage])
                axis.plot(value.mean, place, 'o', markersize=7, color=colour, markerfacecolor='none')
        axis.set_yticks(range(len(rows)), [name for name, *_ in rows])
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.set_xlim(left=0)
        axis.grid(visible=False, axis='y')
        axis.spines['left'].set_visible(False)
        axis.set_xlabel('EPE, mm (further left is better)')
        axis.tick_params(axis='y', labelcolor=chart_colour('ink'))

    picture = svg_figure(draw, (3.7, 0.7 + 0.4 * len(rows)), 'Mean error of every stage')
    caption = (
        'Mean error of every stage. Look for the orange dot left of the others on the targets, and for how '
        'far it moves on the source, where nothing should be lost. Rings: batch normalisation '
        're-estimated, nothing else; from the blue ring to the orange dot is the merit of stage 2. '
        'Whiskers: standard deviation over seeds.'
    )
    return figure(stage_legend(results) + picture, caption, 'errors')


def _known(results: Results, benchmark: str, reestimated: bool) -> dict[str, Statistic]:
    values = {stage: results.value(stage, benchmark, EPE, reestimated=reestimated) for stage in STAGES}
    return {stage: value for stage, value in values.items() if value is not None and value.known}


def pck_charts(results: Results) -> str:
    """3D PCK curves of the stages, a chart a benchmark."""
    charts = []
    for name in results.benchmarks:
        curves = {stage: mean_curve(results.select(stage, name)) for stage in STAGES}
        drawn = {stage: curve for stage, curve in curves.items() if curve is not None}
        if drawn:
            charts.append(_pck_chart(target_title(name), drawn))
    if not charts:
        return note('No measurement has a 3D PCK curve.')
    caption = (
        'Share of joints whose 3D error is below a threshold. A curve that rises further left is better; the '
        'area under it inside the shaded band, 20 to 50 mm, is the AUC of the table. Where curves cross, a '
        'stage mends many middling errors and leaves, or makes, some large ones.'
    )
    return figure(stage_legend(results) + grid(charts), escape(caption), 'wide')


def mean_curve(cells: Sequence[Cell]) -> tuple[np.ndarray, np.ndarray] | None:
    """Thresholds, mm, and shares, mean over measurements with the thresholds of the first one."""
    usable = [cell for cell in cells if cell.thresholds and len(cell.thresholds) == len(cell.shares)]
    usable = [cell for cell in usable if cell.thresholds == usable[0].thresholds]
    if not usable:
        return None
    return np.array(usable[0].thresholds), np.mean([cell.shares for cell in usable], axis=0)


def _pck_chart(title: str, curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> str:
    def draw(canvas: Any) -> None:
        axis = canvas.subplots()
        axis.axvspan(*AUC_RANGE_MM, color=chart_colour('wash'), linewidth=0)
        for stage, (thresholds, shares) in curves.items():
            axis.plot(thresholds, shares, color=chart_colour(STAGE_COLOURS[stage]))
        axis.set_title(title)
        axis.set_xlim(0, max(thresholds[-1] for thresholds, _ in curves.values()))
        axis.set_ylim(0, 1)
        axis.set_xlabel('threshold, mm')
        axis.set_ylabel('share of joints')

    return svg_figure(draw, (3.6, 2.5), f'3D PCK curves on {title}')
