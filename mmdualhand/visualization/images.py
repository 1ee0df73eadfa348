"""What every drawing function agrees on: RGB uint8 pictures, plain maps, sizes."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import torch

Array: TypeAlias = 'np.ndarray | torch.Tensor'
Colour: TypeAlias = tuple[int, int, int]


def to_numpy(value: Array) -> np.ndarray:
    """Bring a tensor of any device and floating type, or an array, to numpy.

    Args:
        value: Tensor or array. bfloat16 and float16 tensors become float32.

    Returns:
        The same numbers as an array; an array comes back as it is, not copied.
    """
    if isinstance(value, torch.Tensor):
        value = value.detach()
        if value.dtype in (torch.bfloat16, torch.float16):
            value = value.float()
        return value.cpu().numpy()
    return np.asarray(value)


def check_image(image: np.ndarray, name: str = 'image') -> np.ndarray:
    """Insist on a picture the drawing functions can read.

    Args:
        image: ``(H, W, 3)`` uint8, RGB.
        name: The caller's argument name, for the message.

    Returns:
        ``image`` itself.

    Raises:
        TypeError: ``image`` is not a numpy array.
        ValueError: Shape or type is another one (grayscale, RGBA, float) or the
            picture has no pixels.
    """
    if not isinstance(image, np.ndarray):
        raise TypeError(f'{name} must be a numpy array (H, W, 3) uint8 RGB, got {type(image).__name__}')
    if image.ndim != 3 or image.shape[-1] != 3 or image.size == 0:
        raise ValueError(
            f'{name} must be an RGB picture of shape (H, W, 3), got shape {image.shape}. '
            'Grayscale: np.repeat(picture[..., None], 3, axis=-1); RGBA: picture[..., :3].'
        )
    if image.dtype != np.uint8:
        raise ValueError(f'{name} must be uint8 with values 0..255, got {image.dtype}')
    return image


def check_map(value: Array, name: str) -> np.ndarray:
    """Insist on one value a pixel.

    Args:
        value: ``(h, w)`` numbers or booleans, tensor or array.
        name: The caller's argument name, for the message.

    Returns:
        ``(h, w)`` float32 copy.

    Raises:
        ValueError: Not two-dimensional, or without pixels.
    """
    array = to_numpy(value)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f'{name} must be a map of shape (h, w), at least one pixel, got shape {array.shape}')
    return array.astype(np.float32)


def check_fraction(value: float, name: str) -> float:
    """Insist on a number in [0, 1].

    Raises:
        ValueError: It is outside, or not a number.
    """
    if not 0.0 <= value <= 1.0:
        raise ValueError(f'{name} must be in [0, 1], got {value}')
    return float(value)


def fit_size(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Largest size of the same aspect ratio that fits into a box.

    Args:
        size: ``(w, h)`` of the picture, pixels.
        box: ``(w, h)`` of the space, pixels.

    Returns:
        ``(w, h)``, at least one pixel each way; small pictures grow.
    """
    factor = min(box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def resize(picture: np.ndarray, size: tuple[int, int], *, nearest: bool = False) -> np.ndarray:
    """Resize a picture or a map in the pixel-centre convention ``u' = (u + .5) w' / w - .5``.

    Args:
        picture: ``(H, W)`` or ``(H, W, 3)``, uint8 or float32.
        size: ``(w, h)`` wanted.
        nearest: Repeat pixels instead of interpolating, to show a coarse grid as it is.

    Returns:
        A new array; averaged over areas when it shrinks, linear when it grows.
    """
    height, width = picture.shape[:2]
    if size == (width, height):
        return picture.copy()
    if nearest:
        return cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)
    shrinks = size[0] <= width and size[1] <= height
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
