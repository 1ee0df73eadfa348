from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.datasets import HandSelection


def box_hand(left, upper, right, lower):
    """21 joints that fill a box: two corners, the rest at its centre."""
    uv = np.tile([(left + right) / 2, (upper + lower) / 2], (21, 1))
    uv[0], uv[1] = (left, upper), (right, lower)
    return uv


def usable(left_box, right_box, visible_left=21, visible_right=21, **options):
    uv = np.stack([box_hand(*left_box), box_hand(*right_box)])[None]
    visible = np.zeros((1, 2, 21))
    visible[0, 0, :visible_left] = 1
    visible[0, 1, :visible_right] = 1
    return HandSelection(**options).usable(uv, visible)[0].tolist()


FAR = (200, 200, 300, 300)
NEAR = (10, 10, 110, 60)


def test_both_usable():
    assert usable(NEAR, FAR) == [True, True]


def test_visible_count_is_more_than_sixteen():
    assert usable(NEAR, FAR, visible_left=17) == [True, True]
    assert usable(NEAR, FAR, visible_left=16) == [False, True]


def test_crop_side_exceeds_64():
    # the longer extent counts: 1.5 * 42.6 = 63.9, 1.5 * 42.7 = 64.05
    assert usable((10, 10, 52.6, 20), FAR)[0] is False
    assert usable((10, 10, 52.7, 20), FAR)[0] is True


def test_overlap_is_a_share_of_the_scaled_box():
    # the left hand's crop box is 0..150 x 0..150 (centre 75, extent 100); the other hand's plain box covers
    # width * 90 of its 22500 px: 74 -> 0.296, 76 -> 0.304
    left = (25, 25, 125, 125)
    assert usable(left, (150 - 74, 30, 250, 120))[0] is True
    assert usable(left, (150 - 76, 30, 250, 120))[0] is False
    assert usable(left, (150 - 76, 30, 250, 120), max_overlap=0.31)[0] is True


def test_invisible_other_hand_does_not_overlap():
    square = (25, 25, 125, 125)  # 10000 of 22500 px
    assert usable(square, square) == [False, False]
    assert usable(square, square, visible_right=0) == [True, False]
    assert usable(square, square, visible_right=1) == [False, False]


@pytest.mark.parametrize('options', [dict(min_visible=22), dict(max_overlap=-1), dict(crop_scale=0)])
def test_meaningless_rules(options):
    with pytest.raises(ValueError, match='selection'):
        HandSelection(**options)
