"""One sample on one sheet: photo, ground truth, prediction, mask, depth map, 3D."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mmdualhand.evaluation.functional import epe
from mmdualhand.structures import HandDataSample, to_grid
from mmdualhand.visualization.crop_view import crop_view
from mmdualhand.visualization.images import check_image, fit_size, resize
from mmdualhand.visualization.overlays import (
    MASK_COLOUR,
    attention_heatmap,
    colorize_depth,
    overlay_mask,
)
from mmdualhand.visualization.panels import panel
from mmdualhand.visualization.sample_fields import first_field
from mmdualhand.visualization.skeleton_drawing import GRID_SPACING_MM, draw_skeleton_2d, draw_skeleton_3d

TILE_HEIGHT = 384
"""Height in pixels of every picture on the sheet; small photos are enlarged to it, large ones reduced."""

TILE_MAX_WIDTH = 640
"""A wider photo is fitted to this width instead."""

COLUMNS = 3
"""Pictures a row; one more where there are more than two rows of them."""


@dataclass
class _Tiles:
    """Pictures of a sheet in their order, each with its title."""

    pictures: list[np.ndarray] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def add(self, picture: np.ndarray, title: str) -> None:
        self.pictures.append(picture)
        self.titles.append(title)


def sample_epe(data_sample: HandDataSample, instances: str = 'pred_instances') -> float | None:
    """Mean 3D error of one sample, in mm, over its labelled joints.

    The ``EPE`` of the metric's default: camera frame, no alignment, every joint
    whose label is finite, occluded or not.

    Args:
        data_sample: With ``keypoints_3d`` ``(1, 21, 3)`` in mm on both sides.
        instances: Which prediction, ``'pred_instances'`` for the rgb branch.

    Returns:
        The error; None where ground truth or prediction has no 3D, or no joint
        is labelled; not-a-number where the prediction of a labelled joint is not finite.

    Raises:
        ValueError: Shapes differ, or the ground truth looks like metres.
    """
    truth = first_field(data_sample, 'gt_instances', 'keypoints_3d')
    prediction = first_field(data_sample, instances, 'keypoints_3d')
    if truth is None or prediction is None:
        return None
    labelled = np.isfinite(truth).all(axis=-1)
    if not labelled.any():
        return None
    if not np.isfinite(prediction[labelled]).all():
        return math.nan
    return float(epe(prediction[None], truth[None], labelled[None]))


def _photo_tiles(tiles: _Tiles, image: np.ndarray, sample: HandDataSample) -> None:
    height, width = image.shape[:2]
    size = fit_size((width, height), (TILE_MAX_WIDTH, TILE_HEIGHT))
    photo = resize(image, size)
    drawn = False
    for element, title in (('gt_instances', 'ground truth'), ('pred_instances', 'prediction')):
        keypoints = first_field(sample, element, 'keypoints')
        if keypoints is not None:
            on_tile = to_grid(keypoints.astype(np.float64), (width, height), size)
            tiles.add(draw_skeleton_2d(photo, on_tile), title)
            drawn = True
    if not drawn:
        tiles.add(photo, 'photo')


def _field_tiles(tiles: _Tiles, image: np.ndarray, sample: HandDataSample) -> None:
    """Mask, depth map and attention in the crop frame; maps at their own resolution, pixels repeated."""
    frame = 'crop, mirrored' if sample.metainfo.get('mirrored') else 'crop'
    crop = crop_view(image, sample, (TILE_MAX_WIDTH, TILE_HEIGHT))
    mask = first_field(sample, 'pred_fields', 'mask')
    if mask is not None:
        below = np.full((*mask.shape, 3), 36, np.uint8) if crop is None else crop
        tinted = overlay_mask(below, mask, MASK_COLOUR, alpha=1.0 if crop is None else 0.5)
        tiles.add(_fit(tinted), f'predicted mask ({frame})')
    depth = first_field(sample, 'pred_fields', 'depth_map')
    if depth is not None:
        tiles.add(_fit(colorize_depth(depth)), f'predicted depth ({frame})')
    weights = first_field(sample, 'pred_attention', 'weights')
    if weights is not None:
        below = np.full((*weights.shape, 3), 36, np.uint8) if crop is None else crop
        tiles.add(_fit(attention_heatmap(below, weights)), f'depth attention, stem ({frame})')


def _fit(picture: np.ndarray) -> np.ndarray:
    size = fit_size((picture.shape[1], picture.shape[0]), (TILE_MAX_WIDTH, TILE_HEIGHT))
    return resize(picture, size, nearest=True)


def _space_tiles(tiles: _Tiles, sample: HandDataSample) -> None:
    truth = first_field(sample, 'gt_instances', 'keypoints_3d')
    prediction = first_field(sample, 'pred_instances', 'keypoints_3d')
    shown = truth if prediction is None else prediction
    if shown is None:
        return
    reference = None if prediction is None else truth
    what = 'ground truth' if prediction is None else 'prediction' if truth is None else 'truth in grey'
    for view in ('front', 'side'):
        picture = draw_skeleton_3d(shown, TILE_HEIGHT, view, reference=reference)
        tiles.add(picture, f'3D {view}, {what}, grid {GRID_SPACING_MM:.0f} mm')


def _header(sample: HandDataSample) -> str:
    meta = sample.metainfo
    parts = [str(meta[key]) for key in ('sample_id', 'dataset_name', 'hand_side') if meta.get(key)]
    error = sample_epe(sample)
    if error is not None:
        parts.append('prediction not finite' if math.isnan(error) else f'EPE {error:.1f} mm')
    return ' | '.join(parts)


def prediction_panel(image_original: np.ndarray, data_sample: HandDataSample) -> np.ndarray:
    """Show one sample's ground truth and prediction side by side.

    Args:
        image_original: ``(H, W, 3)`` uint8 RGB, the photo as it is on disk.
        data_sample: What of this it has is drawn: ``gt_instances`` and
            ``pred_instances`` with ``keypoints`` ``(1, 21, 2)`` in pixels of
            ``image_original`` (not of the crop), and ``keypoints_3d``
            ``(1, 21, 3)`` mm in its camera frame; ``pred_fields`` with ``mask``
            and ``depth_map`` ``(1, h, w)`` and ``pred_attention`` with ``weights``
            ``(1, h, w)`` in the crop frame, which ``crop_matrix`` and
            ``input_size`` of the metainfo describe. A sample without
            any shows the photo alone.

    Returns:
        The sheet, uint8 RGB: ground truth, prediction, mask, depth map, attention, and the
        3D skeletons from the front and from the side, every picture
        :data:`TILE_HEIGHT` high. The header names the sample and, where both 3D
        poses are there, its error (:func:`sample_epe`).

    Raises:
        TypeError: ``image_original`` is not a numpy array.
        ValueError: An array has another shape or type.
    """
    check_image(image_original, 'image_original')
    tiles = _Tiles()
    _photo_tiles(tiles, image_original, data_sample)
    _field_tiles(tiles, image_original, data_sample)
    _space_tiles(tiles, data_sample)
    count = len(tiles.pictures)
    columns = min(COLUMNS if count <= 2 * COLUMNS else COLUMNS + 1, count)
    return panel(tiles.pictures, tiles.titles, columns, header=_header(data_sample))
