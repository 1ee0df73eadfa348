"""What a camera does to the light that reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_SHARPEN_PX = 1.0
_LEVELS = 65535  # steps of the table that encodes light

SHOULDER = 0.75
"""Linear light above which highlights are compressed instead of clipped."""


def expose(light: np.ndarray, values: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Turn linear light into an 8-bit picture.

    Args:
        light: (H, W, 3) float32 linear light, 1 = white.
        values: Drawn parameters, those that ``SOURCE_LOOK`` lists under camera
            (lengths in pixels of the picture, whatever the resolution).
        rng: Generator for white balance, direction of motion and noise.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    gains = np.clip(1 + rng.normal(0, 1, 3) * values['white_balance'], 0.6, 1.5) * values['exposure']
    height, width = light.shape[:2]
    share = float(values['resolution'])
    if share < 1:
        size = max(int(round(width * share)), 8), max(int(round(height * share)), 8)
        light = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    image = light * gains.astype(np.float32)
    if values['flare'] > 0:
        image += np.float32(values['flare'])
    if values['vignette'] > 0:
        image = image * _vignette(image.shape[0], image.shape[1], values['vignette'])
    image = _blur(image, values, min(share, 1.0), rng.uniform(0, np.pi))
    image = compress_highlights(image)
    if values['shot_noise'] > 0 or values['read_noise'] > 0:
        variance = values['shot_noise'] ** 2 * np.maximum(image, 0) + values['read_noise'] ** 2
        noise = _noise(image.shape, values['noise_grain_px'] * share, values['chroma_noise'], rng)
        image = image + noise * np.sqrt(variance, dtype=np.float32)
    if values['saturation'] != 1:
        gray = (image @ _LUMA)[..., None]
        image = gray + (image - gray) * np.float32(values['saturation'])
    if share < 1:
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    picture = to_srgb(image)
    if values['contrast'] != 1:
        picture = cv2.LUT(picture, _tone_curve(values['contrast']))
    if values['sharpen'] > 0:
        amount, radius = float(values['sharpen']), _SHARPEN_PX / min(share, 1.0)
        picture = cv2.addWeighted(picture, 1 + amount, cv2.GaussianBlur(picture, (0, 0), radius), -amount, 0)
    quality = int(round(values['jpeg']))
    return picture if quality >= 100 else _jpeg(picture, quality)


def _blur(image: np.ndarray, values: Mapping[str, Any], share: float, direction: float) -> np.ndarray:
    """Lens and motion; lengths are given in pixels of which ``share`` are left."""
    if values['blur_px'] * share > 0.25:
        image = cv2.GaussianBlur(image, (0, 0), values['blur_px'] * share)
    if values['defocus_px'] * share > 0.6:
        image = cv2.filter2D(image, -1, _disc(values['defocus_px'] * share))
    if values['motion_px'] * share > 1.5:
        image = cv2.filter2D(image, -1, motion_kernel(values['motion_px'] * share, direction))
    return image


def _noise(shape: tuple[int, ...], grain_px: float, chroma: float, rng: np.random.Generator) -> np.ndarray:
    """Noise (H, W, 3) float32 of deviation 1, blurred to grains, partly common to the channels."""
    noise = rng.standard_normal(shape, np.float32)
    if chroma < 1:
        common = rng.standard_normal(shape[:2], np.float32)[..., None]
        noise = np.float32(chroma) * noise + np.float32(np.sqrt(1 - chroma**2)) * common
    if grain_px > 0.2:
        side = 2 * int(np.ceil(3 * grain_px)) + 1
        line = cv2.getGaussianKernel(side, grain_px, cv2.CV_32F)
        noise = cv2.sepFilter2D(noise, -1, line, line) / np.float32((line * line).sum())
    return noise


def _disc(radius: float) -> np.ndarray:
    """Kernel (S, S) float32 of a lens out of focus; its edge is antialiased."""
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return kernel / kernel.sum()


def _tone_curve(contrast: float) -> np.ndarray:
    """Table (256,) uint8 of slope ``contrast`` at middle grey; from 1 upwards black and white stay."""
    value = np.linspace(-1, 1, 256)
    steep = np.sqrt(3 * max(contrast - 1, 0.0))  # s / tanh(s) is 1 + s^2 / 3 at first
    curve = np.tanh(steep * value) / np.tanh(steep) if steep > 1e-3 else value * min(contrast, 1.0)
    return np.rint(127.5 * (curve + 1)).astype(np.uint8)


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


def motion_kernel(length: float, angle: float) -> np.ndarray:
    """Kernel (S, S) float32 of a motion by ``length`` px along a direction in radians; sums to 1."""
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
