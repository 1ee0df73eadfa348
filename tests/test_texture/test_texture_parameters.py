"""From uniform numbers to texture parameters, and the colour matrix."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmdualhand import get_config
from mmdualhand.datasets.transforms.colour_matrix import colour_basis, colour_matrix
from mmdualhand.datasets.transforms.texture_parameters import DepthTexture, RGBParameters, RGBTexture
from mmdualhand.errors import ConfigError

STRONG = get_config('pretrain_rhd').to_dict()['texture']['augmented']


def rgb_parameters(**changes: object) -> RGBParameters:
    """Neutral parameters of one image with some fields changed."""
    one, zero = np.float64(1), np.float64(0)
    neutral = RGBParameters(one, one, one, zero, np.ones(3), zero, zero, zero, np.zeros(4))
    return neutral._replace(**{key: np.asarray(value, float)[()] for key, value in changes.items()})


def matrix_of(
    mean: tuple[float, float, float] = (0, 0, 0), **changes: object
) -> tuple[np.ndarray, np.ndarray]:
    return colour_matrix(rgb_parameters(**changes), np.array(mean, float), colour_basis())


@pytest.mark.parametrize('texture', [RGBTexture.from_config(None), RGBTexture.from_config({})])
def test_no_setting_gives_neutral_parameters(texture: RGBTexture) -> None:
    draw = texture.parameters(np.random.default_rng(0).random((5, RGBTexture.num_uniforms)), (64, 64))
    for value, neutral in zip(draw, (1, 1, 1, 0, 1, 0, 0, 0, 0), strict=True):
        np.testing.assert_array_equal(value, np.full_like(value, neutral))
    assert not texture.changes_colour


def test_no_depth_setting_gives_neutral_parameters() -> None:
    draw = DepthTexture.from_config({}).parameters(np.random.default_rng(0).random((5, 28)), (64, 64))
    assert all(not np.any(value) for value in draw)


def test_rgb_parameters_by_hand() -> None:
    u = np.zeros(18)
    u[1:5] = 0.75, 0.25, 0.5, 0.75  # factors 1.2, 0.8, 1 and a turn of +0.05
    u[5:8] = 1.0, 0.5, 0.0
    u[8] = 0.1  # not below 0.1: no grey
    u[9:11] = 0.0, 0.5
    u[11:13] = 0.0, 0.3
    u[13:18] = 0.0, 0.0, 0.5, 0.0, 1 - 1e-9
    config = STRONG['rgb'] | dict(erase_aspect=(0.25, 4.0))
    draw = RGBTexture.from_config(config).parameters(u, (200, 100))
    assert draw.brightness == pytest.approx(1.2)
    assert draw.contrast == pytest.approx(0.8)
    assert draw.saturation == 1
    assert draw.hue == pytest.approx(0.05)
    np.testing.assert_allclose(draw.gain, [1.2, 1.0, 0.8])
    assert draw.grey == 0
    assert draw.blur_sigma == pytest.approx(1.05)
    assert draw.noise_sigma == pytest.approx(3.0)
    np.testing.assert_array_equal(draw.box, [0, 180, 20, 200])  # 2 % of 20000 px = 20 x 20 at the lower left


def test_depth_parameters_by_hand() -> None:
    u = np.zeros(28)
    u[0:3] = 0.0, 0.5, 1.0  # sigma .035, offset +.1 reference bones
    u[5:8] = 0.0, 0.4, 0.5  # erosion by 2
    u[8] = 0.0
    u[9:11] = 0.0, 0.26  # two holes
    u[11:15] = 0.0, 0.5, 0.0, 0.0
    u[15:19] = 1.0, 0.5, 0.0, 0.0
    config = STRONG['depth'] | dict(hole_area=(0.01, 0.04), hole_aspect=(0.5, 2.0), low_resolution=1.0)
    draw = DepthTexture.from_config(config).parameters(u, (100, 100))
    assert draw.noise_sigma == pytest.approx(0.035 / 6)
    assert draw.offset == pytest.approx(0.1 / 6)
    assert draw.radius == -2
    assert draw.low_resolution == 1
    assert draw.quantise == 1
    np.testing.assert_array_equal(draw.boxes, [[0, 0, 10, 10], [0, 0, 20, 20], [0] * 4, [0] * 4])


@pytest.mark.parametrize('texture', [RGBTexture(**STRONG['rgb']), DepthTexture(**STRONG['depth'])])
def test_numpy_and_torch_uniforms_give_equal_parameters(texture: RGBTexture | DepthTexture) -> None:
    u = np.random.default_rng(1).random((50, texture.num_uniforms))
    ours, theirs = texture.parameters(u, (96, 128)), texture.parameters(torch.from_numpy(u), (96, 128))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-12, atol=1e-12)


def test_strong_draws_stay_in_their_ranges() -> None:
    rng = np.random.default_rng(2)
    rgb = RGBTexture(**STRONG['rgb']).parameters(rng.random((4000, 18)), (256, 256))
    for factor, width in ((rgb.brightness, 0.4), (rgb.contrast, 0.4), (rgb.saturation, 0.4), (rgb.gain, 0.2)):
        assert 1 - width <= factor.min() < 1 - 0.9 * width
        assert 1 + 0.9 * width < factor.max() <= 1 + width
    assert abs(rgb.hue).max() <= 0.1
    assert rgb.noise_sigma.max() <= 10
    erased = (rgb.box[:, 2] - rgb.box[:, 0]) * (rgb.box[:, 3] - rgb.box[:, 1]) / 256**2
    assert np.mean(erased > 0) == pytest.approx(0.3, abs=0.03)
    assert 0.019 < erased[erased > 0].min() < 0.03
    assert 0.15 < erased.max() < 0.161
    assert np.mean(rgb.grey) == pytest.approx(0.1, abs=0.02)

    depth = DepthTexture(**STRONG['depth']).parameters(rng.random((4000, 28)), (256, 256))
    assert sorted(set(depth.radius.tolist())) == [-3, -2, -1, 1, 2, 3]
    assert 0.02 / 6 <= depth.noise_sigma.min() and depth.noise_sigma.max() <= 0.05 / 6
    assert abs(depth.offset).max() <= 0.1 / 6
    holes = (depth.boxes[..., 2] > 0).sum(-1)
    assert sorted(set(holes.tolist())) == [1, 2, 3, 4]
    assert depth.boxes.min() == 0 and depth.boxes.max() == 256


@pytest.mark.parametrize(
    ('cls', 'config', 'message'),
    [
        (RGBTexture, dict(brigthness=0.4), 'brightness'),
        (RGBTexture, dict(grey_prob=1.5), r'RGBTexture.grey_prob must be a number in \[0, 1.0\], got 1.5'),
        (RGBTexture, dict(blur_sigma=(2.0, 1.0)), 'blur_sigma must be a pair'),
        (RGBTexture, dict(blur_sigma=2.0), 'blur_sigma must be a pair'),
        (DepthTexture, dict(hole_count=(0, 9)), 'hole_count'),
        (DepthTexture, 'strong', 'must be a dict or None'),
    ],
)
def test_wrong_settings_are_named(cls: type[RGBTexture], config: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        cls.from_config(config)  # type: ignore[arg-type]


def test_lists_from_config_files_are_taken() -> None:
    assert RGBTexture.from_config(dict(blur_sigma=[0.1, 1.0])).blur_sigma == (0.1, 1.0)


def test_neutral_matrix_is_exactly_the_identity() -> None:
    linear, offset = matrix_of((90, 100, 110))
    np.testing.assert_array_equal(linear, np.eye(3))
    np.testing.assert_array_equal(offset, 0)


def test_brightness_contrast_and_gain_by_hand() -> None:
    linear, offset = matrix_of(brightness=1.2)
    np.testing.assert_allclose(linear @ [50, 100, 150] + offset, [60, 120, 180])
    linear, offset = matrix_of((100, 100, 100), contrast=0.5)
    np.testing.assert_allclose(linear @ [100, 100, 100] + offset, [100, 100, 100])
    np.testing.assert_allclose(linear @ [140, 60, 100] + offset, [120, 80, 100])
    linear, offset = matrix_of((100, 100, 100), contrast=0.5, brightness=1.5)  # pivot moves to 150
    np.testing.assert_allclose(linear @ [140, 60, 100] + offset, [180, 120, 150])
    linear, offset = matrix_of(gain=(1.2, 1.0, 0.8))
    np.testing.assert_allclose(linear @ [100, 100, 100] + offset, [120, 100, 80])


def test_grey_and_saturation_keep_the_luma() -> None:
    luma = 0.299 * 200 + 0.587 * 100 + 0.114 * 50  # 124.2
    linear, offset = matrix_of(grey=1)
    np.testing.assert_allclose(linear @ [200, 100, 50] + offset, [luma] * 3)
    linear, offset = matrix_of(saturation=0.5)
    np.testing.assert_allclose(linear @ [200, 100, 50] + offset, (np.array([200, 100, 50]) + luma) / 2)


def test_hue_is_a_rotation_of_the_chroma() -> None:
    third, _ = matrix_of(hue=1 / 3)
    np.testing.assert_allclose(third @ third @ third, np.eye(3), atol=1e-12)
    half, _ = matrix_of(hue=0.5)
    luma = 124.2
    np.testing.assert_allclose(half @ [200, 100, 50], 2 * luma - np.array([200, 100, 50]))
    np.testing.assert_allclose(matrix_of(hue=0.13)[0] @ [7, 7, 7], [7, 7, 7])  # greys have no hue
    # red turned by a third is mainly green or blue, not red
    red = third @ [255, 0, 0]
    assert red.argmax() != 0
