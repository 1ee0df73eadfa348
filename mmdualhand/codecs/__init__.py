"""Codecs: one class owns one representation of a hand pose, both ways."""

from __future__ import annotations

from mmdualhand.codecs.heatmap import Heatmap, argmax_cells, gaussian_maps
from mmdualhand.codecs.pose25d import GRID_SIZE, NEAR_SHARE, Pose25D
from mmdualhand.structures.precision import full_precision

__all__ = [
    'GRID_SIZE', 'NEAR_SHARE', 'Heatmap', 'Pose25D', 'argmax_cells', 'full_precision', 'gaussian_maps',
]  # fmt: skip
