"""3D PCK curves of any checkpoints: Figure 4 of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.registry import DefaultScope

from mmdualhand.apis.evaluate import evaluate
from mmdualhand.apis.experiments.figures import draw_curves
from mmdualhand.apis.figures.looks import NamedNetwork
from mmdualhand.errors import ConfigError


def pck_figure(networks: Sequence[NamedNetwork], file: str | Path, title: str = '') -> list[dict[str, Any]]:
    """Test every network and draw the share of joints within each distance.

    Args:
        networks: All for the same test pictures.
        file: The PNG.
        title: Line above the curves.

    Returns:
        For every network ``name``, ``metrics`` and ``curve3d``, see
        :class:`~mmdualhand.apis.evaluate.Result`.

    Raises:
        ConfigError: The test pictures have no 3D labels, or no network predicts 3D.
    """
    found, curves = [], {}
    for one in networks:
        with DefaultScope.overwrite_default_scope('mmdualhand'):
            result = evaluate(one.network.model, one.network.config)
        found.append(dict(name=one.name, metrics=result.metrics, curve3d=result.curve3d))
        if result.curve3d:
            auc = result.metrics.get('AUC')
            words = one.name if auc is None else f'{one.name} (AUC {auc:.3f})'
            curves[words] = (result.curve3d['thresholds_mm'], result.curve3d['pck'])
    if not curves:
        raise ConfigError('no 3D PCK curve: the test pictures have no 3D labels, or the networks no 3D')
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    draw_curves(curves, title, Path(file))
    return found
