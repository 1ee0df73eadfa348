"""Texture of one sample with OpenCV, and the transform that makes the views in a worker.

On a CPU this form is the faster one; on a GPU the batched twin
(``mmdualhand.models.texture``) does the same with the same parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmdualhand.errors import ConfigError
from mmdualhand.registry import TRANSFORMS

from .colour_matrix import colour_basis, colour_matrix
from .texture_parameters import DepthParameters, DepthTexture, RGBParameters, RGBTexture

VIEWS = ('plain', 'augmented')
_POOL_SIZE = 1 << 20


class ViewTexture(NamedTuple):
    """The texture of one view."""

    rgb: RGBTexture
    depth: DepthTexture


def parse_views(config: Mapping[str, Any], augmented_view: bool = True) -> dict[str, ViewTexture]:
    """Read ``dict(plain=dict(rgb=..., depth=...), augmented=dict(rgb=..., depth=...))``.

    A missing ``rgb`` or ``depth`` (or ``None``) leaves that modality as it is, and
    so does a missing ``plain``.

    Args:
        config: Settings by view; see :class:`RGBTexture` and :class:`DepthTexture` for the keys.
        augmented_view: Whether ``augmented`` is needed.

    Returns:
        ``plain`` and, if asked for, ``augmented``.

    Raises:
        ConfigError: An unknown view or modality, a wrong value, or no ``augmented``.
    """
    _known_keys(config, VIEWS, 'texture views')
    if augmented_view and 'augmented' not in config:
        raise ConfigError(
            "texture has no 'augmented' view. Add augmented=dict(rgb=dict(...), depth=dict(...)) to it, "
            'or set augmented_view=False.'
        )
    views = {}
    for name in VIEWS[: 1 + augmented_view]:
        view = config.get(name) or {}
        _known_keys(view, ViewTexture._fields, f'texture of the {name} view')
        views[name] = ViewTexture(
            RGBTexture.from_config(view.get('rgb')), DepthTexture.from_config(view.get('depth'))
        )
    return views


def _known_keys(config: Any, known: tuple[str, ...], what: str) -> None:
    if not isinstance(config, Mapping):
        raise ConfigError(f'{what} must be a dict with keys {", ".join(known)}, got {config!r}')
    unknown = [key for key in config if key not in known]
    if unknown:
        raise ConfigError(f'{what}: unknown key {unknown[0]!r}; known are {", ".join(known)}')


def check_half_range(settings: Mapping[str, DepthTexture], half_range: float | None) -> None:
    """Refuse a depth texture whose reference bones are not those of the depth map.

    Args:
        settings: Depth textures by view; one that changes nothing passes.
        half_range: That of ``NormalizeDepth``; None where it is not known.

    Raises:
        ConfigError: They differ; the message names both keys.
    """
    for name, texture in settings.items():
        if half_range is not None and texture != DepthTexture() and texture.half_range != half_range:
            raise ConfigError(
                f'half_range of NormalizeDepth is {half_range:g}, but {name}.depth.half_range of the texture '
                f'is {texture.half_range:g}; give both the same value'
            )


def apply_rgb_texture(
    image: np.ndarray, parameters: RGBParameters, texture: RGBTexture, rng: np.random.Generator
) -> np.ndarray:
    """Apply one draw to one image.

    Args:
        image: ``(H, W, 3)`` uint8 RGB, left as it is.
        parameters: The draw, without batch dimension.
        texture: Gives the fixed blur kernel width and the fill value.
        rng: Used for the noise field only.

    Returns:
        ``(H, W, 3)`` uint8, never the same memory as ``image``.
    """
    out = image.copy()
    if texture.changes_colour:
        mean = np.array(cv2.mean(image)[:3])
        linear, offset = colour_matrix(parameters, mean, _basis())
        out = cv2.transform(out, np.concatenate([linear, offset[:, None]], 1))
    if parameters.blur_sigma > 0:
        out = _blur(out, float(parameters.blur_sigma), texture.blur_sigma[1])
    if parameters.noise_sigma > 0:
        noise = _noise(out.shape, rng) * np.float32(parameters.noise_sigma)
        out = cv2.add(out, noise, dtype=cv2.CV_8U)
    x0, y0, x1, y1 = (int(value) for value in parameters.box)
    out[y0:y1, x0:x1] = round(texture.erase_fill)
    return out


def apply_depth_texture(
    depth: np.ndarray, parameters: DepthParameters, texture: DepthTexture, rng: np.random.Generator
) -> np.ndarray:
    """Apply one draw to one normalised depth map.

    Args:
        depth: ``(H, W)`` float32 in [0, 1], background 1, left as it is.
        parameters: The draw, without batch dimension.
        texture: Gives the fixed blur kernel width and the stride of the low resolution.
        rng: Used for the noise field only.

    Returns:
        ``(H, W)`` float32 in [0, 1], never the same memory as ``depth``.

    Raises:
        ValueError: Low resolution asked for and the size is no multiple of its stride.
    """
    out = _silhouette(depth.astype(np.float32), int(parameters.radius))
    hand = out < 1
    out = np.where(hand, np.clip(out + np.float32(parameters.offset), 0, 1), out)
    if parameters.blur_sigma > 0:
        out = _blur(out, float(parameters.blur_sigma), texture.blur_sigma[1])
    if parameters.low_resolution > 0:
        out = _low_resolution(out, int(texture.low_resolution_stride))
    if parameters.noise_sigma > 0:
        noise = _noise(out.shape, rng) * np.float32(parameters.noise_sigma)
        out = np.clip(out + noise * hand, 0, 1)
    for x0, y0, x1, y1 in np.asarray(parameters.boxes, dtype=int):
        out[y0:y1, x0:x1] = 1
    if parameters.quantise > 0:
        out = np.rint(out * np.float32(255)) / np.float32(255)
    return out


def kernel_radius(sigma: float) -> int:
    """Half width in pixels of the Gaussian kernel for standard deviations up to ``sigma``."""
    return max(1, math.ceil(3 * sigma))


def check_stride(size: tuple[int, int], stride: int) -> None:
    """Raise ValueError where the low-resolution grid would not divide the map."""
    if size[0] % stride or size[1] % stride:
        raise ValueError(
            f'low_resolution needs a map whose sides are multiples of low_resolution_stride={stride}, '
            f'got {size[0]}x{size[1]}; change the stride or the input size'
        )


@lru_cache(maxsize=1)
def _basis() -> np.ndarray:
    return colour_basis()


@lru_cache(maxsize=1)
def _noise_pool() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(_POOL_SIZE, dtype=np.float32)


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Standard normal numbers: a random stretch of a fixed pool (20 times cheaper), or fresh if large."""
    size = math.prod(shape)
    if size > _POOL_SIZE // 4:
        return rng.standard_normal(size, dtype=np.float32).reshape(shape)
    start = int(rng.integers(_POOL_SIZE - size))
    return _noise_pool()[start : start + size].reshape(shape)


