"""Figures of many small pictures in rows and columns with names, as papers print them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdualhand.visualization.images import Colour, check_image, fit_size, resize
from mmdualhand.visualization.letters import INK, MUTED, shorten_to, text_size, write_text

GAP, MARGIN = 6, 16
"""Pixels between the pictures of a figure, and around them all."""

_LETTERS, _HEADING, _SMALL = 14, 18, 12
_STRIP = 24  # height of a line of names
_HEAD_WIDTH = 24  # of the names at the left, turned upwards
_EMPTY: Colour = (243, 244, 246)
_PLATE: Colour = (16, 18, 22)


@dataclass(frozen=True, eq=False)
class Cell:
    """One picture of a figure.

    Attributes:
        picture: ``(h, w, 3)`` uint8 RGB; None leaves the place empty.
        caption: A few words on it, at its lower edge.
        coarse: Show its pixels as they are.
    """

    picture: np.ndarray | None
    caption: str = ''
    coarse: bool = False


@dataclass(frozen=True, eq=False)
class Block:
    """Rows that belong together.

    Attributes:
        rows: Cells of each row.
        heads: Name of each row, written upwards at its left; none where empty.
        title: Line above the rows; none where empty.
    """

    rows: Sequence[Sequence[Cell]]
    heads: Sequence[str] = ()
    title: str = ''


def figure_grid(
    blocks: Sequence[Block], columns: Sequence[str] = (), *, header: str = '', note: str = '', side: int = 224
) -> np.ndarray:
    """Lay blocks of rows out on white, columns below their names.

    Args:
        blocks: From the top; every row has as many cells as the widest, or fewer.
        columns: Name of each column; no line of names where empty.
        header: Line above everything.
        note: Lines below everything, in small letters, split at line breaks.
        side: Side of a cell in pixels; pictures are fitted into it.

    Returns:
        The figure, uint8 RGB. Words that do not fit are cut in the middle.

    Raises:
        ValueError: No cells, other numbers of heads than of rows, or ``side`` below 16.
    """
    _check(blocks, columns, side)
    count = max(len(row) for block in blocks for row in block.rows)
    left = MARGIN + (_HEAD_WIDTH if any(block.heads for block in blocks) else 0)
    width = left + count * (side + GAP) - GAP + MARGIN
    notes = note.split('\n') if note else []
    height = 2 * MARGIN + (_HEADING + MARGIN if header else 0) + (_STRIP if columns else 0)
    height += sum(_block_height(block, side) for block in blocks) + len(notes) * (_SMALL + 8)
    sheet = np.full((height, width, 3), 255, np.uint8)
    top = MARGIN
    if header:
        line = shorten_to(header, width - 2 * MARGIN, _HEADING, bold=True)
        write_text(sheet, line, MARGIN, top, _HEADING, bold=True)
        top += _HEADING + MARGIN
    for place, name in enumerate(columns):
        _centred(sheet, name, left + place * (side + GAP), top, side)
    top += _STRIP if columns else 0
    for block in blocks:
        top = _draw_block(sheet, block, left, top, side)
    for line in notes:
        write_text(sheet, shorten_to(line, width - 2 * MARGIN, _SMALL), MARGIN, top, _SMALL, MUTED)
        top += _SMALL + 8
    return sheet


def _check(blocks: Sequence[Block], columns: Sequence[str], side: int) -> None:
    if not any(row for block in blocks for row in block.rows):
        raise ValueError('a figure needs at least one cell')
    if side < 16:
        raise ValueError(f'side must be at least 16 pixels, got {side}')
    for block in blocks:
        if block.heads and len(block.heads) != len(block.rows):
            raise ValueError(f'heads must be as many as rows, got {len(block.heads)} for {len(block.rows)}')
        if columns and any(len(row) > len(columns) for row in block.rows):
            raise ValueError(f'a row has more cells than the {len(columns)} columns have names')


def _block_height(block: Block, side: int) -> int:
    return (_STRIP if block.title else 0) + len(block.rows) * (side + GAP) + GAP


def _centred(sheet: np.ndarray, text: str, left: int, top: int, width: int) -> None:
    line = shorten_to(text, width, _LETTERS, bold=True)
    start = left + max(0, width - text_size(line, _LETTERS, bold=True)[0]) // 2
    write_text(sheet, line, start, top, _LETTERS, bold=True)


def _draw_block(sheet: np.ndarray, block: Block, left: int, top: int, side: int) -> int:
    """Gives the row below the block."""
    if block.title:
        line = shorten_to(block.title, sheet.shape[1] - left - MARGIN, _LETTERS)
        write_text(sheet, line, left, top + 1, _LETTERS, INK)
        top += _STRIP
    for place, row in enumerate(block.rows):
        if block.heads:
            _upwards(sheet[top : top + side, MARGIN : MARGIN + _HEAD_WIDTH], block.heads[place])
        for column, cell in enumerate(row):
            start = left + column * (side + GAP)
            sheet[top : top + side, start : start + side] = _tile(cell, side)
        top += side + GAP
    return top + GAP


def _upwards(strip: np.ndarray, text: str) -> None:
    """Write into a strip (h, w, 3) from its foot to its top, centred."""
    turned = np.full((strip.shape[1], strip.shape[0], 3), 255, np.uint8)
    _centred(turned, text, 0, 0, turned.shape[1])
    strip[:] = np.rot90(turned)


def _tile(cell: Cell, side: int) -> np.ndarray:
    tile = np.full((side, side, 3), _EMPTY if cell.picture is None else 255, np.uint8)
    if cell.picture is None:
        width, height = text_size('none', _SMALL)
        write_text(tile, 'none', (side - width) // 2, (side - height) // 2, _SMALL, MUTED)
        return tile
    picture = check_image(cell.picture, 'picture')
    size = fit_size((picture.shape[1], picture.shape[0]), (side, side))
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    tile[top : top + size[1], left : left + size[0]] = resize(picture, size, nearest=cell.coarse)
    if cell.caption:
        caption = shorten_to(cell.caption, side - 12, _SMALL)
        width, height = text_size(caption, _SMALL)
        plate = tile[side - height - 4 :, : width + 10]
        plate[:] = np.rint(0.25 * plate + 0.75 * np.array(_PLATE)).astype(np.uint8)
        write_text(tile, caption, 5, side - height - 2, _SMALL, (255, 255, 255))
    return tile
