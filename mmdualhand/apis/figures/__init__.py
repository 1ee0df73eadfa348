"""Figures of what networks see: attention, comparisons, failures, features and curves."""

from __future__ import annotations

from mmdualhand.apis.figures.attention import attention_figure
from mmdualhand.apis.figures.compare import compare_figure
from mmdualhand.apis.figures.curves import pck_figure
from mmdualhand.apis.figures.failures import failure_figure
from mmdualhand.apis.figures.features import feature_figure
from mmdualhand.apis.figures.looks import Look, NamedNetwork, load_networks, look_twice
from mmdualhand.apis.figures.selection import PICKS, pick_rows

__all__ = [
    'Look', 'NamedNetwork', 'PICKS', 'attention_figure', 'compare_figure', 'failure_figure',
    'feature_figure', 'load_networks', 'look_twice', 'pck_figure', 'pick_rows',
]  # fmt: skip
