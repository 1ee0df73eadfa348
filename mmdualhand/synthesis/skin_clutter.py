"""Things behind a hand that may be taken for skin: arms, faces, other hands."""

from __future__ import annotations

import cv2
import numpy as np

from mmdualhand.synthesis.skin import skin_like_color
from mmdualhand.synthesis.textures import clouds, ramp


def skin_blobs(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Many things in the tones of skin over one another."""
    image = np.empty((height, width, 3), np.float32)
    tone = rng.uniform(0.0, 0.9)
    image[:] = skin_like_color(rng, tone, 0.2)
    add_skin_things(rng, image, int(rng.integers(5, 14)), tone, rng.uniform(0.006, 0.02) * width, 0.2)
    return image * (0.75 + 0.4 * clouds(rng, height, width, 1.6))[..., None]


def add_skin_things(
    rng: np.random.Generator,
    image: np.ndarray,
    number: int,
    tone: float,
    blur_px: float,
    spread: float = 0.1,
) -> None:
    """Paint skin-coloured things onto a picture.

    Args:
        rng: Source of chance.
        image: (H, W, 3) float32 linear light, changed in place.
        number: How many.
        tone: Tone of the skin that they resemble.
        blur_px: Deviation of the blur that puts them out of focus.
        spread: Deviation of their colours, natural logarithm.
    """
    height, width = image.shape[:2]
    for _ in range(number):
        cover = np.zeros((height, width), np.uint8)
        color = skin_like_color(rng, tone, spread)
        kind = rng.choice(['arm', 'hand', 'face'], p=[0.3, 0.4, 0.3])
        place = rng.uniform(-0.05, 1.05, 2) * [width, height]
        size = width * rng.uniform(0.06, 0.16)
        _SHAPES[kind](rng, cover, place, size)
        box = cv2.boundingRect(cover)
        if box[2] < 2 or box[3] < 2:
            continue
        reach = int(3 * blur_px) + 1
        x0, y0 = max(box[0] - reach, 0), max(box[1] - reach, 0)
        x1, y1 = min(box[0] + box[2] + reach, width), min(box[1] + box[3] + reach, height)
        alpha = cover[y0:y1, x0:x1].astype(np.float32) * np.float32(1 / 255)
        light = (0.55 + 0.6 * ramp(y1 - y0, x1 - x0, rng.uniform(0, 6.28))).astype(np.float32)
        rounded = cv2.GaussianBlur(alpha, (0, 0), max(0.25 * size, 0.5))
        skin = color * (light * (0.55 + 0.5 * rounded))[..., None]
        if kind == 'face':
            _features(rng, skin, place - [x0, y0], size)
        if blur_px > 0.3:
            alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), blur_px), np.float32)
            skin = np.asarray(cv2.GaussianBlur(skin, (0, 0), blur_px), np.float32)
        patch = image[y0:y1, x0:x1]
        patch += (skin - patch) * alpha[..., None]


def _arm(rng: np.random.Generator, cover: np.ndarray, place: np.ndarray, size: float) -> None:
    """A forearm that crosses the picture."""
    angle = rng.uniform(0, 2 * np.pi)
    along = cover.shape[1] * np.array([np.cos(angle), np.sin(angle)])
    _taper(cover, place - 1.2 * along, place + rng.uniform(0.3, 1.2) * along, 0.6 * size, 0.35 * size)


def _hand(rng: np.random.Generator, cover: np.ndarray, place: np.ndarray, size: float) -> None:
    """A hand with an arm that leaves the picture."""
    angle = rng.uniform(0, 2 * np.pi)
    middle = (int(place[0]), int(place[1]))
    axes = (max(int(0.5 * size), 1), max(int(0.4 * size), 1))
    cv2.ellipse(cover, middle, axes, np.degrees(angle), 0, 360, (255,), -1, cv2.LINE_AA)
    thumb = [] if rng.random() < 0.3 else [rng.choice([-1.1, 1.1])]
    for spread in [*(np.linspace(-0.45, 0.45, 4) + rng.normal(0, 0.06, 4)), *thumb]:
        turn = angle + spread
        tip = place + size * rng.uniform(0.55, 1.1) * np.array([np.cos(turn), np.sin(turn)])
        _taper(cover, place, tip, 0.2 * size, 0.14 * size)
    along = np.array([np.cos(angle), np.sin(angle)])
    _taper(cover, place - 9.0 * size * along, place, 1.1 * size, 0.5 * size)


def _face(rng: np.random.Generator, cover: np.ndarray, place: np.ndarray, size: float) -> None:
    """A head."""
    middle = (int(place[0]), int(place[1]))
    axes = (max(int(size * rng.uniform(0.62, 0.78)), 1), max(int(size), 1))
    cv2.ellipse(cover, middle, axes, rng.normal(0, 12), 0, 360, (255,), -1, cv2.LINE_AA)


def _taper(cover: np.ndarray, start: np.ndarray, end: np.ndarray, first: float, last: float) -> None:
    """A limb: a strip from width ``first`` to ``last``, round at both ends."""
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-6)
    side = np.array([-along[1], along[0]])
    corners = [start + 0.5 * first * side, end + 0.5 * last * side, end - 0.5 * last * side,
               start - 0.5 * first * side]  # fmt: skip
    cv2.fillPoly(cover, [np.rint(corners).astype(np.int32)], (255,), cv2.LINE_AA)
    for point, width in ((start, first), (end, last)):
        middle = (int(point[0]), int(point[1]))
        cv2.circle(cover, middle, max(int(0.5 * width), 1), (255,), -1, cv2.LINE_AA)


def _features(rng: np.random.Generator, skin: np.ndarray, center: np.ndarray, size: float) -> None:
    """Hair, shade about the eyes, nose and mouth, all soft, on the picture of a face."""
    shade = np.zeros(skin.shape[:2], np.float32)
    drawn = [((-0.3, -0.12), (0.17, 0.08), 0.55), ((0.3, -0.12), (0.17, 0.08), 0.55),
             ((0.0, 0.15), (0.1, 0.2), 0.2), ((0.0, 0.48), (0.28, 0.07), 0.5)]  # fmt: skip
    for offset, axes, strength in drawn:
        spot = center + np.array(offset) * size
        half = (max(int(axes[0] * size), 1), max(int(axes[1] * size), 1))
        cv2.ellipse(shade, (int(spot[0]), int(spot[1])), half, 0, 0, 360, (strength,), -1, cv2.LINE_AA)
    skin *= 1 - cv2.GaussianBlur(shade, (0, 0), max(0.05 * size, 0.5))[..., None] * np.array([0.8, 1.0, 1.0])
    hair = np.zeros(skin.shape[:2], np.float32)
    top = center - [0.0, rng.uniform(0.35, 0.6) * size]
    half = (max(int(0.95 * size), 1), max(int(0.6 * size), 1))
    cv2.ellipse(hair, (int(top[0]), int(top[1] - 0.2 * size)), half, 0, 0, 360, (1.0,), -1, cv2.LINE_AA)
    cover = cv2.GaussianBlur(hair, (0, 0), max(0.05 * size, 0.5))[..., None]
    skin += cover * (rng.uniform(0.005, 0.12) * np.array([1.0, 0.8, 0.6], np.float32) - skin)


_SHAPES = {'arm': _arm, 'hand': _hand, 'face': _face}
