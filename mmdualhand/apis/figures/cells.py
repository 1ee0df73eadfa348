"""Small pictures of one look, all in the frame of the network's crop."""

from __future__ import annotations

import cv2
import numpy as np

from mmdualhand.apis.figures.looks import Look
from mmdualhand.apis.report.tiles import depth_tile, mask_tile, photo_tile, pose_tile
from mmdualhand.structures import to_grid
from mmdualhand.visualization import (
    attention_heatmap,
    crop_view,
    crop_view_points,
    draw_skeleton_2d,
    draw_skeleton_3d,
    draw_skeleton_orbit,
    first_field,
)
from mmdualhand.visualization.figure_grid import Cell
from mmdualhand.visualization.strokes import FAR_PIXELS, disc, line

SIDE = 224
"""Side of a picture in pixels."""

OFF_SHARE = 0.05
"""A joint further off than this share of the crop's side is marked."""

OFF_WORDS = f'Red: joints off by more than {100 * OFF_SHARE:.0f} % of the crop, and where they should be.'
"""What the needles of a pose mean."""

_BOX = (SIDE, SIDE)
_MARK, _WHITE = (240, 30, 30), (255, 255, 255)
_GRID = (64, 64)


def picture_cell(look: Look) -> Cell:
    """The crop as the network saw it."""
    return Cell(photo_tile(look.photo, look.sample, 'picture').picture)


def truth_cell(look: Look) -> Cell:
    """The crop with the true skeleton."""
    return Cell(pose_tile(look.photo, look.sample, '', truth=True).picture)


def pose_cell(look: Look, mark: bool = False) -> Cell:
    """The crop with the predicted skeleton.

    Args:
        look: Of a network.
        mark: Show joints that are further off than :data:`OFF_SHARE` with needles to their true places.
    """
    picture = pose_tile(look.photo, look.sample, '').picture
    share = look.crop_share
    if picture is None or not mark or share is None:
        return Cell(picture, error_words(look))
    off = np.nan_to_num(share) > OFF_SHARE
    found, true = (
        crop_view_points(points[off], look.sample, _BOX)
        for element in ('pred_instances', 'gt_instances')
        if (points := first_field(look.sample, element, 'keypoints')) is not None
    )
    if found is not None and true is not None and off.any():
        picture = _mark_errors(picture, found, true)
    return Cell(picture, error_words(look))


def error_words(look: Look) -> str:
    """The 3D error, or the 2D error where there is no 3D."""
    if look.epe is not None:
        return f'{look.epe:.1f} mm'
    share = look.crop_share
    if share is None or not np.isfinite(share).any():
        return ''
    return f'2D {100 * float(np.nanmean(share)):.1f} % of crop'


def branch_pose_cell(look: Look, branch: str) -> Cell:
    """The crop with the skeleton of a branch of the second pass."""
    view, pose = crop_view(look.photo, look.sample, _BOX), look.poses.get(branch)
    if view is None or pose is None:
        return Cell(None)
    size = (view.shape[1], view.shape[0])
    return Cell(draw_skeleton_2d(view, to_grid(pose[:, :2].astype(np.float64), _GRID, size)))


def mask_cell(look: Look) -> Cell:
    """The predicted mask over the crop."""
    return Cell(mask_tile(look.photo, look.sample, '').picture)


def depth_cell(look: Look) -> Cell:
    """The predicted depth map in its own pixels."""
    return Cell(depth_tile(look.photo, look.sample, '').picture, coarse=True)


def space_cell(look: Look, view: str = 'side') -> Cell:
    """The predicted skeleton in space, the true one in grey behind; ``view`` may be ``'orbit'``."""
    found = first_field(look.sample, 'pred_instances', 'keypoints_3d')
    return _space(found, first_field(look.sample, 'gt_instances', 'keypoints_3d'), view)


def true_space_cell(look: Look, view: str = 'side') -> Cell:
    """The true skeleton in space."""
    return _space(first_field(look.sample, 'gt_instances', 'keypoints_3d'), None, view)


def _space(pose: np.ndarray | None, reference: np.ndarray | None, view: str) -> Cell:
    if pose is None:
        return Cell(None)
    if view == 'orbit':
        return Cell(draw_skeleton_orbit(pose, SIDE, reference=reference))
    return Cell(draw_skeleton_3d(pose, SIDE, view, reference=reference, thickness=3))


def attention_cell(look: Look, kind: str, stage: int, limits: tuple[float, float] | None) -> Cell:
    """Attention weights over the crop in grey.

    Args:
        look: Of a network.
        kind: ``'depth'``, those that the network uses, or ``'rgb'``, the same rule on RGB features.
        stage: 0 is the stem, conv1.
        limits: Weights of the lowest and the highest colour; of the map itself where None.
    """
    view, weights = crop_view(look.photo, look.sample, _BOX), look.attention.get(kind)
    if view is None or not weights:
        return Cell(None)
    grey = np.repeat(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)
    return Cell(attention_heatmap(grey, weights[stage], alpha=0.65, limits=limits))


def _mark_errors(picture: np.ndarray, found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """A red needle from each joint to a dot where it should be."""
    drawn = picture.copy(order='C')
    places = np.concatenate([found, true], axis=-1)
    places = places[(np.abs(places) < FAR_PIXELS).all(axis=-1)]  # not-a-number compares false
    for place in places:
        line(drawn, place[:2], place[2:], _MARK, 1)
    for place in places:
        disc(drawn, place[2:], 3.5, _WHITE)
        disc(drawn, place[2:], 2.5, _MARK)
    return drawn
