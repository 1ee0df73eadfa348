"""What a camera does to the light that reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

_LEVELS = 65535  # steps of the table that encodes light

SHOULDER = 0.75
"""Linear light above which highlights are compressed instead of clipped."""


def expose(light: np.ndarray, values: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Turn linear light into an 8-bit picture.

    Args:
        light: (H, W, 3) float32 linear light, 1 = white.
        values: Drawn parameters ``exposure``, ``white_balance``, ``vignette``,
            ``blur_px``, ``motion_px``, ``shot_noise``, ``read_noise``, ``jpeg``.
        rng: Generator for white balance, direction of motion and noise.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    gains = np.clip(1 + rng.normal(0, 1, 3) * values['white_balance'], 0.6, 1.5) * values['exposure']
    image = light * gains.astype(np.float32)
    if values['vignette'] > 0:
        image = image * _vignette(image.shape[0], image.shape[1], values['vignette'])
    if values['blur_px'] > 0.25:
        image = cv2.GaussianBlur(image, (0, 0), values['blur_px'])
    direction = rng.uniform(0, np.pi)
    if values['motion_px'] > 1.5:
        image = cv2.filter2D(image, -1, _motion_kernel(values['motion_px'], direction))
    image = compress_highlights(image)
    if values['shot_noise'] > 0 or values['read_noise'] > 0:
        variance = values['shot_noise'] ** 2 * np.maximum(image, 0) + values['read_noise'] ** 2
        image = image + rng.standard_normal(image.shape, np.float32) * np.sqrt(variance, dtype=np.float32)
    picture = to_srgb(image)
    quality = int(round(values['jpeg']))
    return picture if quality >= 100 else _jpeg(picture, quality)


def compress_highlights(light: np.ndarray) -> np.ndarray:
    """Linear up to ``SHOULDER``, then approaching 1 smoothly; (...,) float32 in and out."""
    over = np.maximum(light - np.float32(SHOULDER), 0)
    room = np.float32(1 - SHOULDER)
    return np.minimum(light, np.float32(SHOULDER)) + room * over / (over + room)


def to_srgb(light: np.ndarray) -> np.ndarray:
    """8-bit sRGB values (gamma 2.2) of linear light; below 0 is black and above 1 white."""
    return _encoding_table()[np.rint(np.clip(light, 0, 1) * np.float32(_LEVELS)).astype(np.uint16)]


@lru_cache(maxsize=1)
def _encoding_table() -> np.ndarray:
    return np.rint(255 * np.linspace(0, 1, _LEVELS + 1) ** (1 / 2.2)).astype(np.uint8)


def _vignette(height: int, width: int, strength: float) -> np.ndarray:
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    return (1 - np.float32(0.5 * strength) * (x * x + y * y))[..., None]


def _motion_kernel(length: float, angle: float) -> np.ndarray:
    side = int(np.ceil(length)) | 1
    kernel = np.zeros((side, side), np.float32)
    reach = 0.5 * length * np.array([np.cos(angle), np.sin(angle)])
    ends = np.rint(side // 2 + np.stack([-reach, reach])).astype(int)
    cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), (1.0,))
    return kernel / kernel.sum()


def _jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    done, data = cv2.imencode('.jpg', picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError(f'OpenCV could not encode a picture of shape {picture.shape} as JPEG')
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
