"""The OpenCV form: one image, one depth map, and the transform of the workers."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand import get_config
from mmdualhand.datasets.transforms.photometric import (
    TextureViews,
    apply_depth_texture,
    apply_rgb_texture,
)
from mmdualhand.datasets.transforms.texture_parameters import (
    DepthParameters,
    DepthTexture,
    RGBParameters,
    RGBTexture,
)
from mmdualhand.errors import ConfigError

VIEWS = get_config('pretrain_rhd').to_dict()['texture']
RGB = RGBTexture(**VIEWS['augmented']['rgb'])
DEPTH = DepthTexture(**(VIEWS['augmented']['depth'] | dict(low_resolution=1.0)))


def rgb_draw(**changes: object) -> RGBParameters:
    one, zero = np.float64(1), np.float64(0)
    neutral = RGBParameters(one, one, one, zero, np.ones(3), zero, zero, zero, np.zeros(4))
    return neutral._replace(**{key: np.asarray(value, float)[()] for key, value in changes.items()})


def depth_draw(**changes: object) -> DepthParameters:
    zero = np.float64(0)
    neutral = DepthParameters(zero, zero, zero, zero, zero, np.zeros((4, 4)), zero)
    return neutral._replace(**{key: np.asarray(value, float)[()] for key, value in changes.items()})


def textured(image: np.ndarray, **changes: object) -> np.ndarray:
    return apply_rgb_texture(image, rgb_draw(**changes), RGB, np.random.default_rng(0))


def roughened(depth: np.ndarray, **changes: object) -> np.ndarray:
    return apply_depth_texture(depth, depth_draw(**changes), DEPTH, np.random.default_rng(0))


def square_hand(value: float = 0.5) -> np.ndarray:
    """64 x 64 background with a 20 x 20 hand at rows and columns 20..39."""
    depth = np.ones((64, 64), np.float32)
    depth[20:40, 20:40] = value
    return depth


def test_neutral_parameters_change_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    out = textured(image)
    np.testing.assert_array_equal(out, image)
    assert not np.shares_memory(out, image)
    depth = np.random.default_rng(0).random((32, 48), dtype=np.float32)
    np.testing.assert_array_equal(roughened(depth), depth)


def test_colour_by_hand() -> None:
    image = np.full((8, 8, 3), (50, 100, 150), np.uint8)
    np.testing.assert_array_equal(textured(image, brightness=1.2)[3, 3], [60, 120, 180])
    np.testing.assert_array_equal(textured(image, brightness=2)[3, 3], [100, 200, 255])
    np.testing.assert_array_equal(textured(image, grey=1)[3, 3], [91, 91, 91])  # 14.95 + 58.7 + 17.1 = 90.75
    halves = np.zeros((8, 8, 3), np.uint8)
    halves[:4] = 200  # mean 100
    out = textured(halves, contrast=0.5)
    assert (out[0] == 150).all() and (out[7] == 50).all()


def test_erased_box_and_blur_and_noise() -> None:
    image = np.full((64, 64, 3), 100, np.uint8)
    out = textured(image, box=(10, 20, 30, 28))
    assert (out[20:28, 10:30] == 0).all()
    assert (out != 100).any(-1).sum() == 20 * 8
    dot = np.zeros((64, 64, 3), np.uint8)
    dot[32, 32] = 255
    blurred = textured(dot, blur_sigma=1.0)
    assert abs(int(blurred[32, 32, 0]) - 255 * 0.3989423**2) <= 2
    assert (textured(image, blur_sigma=2.0) == 100).all()
    noisy = textured(image, noise_sigma=8.0).astype(float)
    assert noisy.std() == pytest.approx(8, rel=0.05)
    assert noisy.mean() == pytest.approx(100, abs=0.3)


def test_erosion_loses_exactly_the_border_and_dilation_gains_one() -> None:
    hand = square_hand()
    eroded = roughened(hand, radius=-1)
    expected = np.ones_like(hand)
    expected[21:39, 21:39] = 0.5
    np.testing.assert_array_equal(eroded, expected)
    grown = roughened(hand, radius=2)
    expected[18:42, 18:42] = 0.5
    np.testing.assert_array_equal(grown, expected)


def test_dilation_takes_the_nearest_depth_and_keeps_the_hand() -> None:
    hand = square_hand()
    hand[20:40, 39] = 0.3
    grown = roughened(hand, radius=1)
    np.testing.assert_array_equal(grown[20:40, 20:40], hand[20:40, 20:40])
    assert (grown[25, 40] == np.float32(0.3)) and (grown[25, 19] == 0.5)


def test_offset_noise_holes_and_quantisation() -> None:
    hand = square_hand()
    moved = roughened(hand, offset=0.1 / 6)  # 0.1 reference bones
    assert moved[30, 30] == pytest.approx(0.5 + 0.016667, abs=1e-6)
    assert (moved[hand == 1] == 1).all()
    noisy = roughened(np.full((256, 256), 0.5, np.float32), noise_sigma=0.05 / 6)
    assert noisy.std() == pytest.approx(0.05 / 6, rel=0.02)
    assert (roughened(hand, noise_sigma=0.01)[hand == 1] == 1).all()
    holes = np.zeros((4, 4))
    holes[1] = 22, 24, 30, 27
    pierced = roughened(hand, boxes=holes, noise_sigma=0.01, quantise=1)
    assert (pierced[24:27, 22:30] == 1).all()
    assert (pierced < 1).sum() == 400 - 24
    ramp = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    coarse = roughened(ramp, quantise=1)
    np.testing.assert_allclose(coarse * 255, np.rint(coarse * 255), atol=1e-4)
    assert np.abs(coarse - ramp).max() <= 0.5 / 255 + 1e-6


def test_low_resolution_by_hand() -> None:
    depth = np.ones((8, 16), np.float32)
    depth[:, :4] = 0.2
    out = roughened(depth, low_resolution=1)
    # cell means .2, 1, 1, 1; pixel 4 lies at cell coordinate (4.5 / 4) - .5 = .625
    np.testing.assert_allclose(out[0, [0, 1, 4, 6]], [0.2, 0.2, 0.2 + 0.625 * 0.8, 1.0], atol=1e-6)
    with pytest.raises(ValueError, match='multiples of low_resolution_stride=4'):
        roughened(np.ones((10, 10), np.float32), low_resolution=1)


def results(seed: int = 0) -> dict:
    image = np.random.default_rng(9).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return dict(img=image, depth_map=square_hand(), rng=np.random.default_rng(seed))


def test_transform_makes_views_and_keeps_the_label() -> None:
    before = results()
    source = before['img'].copy()
    out = TextureViews(VIEWS)(before)
    np.testing.assert_array_equal(out['depth_map'], square_hand())
    for key in ('img', 'img_augmented'):
        assert out[key].dtype == np.uint8 and (out[key] != source).any()
    assert (out['img'] != out['img_augmented']).any()
    assert out['depth_plain'].dtype == out['depth_augmented'].dtype == np.float32
    again, other = TextureViews(VIEWS)(results()), TextureViews(VIEWS)(results(1))
    for key in ('img', 'img_augmented', 'depth_plain', 'depth_augmented'):
        np.testing.assert_array_equal(out[key], again[key])
    assert (out['img_augmented'] != other['img_augmented']).any()


def test_augmented_view_starts_from_the_untextured_image() -> None:
    views = dict(plain=dict(rgb=dict(grey_prob=1.0)), augmented=dict())
    sample = results()
    source = sample['img'].copy()
    np.testing.assert_array_equal(TextureViews(views)(sample)['img_augmented'], source)


def test_plain_view_alone_and_without_depth() -> None:
    sample = results()
    del sample['depth_map']
    out = TextureViews(dict(plain=VIEWS['plain']))(sample)
    assert set(out) == {'img', 'rng'}


def test_transform_errors() -> None:
    with pytest.raises(ConfigError, match="unknown key 'strong'"):
        TextureViews(dict(strong=dict()))
    with pytest.raises(ConfigError, match="unknown key 'mask'"):
        TextureViews(dict(plain=dict(mask=dict())))
    with pytest.raises(ConfigError, match='must be a dict'):
        TextureViews('mild')  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="results\\['rng'\\]"):
        TextureViews(VIEWS)(dict(img=np.zeros((8, 8, 3), np.uint8)))
