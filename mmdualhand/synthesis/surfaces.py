"""Backgrounds that are one surface: green screen, studio wall, wood, carpet, wallpaper."""

from __future__ import annotations

import cv2
import numpy as np

from mmdualhand.synthesis.textures import clouds, pattern, ramp, random_color

_GREEN = np.array([0.045, 0.26, 0.075], np.float32)


def green_color(rng: np.random.Generator) -> np.ndarray:
    """Colour (3,) float32 of the cloth of a green screen, linear light."""
    return (_GREEN * np.exp(rng.normal(0.0, [0.25, 0.2, 0.3]))).astype(np.float32)


def green(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A green screen, unevenly lit, with soft folds."""
    cloth = 0.65 + 0.5 * clouds(rng, height, width, 2.0)
    angle, period = rng.uniform(0, np.pi), rng.uniform(0.15, 0.5) * width
    y, x = np.mgrid[:height, :width].astype(np.float32)
    wave = (x * np.cos(angle) + y * np.sin(angle)) * np.float32(2 * np.pi / period)
    cloth += np.float32(rng.uniform(0.0, 0.12)) * np.sin(wave + 3 * clouds(rng, height, width, 1.8))
    return green_color(rng) * cloth[..., None]


def studio(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A wall of paper with a pool of light, from white over warm greys and browns to black."""
    warm = random_color(rng, (0.05, 0.55), (0.25, 0.9))
    if rng.random() < 0.7:  # of the hues of skin
        warm = _from_hsv(rng.uniform(8, 36), rng.uniform(0.1, 0.6), rng.uniform(0.3, 0.95))
    y, x = np.mgrid[:height, :width].astype(np.float32) / np.float32(max(height, width))
    middle = rng.uniform([0.1, 0.1], [0.9, 0.8])
    distance = np.hypot(x - middle[0], y - middle[1])
    pool = 1.0 / (1.0 + (distance / rng.uniform(0.35, 1.0)) ** 2)
    cloth = 1 + 0.06 * (clouds(rng, height, width, 0.7) - 0.5)
    return warm * (rng.uniform(0.25, 0.6) + pool * cloth)[..., None]


def wood(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Boards with grain, from birch to walnut."""
    light = _from_hsv(rng.uniform(14, 34), rng.uniform(0.25, 0.65), rng.uniform(0.45, 0.92))
    dark = light * rng.uniform(0.35, 0.7) * np.array([1.0, 0.85, 0.75], np.float32)
    upright = rng.random() < 0.5
    rows, columns = (width, height) if upright else (height, width)
    boards = int(rng.integers(1, 7))
    image = np.empty((rows, columns, 3), np.float32)
    edges = np.linspace(0, rows, boards + 1).astype(int)
    for top, bottom in zip(edges[:-1], edges[1:], strict=True):
        high = max(bottom - top, 2)
        place = np.linspace(0, rng.uniform(1, 4), high, dtype=np.float32)[:, None]
        place = place + rng.uniform(1, 4) * clouds(rng, high, columns, 1.9)
        rings = 0.5 + 0.5 * np.sin(2 * np.pi * (place + 0.3 * np.sin(5 * place)))
        fibre = cv2.resize(rng.random((high, max(columns // 24, 2)), np.float32), (columns, high))
        mix = (0.35 * rings + 0.65 * fibre) * rng.uniform(0.3, 0.8)
        board = light + (dark - light) * mix[..., None].astype(np.float32)
        image[top:bottom] = (board * rng.uniform(0.85, 1.1))[: bottom - top]
        image[top : top + max(rows // 200, 1)] *= 0.5
    if upright:
        image = image.transpose(1, 0, 2)
    return np.ascontiguousarray(image) * (0.8 + 0.3 * ramp(height, width, rng.uniform(0, 6.28)))[..., None]


def carpet(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Loops of yarn of a few colours, now and then in a pattern."""
    colors = [_from_hsv(rng.uniform(0, 45), rng.uniform(0.1, 0.6), rng.uniform(0.25, 0.85)) for _ in range(2)]
    if rng.random() < 0.4:
        image = pattern(rng, height, width) * 0.5 + colors[0] * 0.5
    else:
        mix = clouds(rng, height, width, rng.uniform(0.5, 1.1))[..., None]
        image = colors[0] + (colors[1] - colors[0]) * mix
    yarn = rng.normal(0.0, 1.0, (height, width)).astype(np.float32)
    yarn = np.asarray(cv2.GaussianBlur(yarn, (0, 0), rng.uniform(0.5, 1.2)), np.float32)
    return image * np.exp(rng.uniform(0.15, 0.4) * yarn / max(float(yarn.std()), 1e-6))[..., None]


def wallpaper(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A motif that repeats."""
    side = max(int(width * rng.uniform(0.06, 0.22)), 8)
    tile = np.ones((side, side, 3), np.float32) * random_color(rng, (0.05, 0.5), (0.4, 0.95))
    for _ in range(int(rng.integers(2, 7))):
        color = [float(value) for value in random_color(rng, (0.05, 0.6), (0.3, 0.95))]
        middle = (int(rng.integers(side)), int(rng.integers(side)))
        axes = tuple(int(value) for value in np.maximum(rng.uniform(0.05, 0.35, 2) * side, 1))
        cv2.ellipse(tile, middle, axes, rng.uniform(0, 180), 0, 360, color, -1, cv2.LINE_AA)
    count = (-(-height // side), -(-width // side), 1)
    paper = np.tile(tile, count)[:height, :width]
    return paper * (0.75 + 0.35 * ramp(height, width, rng.uniform(0, 6.28)))[..., None]


def _from_hsv(hue_deg: float, saturation: float, value: float) -> np.ndarray:
    """Linear light (3,) float32 of an sRGB colour."""
    hsv = np.array([[[hue_deg, saturation, value]]], np.float32)
    return np.power(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0], np.float32(2.2))
