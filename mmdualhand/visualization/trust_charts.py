"""Reliability diagram and risk-coverage curves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmdualhand.evaluation.reliability import ReliabilityBins, RiskCoverage


def draw_trust(
    bins: Mapping[str, ReliabilityBins], curves: Mapping[str, RiskCoverage], path: str | Path, title: str = ''
) -> None:
    """Write one picture: confidence against the share of right joints, and coverage against risk.

    A level dotted line is the risk of random order.

    Args:
        bins: Name to reliability bins.
        curves: Name to risk and coverage, risk being the share of wrong joints; same names.
        path: The PNG.
        title: Above the panels.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout='constrained')
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], ':', color='0.5')
    for place, (name, one) in enumerate(bins.items()):
        label = f'{name}: ECE {one.calibration_error:.3f}'
        left.plot(one.confidence, one.share_right, 'o-', color=f'C{place}', markersize=4, label=label)
    left.set(xlabel='confidence', ylabel='share of joints that are right', xlim=(0, 1), ylim=(0, 1))
    for place, (name, curve) in enumerate(curves.items()):
        label = f'{name}: {curve.ratio:.2f} of random'
        right.plot(curve.coverage, curve.risk, color=f'C{place}', label=label)
        right.axhline(curve.risk[-1], linestyle=':', linewidth=0.8, color=f'C{place}')
    right.set(xlabel='share of joints kept', ylabel='share of them that is wrong', xlim=(0, 1))
    right.set_ylim(bottom=0)
    for axis in (left, right):
        axis.legend(fontsize=8)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
