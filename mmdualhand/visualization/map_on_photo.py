"""Mask and depth map of a crop, laid back over the photo that the crop was cut from."""

from __future__ import annotations

import cv2
import numpy as np

from mmdualhand.structures import CropTransform, apply_affine, grid_affine
from mmdualhand.visualization.images import Array, Colour, check_fraction, check_image, check_map
from mmdualhand.visualization.overlays import MASK_COLOUR, colorize_depth

HAND_FROM = 0.5
"""Value of a mask from which a pixel counts as hand."""


def map_on_photo(
    value: Array, crop: CropTransform, fill: float = 0.0, to_picture: np.ndarray | None = None
) -> tuple[np.ndarray, tuple[slice, slice]]:
    """A map over a crop as a map over the photo, mirror and rotation undone.

    Args:
        value: ``(h, w)`` of any resolution over the whole crop.
        crop: From pixels of the photo to those of the crop.
        fill: Value outside the crop.
        to_picture: ``(3, 3)`` from pixels of the photo to those of the picture that the
            map is wanted for, a smaller photo for example; the photo itself where None. Its
            size is that of the photo scaled by the matrix.

    Returns:
        The map, float32, of the smallest upright window that holds the crop, and the rows
        and columns of the picture that it belongs to; empty where the crop lies outside.

    Raises:
        ValueError: ``value`` is not a two-dimensional map.
    """
    source = check_map(value, 'value')
    moved = np.eye(3) if to_picture is None else np.asarray(to_picture, np.float64)
    size = (source.shape[1], source.shape[0])
    matrix = moved @ np.linalg.inv(crop.matrix) @ grid_affine(size, crop.output_size)
    # the lower right corner of the last pixel of the photo
    extent = apply_affine(moved, np.asarray(crop.source_size, np.float64) - 0.5) + 0.5
    corners = np.array([(-0.5, -0.5), (size[0] - 0.5, -0.5), (-0.5, size[1] - 0.5), np.array(size) - 0.5])
    corners = apply_affine(matrix, corners)
    low = np.clip(np.floor(corners.min(axis=0)), 0, np.round(extent)).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, np.round(extent)).astype(int)
    window = (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0])))
    if (high <= low).any():
        return np.zeros((max(high[1] - low[1], 0), max(high[0] - low[0], 0)), np.float32), window
    matrix[:2, 2] -= low
    wanted = (int(high[0] - low[0]), int(high[1] - low[1]))
    moved_map = cv2.warpAffine(
        source,
        matrix[:2],
        wanted,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(float(fill),),
    )
    return moved_map, window


def _blend_window(
    canvas: np.ndarray, window: tuple[slice, slice], colour: np.ndarray, share: np.ndarray
) -> None:
    """``colour`` (h, w, 3) uint8 over the window of the canvas, ``share`` (h, w) float32 of it."""
    canvas[window] = cv2.blendLinear(colour, np.ascontiguousarray(canvas[window]), share, 1.0 - share)


def mask_on_photo(
    image: np.ndarray,
    mask: Array,
    crop: CropTransform,
    colour: Colour = MASK_COLOUR,
    alpha: float = 0.3,
    *,
    outline: bool = True,
    to_picture: np.ndarray | None = None,
) -> np.ndarray:
    """Tint a photo where the mask of a crop says hand.

    Args:
        image: ``(H, W, 3)`` uint8 RGB, the photo.
        mask: ``(h, w)`` in 0..1 over the crop.
        crop: From pixels of the photo to those of the crop.
        colour: RGB of tint and outline.
        alpha: Opacity of the tint where the mask is 1.
        outline: Draw the line where the mask is :data:`HAND_FROM`.
        to_picture: See :func:`map_on_photo`.

    Returns:
        ``(H, W, 3)`` uint8 RGB, a new array.

    Raises:
        TypeError: ``image`` is not a numpy array.
        ValueError: An argument has another shape, type or range.
    """
    canvas = check_image(image).copy(order='C')
    alpha = check_fraction(alpha, 'alpha')
    share, window = map_on_photo(np.nan_to_num(check_map(mask, 'mask')), crop, 0.0, to_picture)
    if share.size == 0:
        return canvas
    tint = np.zeros((*share.shape, 3), np.uint8)
    cv2.rectangle(tint, (0, 0), share.shape[::-1], colour, cv2.FILLED)  # faster than numpy
    _blend_window(canvas, window, tint, np.float32(alpha) * np.clip(share, 0.0, 1.0))
    if outline:
        found = cv2.findContours(
            (share >= HAND_FROM).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        corner = (window[1].start, window[0].start)
        cv2.drawContours(canvas, found[0], -1, colour, 1, cv2.LINE_AA, offset=corner)
    return canvas


def depth_on_photo(
    image: np.ndarray,
    depth_map: Array,
    crop: CropTransform,
    mask: Array | None = None,
    alpha: float = 0.8,
    *,
    to_picture: np.ndarray | None = None,
) -> np.ndarray:
    """Colour the hand in a photo by its depth, near bright; the rest of the photo stays.

    Args:
        image: ``(H, W, 3)`` uint8 RGB, the photo.
        depth_map: ``(h, w)`` in 0..1 over the crop, background 1.
        crop: From pixels of the photo to those of the crop.
        mask: ``(h', w')`` in 0..1 over the crop, where the hand is; without it all that is
            nearer than the background.
        alpha: Opacity on the hand.
        to_picture: See :func:`map_on_photo`.

    Returns:
        ``(H, W, 3)`` uint8 RGB, a new array.

    Raises:
        TypeError: ``image`` is not a numpy array.
        ValueError: An argument has another shape, type or range.
    """
    canvas = check_image(image).copy(order='C')
    alpha = check_fraction(alpha, 'alpha')
    depth, window = map_on_photo(depth_map, crop, 1.0, to_picture)
    if depth.size == 0:
        return canvas
    if mask is None:
        share = np.clip((0.98 - depth) / 0.04, 0.0, 1.0)
    else:
        hand, _ = map_on_photo(np.nan_to_num(check_map(mask, 'mask')), crop, 0.0, to_picture)
        share = np.clip((hand - HAND_FROM) / 0.2 + 0.5, 0.0, 1.0)
    share = np.nan_to_num(alpha * share).astype(np.float32)
    _blend_window(canvas, window, colorize_depth(depth), share)
    return canvas