def _blur(image: np.ndarray, sigma: float, largest: float) -> np.ndarray:
    width = 2 * kernel_radius(largest) + 1
    return cv2.GaussianBlur(image, (width, width), sigma, borderType=cv2.BORDER_REFLECT_101)


def _silhouette(depth: np.ndarray, radius: int) -> np.ndarray:
    kernel = np.ones((2 * abs(radius) + 1,) * 2, np.uint8)
    background = depth >= 1
    if radius > 0:
        return np.where(background, cv2.erode(depth, kernel), depth)
    if radius < 0:
        grown = cv2.dilate(background.astype(np.uint8), kernel)
        return np.where(grown > 0, np.float32(1), depth)
    return depth


def _low_resolution(depth: np.ndarray, stride: int) -> np.ndarray:
    height, width = depth.shape
    check_stride((height, width), stride)
    small = cv2.resize(depth, (width // stride, height // stride), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


@TRANSFORMS.register_module()
class TextureViews(BaseTransform):
    """Make the plain and the augmented view in the worker (the CPU form of the texture).

    Takes ``img`` (H, W, 3) uint8 RGB, ``rng`` (NumPy Generator) and, if there,
    ``depth_map`` (H, W) float32 in [0, 1]. Replaces ``img`` by the plain view and
    adds ``img_augmented``, ``depth_plain`` and ``depth_augmented``; ``depth_map``
    stays clean, it is the label. Geometry is left alone. Leave ``texture`` of the
    data preprocessor unset where this transform is used.

    Args:
        views: ``dict(plain=dict(rgb=..., depth=...), augmented=dict(rgb=..., depth=...))``.
            Without ``augmented`` only the plain view is made.

    Raises:
        ConfigError: See :func:`parse_views`.
    """

    def __init__(self, views: Mapping[str, Any]) -> None:
        if not isinstance(views, Mapping):
            raise ConfigError(f'TextureViews.views must be a dict with keys plain, augmented, got {views!r}')
        self.views = parse_views(views, augmented_view='augmented' in views)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the views to one sample.

        Raises:
            ValueError: ``img`` or ``rng`` is missing.
            ConfigError: ``half_range`` of a depth texture is not that of ``NormalizeDepth``.
        """
        for key in ('img', 'rng'):
            if key not in results:
                where = 'put it after HandCrop and NormalizeDepth'
                raise ValueError(f'TextureViews needs results[{key!r}]; {where}')
        image, depth, rng = results['img'], results.get('depth_map'), results['rng']
        if depth is not None:
            settings = {name: texture.depth for name, texture in self.views.items()}
            check_half_range(settings, results.get('depth_half_range'))
        for name, texture in self.views.items():
            key = 'img' if name == 'plain' else 'img_augmented'
            rgb_draw = texture.rgb.parameters(rng.random(RGBTexture.num_uniforms), image.shape[:2])
            results[key] = apply_rgb_texture(image, rgb_draw, texture.rgb, rng)
            if depth is not None:
                draw = texture.depth.parameters(rng.random(DepthTexture.num_uniforms), depth.shape)
                results[f'depth_{name}'] = apply_depth_texture(depth, draw, texture.depth, rng)
        return results

    def __repr__(self) -> str:
        """Name and settings."""
        return f'{type(self).__name__}(views={self.views})'
