"""Curves of the pseudo-labels of a run: how many, how good, how steady."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmdualhand.errors import ConfigError
from mmdualhand.structures import JOINT_NAMES
from mmdualhand.visualization.scalars import read_scalars

PANELS: dict[str, tuple[str, tuple[str, ...]]] = {
    'accepted labels': ('share', ('accepted', 'accepted_joints')),
    'confidence value C (low is good)': ('mean C', ('confidence',)),
    'size of the correction': ('px of the 64-grid', ('correction_px',)),
    'drift since the last label of an image': ('px of the 64-grid', ('drift_px',)),
    'depth: correction and drift': ('reference bones', ('correction_depth', 'drift_depth')),
    'spread of the predictions': ('px of the 64-grid', ('pose_std',)),
    'true error on the probe': (
        'mm', ('probe/rgb', 'probe/fused', 'probe/depth', 'probe/label', 'probe/accepted', 'probe/rejected')
    ),
}  # fmt: skip
"""Title to unit and names of the curves."""
COLUMNS = {
    'accepted': 'accepted', 'accepted_joints': 'joints', 'confidence': 'C', 'correction_px': 'corr. px',
    'correction_depth': 'corr. d', 'drift_px': 'drift px', 'drift_depth': 'drift d', 'pose_std': 'spread',
    'probe/rgb': 'p_R mm', 'probe/fused': 'p_F mm', 'probe/depth': 'p_D mm', 'probe/label': 'label mm',
    'probe/accepted': 'acc. mm', 'probe/rejected': 'rej. mm', 'probe/accepted_share': 'acc. probe',
}  # fmt: skip
"""Values of an epoch to their column in the table."""

_EPOCH_KINDS = ('labels/', 'refresh/')


@dataclass
class LabelCurves:
    """What a run logged about its labels.

    Attributes:
        steps: Name to step to value, as logged during the epochs.
        epochs: Number of the epoch, from 1, to its means and probe values.
        ends: Number of the epoch to the step at its end.
    """

    steps: dict[str, dict[int, float]] = field(default_factory=dict)
    epochs: dict[int, dict[str, float]] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)


def read_label_curves(run: str | Path) -> LabelCurves:
    """Read the scalars of a run; of what was logged twice, by a run that was resumed, the last counts.

    Args:
        run: Work dir of the run, or a file ``scalars.json``.

    Raises:
        MissingFileError: There are no scalars.
        ConfigError: The run had no pseudo-labels.
        DataError: A file is broken.
    """
    curves = LabelCurves()
    for line in read_scalars(run):
        if any(key.startswith((*_EPOCH_KINDS, 'probe/')) for key in line):
            number = int(line['epoch'])
            row = curves.epochs.setdefault(number, {})
            row.update({_short(key): float(value) for key, value in line.items() if '/' in key})
            curves.ends[number] = max(int(line['step']), curves.ends.get(number, 0))
        elif 'loss' in line and 'accepted' in line:
            for name in COLUMNS:
                if name in line:
                    curves.steps.setdefault(name, {})[int(line['step'])] = float(line[name])
    if not curves.epochs and not curves.steps:
        raise ConfigError(f'{run} has no pseudo-labels in its scalars: was it trained with PseudoLabelHook?')
    return curves


def label_table(curves: LabelCurves) -> str:
    """A row an epoch, columns that are empty everywhere left out."""
    names = [name for name in COLUMNS if any(name in row for row in curves.epochs.values())]
    lines = [' '.join(['epoch', *(f'{COLUMNS[name]:>10}' for name in names)])]
    for number, row in sorted(curves.epochs.items()):
        cells = (f'{row[name]:10.4g}' if name in row else ' ' * 10 for name in names)
        lines.append(' '.join([f'{number:5d}', *cells]))
    return '\n'.join(lines)


def draw_label_curves(curves: LabelCurves, path: str | Path, title: str = '') -> None:
    """Write one picture: thin lines for what was logged on the way, dots for the means of the epochs.

    Args:
        curves: Of :func:`read_label_curves`.
        path: The PNG.
        title: Above the panels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 13), layout='constrained')
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    axes = figure.subplots(4, 2).ravel()
    _joint_bars(axes[-1], curves)
    for axis, (heading, (unit, names)) in zip(axes, PANELS.items(), strict=False):
        drawn = _panel(axis, curves, names)
        axis.set_title(heading if drawn else f'{heading}: not logged')
        axis.set_xlabel('step')
        axis.set_ylabel(unit)
        if drawn > 1:
            axis.legend()
    axes[0].set_ylim(0, 1.02)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _panel(axis: Any, curves: LabelCurves, names: Sequence[str]) -> int:
    """Draw the curves that there are; gives their number."""
    drawn = 0
    for place, name in enumerate(names):
        colour = f'C{place}'
        steps = sorted(curves.steps.get(name, {}).items())
        means = [(curves.ends[n], row[name]) for n, row in sorted(curves.epochs.items()) if name in row]
        if steps:
            axis.plot(*zip(*steps, strict=True), color=colour, linewidth=0.7, alpha=0.6)
        if means:
            axis.plot(*zip(*means, strict=True), 'o-', color=colour, label=name.removeprefix('probe/'))
        drawn += bool(steps or means)
    return drawn


def _joint_bars(axis: Any, curves: LabelCurves) -> None:
    """Share of hands that keep each joint, in the last epoch, where joints are judged by themselves."""
    number = max(curves.epochs, default=0)
    row = curves.epochs.get(number, {})
    shares = [row.get(f'keep/{name}', 0.0) for name in JOINT_NAMES]
    known = any(key.startswith('keep/') for key in row)
    axis.set_title(f'accepted joints, epoch {number}' if known else 'accepted joints: judged hand by hand')
    if known:
        axis.bar(range(len(shares)), shares)
        axis.set_xticks(range(len(shares)), JOINT_NAMES, rotation=90, fontsize=7)
        axis.set_ylim(0, 1.02)
        axis.set_ylabel('share')


def _short(key: str) -> str:
    """``labels/accepted`` and ``refresh/accepted`` are both the accepted share of an epoch."""
    for kind in _EPOCH_KINDS:
        key = key.removeprefix(kind)
    return key
