"""Figures of rows and columns: places of the pictures, words, empty cells."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.visualization.figure_grid import GAP, MARGIN, Block, Cell, figure_grid
from mmdualhand.visualization.letters import shorten_to, text_size, write_text

RED, BLUE = (200, 0, 0), (0, 0, 200)


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (32, 32)) -> Cell:
    return Cell(np.full((size[1], size[0], 3), colour, np.uint8))


def test_cells_stand_in_their_rows_and_columns() -> None:
    sheet = figure_grid([Block([[plain(RED), plain(BLUE)], [plain(BLUE)]])], side=32)
    step = 32 + GAP
    assert sheet.shape == (2 * MARGIN + 2 * step + GAP, 2 * MARGIN + 2 * step - GAP, 3)
    cells = {
        (row, column): sheet[MARGIN + row * step :, MARGIN + column * step :][:32, :32]
        for row in (0, 1)
        for column in (0, 1)
    }
    assert (cells[0, 0] == RED).all() and (cells[0, 1] == BLUE).all() and (cells[1, 0] == BLUE).all()
    assert (cells[1, 1] == 255).all() and (sheet[:MARGIN] == 255).all()


def test_pictures_are_fitted_and_coarse_ones_keep_their_pixels() -> None:
    two = np.zeros((1, 2, 3), np.uint8)
    two[0, 1] = 255
    sheet = figure_grid([Block([[Cell(two, coarse=True), Cell(two)]])], side=32)
    coarse, smooth = (sheet[MARGIN : MARGIN + 32, MARGIN + place * (32 + GAP) :][:, :32] for place in (0, 1))
    assert (coarse[8:24, :16] == 0).all() and (coarse[8:24, 16:] == 255).all() and (coarse[:8] == 255).all()
    assert len(np.unique(smooth[16])) > 4


def test_words_are_where_they_belong() -> None:
    cells = [[plain(RED), Cell(None)]]
    bare = figure_grid([Block(cells)], side=64)
    named = figure_grid([Block(cells, ['row'], 'title')], ['one', 'two'], header='head', note='a\nb', side=64)
    assert named.shape[0] > bare.shape[0] and named.shape[1] > bare.shape[1]
    dark = (named < 180).all(axis=-1)
    left = named.shape[1] - bare.shape[1] + MARGIN
    assert dark[:, MARGIN : left - 2].any() and dark[MARGIN : MARGIN + 24].any() and dark[-50:].any()
    captioned = figure_grid([Block([[Cell(cells[0][0].picture, '12 mm')]])], side=64)
    corner = captioned[MARGIN + 64 - 18 : MARGIN + 64, MARGIN : MARGIN + 40]
    assert (corner > 200).all(axis=-1).any()
    assert (captioned[MARGIN : MARGIN + 40, MARGIN : MARGIN + 64] == RED).all()


def test_what_does_not_fit_is_said() -> None:
    for blocks in ([], [Block([])], [Block([[]])]):
        with pytest.raises(ValueError, match='at least one cell'):
            figure_grid(blocks)
    with pytest.raises(ValueError, match='heads'):
        figure_grid([Block([[plain(RED)]], ['a', 'b'])])
    with pytest.raises(ValueError, match='columns'):
        figure_grid([Block([[plain(RED)] * 2])], ['a'])
    with pytest.raises(ValueError, match='side'):
        figure_grid([Block([[plain(RED)]])], side=8)


def test_long_words_lose_their_middle() -> None:
    long = 'a picture of a hand with a very long name'
    short = shorten_to(long, 120, 13)
    head, tail = short.split('\u2026')
    assert long.startswith(head) and long.endswith(tail) and text_size(short, 13)[0] <= 122
    assert shorten_to('short', 120, 13) == 'short' and shorten_to('wide', 1, 13) == ''


def test_letters_beyond_ascii_and_beside_the_picture() -> None:
    canvas = np.full((30, 80, 3), 255, np.uint8)
    write_text(canvas, 'Größe', 2, 2, 16)
    plainer = np.full((30, 80, 3), 255, np.uint8)
    write_text(plainer, 'Grosse', 2, 2, 16)
    assert (canvas != plainer).any() and (canvas < 100).any()
    outside = np.full((30, 80, 3), 255, np.uint8)
    write_text(outside, 'x', 200, 5)
    write_text(outside, 'x', 5, -60)
    write_text(outside, '', 5, 5)
    assert (outside == 255).all()
    write_text(outside, 'xxxx', 70, 20, 16)  # cut at the corner
    assert (outside[20:, 70:] < 200).any() and (outside[:, :70] == 255).all()
