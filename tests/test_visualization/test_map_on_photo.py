"""Maps of a crop over its photo: known pixels, mirror and scale included."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.structures import CropTransform, grid_affine
from mmdualhand.visualization import DEPTH_ANCHORS, depth_on_photo, map_on_photo, mask_on_photo

GREY = np.full((40, 60, 3), 100, np.uint8)


def crop(mirror: bool = False) -> CropTransform:
    """The square of 20 px about (30, 20), enlarged twice."""
    return CropTransform.from_box((29.5, 19.5), 20.0, 40, (60, 40), mirror=mirror)


@pytest.mark.parametrize('mirror', [False, True])
def test_left_half_of_the_crop(mirror: bool) -> None:
    half = np.zeros((10, 10), np.float32)
    half[:, :5] = 1.0  # the left half of the crop: columns 20..29 of the photo, or 30..39 if mirrored
    value, (rows, columns) = map_on_photo(half, crop(mirror))
    whole = np.zeros((40, 60))
    whole[rows, columns] = value
    inside, outside = (slice(32, 38), slice(22, 28)) if mirror else (slice(22, 28), slice(32, 38))
    assert (whole[12:28, inside] == 1.0).all() and (whole[12:28, outside] == 0.0).all()
    assert not whole[:, :18].any() and not whole[:, 42:].any()
    assert not whole[:8].any() and not whole[32:].any()


def test_window_is_cut_at_the_picture_and_empty_beside_it() -> None:
    ones = np.ones((8, 8))
    edge = CropTransform.from_box((0.0, 0.0), 20.0, 40, (60, 40))
    value, (rows, columns) = map_on_photo(ones, edge)
    assert (rows.start, columns.start) == (0, 0) and value.shape == (rows.stop, columns.stop)
    assert value[0, 0] == 1
    assert 10 <= rows.stop <= 12
    beside = CropTransform.from_box((-100.0, 20.0), 20.0, 40, (60, 40))
    assert map_on_photo(ones, beside)[0].size == 0
    assert np.array_equal(mask_on_photo(GREY, ones, beside), GREY)
    assert np.array_equal(depth_on_photo(GREY, ones, beside), GREY)


def test_a_smaller_picture_of_the_photo() -> None:
    small = np.full((20, 30, 3), 100, np.uint8)
    half = np.zeros((10, 10), np.float32)
    half[:, :5] = 1.0
    to_small = grid_affine((60, 40), (30, 20))
    drawn = mask_on_photo(small, half, crop(), (0, 255, 0), 1.0, outline=False, to_picture=to_small)
    assert (drawn[7:13, 11:14] == (0, 255, 0)).all() and (drawn[:, 17:] == 100).all()


def test_tint_and_outline() -> None:
    mask = np.zeros((20, 20), np.float32)
    mask[4:16, 4:16] = 1.0  # rows 14..25 of the photo, columns 24..35
    before = GREY.copy()
    drawn = mask_on_photo(GREY, mask, crop(), (200, 0, 0), 0.5)
    assert np.array_equal(GREY, before)
    assert (drawn[17:23, 27:33] == (150, 50, 50)).all()
    assert (drawn[14, 27:33, 0] > 180).all() and (drawn[14, 27:33, 1:] < 30).all()  # the smooth line's core
    assert (drawn[:12] == 100).all()


def test_depth_only_on_the_hand() -> None:
    depth, mask = np.full((20, 20), 0.0), np.zeros((20, 20))
    mask[:, :10] = 1.0
    drawn = depth_on_photo(GREY, depth, crop(), mask, 1.0)
    assert (drawn[12:28, 22:28] == DEPTH_ANCHORS[0][1]).all() and (drawn[12:28, 32:] == 100).all()
    depth[:, 10:] = 1.0  # background: left out without a mask too
    drawn = depth_on_photo(GREY, depth, crop(), None, 1.0)
    assert (drawn[12:28, 22:28] == DEPTH_ANCHORS[0][1]).all() and (drawn[12:28, 32:] == 100).all()
