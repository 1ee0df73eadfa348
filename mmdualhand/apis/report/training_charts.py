"""What the training runs logged: losses, and what became of the pseudo-labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from mmdualhand.apis.report.content import RunLog
from mmdualhand.apis.report.html import escape, figure, grid, legend, note
from mmdualhand.apis.report.results import training_title
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.visualization import LabelCurves, chart_colour, read_label_curves, read_scalars, svg_figure

Curve = dict[int, float]
PARTS = {
    'label': ('pseudo-labels', 'line-2'),
    'distill': ('self-distillation', 'line-4'),
    'pose': ('pose', 'line-1'),
    'mask': ('mask', 'line-3'),
    'depth_map': ('depth map', 'line-5'),
    'contrast': ('contrast', 'line-6'),
    'align': ('alignment', 'line-7'),
}
"""Beginning of a loss's name behind ``loss_`` to name and colour of the sum of all such losses."""
DRIFT = 'drift_px'
LABEL_CHARTS = {
    'accepted': ('accepted labels', 'share'),
    'correction_px': ('size of the correction', 'px of the 64 px grid'),
    DRIFT: ('drift between two labels of a picture', 'px of the 64 px grid'),
    'pose_std': ('spread of the predicted poses', 'px of the 64 px grid'),
}
_MOST_LINES = 7
_MARKED = 8


def loss_curves(run: RunLog) -> dict[str, Curve]:
    """Losses of a run by step, summed over branches: ``total`` and the :data:`PARTS` that it has.

    Raises:
        MissingFileError: The run left no scalars.
        DataError: They are broken.
    """
    curves: dict[str, Curve] = {}
    for line in read_scalars(run.folder):
        if 'loss' not in line or 'step' not in line:
            continue
        step = int(line['step'])
        sums = {'total': line['loss']}
        for key, value in line.items():
            found = re.match(f'loss_({"|".join(PARTS)})(_|$)', key)
            if found:
                sums[found[1]] = sums.get(found[1], 0.0) + value
        for name, value in sums.items():
            curves.setdefault(name, {})[step] = value
    return curves


def losses(runs: Sequence[RunLog]) -> str:
    """A chart a run, on a logarithmic axis."""
    charts, used, missing = [], set(), []
    for run in runs:
        try:
            curves = loss_curves(run)
        except (MissingFileError, DataError) as error:
            missing.append(note(f'{run.title}: {error}'))
            continue
        if curves:
            title = training_title(run.title)
            charts.append(svg_figure(_loss_drawing(title, curves), (3.6, 2.5), f'Losses of {title}'))
            used |= set(curves)
        else:
            missing.append(note(f'{run.title}: no loss was logged.'))
    if not charts:
        return ''.join(missing) or note('No training run was given.')
    entries = [('all together', 'ink'), *(PARTS[name] for name in PARTS if name in used)]
    caption = (
        'Losses as they enter the step, weights included, summed over branches; logarithmic. Look for curves '
        'that fall and then level off: one that still falls at its end wants more epochs, one that rises a '
        'smaller learning rate. In stage 2 the loss of the pseudo-labels should fall without the source '
        'losses rising.'
    )
    return figure(legend(entries) + grid(charts), escape(caption), 'wide') + ''.join(missing)


def _loss_drawing(title: str, curves: dict[str, Curve]) -> Callable[[Any], None]:
    from matplotlib.ticker import LogLocator

    def draw(canvas: Any) -> None:
        axis = canvas.subplots()
        for name, colour in [*((name, colour) for name, (_, colour) in PARTS.items()), ('total', 'ink')]:
            points = [(step, value) for step, value in sorted(curves.get(name, {}).items()) if value > 0]
            if points:
                axis.plot(*zip(*points, strict=True), **_line(points, colour))
        axis.set_yscale('log')
        axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.yaxis.set_major_formatter('{x:g}')
        axis.yaxis.set_minor_formatter('')
        axis.set_title(title)
        axis.set_xlabel('step')
        axis.set_ylabel('loss')
        axis.set_xlim(left=0)

    return draw


def _line(points: Sequence[tuple[int, float]], colour: str) -> dict[str, Any]:
    """How to draw a curve; few points are marked, and a single one would not be seen otherwise."""
    return {'color': chart_colour(colour), 'marker': 'o' if len(points) <= _MARKED else '', 'markersize': 4}


def labels(runs: Sequence[RunLog]) -> str:
    """A chart a quantity, a line a run; empty where no run had pseudo-labels."""
    found: dict[str, LabelCurves] = {}
    for run in runs:
        try:
            found[training_title(run.title)] = read_label_curves(run.folder)
        except (ConfigError, MissingFileError, DataError):
            continue  # a run of stage 1; that scalars are missing was said with the losses
    chosen = dict(list(found.items())[:_MOST_LINES])
    colours = {title: f'line-{number}' for number, title in enumerate(chosen, 1)}
    charts = []
    for name, (heading, unit) in LABEL_CHARTS.items():
        curves = {title: label_curve(one, name) for title, one in chosen.items()}
        if any(curves.values()):
            draw = _label_drawing(heading, unit, curves, colours)
            charts.append(svg_figure(draw, (3.6, 2.5), f'Pseudo-labels: {heading}'))
    if not charts:
        return ''
    caption = (
        'Pseudo-labels while they are made. The accepted share should neither vanish (nothing is learnt) nor '
        'jump to one; correction and drift should shrink as labels settle. A spread of poses that shrinks '
        'towards zero is a collapse: the network then predicts one pose for every picture.'
    )
    return figure(legend(list(colours.items())) + grid(charts, 'charts two'), escape(caption), 'wide')


def label_curve(curves: LabelCurves, name: str) -> Curve:
    """Values as logged on the way; means of the epochs where there are no others, and of what drifts.

    Labels drift from the second epoch on: in the first one, logged as 0, there is none to compare with,
    and means over a window of steps would mix the two.
    """
    means = {curves.ends[n]: row[name] for n, row in sorted(curves.epochs.items()) if name in row}
    if name == DRIFT:
        return {step: value for step, value in means.items() if value > 0}
    return curves.steps.get(name) or means


def _label_drawing(
    heading: str, unit: str, curves: dict[str, Curve], colours: dict[str, str]
) -> Callable[[Any], None]:
    last = 1.02 * max(step for curve in curves.values() for step in curve)

    def draw(canvas: Any) -> None:
        axis = canvas.subplots()
        for title, curve in curves.items():
            points = sorted(curve.items())
            if points:
                axis.plot(*zip(*points, strict=True), **_line(points, colours[title]))
        axis.set_title(heading)
        axis.set_xlabel('step')
        axis.set_ylabel(unit)
        axis.set_xlim(0, last)
        highest = max((value for curve in curves.values() for value in curve.values()), default=1.0)
        axis.set_ylim(0, 1.02 if unit == 'share' else 1.1 * highest or 1.0)

    return draw
