"""A hand drawn into its picture, and the frame of a video."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmdualhand.visualization import (
    JOINT_COLOURS,
    SIDE_COLOURS,
    HandStyle,
    draw_hand,
    draw_hands,
    hand_space_view,
    side_by_side,
)
from tests.fixtures.hand_results import SIZE, hand_result, photo

PLAIN = HandStyle(mask=False, box=False, label=False)


def changed(style: HandStyle, **fields: object) -> np.ndarray:
    """(H, W) bool: pixels that a drawing changes."""
    return (draw_hand(photo(), hand_result(**fields), style) != photo()).any(axis=-1)


def test_bones_have_the_colour_of_their_finger_and_the_photo_stays() -> None:
    before = photo()
    image = before.copy()
    hand = hand_result()
    drawn = draw_hand(image, hand, PLAIN)
    assert np.array_equal(image, before)
    for parent, child in [(0, 17), (17, 18), (5, 6), (9, 10)]:
        u, v = np.rint((hand.keypoints[parent] + hand.keypoints[child]) / 2).astype(int)
        assert tuple(drawn[v, u]) == JOINT_COLOURS[child]
    box = hand.box.astype(int)
    outside = np.ones(drawn.shape[:2], bool)
    outside[box[1] - 6 : box[3] + 6, box[0] - 6 : box[2] + 6] = False
    assert (drawn[outside] == before[outside]).all()


def test_each_part_can_be_left_out() -> None:
    bones = changed(PLAIN)
    for name in ('mask', 'box', 'label'):
        more = changed(replace(PLAIN, **{name: True}))
        assert (more >= bones).all() and more.sum() > bones.sum() + 50, name
    assert (changed(replace(PLAIN, depth=True)) >= bones).all()
    assert np.array_equal(changed(HandStyle(box=False, label=False), mask=None, depth_map=None), bones)


def test_doubtful_joints_are_faint_where_confidence_is_calibrated() -> None:
    low = np.full(21, 0.9)
    low[8] = 0.3
    tip = tuple(np.rint(hand_result().keypoints[8] + [0, 2.5]).astype(int)[::-1])
    sure = draw_hand(photo(), hand_result(confidence=low), PLAIN)
    faint = draw_hand(photo(), hand_result(confidence=low, calibrated=True), PLAIN)
    asked = draw_hand(photo(), hand_result(confidence=low), replace(PLAIN, doubt=0.5))
    assert tuple(sure[tip]) == JOINT_COLOURS[8] and np.array_equal(faint, asked)
    distance = [np.abs(one[tip].astype(int) - photo()[tip]).sum() for one in (faint, sure)]
    assert 0 < distance[0] < 0.7 * distance[1]


def test_nothing_finite_and_no_hand_draw_nothing() -> None:
    nowhere = hand_result(keypoints=np.full((21, 2), np.nan), box=np.full(4, np.nan), mask=None)
    assert np.array_equal(draw_hand(photo(), nowhere), photo())
    assert np.array_equal(draw_hands(photo(), []), photo())


def test_sides_have_their_colours() -> None:
    for side in ('right', 'left'):
        drawn = draw_hand(photo(), hand_result(side=side))
        left, top = hand_result().box.astype(int)[:2]
        assert tuple(drawn[top - 6, left + 3]) == SIDE_COLOURS[side]  # the label's ground


def test_gray_picture_is_refused_with_the_way_out() -> None:
    with pytest.raises(ValueError, match='Grayscale'):
        draw_hand(photo()[..., 0], hand_result())


@pytest.mark.parametrize('hands', [0, 1, 2])
def test_frames_of_a_video_are_of_one_size(hands: int) -> None:
    found = [[], [hand_result()], [hand_result(), hand_result(side='left')]]
    shapes = {side_by_side(photo(), some, 180, hands=hands).shape for some in found}
    assert shapes == {(180, 240 + hands * 90, 3)}


def test_width_is_even_and_a_wide_picture_is_centred() -> None:
    wide = np.full((10, 100, 3), 50, np.uint8)
    frame = side_by_side(wide, [], 60, views=('front',), hands=0)
    assert frame.shape == (60, 180, 3)  # at most three times as wide as high
    assert (frame[21:39] == 50).all() and (frame[:21] == 255).all() and (frame[39:] == 255).all()
    assert side_by_side(photo()[:, :173], [], 120, hands=1).shape[1] % 2 == 0


def test_reduced_picture_has_its_hand_at_the_same_place() -> None:
    hand = hand_result()
    frame = side_by_side(photo(), [hand], 120, hands=0, style=PLAIN)
    u, v = np.rint(((hand.keypoints[0] + hand.keypoints[17]) / 2 + 0.5) / 2 - 0.5).astype(int)
    assert frame.shape[:2] == (120, SIZE[0] // 2) and tuple(frame[v, u]) == JOINT_COLOURS[17]


def test_space_view_says_what_its_grid_is() -> None:
    known, unknown = hand_result(), hand_result(keypoints_3d=None, metric='none')
    planar = hand_result(keypoints_3d=None, metric='none', keypoints_3d_relative=np.full((21, 3), np.nan))
    pictures = [hand_space_view(one, 160, 'front') for one in (known, unknown, planar, None)]
    for place, one in enumerate(pictures):
        assert all((one != other).any() for other in pictures[place + 1 :])
    coloured = [int((np.ptp(one.astype(int), axis=-1) > 60).sum()) for one in pictures]
    assert min(coloured[:2]) > 300 and coloured[2:] == [0, 0]
    with pytest.raises(ValueError, match="view must be one of 'front'"):
        hand_space_view(known, 160, 'back')


def test_wrong_frame_is_refused() -> None:
    with pytest.raises(ValueError, match='height'):
        side_by_side(photo(), [], 1)
    with pytest.raises(ValueError, match='views'):
        side_by_side(photo(), [], 100, views=())
