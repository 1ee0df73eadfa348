"""Contact sheets: pictures in rows on white, each under a title that never touches them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mmdualhand.visualization.images import Colour, check_image

MARGIN = 12
"""White pixels around and between the cells of a sheet."""

TITLE_HEIGHT = 26
"""Height in pixels of the strip above a picture that holds its title."""

HEADER_HEIGHT = 30
"""Height in pixels of the strip above the first row that holds the sheet's header."""

TEXT_COLOUR: Colour = (52, 58, 64)
"""RGB of titles."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TITLE_SCALE, _HEADER_SCALE, _LEAST_SCALE = 0.5, 0.6, 0.4


def _text_width(text: str, scale: float) -> int:
    return cv2.getTextSize(text, _FONT, scale, 1)[0][0]


def shorten(text: str, keep: int) -> str:
    """Cut the middle out of a text, so that its beginning and its end stay.

    Args:
        text: Any text.
        keep: Characters of ``text`` that stay, beside the three dots.

    Returns:
        ``text`` where it is short enough, else its two ends about ``...``.
    """
    if len(text) <= keep:
        return text
    head = (keep + 1) // 2
    return f'{text[:head]}...{text[len(text) - (keep - head):]}'


def _fit_text(text: str, width: int, scale: float) -> tuple[str, float]:
    """Shrink a line down to the least legible size, then cut its middle out, until it fits."""
    text = ' '.join(text.split())
    full = _text_width(text, scale)
    if full <= width:
        return text, scale
    shrunk = scale * width / full
    if shrunk >= _LEAST_SCALE and _text_width(text, shrunk) <= width:
        return text, shrunk
    for keep in range(len(text) - 1, 0, -1):
        short = shorten(text, keep)
        if _text_width(short, _LEAST_SCALE) <= width:
            return short, _LEAST_SCALE
    return '', _LEAST_SCALE


def _write_line(
    canvas: np.ndarray, text: str, left: int, top: int, size: tuple[int, int], scale: float
) -> None:
    """Write one line into the box at (left, top) of ``size`` (w, h), its ink kept inside by a copy."""
    width, height = size
    line, scale = _fit_text(text, width, scale)
    box = np.full((height, width, 3), 255, np.uint8)
    (_, rise), descent = cv2.getTextSize(line, _FONT, scale, 1)
    baseline = (height + rise - descent) // 2 + descent // 2
    cv2.putText(box, line, (0, baseline), _FONT, scale, TEXT_COLOUR, 1, cv2.LINE_AA)
    canvas[top : top + height, left : left + width] = box


def _starts(lengths: Sequence[int], first: int) -> list[int]:
    """Where each cell begins along one axis: after the ones before it and a margin each."""
    starts = [first]
    for length in lengths:
        starts.append(starts[-1] + length + MARGIN)
    return starts


def _checked(
    images: Sequence[np.ndarray], titles: Sequence[str] | None, columns: int | None
) -> tuple[list[np.ndarray], int]:
    pictures = [check_image(image, f'images[{index}]') for index, image in enumerate(images)]
    if not pictures:
        raise ValueError('images must hold at least one picture, got none')
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f'titles must be as many as images, got {len(titles)} for {len(pictures)}')
    if columns is not None and columns < 1:
        raise ValueError(f'columns must be at least 1, got {columns}')
    return pictures, min(columns or len(pictures), len(pictures))


def panel(
    images: Sequence[np.ndarray],
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    *,
    header: str = '',
) -> np.ndarray:
    """Lay pictures out on one white sheet, row by row.

    A column is as wide as its widest picture, a row as high as its highest;
    pictures keep their pixels and stand at the top left of their cells, with
    :data:`MARGIN` around. A title has a strip of :data:`TITLE_HEIGHT` of its own
    above its picture and is shrunk, then cut in the middle, to the column's width.

    Args:
        images: ``(H, W, 3)`` uint8 RGB each, of any sizes; at least one.
        titles: One line for each picture; no strips where None. OpenCV writes
            ASCII only, other characters come out as question marks.
        columns: Pictures a row; all in one row where None.
        header: One line above the sheet, none where empty.

    Returns:
        The sheet, uint8 RGB. Its width is ``MARGIN + sum(column + MARGIN)``, its
        height ``MARGIN + [HEADER_HEIGHT] + sum([TITLE_HEIGHT] + row + MARGIN)``.

    Raises:
        TypeError: A picture is not a numpy array.
        ValueError: No picture, one that is not RGB uint8, another number of
            titles, or ``columns`` below 1.
    """
    pictures, columns = _checked(images, titles, columns)
    rows = [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
    widths = [max(picture.shape[1] for picture in pictures[column::columns]) for column in range(columns)]
    strip = TITLE_HEIGHT if titles is not None else 0
    heights = [strip + max(picture.shape[0] for picture in row) for row in rows]
    lefts = _starts(widths, MARGIN)
    tops = _starts(heights, MARGIN + (HEADER_HEIGHT if header else 0))
    sheet = np.full((tops[-1], lefts[-1], 3), 255, np.uint8)
    if header:
        size = (lefts[-1] - 2 * MARGIN, HEADER_HEIGHT)
        _write_line(sheet, header, MARGIN, MARGIN, size, _HEADER_SCALE)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        left, top = lefts[column], tops[row]
        if titles is not None:
            _write_line(sheet, titles[index], left, top, (widths[column], strip), _TITLE_SCALE)
        height, width = picture.shape[:2]
        sheet[top + strip : top + strip + height, left : left + width] = picture
    return sheet
