"""Pictures behind the hands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from mmdualhand.errors import ConfigError, near_names
from mmdualhand.synthesis.interiors import desk, lab, shelf
from mmdualhand.synthesis.photo_background import PHOTO, crop_of_a_photo, photo_backgrounds
from mmdualhand.synthesis.skin_clutter import skin_blobs
from mmdualhand.synthesis.surfaces import carpet, green, studio, wallpaper, wood
from mmdualhand.synthesis.textures import clouds, pattern, ramp, random_color

__all__ = ['BACKGROUNDS', 'Painter', 'paint_background', 'photo_backgrounds']

Painter = Callable[[np.random.Generator, int, int], np.ndarray]


def flat(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """One colour."""
    return np.full((height, width, 3), random_color(rng), np.float32)


def gradient(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Two colours, one fading into the other."""
    first, second = random_color(rng), random_color(rng)
    return first + (second - first) * ramp(height, width, rng.uniform(0, 2 * np.pi))[..., None]


def noise(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Clouds of three colours."""
    colors = [random_color(rng) for _ in range(3)]
    mix = clouds(rng, height, width, rng.uniform(0.8, 1.6))[..., None]
    other = clouds(rng, height, width, rng.uniform(1.0, 1.8))[..., None]
    return (colors[0] + (colors[1] - colors[0]) * mix) * (1 - other) + colors[2] * other


def leaves(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Dead leaves: ellipses and polygons of many sizes that cover each other, softly lit."""
    image = np.ascontiguousarray(gradient(rng, height, width))
    for _ in range(int(rng.integers(25, 90))):
        _paint_leaf(rng, image)
    return image * (0.7 + 0.4 * clouds(rng, height, width, 1.6)[..., None])


def room(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A wall, a floor and box-like things before them, as in an office out of focus."""
    wall = random_color(rng, (0.0, 0.3), (0.4, 0.95))
    image = np.empty((height, width, 3), np.float32)
    image[:] = wall * (0.8 + 0.2 * ramp(height, width, rng.uniform(0, 2 * np.pi))[..., None])
    horizon = int(height * rng.uniform(0.55, 0.95))
    floor = random_color(rng, (0.0, 0.4), (0.2, 0.7))
    image[horizon:] = floor * np.linspace(0.75, 1.1, height - horizon, dtype=np.float32)[:, None, None]
    for _ in range(int(rng.integers(3, 12))):
        _paint_box(rng, image, horizon)
    return image * (0.75 + 0.35 * clouds(rng, height, width, 1.9)[..., None])


BACKGROUNDS: dict[str, Painter] = {
    'flat': flat, 'gradient': gradient, 'noise': noise, 'leaves': leaves, 'room': room,
    'green': green, 'studio': studio, 'wood': wood, 'carpet': carpet, 'wallpaper': wallpaper,
    'shelf': shelf, 'desk': desk, 'lab': lab, 'skin': skin_blobs,
}  # fmt: skip
"""Kinds of background; a further painter may be added under a new name."""


def paint_background(
    rng: np.random.Generator,
    kind: str,
    height: int,
    width: int,
    blur_px: float = 0.0,
    photos: Sequence[str] | None = None,
) -> np.ndarray:
    """Paint a background.

    Args:
        rng: Generator to draw from.
        kind: Key of ``BACKGROUNDS``, or ``'photo'``.
        height: Rows.
        width: Columns.
        blur_px: Deviation of a Gaussian blur; below 0.3 none.
        photos: Files for the kind ``'photo'``.

    Returns:
        (height, width, 3) float32 linear light in [0, 1].

    Raises:
        ConfigError: Unknown kind, or no photos.
    """
    if kind == PHOTO:
        image = crop_of_a_photo(rng, photos, height, width)
    elif kind in BACKGROUNDS:
        image = np.clip(BACKGROUNDS[kind](rng, height, width), 0, 1).astype(np.float32)
    else:
        raise ConfigError(f'background {kind!r} is not known; {near_names(kind, [*BACKGROUNDS, PHOTO])}')
    if blur_px > 0.3 and kind not in ('flat', 'gradient'):
        return np.asarray(cv2.GaussianBlur(image, (0, 0), blur_px))
    return image


def _paint_leaf(rng: np.random.Generator, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    radius = min(0.5 * width, 0.02 * width * (1 - rng.random()) ** -0.7)
    center = rng.uniform(0, [width, height])
    reach = int(1.5 * radius) + 2
    x0, y0 = np.maximum(center.astype(int) - reach, 0)
    x1, y1 = np.minimum(center.astype(int) + reach, [width, height])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    cover = np.zeros((y1 - y0, x1 - x0), np.uint8)
    middle = center - [x0, y0]
    if rng.random() < 0.5:
        axes = (max(int(radius), 1), max(int(radius * rng.uniform(0.3, 1)), 1))
        place = (int(middle[0]), int(middle[1]))
        cv2.ellipse(cover, place, axes, rng.uniform(0, 180), 0, 360, (255,), -1, cv2.LINE_AA)
    else:
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 6))))
        corners = middle + 1.2 * radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        cv2.fillPoly(cover, [np.rint(corners).astype(np.int32)], (255,), cv2.LINE_AA)
    alpha = cover[..., None].astype(np.float32) / 255
    paint = pattern(rng, *cover.shape) if radius > 0.06 * width else random_color(rng)
    patch = image[y0:y1, x0:x1]
    patch += (paint - patch) * alpha


def _paint_box(rng: np.random.Generator, image: np.ndarray, horizon: int) -> None:
    height, width = image.shape[:2]
    box_width, box_height = (rng.uniform(0.06, 0.45, 2) * [width, height]).astype(int) + 3
    left = int(rng.uniform(-box_width / 2, width - box_width / 2))
    standing = rng.random() < 0.6  # on the floor, else on the wall
    bottom = horizon + int(rng.uniform(0, 0.1) * height) if standing else int(rng.uniform(0.1, 0.9) * horizon)
    x0, y0, x1, y1 = (
        max(left, 0),
        max(bottom - box_height, 0),
        min(left + box_width, width),
        min(bottom, height),
    )
    if x1 - x0 < 3 or y1 - y0 < 3:
        return
    image[y0:y1, x0:x1] = pattern(rng, y1 - y0, x1 - x0) * rng.uniform(0.5, 1.0)
    if rng.random() < 0.5:
        edge = [float(value) for value in random_color(rng, (0, 0.3), (0.1, 0.4))]
        cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), edge, max(width // 160, 1), cv2.LINE_AA)
