"""Procedural noise and patterns, in the plane and on surfaces."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

TILE = 512
"""Side of the periodic noise tiles in texels."""

GRAIN = 16.0
"""Texels of a tile for one feature of its noise."""

_ROW = 4096  # cv2.remap wants pictures: lists of points are folded to rows of this length


@lru_cache(maxsize=1)
def noise_tiles() -> np.ndarray:
    """Three periodic tiles (3, TILE + 1, TILE + 1) float32 of smooth noise, mean 0, deviation 1.

    The last row and column repeat the first, so that interpolation wraps around.
    """
    rng = np.random.default_rng(1234)
    frequency = np.fft.fftfreq(TILE)
    squared = frequency[:, None] ** 2 + frequency[None] ** 2
    low_pass = np.exp(-2.0 * (np.pi * GRAIN / 4.0) ** 2 * squared)
    tiles = np.empty((3, TILE + 1, TILE + 1), np.float32)
    for tile in tiles:
        smooth = np.real(np.fft.ifft2(np.fft.fft2(rng.normal(size=(TILE, TILE))) * low_pass))
        smooth = (smooth - smooth.mean()) / smooth.std()
        tile[:] = np.pad(smooth, ((0, 1), (0, 1)), mode='wrap')
    tiles.setflags(write=False)
    return tiles


def dot3(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Scalar products (N,) of rows (N, 3); many times faster than a sum over so short an axis."""
    return first[:, 0] * second[:, 0] + first[:, 1] * second[:, 1] + first[:, 2] * second[:, 2]


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors (N, 3) of vectors (N, 3); zero stays zero."""
    return vectors / np.sqrt(np.maximum(dot3(vectors, vectors), np.float32(1e-18)))[:, None]


def look_up(tile: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Bilinear values of a periodic tile.

    Args:
        tile: (T + 1, T + 1) float32, wrapped as in :func:`noise_tiles`.
        u: (N,) float32 column in texels, any real number.
        v: (N,) float32 row in texels.

    Returns:
        (N,) float32.
    """
    count, period = len(u), tile.shape[0] - 1
    rows = max(-(-count // _ROW), 1)
    folded = np.zeros((2, rows * _ROW), np.float32)
    for place, value in zip(folded, (u, v), strict=True):
        turns = value * np.float32(1 / period)
        place[:count] = (turns - np.floor(turns)) * np.float32(period)
    return cv2.remap(
        tile, folded[0].reshape(rows, _ROW), folded[1].reshape(rows, _ROW), cv2.INTER_LINEAR
    ).ravel()[:count]


def surface_noise(
    points: np.ndarray, weights: np.ndarray, feature_mm: float, offset: np.ndarray
) -> np.ndarray:
    """Noise that sticks to a surface: three planes of noise blended by the normal.

    Args:
        points: (N, 3) float32, mm, in a frame that moves with the surface.
        weights: (N, 3) share of the planes that face x, y, z; see :func:`plane_weights`.
        feature_mm: Size of one feature.
        offset: (3,) texels; other offsets give other noise.

    Returns:
        (N,) float32, mean about 0 and deviation about 1.
    """
    scale = np.float32(GRAIN / feature_mm)
    columns = [points[:, axis] * scale for axis in range(3)]
    total = np.zeros(len(points), np.float32)
    for axis, (first, second) in enumerate(((1, 2), (0, 2), (0, 1))):
        u = columns[first] + np.float32(offset[axis])
        v = columns[second] + np.float32(1.7 * offset[axis])
        total += weights[:, axis] * look_up(noise_tiles()[axis], u, v)
    return total


def plane_weights(normals: np.ndarray) -> np.ndarray:
    """Weights (N, 3) float32 of the three planes from the normals (N, 3); they sum to 1."""
    power = np.square(np.square(normals, dtype=np.float32))
    return power / np.maximum(power[:, :1] + power[:, 1:2] + power[:, 2:], np.float32(1e-12))


def smooth_step(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, a cubic between."""
    t = np.clip((value - np.float32(low)) * np.float32(1.0 / (high - low)), 0, 1)
    return t * t * (3 - 2 * t)


def clouds(rng: np.random.Generator, height: int, width: int, roughness: float = 1.1) -> np.ndarray:
    """Fractal noise (height, width) float32 that spans [0, 1]; smaller roughness is rougher."""
    total = np.zeros((height, width), np.float32)
    for octave in range(1, 7):
        cells = 2**octave
        grid = rng.normal(size=(cells + 1, cells + 1)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * cells**-roughness
    total -= total.min()
    return total / max(float(total.max()), 1e-6)


def ramp(height: int, width: int, angle: float) -> np.ndarray:
    """A linear ramp (height, width) float32 over [0, 1] along a direction in radians."""
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32) * np.float32(np.cos(angle))
    y = np.linspace(-0.5, 0.5, height, dtype=np.float32) * np.float32(np.sin(angle))
    plane = x[None] + y[:, None]
    return (plane - plane.min()) / max(float(np.ptp(plane)), 1e-6)


def random_color(
    rng: np.random.Generator,
    saturation: tuple[float, float] = (0.05, 0.65),
    value: tuple[float, float] = (0.1, 0.95),
) -> np.ndarray:
    """A colour (3,) float32, linear light: uniform hue, saturation and value (of sRGB)."""
    hsv = np.array([[[rng.uniform(0, 360), rng.uniform(*saturation), rng.uniform(*value)]]], np.float32)
    return np.power(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0], np.float32(2.2))


def pattern(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A cloth- or wall-like picture (height, width, 3) float32, linear light, of two colours."""
    first, second = random_color(rng), random_color(rng)
    kind = rng.choice(['plain', 'clouds', 'stripes', 'checks', 'ramp'], p=[0.3, 0.2, 0.15, 0.1, 0.25])
    if kind == 'clouds':
        mix = clouds(rng, height, width, rng.uniform(0.7, 1.4))
    elif kind == 'stripes':
        angle, period = rng.uniform(0, np.pi), rng.uniform(0.02, 0.1) * max(height, width)
        y, x = np.mgrid[:height, :width].astype(np.float32)
        mix = 0.5 + 0.5 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * np.float32(2 * np.pi / period))
    elif kind == 'checks':
        period = max(rng.uniform(0.04, 0.14) * max(height, width), 2.0)
        y, x = np.mgrid[:height, :width]
        mix = ((x // period + y // period) % 2).astype(np.float32)
    elif kind == 'ramp':
        mix = ramp(height, width, rng.uniform(0, 2 * np.pi))
    else:
        mix = np.full((height, width), 0.5, np.float32)
    return first + (second - first) * mix[..., None].astype(np.float32)
