"""Backgrounds of rooms in which people film hands: shelves, desks, laboratories."""

from __future__ import annotations

import cv2
import numpy as np

from mmdualhand.synthesis.surfaces import wood
from mmdualhand.synthesis.textures import clouds, pattern, ramp, random_color

_MUTED = (0.05, 0.45)


def shelf(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Boards with books and boxes."""
    image = wood(rng, height, width) * rng.uniform(0.3, 0.7)
    levels = int(rng.integers(2, 5))
    edges = np.linspace(0, height, levels + 1).astype(int)
    for top, bottom in zip(edges[:-1], edges[1:], strict=True):
        room = bottom - top
        board = max(int(0.08 * room), 1)
        left = 0
        while left < width:
            thick = max(int(width * rng.uniform(0.012, 0.05)), 2)
            tall = int(room * rng.uniform(0.45, 0.9))
            if rng.random() < 0.12:  # a gap
                left += 3 * thick
                continue
            book = random_color(rng, (0.05, 0.7), (0.15, 0.9)) * rng.uniform(0.5, 1.0)
            shade = np.linspace(0.75, 1.1, thick, dtype=np.float32)[None, :, None]
            patch = image[bottom - board - tall : bottom - board, left : left + thick]
            patch[:] = (book * shade)[:, : patch.shape[1]]
            left += thick
        image[bottom - board : bottom] = random_color(rng, _MUTED, (0.4, 0.9)) * 0.8
    return image * (0.7 + 0.4 * clouds(rng, height, width, 1.9))[..., None]


def desk(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A table from above with paper, a keyboard, cups, pens."""
    if rng.random() < 0.6:
        image = wood(rng, height, width)
    else:
        image = np.empty((height, width, 3), np.float32)
        image[:] = random_color(rng, (0.0, 0.3), (0.3, 0.95))
        image *= (0.8 + 0.3 * ramp(height, width, rng.uniform(0, 6.28)))[..., None]
    for _ in range(int(rng.integers(2, 8))):
        place = rng.uniform(-0.05, 1.05, 2) * [width, height]
        kind = rng.choice(['paper', 'keys', 'cup', 'pen'], p=[0.35, 0.2, 0.2, 0.25])
        _DESK_THINGS[kind](rng, image, place, rng.uniform(0, np.pi))
    return image


def lab(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Equipment, screens, boxes and cables before a dim wall."""
    image = np.empty((height, width, 3), np.float32)
    image[:] = random_color(rng, (0.0, 0.3), (0.2, 0.7))
    for _ in range(int(rng.integers(10, 26))):
        size = np.maximum(rng.uniform(0.05, 0.35, 2) * [width, height], 3).astype(int)
        x, y = (rng.uniform(-0.1, 1.0, 2) * [width, height]).astype(int)
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + size[0], width), min(y + size[1], height)
        if x1 - x0 < 3 or y1 - y0 < 3:
            continue
        bright = rng.uniform(0.25, 1.0)
        image[y0:y1, x0:x1] = pattern(rng, y1 - y0, x1 - x0) * bright
        edge = [float(value) for value in random_color(rng, (0, 0.3), (0.05, 0.5))]
        cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), edge, max(width // 200, 1), cv2.LINE_AA)
    for _ in range(int(rng.integers(1, 7))):
        _cable(rng, image)
    return image * (0.6 + 0.5 * clouds(rng, height, width, 1.7))[..., None]


def _cable(rng: np.random.Generator, image: np.ndarray) -> None:
    height, width = image.shape[:2]
    ends = rng.uniform(-0.1, 1.1, (4, 2)) * [width, height]
    t = np.linspace(0, 1, 24)[:, None]
    path = sum(
        weight * ((1 - t) ** (3 - k) * t**k) * end
        for k, (weight, end) in enumerate(zip((1, 3, 3, 1), ends, strict=True))
    )
    color = [float(value) for value in random_color(rng, (0, 0.6), (0.03, 0.6))]
    thick = max(int(width * rng.uniform(0.004, 0.014)), 1)
    cv2.polylines(image, [np.rint(path).astype(np.int32)], False, color, thick, cv2.LINE_AA)


def _rotated_box(place: np.ndarray, half: tuple[float, float], angle: float) -> np.ndarray:
    """(4, 2) int32 corners."""
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    return np.rint(corners @ turn + place).astype(np.int32)


def _paper(rng: np.random.Generator, image: np.ndarray, place: np.ndarray, angle: float) -> None:
    size = image.shape[1] * rng.uniform(0.06, 0.2)
    box = _rotated_box(place, (size, size * rng.uniform(0.6, 1.4)), angle)
    cv2.fillPoly(image, [box], _color(rng, (0, 0.25), (0.5, 0.98)), cv2.LINE_AA)
    ink = _color(rng, (0, 0.3), (0.1, 0.5))
    for step in np.linspace(0.15, 0.85, int(rng.integers(0, 9))):
        ends = [tuple(int(v) for v in box[a] + (box[b] - box[a]) * step) for a, b in ((0, 3), (1, 2))]
        cv2.line(image, ends[0], ends[1], ink, 1, cv2.LINE_AA)


def _keys(rng: np.random.Generator, image: np.ndarray, place: np.ndarray, angle: float) -> None:
    size = image.shape[1] * rng.uniform(0.12, 0.25)
    body, cap = _color(rng, (0, 0.2), (0.05, 0.8)), _color(rng, (0, 0.2), (0.1, 0.95))
    cv2.fillPoly(image, [_rotated_box(place, (size, 0.35 * size), angle)], body, cv2.LINE_AA)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for row in np.linspace(-0.24, 0.24, 4):
        for column in np.linspace(-0.9, 0.9, 12):
            middle = place + np.array([column * size, row * size]) @ turn
            cv2.fillPoly(image, [_rotated_box(middle, (0.055 * size, 0.05 * size), angle)], cap)


def _cup(rng: np.random.Generator, image: np.ndarray, place: np.ndarray, angle: float) -> None:
    radius = image.shape[1] * rng.uniform(0.04, 0.09)
    middle = (int(place[0]), int(place[1]))
    for share, value in ((1.0, (0.3, 0.95)), (0.85, (0.05, 0.4))):
        cv2.circle(image, middle, max(int(share * radius), 1), _color(rng, (0, 0.7), value), -1, cv2.LINE_AA)


def _pen(rng: np.random.Generator, image: np.ndarray, place: np.ndarray, angle: float) -> None:
    size = image.shape[1] * rng.uniform(0.08, 0.16)
    box = _rotated_box(place, (size, max(0.05 * size, 1.0)), angle)
    cv2.fillPoly(image, [box], _color(rng, (0.1, 0.9), (0.1, 0.95)), cv2.LINE_AA)


def _color(
    rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]
) -> list[float]:
    return [float(part) for part in random_color(rng, saturation, value)]


_DESK_THINGS = {'paper': _paper, 'keys': _keys, 'cup': _cup, 'pen': _pen}
