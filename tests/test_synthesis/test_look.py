"""Skin, light, background, sensor."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.errors import ConfigError
from mmdualhand.synthesis import BACKGROUNDS, DOMAINS, Domain, render_index
from mmdualhand.synthesis.background import paint_background
from mmdualhand.synthesis.gbuffer import GBuffer, tilt_normals
from mmdualhand.synthesis.labels import rhd_labels, rhd_visibility
from mmdualhand.synthesis.lighting import Lights, shade
from mmdualhand.synthesis.occlusion import ambient_occlusion
from mmdualhand.synthesis.sensor import compress_highlights, expose, to_srgb
from mmdualhand.synthesis.skin import SkinLayer, skin_reflectance
from mmdualhand.synthesis.surface_points import surface_points, vertex_texture
from mmdualhand.synthesis.template import load_template
from mmdualhand.synthesis.textures import TILE, clouds, look_up, noise_tiles

NO_SENSOR = dict(
    exposure=1.0, white_balance=0.0, vignette=0.0, blur_px=0.0, motion_px=0.0, shot_noise=0.0,
    read_noise=0.0, jpeg=100, resolution=1.0, flare=0.0, defocus_px=0.0, contrast=1.0, saturation=1.0,
    noise_grain_px=0.0, chroma_noise=1.0, sharpen=0.0,
)  # fmt: skip


def test_noise_tiles_are_standardised_and_wrap() -> None:
    tiles = noise_tiles()
    assert tiles[:, :-1, :-1].mean(axis=(1, 2)) == pytest.approx(0, abs=1e-3)
    assert tiles[:, :-1, :-1].std(axis=(1, 2)) == pytest.approx(1, abs=1e-3)
    u, v = np.float32([3.25, 100.0, 511.5]), np.float32([7.5, 0.0, 511.75])
    away = look_up(tiles[0], u + np.float32(3 * TILE), v - np.float32(TILE))
    np.testing.assert_allclose(away, look_up(tiles[0], u, v), atol=0.02)
    square = tiles[0][7:9, 3:5]  # remap interpolates to 1/32 of a texel
    by_hand = 0.75 * square[:, 0] + 0.25 * square[:, 1]
    assert look_up(tiles[0], u[:1], v[:1])[0] == pytest.approx(by_hand.mean(), abs=1e-3)


def test_skin_tones_darken_in_every_channel_and_are_reddish() -> None:
    tones = np.array([skin_reflectance(tone) for tone in np.linspace(0, 1, 21)])
    assert (np.diff(tones, axis=0) < 0).all()
    assert (tones[:, 0] > tones[:, 1]).all() and (tones[:, 1] > tones[:, 2]).all()
    np.testing.assert_allclose(skin_reflectance(0.4), [0.55, 0.29, 0.18])


def test_dorsal_side_and_bone_coordinates() -> None:
    """Points at the knuckle, back and pad of the rest hand's middle finger lie where they should."""
    template = load_template()
    texture = vertex_texture(np.zeros(3))
    part = np.zeros(len(texture), int)
    np.maximum.at(part, template.triangles.ravel(), np.repeat(template.triangle_part.astype(int), 3))
    points = surface_points(texture, part)
    middle = np.flatnonzero(points.part == 8)  # middle segment of the middle finger
    assert points.finger[middle[0]] == 2 and points.segment[middle[0]] == 1
    assert points.bone_length(middle)[0] == pytest.approx(0.170 * 182.0, abs=1e-3)
    assert -4 < points.local[middle, 1].min() and points.local[middle, 1].max() < 35
    assert np.corrcoef(points.local[middle, 2], points.dorsal[middle])[0, 1] > 0.9
    assert points.dorsal[points.part == 16].min() < -0.8 and points.dorsal[points.part == 16].max() > 0.8


def one_layer(albedo: float, translucent: float = 0.0) -> SkinLayer:
    return SkinLayer(
        np.full((1, 3), albedo, np.float32), np.zeros(1, np.float32), np.ones(1, np.float32),
        np.full(1, translucent, np.float32),
    )  # fmt: skip


