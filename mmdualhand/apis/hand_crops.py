"""From boxes in a picture to the crops that the network takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from mmdualhand.errors import ConfigError
from mmdualhand.structures import CropTransform, grid_affine

LINEAR_DOWN_TO = 0.25
"""Crops that shrink the picture more than this are averaged first: linear sampling would leave most
pixels out. Networks are trained and tested with linear sampling, down to a third."""
_LARGEST_WARP = 32000  # OpenCV's warp has 16-bit coordinates


def read_boxes(boxes: Any, name: str = 'boxes') -> np.ndarray:
    """Check boxes.

    Args:
        boxes: ``(4,)`` or ``(N, 4)`` x0, y0, x1, y1 px.
        name: For messages.

    Returns:
        ``(N, 4)`` float64.

    Raises:
        ConfigError: Another shape, not finite, or without area.
    """
    try:
        array = np.asarray(boxes, np.float64)
    except (TypeError, ValueError):
        array = np.zeros(0)
    if array.shape == (4,):
        array = array[None]
    if array.ndim != 2 or array.shape[1] != 4:
        raise ConfigError(f'{name} must be (4,) or (N, 4) numbers x0, y0, x1, y1 in pixels, got {boxes!r}')
    good = np.isfinite(array).all(1) & (array[:, 2] > array[:, 0]) & (array[:, 3] > array[:, 1])
    if not good.all():
        raise ConfigError(
            f'{name} must have x1 > x0 and y1 > y0 in pixels, got {array[~good][0].tolist()}; is it x, y, '
            'width, height?'
        )
    return array


def whole_box(size: tuple[int, int]) -> np.ndarray:
    """(4,) box of a whole picture of ``(w, h)``, from the first pixel centre to the last."""
    return np.array([0.0, 0.0, size[0] - 1.0, size[1] - 1.0])


def box_crop(
    box: np.ndarray | None,
    size: tuple[int, int],
    input_size: tuple[int, int],
    scale: float,
    mirror: bool,
) -> CropTransform:
    """The square crop of a box.

    Args:
        box: (4,) px; None: the whole picture, its longer side filling the crop.
        size: ``(w, h)`` of the picture.
        input_size: ``(w, h)`` of the crop.
        scale: Side of the square over the longer side of the box.
        mirror: For a left hand.

    Raises:
        ConfigError: The box does not meet the picture.
    """
    if box is None:
        center, side = (np.array(size) - 1) / 2, float(max(size))
    else:
        center, side = (box[:2] + box[2:]) / 2, scale * float(max(box[2] - box[0], box[3] - box[1]))
        if (box[2:] < 0).any() or (box[:2] > np.array(size) - 1).any():
            raise ConfigError(
                f'the box {np.round(box, 1).tolist()} lies outside of the picture of {size[0]} x {size[1]} px'
            )
    return CropTransform.from_box(center, side, input_size, size, mirror=mirror)


def cut(image: np.ndarray, crop: CropTransform) -> np.ndarray:
    """Pixels of a crop, black outside of the picture.

    As ``HandCrop`` cuts them, unless the picture shrinks by more than :data:`LINEAR_DOWN_TO`
    or is too large for OpenCV's warp.

    Args:
        image: ``(H, W, 3)`` uint8.
        crop: Without rotation.

    Returns:
        ``(h, w, 3)`` uint8 of the crop's output size.
    """
    zoom = float(np.sqrt(abs(np.linalg.det(crop.matrix[:2, :2]))))
    if zoom >= LINEAR_DOWN_TO and max(image.shape[:2]) < _LARGEST_WARP:
        return crop.image(image, 'linear')
    factor = max(1, int(1 / zoom))
    low, high = _seen(crop, margin=2 * factor)
    part = image[low[1] : high[1], low[0] : high[0]]
    small_size = (max(1, part.shape[1] // factor), max(1, part.shape[0] // factor))
    small = cv2.resize(part, small_size, interpolation=cv2.INTER_AREA)
    to_part = grid_affine(small_size, (part.shape[1], part.shape[0]))
    to_part[:2, 2] += low
    return CropTransform(crop.matrix @ to_part, small_size, crop.output_size, crop.mirror).image(small)


def _seen(crop: CropTransform, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last + 1 pixel of the picture, x and y, that a crop shows, with a margin."""
    width, height = crop.output_size
    corners = np.array([[-0.5, -0.5], [width - 0.5, -0.5], [-0.5, height - 0.5], [width - 0.5, height - 0.5]])
    points = crop.inverse_points_2d(corners)
    size = np.array(crop.source_size)
    low = np.clip(np.floor(points.min(0)).astype(np.int64) - margin, 0, size - 1)
    high = np.clip(np.ceil(points.max(0)).astype(np.int64) + 1 + margin, low + 1, size)
    return low, high


def spread_boxes(
    boxes: Any, count: int | None
) -> tuple[np.ndarray | None, Sequence[Any] | Mapping[str, Any] | None]:
    """Tell boxes for every picture from boxes for each picture.

    A list or tuple of ``(4,)`` could be either. It is one box a picture where there are as many
    pictures, and more than one, else every picture has all of them; an array is never one a picture.

    Args:
        boxes: None; ``(4,)`` or ``(N, 4)`` for every picture; a sequence with ``(4,)``,
            ``(N, 4)`` or None for each of them; or a mapping with these from path or file name.
        count: Number of pictures, None where unknown.

    Returns:
        ``(N, 4)`` for every picture, or the sequence or mapping; both None for no boxes.

    Raises:
        ConfigError: Neither form, or another number of entries than pictures.
    """
    if boxes is None:
        return None, None
    if isinstance(boxes, Mapping):
        named = {str(name): entry for name, entry in boxes.items()}
        for name, entry in named.items():
            if entry is not None:
                read_boxes(entry, f'boxes[{name!r}]')
        return None, named
    if _is_flat(boxes):
        shared = read_boxes(boxes)
        listed = isinstance(boxes, list | tuple) and np.ndim(boxes) == 2
        if not listed or count == 1 or len(shared) != count:
            return shared, None
    if not isinstance(boxes, list | tuple) and getattr(boxes, 'ndim', 0) != 3:
        raise ConfigError(f'boxes must be (4,), (N, 4) or a list of these, got {type(boxes).__name__}')
    if count is not None and len(boxes) != count:
        raise ConfigError(f'boxes has entries for {len(boxes)} pictures, and there are {count}')
    for number, entry in enumerate(boxes):
        if entry is not None:
            read_boxes(entry, f'boxes[{number}]')
    return None, boxes


def _is_flat(boxes: Any) -> bool:
    try:
        return np.asarray(boxes, np.float64).ndim in (1, 2)
    except (TypeError, ValueError):
        return False
