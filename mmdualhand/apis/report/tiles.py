"""Small pictures of one prediction, all in the frame of the network's crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdualhand.apis.report.html import escape, image
from mmdualhand.structures import HandDataSample
from mmdualhand.visualization import (
    attention_heatmap,
    colorize_depth,
    crop_view,
    crop_view_points,
    draw_skeleton_2d,
    draw_skeleton_3d,
    first_field,
    overlay_mask,
)

SIDE = 224
"""Side of a tile in pixels."""
_BOX = (SIDE, SIDE)


@dataclass(frozen=True)
class Tile:
    """A picture with the name of what it shows.

    Attributes:
        picture: ``(h, w, 3)`` uint8 RGB; None where there is nothing to show.
        what: ``'mask'``, ``'depth'`` and so on.
        when: ``'before'``, ``'after'``, or ``''``.
        coarse: It is a map of few pixels, shown as they are.
    """

    picture: np.ndarray | None
    what: str
    when: str = ''
    coarse: bool = False

    def __str__(self) -> str:
        text = f'{self.what} {self.when}'.strip()
        label = f'{escape(self.what)} <small>{escape(self.when)}</small>'.replace(' <small></small>', '')
        shown = '<span class="empty">none</span>'
        if self.picture is not None:
            shown = image(self.picture, text, coarse=self.coarse)
        return f'<div class="tile {self.when}">{shown}<span>{label}</span></div>'


def photo_tile(photo: np.ndarray, sample: HandDataSample, what: str) -> Tile:
    """The crop as the network saw it."""
    return Tile(crop_view(photo, sample, _BOX), what)


def pose_tile(photo: np.ndarray, sample: HandDataSample, when: str, truth: bool = False) -> Tile:
    """The crop with the true or the predicted skeleton."""
    view = crop_view(photo, sample, _BOX)
    points = first_field(sample, 'gt_instances' if truth else 'pred_instances', 'keypoints')
    moved = None if points is None else crop_view_points(points, sample, _BOX)
    drawn = None if view is None or moved is None else draw_skeleton_2d(view, moved)
    return Tile(drawn, 'true pose') if truth else Tile(drawn, 'pose', when)


def space_tile(photo: np.ndarray, sample: HandDataSample, when: str) -> Tile:
    """The predicted skeleton from the side, the true one in grey behind; ``photo`` is not looked at."""
    predicted, true = (first_field(sample, key, 'keypoints_3d') for key in ('pred_instances', 'gt_instances'))
    drawn = None if predicted is None else draw_skeleton_3d(predicted, SIDE, 'side', reference=true)
    return Tile(drawn, 'from the side', when)


def mask_tile(photo: np.ndarray, sample: HandDataSample, when: str) -> Tile:
    """The predicted mask over the crop."""
    view, mask = crop_view(photo, sample, _BOX), first_field(sample, 'pred_fields', 'mask')
    return Tile(None if view is None or mask is None else overlay_mask(view, mask, alpha=0.6), 'mask', when)


def depth_tile(photo: np.ndarray, sample: HandDataSample, when: str) -> Tile:
    """The predicted depth map in its own pixels; ``photo`` is not looked at."""
    depth = first_field(sample, 'pred_fields', 'depth_map')
    return Tile(None if depth is None else colorize_depth(depth), 'depth', when, coarse=True)


def attention_tile(photo: np.ndarray, sample: HandDataSample, when: str, limits: tuple[float, float]) -> Tile:
    """The attention of the second pass over the crop."""
    view, weights = crop_view(photo, sample, _BOX), first_field(sample, 'pred_attention', 'weights')
    drawn = None
    if view is not None and weights is not None:
        drawn = attention_heatmap(view, weights, alpha=0.6, limits=limits)
    return Tile(drawn, 'attention', when)


def attention_limits(samples: Sequence[HandDataSample]) -> tuple[float, float] | None:
    """One range of weights for pictures that are to be compared; None where there is no attention.

    The highest and the lowest 2 percent, mostly at the border of the crop, do not count.
    """
    found = [w for sample in samples if (w := first_field(sample, 'pred_attention', 'weights')) is not None]
    if not found:
        return None
    low, high = (float(one) for one in np.percentile(np.concatenate([w.ravel() for w in found]), (2, 98)))
    return (low, high) if low < high else (low, low + 1.0)