def lit_by(direction: list[float], strength: float, sky: float) -> Lights:
    sky_light = np.full(3, sky, np.float32)
    return Lights(
        np.float32([direction]), np.full((1, 3), strength, np.float32), np.float32([0, -1, 0]), sky_light,
        sky_light,
    )  # fmt: skip


def test_shading_by_hand() -> None:
    """A normal at 60 degrees to the lamp: 0.5 * (0.8 * cos 60 + 0.2) = 0.3."""
    normal, point = np.float32([[0, 0, -1]]), np.float32([[0, 0, 400]])
    lamp = [np.sin(np.pi / 3), 0.0, -np.cos(np.pi / 3)]
    values = dict(softness=0.0, specular=0.0, specular_power=10.0)
    open_sky = np.ones(1, np.float32)
    light = shade(one_layer(0.5), normal, point, open_sky, lit_by(lamp, 0.8, 0.2), values)
    np.testing.assert_allclose(light, np.full((1, 3), 0.3), rtol=1e-5)
    away = shade(one_layer(0.5), -normal, point, open_sky, lit_by(lamp, 0.8, 0.2), values)
    np.testing.assert_allclose(away, np.full((1, 3), 0.1), rtol=1e-5)
    shadowed = shade(
        one_layer(0.5), normal, point, open_sky, lit_by(lamp, 0.8, 0.2), values, np.zeros((1, 1), np.float32)
    )
    np.testing.assert_allclose(shadowed, np.full((1, 3), 0.1), rtol=1e-5)


def test_light_wraps_red_around_skin_but_not_around_cloth() -> None:
    normal, point = np.float32([[1, 0, 0]]), np.float32([[0, 0, 400]])
    values = dict(softness=1.0, specular=0.0, specular_power=10.0)
    lights, open_sky = lit_by([0.0, 0.0, -1.0], 1.0, 0.0), np.ones(1, np.float32)
    skin = shade(one_layer(1.0, 1.0), normal, point, open_sky, lights, values)[0]
    np.testing.assert_allclose(skin, np.array([0.30, 0.13, 0.09]) / [1.30, 1.13, 1.09], rtol=1e-5)
    np.testing.assert_array_equal(shade(one_layer(1.0), normal, point, open_sky, lights, values), 0)


def test_relief_tilts_the_normal_against_the_slope() -> None:
    """Height rising by 0.1 mm a sample, samples 1 mm apart: the normal leans back by atan(0.1)."""
    row, column = (grid.ravel() for grid in np.mgrid[:5, :5])
    position = np.zeros((25, 3), np.float32)
    position[:, 2] = 500.0
    normal = np.tile(np.float32([0, 0, -1]), (25, 1))
    buffer = GBuffer(row, column, row, position, normal, normal)
    tilted = tilt_normals(buffer, np.float32(0.1) * column.astype(np.float32), 500.0, (5, 5))
    expected = np.array([-0.1, 0.0, -1.0]) / np.hypot(0.1, 1)
    np.testing.assert_allclose(tilted[12], expected, atol=1e-5)


def test_occlusion_darkens_a_groove_and_no_plane() -> None:
    x = np.arange(60)
    plane = np.tile(400 + 0.4 * x, (60, 1)).astype(np.float32)
    np.testing.assert_allclose(ambient_occlusion(plane, 1.0, 1.0)[20:40, 20:40], 1.0, atol=1e-4)
    groove = plane + 6 * np.exp(-(((x - 30) / 3.0) ** 2)).astype(np.float32)
    shade_of = ambient_occlusion(groove, 1.0, 1.0)
    assert shade_of[30, 30] < 0.8
    assert shade_of[30, 10] == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_array_equal(ambient_occlusion(np.zeros((8, 8), np.float32), 1.0, 1.0), 1)


