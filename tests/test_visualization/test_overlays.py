"""Masks, depth maps and attention in colour: blending and colour scales by closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmdualhand.visualization import (
    ATTENTION_ANCHORS,
    DEPTH_ANCHORS,
    attention_heatmap,
    colorize_depth,
    overlay_mask,
)

LUMINANCE = np.array([0.299, 0.587, 0.114])


def grey(value: int = 100, height: int = 8, width: int = 8) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_mask_blends_by_alpha_times_mask() -> None:
    photo = grey(100)
    mask = np.zeros((8, 8), np.float32)
    mask[0], mask[1], mask[2] = 1.0, 0.5, 7.0
    drawn = overlay_mask(photo, mask, (200, 0, 100), alpha=0.4)
    assert drawn.dtype == np.uint8
    assert (drawn[0] == (140, 60, 100)).all()
    assert (drawn[1] == (120, 80, 100)).all()
    assert (drawn[2] == drawn[0]).all()  # clipped to 1
    assert (drawn[3:] == 100).all()
    assert (photo == 100).all()


def test_mask_limits_of_alpha() -> None:
    full = np.ones((8, 8), bool)
    assert (overlay_mask(grey(), full, (1, 2, 3), alpha=1.0) == (1, 2, 3)).all()
    assert (overlay_mask(grey(), full, (1, 2, 3), alpha=0.0) == 100).all()


def test_mask_is_resized_between_pixel_centres() -> None:
    drawn = overlay_mask(grey(0, 4, 8), torch.tensor([[0.0, 1.0]]), (200, 200, 200), alpha=1.0)
    # u_mask = (u + .5) / 4 - .5: -.375 -.125 .125 .375 .625 .875 1.125 1.375
    assert drawn[2, :, 0].tolist() == [0, 0, 25, 75, 125, 175, 200, 200]


def test_mask_without_a_number_tints_nothing() -> None:
    assert (overlay_mask(grey(), np.full((8, 8), np.nan), (255, 0, 0)) == 100).all()


def test_depth_colours_are_exact_at_the_anchors() -> None:
    assert (colorize_depth(np.zeros((2, 3))) == DEPTH_ANCHORS[0][1]).all()
    assert (colorize_depth(torch.ones(2, 3)) == DEPTH_ANCHORS[-1][1]).all()
    background = DEPTH_ANCHORS[-1][1]
    assert background[0] == background[1] == background[2]


def test_depth_colours_in_between_are_interpolated() -> None:
    # level 51 of 255 = 0.2: four fifths from the anchor at 0 to the one at 0.25
    expected = np.rint(0.2 * np.array(DEPTH_ANCHORS[0][1]) + 0.8 * np.array(DEPTH_ANCHORS[1][1]))
    assert colorize_depth(np.full((1, 1), 0.2))[0, 0].tolist() == expected.tolist()


def test_nearer_is_never_darker() -> None:
    ramp = colorize_depth(np.linspace(0, 1, 256)[None])[0]
    brightness = ramp @ LUMINANCE
    assert (np.diff(brightness) < 0.5).all()
    assert brightness[0] > 240 and brightness[-1] == pytest.approx(36)
    tenths = (colorize_depth(np.linspace(0, 1, 11)[None])[0] @ LUMINANCE).tolist()
    assert tenths == sorted(tenths, reverse=True) and len(set(tenths)) == 11


def test_depth_out_of_range_and_not_a_number() -> None:
    drawn = colorize_depth(np.array([[-3.0, 5.0, np.nan, np.inf, -np.inf]]))[0]
    near, far = DEPTH_ANCHORS[0][1], DEPTH_ANCHORS[-1][1]
    assert [tuple(pixel) for pixel in drawn.tolist()] == [near, far, far, far, near]


def test_attention_spans_the_colours_from_least_to_most() -> None:
    photo = grey()
    weights = np.array([[0.5, 2.5], [1.5, 0.5]])
    drawn = attention_heatmap(grey(100, 2, 2), weights, alpha=1.0)
    assert tuple(drawn[0, 0]) == tuple(drawn[1, 1]) == ATTENTION_ANCHORS[0][1]
    assert tuple(drawn[0, 1]) == ATTENTION_ANCHORS[-1][1]
    assert (attention_heatmap(photo, weights, alpha=0.0) == photo).all()


def test_attention_blends_half_and_half() -> None:
    drawn = attention_heatmap(grey(100, 2, 2), np.array([[0.0, 1.0], [0.0, 0.0]]), alpha=0.5)
    # numpy rounds halves to the even neighbour
    expected = np.rint(0.5 * 100 + 0.5 * np.array(ATTENTION_ANCHORS[-1][1]))
    assert drawn[0, 1].tolist() == expected.tolist()


def test_attention_limits_make_pictures_comparable() -> None:
    weights = np.array([[1.0, 4.0], [-1.0, 1.0]])
    drawn = attention_heatmap(grey(0, 2, 2), weights, alpha=1.0, limits=(0.0, 2.0))
    middle = attention_heatmap(grey(0, 2, 2), np.array([[0.5, 1.0], [0.0, 0.5]]), alpha=1.0)
    assert np.array_equal(drawn, middle)


def test_constant_or_broken_attention_is_the_lowest_colour() -> None:
    lowest = ATTENTION_ANCHORS[0][1]
    assert (attention_heatmap(grey(), np.ones((4, 4)), alpha=1.0) == lowest).all()
    assert (attention_heatmap(grey(), np.full((4, 4), np.nan), alpha=1.0) == lowest).all()
    mixed = attention_heatmap(grey(0, 1, 4), np.array([[0.0, np.nan, np.inf, 1.0]]), alpha=1.0)[0]
    assert tuple(mixed[1]) == lowest
    assert tuple(mixed[2]) == tuple(mixed[3]) == ATTENTION_ANCHORS[-1][1]


@pytest.mark.parametrize('picture', [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8)])
def test_other_than_rgb_is_refused_by_name(picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match='image must be an RGB picture'):
        overlay_mask(picture, np.ones((8, 8)))
    with pytest.raises(ValueError, match='image must be an RGB picture'):
        attention_heatmap(picture, np.ones((8, 8)))


def test_wrong_maps_and_ranges_are_named() -> None:
    with pytest.raises(ValueError, match=r'mask must be a map of shape \(h, w\).*\(1, 8, 8\)'):
        overlay_mask(grey(), np.ones((1, 8, 8)))
    with pytest.raises(ValueError, match='weights must be a map'):
        attention_heatmap(grey(), np.ones((0, 8)))
    with pytest.raises(ValueError, match='depth_map must be a map'):
        colorize_depth(np.ones(8))
    with pytest.raises(ValueError, match=r'alpha must be in \[0, 1\], got 1.5'):
        overlay_mask(grey(), np.ones((8, 8)), alpha=1.5)
    with pytest.raises(ValueError, match='alpha'):
        attention_heatmap(grey(), np.ones((8, 8)), alpha=float('nan'))
    with pytest.raises(ValueError, match='limits'):
        attention_heatmap(grey(), np.ones((8, 8)), limits=(1.0, 1.0))
