"""Words on pictures: a font with accents and Greek, smooth at small sizes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.visualization.images import Colour

INK: Colour = (33, 37, 41)
"""RGB of words on white."""

MUTED: Colour = (110, 118, 126)
"""RGB of words of less weight on white."""


@lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> Any:
    from matplotlib import get_data_path
    from PIL import ImageFont

    name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
    return ImageFont.truetype(str(Path(get_data_path()) / 'fonts' / 'ttf' / name), size)


@lru_cache(maxsize=1024)
def _stamp(text: str, size: int, bold: bool) -> np.ndarray:
    """``(h, w)`` coverage 0..1 of a line of text; every line of a size is equally high."""
    from PIL import Image, ImageDraw

    font = _font(size, bold)
    rise, descent = font.getmetrics()
    picture = Image.new('L', (max(1, round(font.getlength(text)) + 1), rise + descent), 0)
    ImageDraw.Draw(picture).text((0, 0), text, fill=255, font=font)
    stamp = np.asarray(picture, np.float32) / 255.0
    stamp.setflags(write=False)
    return stamp


def text_size(text: str, size: int, *, bold: bool = False) -> tuple[int, int]:
    """Width and height in pixels that a line of text takes.

    Args:
        text: One line.
        size: Of the letters, pixels.
        bold: Heavier letters.

    Returns:
        ``(w, h)``; ``h`` is the same for every text of a size.
    """
    height, width = _stamp(text, size, bold).shape
    return width, height


def shorten_to(text: str, width: int, size: int, *, bold: bool = False) -> str:
    """Cut the middle out of a line until it fits.

    Args:
        text: One line.
        width: Pixels that there are.
        size: Of the letters, pixels.
        bold: Heavier letters.

    Returns:
        ``text``, or its two ends about an ellipsis; empty where not even that fits.
    """
    font = _font(size, bold)
    if font.getlength(text) <= width:
        return text
    for keep in range(len(text) - 1, 0, -1):
        head = (keep + 1) // 2
        short = f'{text[:head].rstrip()}\u2026{text[len(text) - (keep - head) :].lstrip()}'
        if font.getlength(short) <= width:
            return short
    return ''


def write_text(
    canvas: np.ndarray,
    text: str,
    left: int,
    top: int,
    size: int = 13,
    colour: Colour = INK,
    *,
    bold: bool = False,
) -> None:
    """Write a line into a picture, in place; what lies outside is cut.

    Args:
        canvas: ``(H, W, 3)`` uint8 RGB.
        text: One line; any characters of DejaVu Sans.
        left: First column of the line's box, pixels.
        top: First row of it.
        size: Of the letters, pixels.
        colour: RGB.
        bold: Heavier letters.
    """
    if not text:
        return
    stamp = _stamp(text, size, bold)
    rows = slice(max(top, 0), min(top + stamp.shape[0], canvas.shape[0]))
    columns = slice(max(left, 0), min(left + stamp.shape[1], canvas.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    part = canvas[rows, columns].astype(np.float32)
    share = stamp[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left, None]
    canvas[rows, columns] = np.rint(part + share * (np.asarray(colour, np.float32) - part)).astype(np.uint8)
