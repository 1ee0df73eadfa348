"""What a network said of the hands of a picture, drawn into it, and in space beside it.

Only OpenCV and numpy draw here, at the pace of a video; a colour is RGB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mmdualhand.structures import DEFAULT_REFERENCE_LENGTH_MM, apply_affine, grid_affine
from mmdualhand.structures.hand_result import HandResult
from mmdualhand.visualization.images import Colour, check_image, fit_size, resize
from mmdualhand.visualization.letters import MUTED, text_size, write_text
from mmdualhand.visualization.map_on_photo import depth_on_photo, mask_on_photo
from mmdualhand.visualization.orbit_view import AZIMUTH_DEG, ELEVATION_DEG, draw_skeleton_orbit
from mmdualhand.visualization.skeleton_drawing import (
    GRID_SPACING_MM,
    VIEW_AXES,
    draw_skeleton_2d,
    draw_skeleton_3d,
)

SIDE_COLOURS: dict[str, Colour] = {'right': (40, 200, 120), 'left': (64, 156, 255)}
"""RGB of box and mask of each hand."""

EXTENT_MM = 105.0
"""Half side of the space that a view shows: an open hand of an adult about the root of its middle finger."""

VIEWS = (*VIEW_AXES, 'orbit')
"""Names of the views in space."""

_RIM = (20, 22, 26)
_FADED = 0.55  # opacity of a joint that the network doubts


@dataclass(frozen=True)
class HandStyle:
    """What is drawn of a hand.

    Attributes:
        mask: Tint the hand where its mask is.
        depth: Colour the hand by its depth map instead.
        box: Corners of the box.
        label: Side and mean confidence above the box.
        doubt: Joints below this confidence, and their bones, are drawn faint; a calibrated
            confidence is judged by one half where None, a raw one not at all.
        thickness: Of a bone, in pixels; suits the hand's box where None.
    """

    mask: bool = True
    depth: bool = False
    box: bool = True
    label: bool = True
    doubt: float | None = None
    thickness: int | None = None


def draw_hand(image: np.ndarray, result: HandResult, style: HandStyle | None = None) -> np.ndarray:
    """Draw a hand into its picture: mask, box, skeleton and label.

    Args:
        image: ``(H, W, 3)`` uint8 RGB, the picture that the result is of.
        result: Of the inference interface. What is not there or not finite is left out.
        style: What to draw.

    Returns:
        ``(H, W, 3)`` uint8 RGB, a new array.

    Raises:
        TypeError: ``image`` is not a numpy array.
        ValueError: ``image`` is not an RGB picture.
    """
    return draw_hands(image, (result,), style)


def draw_hands(
    image: np.ndarray, results: Sequence[HandResult], style: HandStyle | None = None
) -> np.ndarray:
    """Draw all hands of a picture, the skeletons over all masks.

    Args:
        image: As for :func:`draw_hand`.
        results: Any number, also none.
        style: What to draw of each.

    Returns:
        ``(H, W, 3)`` uint8 RGB, a new array.

    Raises:
        TypeError: ``image`` is not a numpy array.
        ValueError: ``image`` is not an RGB picture.
    """
    return _draw_hands(check_image(image).copy(order='C'), results, style or HandStyle(), np.eye(3))


def _draw_hands(
    canvas: np.ndarray, results: Sequence[HandResult], style: HandStyle, to_canvas: np.ndarray
) -> np.ndarray:
    """``to_canvas`` (3, 3): from pixels of the picture that the results are of."""
    for result in results:
        if style.depth and result.depth_map is not None:
            canvas = depth_on_photo(canvas, result.depth_map, result.crop, result.mask, to_picture=to_canvas)
        elif style.mask and result.mask is not None:
            colour = SIDE_COLOURS[result.side]
            canvas = mask_on_photo(canvas, result.mask, result.crop, colour, to_picture=to_canvas)
    for result in results:
        box = apply_affine(to_canvas, result.box.reshape(2, 2).astype(np.float64))
        if style.box and np.isfinite(box).all():
            _draw_box(canvas, box, SIDE_COLOURS[result.side])
        canvas = _draw_joints(canvas, result, style, to_canvas)
    for result in results:
        if style.label:
            _draw_label(canvas, result, to_canvas)
    return canvas


def _crop_side(result: HandResult, to_canvas: np.ndarray) -> float:
    """Side of the crop in pixels of the canvas."""
    matrix = to_canvas @ np.linalg.inv(result.crop.matrix)
    return float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))) * min(result.crop.output_size))


def _draw_joints(
    canvas: np.ndarray, result: HandResult, style: HandStyle, to_canvas: np.ndarray
) -> np.ndarray:
    side = _crop_side(result, to_canvas)
    points = apply_affine(to_canvas, result.keypoints.astype(np.float64))
    thickness = style.thickness or int(np.clip(round(side / 90), 2, 14))
    doubt = style.doubt if style.doubt is not None else 0.5 if result.calibrated else None
    sure = None if doubt is None else result.confidence >= doubt
    if sure is None or sure.all():
        return draw_skeleton_2d(canvas, points, thickness=thickness, rim=_RIM)
    faint = draw_skeleton_2d(canvas, points, thickness=thickness)
    canvas = cv2.addWeighted(canvas, 1.0 - _FADED, faint, _FADED, 0.0)
    return draw_skeleton_2d(canvas, points, sure, thickness=thickness, rim=_RIM)


def _draw_box(canvas: np.ndarray, box: np.ndarray, colour: Colour) -> None:
    """Four corners; ``box`` (2, 2) upper left and lower right."""
    (left, top), (right, bottom) = np.rint(np.clip(box, -1e4, 1e4)).astype(int)
    right, bottom = min(right, canvas.shape[1] - 1), min(bottom, canvas.shape[0] - 1)
    left, top = max(left, 0), max(top, 0)
    arm = max(4, round(0.12 * min(right - left, bottom - top)))
    for thickness, paint in ((4, _RIM), (2, colour)):
        for u, v, to_u, to_v in (
            (left, top, 1, 1), (right, top, -1, 1), (left, bottom, 1, -1), (right, bottom, -1, -1)
        ):  # fmt: skip
            cv2.line(canvas, (u, v), (u + to_u * arm, v), paint, thickness, cv2.LINE_AA)
            cv2.line(canvas, (u, v), (u, v + to_v * arm), paint, thickness, cv2.LINE_AA)


def _draw_label(canvas: np.ndarray, result: HandResult, to_canvas: np.ndarray) -> None:
    words = f'{result.side}  {result.score:.2f}' if np.isfinite(result.score) else result.side
    box = apply_affine(to_canvas, result.box.reshape(2, 2).astype(np.float64))
    if not np.isfinite(box).all():
        return
    letters = int(np.clip(round(canvas.shape[0] / 32), 11, 28))
    width, height = text_size(words, letters, bold=True)
    width, height = width + letters, height + letters // 3
    left = int(np.clip(round(box[0, 0]), 0, max(canvas.shape[1] - width, 0)))
    top = int(np.clip(round(box[0, 1]) - height - 4, 0, max(canvas.shape[0] - height, 0)))
    canvas[top : top + height, left : left + width] = SIDE_COLOURS[result.side]
    write_text(canvas, words, left + letters // 2, top + letters // 6, letters, _RIM, bold=True)


def hand_space_view(
    result: HandResult | None,
    size: int = 256,
    view: str = 'orbit',
    azimuth_deg: float = AZIMUTH_DEG,
    elevation_deg: float = ELEVATION_DEG,
) -> np.ndarray:
    """A hand in space, always at the same scale, so that the pictures of a video fit together.

    A hand whose millimetres are known stands on a grid of :data:`GRID_SPACING_MM`, any
    other on one of the length of its reference bone; the picture says which.

    Args:
        result: Of the inference interface; None, or one without 3D, gives an empty picture.
        size: Side of the picture in pixels.
        view: One of :data:`VIEWS`.
        azimuth_deg: For ``'orbit'``, see :func:`~mmdualhand.visualization.view_axes`.
        elevation_deg: Likewise.

    Returns:
        ``(size, size, 3)`` uint8 RGB.

    Raises:
        ValueError: Unknown view or a size below 1.
    """
    if view not in VIEWS:
        raise ValueError(f'view must be one of {", ".join(map(repr, VIEWS))}, got {view!r}')
    pose, grid, words = np.full((21, 3), np.nan), GRID_SPACING_MM, 'no 3D' if result else 'no hand'
    if result is not None and result.keypoints_3d is not None and np.isfinite(result.keypoints_3d).any():
        pose, words = result.keypoints_3d, f'grid {GRID_SPACING_MM:.0f} mm'
        if result.metric == 'solved':
            words += ', depth solved'
    elif result is not None and result.has_3d:
        pose = result.keypoints_3d_relative * DEFAULT_REFERENCE_LENGTH_MM
        grid, words = DEFAULT_REFERENCE_LENGTH_MM, 'grid 1 bone, size not known'
    if view == 'orbit':
        angles = (azimuth_deg, elevation_deg)
        canvas = draw_skeleton_orbit(pose, size, *angles, extent_mm=EXTENT_MM, grid_mm=grid)
    else:
        thickness = max(2, round(size / 80))
        canvas = draw_skeleton_3d(pose, size, view, extent_mm=EXTENT_MM, grid_mm=grid, thickness=thickness)
    letters = int(np.clip(size // 22, 9, 18))
    write_text(canvas, view, letters // 2, letters // 3, letters, MUTED, bold=True)
    write_text(canvas, words, letters // 2, size - round(1.6 * letters), letters, MUTED)
    return canvas


def side_by_side(
    image: np.ndarray,
    results: Sequence[HandResult],
    height: int = 480,
    *,
    views: Sequence[str] = ('front', 'orbit'),
    hands: int = 1,
    azimuth_deg: float = AZIMUTH_DEG,
    style: HandStyle | None = None,
) -> np.ndarray:
    """A picture with its hands drawn in, beside them in space: a frame of a video.

    The size depends on ``image``, ``height``, ``views`` and ``hands`` alone, not on what was found.

    Args:
        image: ``(H, W, 3)`` uint8 RGB, the picture that the results are of.
        results: Any number; the first ``hands`` of them have views of their own.
        height: Of the frame, in pixels; even, as video formats want it.
        views: Any of :data:`VIEWS`, one below the other.
        hands: Columns of views.
        azimuth_deg: Of the orbiting view; count it up from frame to frame.
        style: What to draw into the picture.

    Returns:
        ``(height, W', 3)`` uint8 RGB with an even width.

    Raises:
        TypeError: ``image`` is not a numpy array.
        ValueError: ``image`` is not an RGB picture, a view is unknown, or a number is below its least.
    """
    check_image(image)
    if height < 2 or hands < 0 or not 0 < len(views) <= height:
        raise ValueError(f'height must be 2 or more with 1 or more views, got {height} and {tuple(views)}')
    size = (image.shape[1], image.shape[0])
    fitted = fit_size(size, (3 * height, height))
    photo = _draw_hands(resize(image, fitted), results, style or HandStyle(), grid_affine(size, fitted))
    side = height // len(views)
    width = fitted[0] + hands * side
    frame = np.full((height, width + width % 2, 3), 255, np.uint8)
    above = (height - fitted[1]) // 2
    frame[above : above + fitted[1], : fitted[0]] = photo
    for column in range(hands):
        result = results[column] if column < len(results) else None
        left = fitted[0] + column * side
        for row, view in enumerate(views):
            tile = hand_space_view(result, side, view, azimuth_deg)
            frame[row * side : (row + 1) * side, left : left + side] = tile
    return frame
