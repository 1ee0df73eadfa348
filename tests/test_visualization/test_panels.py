"""Contact sheets: sizes by closed form, pictures untouched, ink only in the title strips."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.visualization.panels import HEADER_HEIGHT, MARGIN, TITLE_HEIGHT, panel, shorten


def plain(height: int, width: int, value: int) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


PICTURES = [plain(100, 120, 10), plain(60, 80, 20), plain(50, 150, 30)]


def test_layout_with_titles_and_header() -> None:
    sheet = panel(PICTURES, ['first', 'second', 'third'], 2, header='header')
    # columns are 150 (of 120 and 150) and 80 wide, rows 100 and 50 high
    width = 12 + 150 + 12 + 80 + 12
    height = 12 + 30 + (26 + 100 + 12) + (26 + 50 + 12)
    assert (MARGIN, HEADER_HEIGHT, TITLE_HEIGHT) == (12, 30, 26)
    assert sheet.shape == (height, width, 3)
    assert (sheet[68:168, 12:132] == 10).all()
    assert (sheet[68:128, 174:254] == 20).all()
    assert (sheet[206:256, 12:162] == 30).all()


def test_ink_is_only_in_pictures_and_title_strips() -> None:
    titles = ['first title', 'Aggravating jpqy', 'third']
    sheet = panel(PICTURES, titles, 2, header='a header with (brackets) jpqy')
    dark = (sheet < 250).any(axis=-1)
    allowed = np.zeros_like(dark)
    allowed[12:42, 12:254] = True  # header
    strips = [(42, 12, 162), (42, 174, 254), (180, 12, 162)]
    for top, left, right in strips:
        assert dark[top : top + 26, left:right].any()
        assert not dark[[top, top + 25], left:right].any()  # a white row keeps text off the pictures
        allowed[top : top + 26, left:right] = True
    for top, left, bottom, right in [(68, 12, 168, 132), (68, 174, 128, 254), (206, 12, 256, 162)]:
        allowed[top:bottom, left:right] = True
    assert dark[12:42, 12:254].any()
    assert not dark[~allowed].any()


def test_layout_without_titles() -> None:
    sheet = panel(PICTURES)
    assert sheet.shape == (12 + 100 + 12, 12 + 120 + 12 + 80 + 12 + 150 + 12, 3)
    assert (sheet[12:112, 12:132] == 10).all()
    assert (sheet[112:] == 255).all() and (sheet[:12] == 255).all() and (sheet[:, :12] == 255).all()


def test_more_columns_than_pictures_leave_no_empty_ones() -> None:
    assert panel(PICTURES[:1], columns=7).shape == (124, 144, 3)


def test_long_title_stays_in_its_column() -> None:
    narrow = [plain(40, 60, 0), plain(40, 60, 0)]
    sheet = panel(narrow, ['a title of very many words indeed', ''])
    between = sheet[12:38, 72:84]
    assert (between == 255).all()
    assert (sheet[12:38, 12:72] < 250).any()
    assert (sheet[12:38, 84:] == 255).all()
    assert panel([plain(40, 2, 0)], ['too narrow for any letter']).shape == (90, 26, 3)


def test_shorten_keeps_both_ends() -> None:
    assert shorten('00012/left', 10) == '00012/left'
    assert shorten('abcdefghij', 5) == 'abc...ij'
    assert shorten('abcdefghij', 1) == 'a...'


def test_pictures_are_not_changed() -> None:
    pictures = [picture.copy() for picture in PICTURES]
    panel(pictures, ['a', 'b', 'c'], header='h')[:] = 77
    assert all(np.array_equal(one, other) for one, other in zip(pictures, PICTURES, strict=True))


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match='images must hold at least one picture'):
        panel([])
    with pytest.raises(ValueError, match='titles must be as many as images, got 1 for 3'):
        panel(PICTURES, ['one'])
    with pytest.raises(ValueError, match='columns must be at least 1, got 0'):
        panel(PICTURES, columns=0)
    with pytest.raises(ValueError, match=r'images\[1\] must be an RGB picture'):
        panel([PICTURES[0], np.zeros((5, 5), np.uint8)])