def test_sensor_by_hand() -> None:
    """Gamma 2.2: light 0.5 is 186; twice the light is compressed below white."""
    light = np.full((4, 4, 3), 0.5, np.float32)
    picture = expose(light, NO_SENSOR, np.random.default_rng(0))
    assert picture.dtype == np.uint8 and (picture == 186).all()
    np.testing.assert_array_equal(to_srgb(np.float32([-1.0, 0.0, 1.0, 3.0])), [0, 0, 255, 255])
    # Above 0.75: 0.75 + 0.25 * 0.25 / (0.25 + 0.25) = 0.875 for light 1.
    assert compress_highlights(np.float32([1.0]))[0] == pytest.approx(0.875)
    assert compress_highlights(np.float32([50.0]))[0] < 1.0


def test_sensor_noise_has_the_asked_deviation() -> None:
    light = np.full((100, 100, 3), 0.25, np.float32)
    values = {**NO_SENSOR, 'read_noise': 0.02}
    picture = expose(light, values, np.random.default_rng(0)).astype(float)
    # d(255 x^(1/2.2))/dx at 0.25 is 246.9, so 0.02 of light is 4.94 levels.
    assert picture.std() == pytest.approx(4.94, abs=0.25)


@pytest.mark.parametrize('kind', sorted(BACKGROUNDS))
def test_backgrounds(kind: str) -> None:
    picture = paint_background(np.random.default_rng(2), kind, 48, 64, 1.0)
    assert picture.shape == (48, 64, 3) and picture.dtype == np.float32
    assert np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1
    again = paint_background(np.random.default_rng(2), kind, 48, 64, 1.0)
    np.testing.assert_array_equal(picture, again)
    spread = picture.std(axis=(0, 1)).max()
    assert spread < 1e-4 if kind == 'flat' else spread > 0.005


def test_unknown_background() -> None:
    with pytest.raises(ConfigError, match="did you mean 'leaves'"):
        paint_background(np.random.default_rng(0), 'leafs', 8, 8)


def test_clouds_span_zero_to_one() -> None:
    values = clouds(np.random.default_rng(0), 40, 60)
    assert values.min() == 0 and values.max() == pytest.approx(1)


def test_labels_of_parts() -> None:
    """Thumb tip, base and pinky tip of both hands, palms, forearm, sleeve."""
    parts = np.array([3, 1, 15, 16, 17, 18])
    np.testing.assert_array_equal(rhd_labels(parts, 'left'), [2, 4, 14, 17, 1, 1])
    np.testing.assert_array_equal(rhd_labels(parts, 'right'), [18, 20, 30, 33, 1, 1])


def test_visibility_asks_for_the_joint_s_own_parts() -> None:
    xyz, uv = np.tile([0.0, 0.0, 300.0], (21, 1)), np.full((21, 2), -50.0)
    label = np.zeros((60, 60), np.uint8)
    label[20:40, 20:40] = 21  # tip segment of the right index finger
    uv[8], uv[7], uv[12], uv[0] = (30, 30), (39, 39), (30, 30), (70, 30)
    visible = rhd_visibility(label, xyz, uv, 300.0, 'right')
    assert np.flatnonzero(visible).tolist() == [7, 8]  # not the middle finger, nothing outside
    assert not rhd_visibility(label, xyz, uv, 300.0, 'left').any()


def test_the_hand_stands_out_where_the_mask_says() -> None:
    """On a flat background the picture is that colour exactly where no triangle is near."""
    look = {**DOMAINS['source'].look, 'background': 'flat'}
    flat = Domain('source', DOMAINS['source'].scene, look)
    sample = render_index(7, seed=2, domain=flat, image_size=160)
    background = sample.rgb[sample.mask == 0]
    color, count = np.unique(background, axis=0, return_counts=True)
    assert count.max() > 0.97 * len(background)  # the rest is the antialiased rim
    inside = sample.rgb[sample.mask > 0].astype(int)
    assert (np.abs(inside - color[count.argmax()].astype(int)).sum(axis=1) > 12).mean() > 0.9
    np.testing.assert_array_equal(sample.mask > 0, sample.depth > 0)
