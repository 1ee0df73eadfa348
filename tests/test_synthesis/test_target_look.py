"""What the looks of the targets are made of: backgrounds, shadows, cut-outs, sensor."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdualhand.errors import ConfigError, DataError
from mmdualhand.synthesis import (
    DOMAINS,
    SOURCE_LOOK,
    TARGET_DOMAINS,
    generator,
    get_domain,
    photo_backgrounds,
    render,
    render_backgrounds,
    render_index,
    sample_scene,
)
from mmdualhand.synthesis.back_plane import sample_plane
from mmdualhand.synthesis.lighting import sample_lights
from mmdualhand.synthesis.parameters import draw_all
from mmdualhand.synthesis.sensor import expose
from mmdualhand.synthesis.skin import skin_like_color, skin_reflectance

QUIET = dict(
    exposure=1.0, white_balance=0.0, flare=0.0, vignette=0.0, blur_px=0.0, defocus_px=0.0, motion_px=0.0,
    resolution=1.0, contrast=1.0, saturation=1.0, shot_noise=0.0, read_noise=0.0, sharpen=0.0, jpeg=100,
    noise_grain_px=0.0, chroma_noise=1.0,
)  # fmt: skip


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng([77, seed])


def eroded(mask: np.ndarray) -> np.ndarray:
    return cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


@pytest.mark.parametrize('name', sorted(TARGET_DOMAINS))
def test_domains(name: str) -> None:
    """Every value is drawn; a picture is finite, and hands keep to the tilts that the source has."""
    domain = get_domain(name)
    assert set(domain.look) == set(SOURCE_LOOK)
    assert set(draw_all(rng(), domain.look)) == set(SOURCE_LOOK)
    for index in range(2):
        sample = render_index(index, seed=1, domain=name, image_size=96)
        assert len(sample.hands) == 1 and (sample.mask > 1).sum() > 150
        assert sample.rgb.std() > 2
        assert sample.hands[0].side == ('left' if name == 'stb' else 'right')
    low, high = domain.scene['tilt_deg']
    assert low >= 0 and high <= 30 and domain.scene['in_plane_deg'] == (-60.0, 60.0)


def test_the_source_has_none_of_it() -> None:
    """New parameters are constants that switch their effect off, so that they draw nothing."""
    off = ('veins', 'redness', 'hair', 'freckles', 'wetness', 'skin_clutter', 'background_match', 'halo',
           'plane_probability', 'shadow', 'bounce', 'flare', 'sharpen', 'sleeve_match')  # fmt: skip
    for name in off:
        assert SOURCE_LOOK[name] == 0
    for name in ('resolution', 'contrast', 'saturation', 'background_contrast', 'background_saturation'):
        assert SOURCE_LOOK[name] == 1
    assert DOMAINS['source'].scene['occluders'] == 0
    assert DOMAINS['source'].scene['object_probability'] == 0


def test_several_backgrounds_behind_one_hand() -> None:
    """Where a pixel is all hand, every version shows the same; elsewhere they differ."""
    look = {**get_domain('freihand').look, **QUIET, 'hand_motion_px': 0.0}
    scene = sample_scene(rng(1), get_domain('freihand').scene, 160)
    kinds = ['green', 'leaves', 'wood', 'room']
    samples = render_backgrounds(scene, look, rng(2), [(kind, rng(3 + k)) for k, kind in enumerate(kinds)])
    assert len(samples) == 4
    inner = eroded(samples[0].depth > 0)
    assert inner.sum() > 2000
    for other in samples[1:]:
        np.testing.assert_array_equal(samples[0].rgb[inner], other.rgb[inner])
        np.testing.assert_array_equal(samples[0].mask, other.mask)
        np.testing.assert_array_equal(samples[0].depth, other.depth)
        empty = other.depth == 0
        assert np.abs(samples[0].rgb[empty].astype(int) - other.rgb[empty]).mean() > 5
    red, green, blue = samples[0].rgb[samples[0].depth == 0].astype(int).mean(0)
    assert green > 1.3 * red and green > 1.3 * blue
    with pytest.raises(ConfigError, match="background 'gren' is not known; did you mean 'green'"):
        render_backgrounds(scene, look, rng(2), [('gren', rng(3))])


def test_a_cut_out_hand_has_a_green_rim() -> None:
    scene = sample_scene(rng(1), {'two_hands_probability': 0.0}, 160)
    look = {**get_domain('source').look, 'background': 'flat'}
    clean, cut = (render(scene, {**look, 'halo': halo}, rng(4)) for halo in (0.0, 1.0))
    shown = cut.depth > 0
    inner, outer = eroded(shown), ~shown & (cv2.dilate(shown.astype(np.uint8), np.ones((3, 3))) > 0)
    np.testing.assert_array_equal(clean.rgb[inner], cut.rgb[inner])
    before, after = (one.rgb[outer].astype(float).mean(0) for one in (clean, cut))
    assert np.abs(after - before).max() > 5
    assert after[1] / after.sum() > before[1] / before.sum() + 0.01


def test_backgrounds_come_near_the_colour_of_skin() -> None:
    scene = sample_scene(rng(1), {'two_hands_probability': 0.0}, 96)
    look = {**get_domain('source').look, 'background': 'leaves', 'skin_tone': 0.5}
    gaps = []
    for match in (0.0, 0.5, 1.0):
        rows = []
        for seed in range(6):
            sample = render(scene, {**look, 'background_match': match}, rng(seed))
            hand, behind = sample.rgb[sample.mask > 1].mean(0), sample.rgb[sample.depth == 0].mean(0)
            rows.append(np.abs(np.log(hand / behind)).mean())
        gaps.append(np.mean(rows))
    assert gaps[0] > 1.3 * gaps[1] > 1.5 * gaps[2]


def test_skin_like_colours_lie_about_the_skin() -> None:
    colors = np.array([skin_like_color(rng(seed), 0.4) for seed in range(200)])
    ratio = np.log(colors / skin_reflectance(0.4))
    assert np.abs(ratio.mean(0)).max() < 0.1 and 0.1 < ratio.std(0).max() < 0.6


def test_a_shadow_falls_on_the_wall() -> None:
    """A lamp from the left and the camera in front: the wall is darker beside the hand, not far away."""
    scene = sample_scene(rng(5), {'two_hands_probability': 0.0, 'hand_size': 0.35}, 160)
    look = {**get_domain('source').look, 'background': 'flat', 'plane_probability': 1.0, 'plane_gap_mm': 60.0,
            'lights': 1, 'key': 0.8, 'ambient': 0.1, 'key_angle_deg': 45.0, 'light_color': 0.0}  # fmt: skip
    lit, shaded = (render(scene, {**look, 'shadow': strength}, rng(6)) for strength in (0.0, 1.0))
    wall = lit.depth == 0
    ratio = shaded.rgb[wall].astype(float).sum(1) / lit.rgb[wall].astype(float).sum(1)
    assert 0.02 < (ratio < 0.8).mean() < 0.6
    assert (np.abs(ratio - 1) < 0.02).mean() > 0.35
    assert shaded.rgb[shaded.mask > 1].mean() < lit.rgb[lit.mask > 1].mean()


def test_the_plane_lies_behind_the_hand() -> None:
    for seed in range(4):
        scene = sample_scene(rng(seed), {'two_hands_probability': 0.0}, 96)
        values = dict(plane_probability=1.0, plane_gap_mm=25.0, plane_tilt_deg=30.0)
        plane = sample_plane(scene, values, rng(seed))
        assert plane is not None
        hand = np.unique(scene.hands[0].triangles[scene.hands[0].triangle_part < 17])
        assert ((scene.hands[0].vertices[hand] @ plane.normal) - plane.offset).min() > 20.0
        assert plane.normal @ plane.normal == pytest.approx(1) and plane.normal[2] < 0
        # the camera is on the side that the normal points to
        assert plane.offset < 0


def test_warm_lamps_and_their_angle() -> None:
    values = {**draw_all(rng(), SOURCE_LOOK), 'lights': 1, 'light_color': 0.0, 'key': 1.0}
    warm = sample_lights({**values, 'key_warmth': 1.0, 'key_angle_deg': 60.0}, rng(2))
    assert warm.color[0, 0] > 1 > warm.color[0, 2]
    np.testing.assert_allclose(warm.direction[0, 2], -0.5, atol=1e-6)
    assert np.linalg.norm(warm.direction[0]) == pytest.approx(1)


def test_low_resolution_loses_detail_and_no_brightness() -> None:
    light = np.zeros((96, 128, 3), np.float32) + 0.3
    light[:, ::2] = 0.5
    fine, coarse = (expose(light, {**QUIET, 'resolution': share}, rng()) for share in (1.0, 0.25))
    assert fine.shape == coarse.shape == (96, 128, 3)
    assert fine.std() > 15 and coarse.std() < 2
    assert coarse.mean() == pytest.approx(255 * 0.4 ** (1 / 2.2), abs=1.0)


def test_grain_is_correlated_and_keeps_its_deviation() -> None:
    light = np.full((120, 120, 3), 0.25, np.float32)
    noisy = {**QUIET, 'read_noise': 0.02}
    pictures = [expose(light, {**noisy, **more}, rng()).astype(float) for more in (
        {}, {'noise_grain_px': 1.0}, {'chroma_noise': 0.0})]  # fmt: skip
    for picture in pictures:
        assert picture.std() == pytest.approx(4.94, abs=0.5)  # 246.9 levels per unit of light

    def neighbours(picture: np.ndarray) -> float:
        return float(np.corrcoef(picture[:, :-1, 0].ravel(), picture[:, 1:, 0].ravel())[0, 1])

    assert abs(neighbours(pictures[0])) < 0.05
    # a Gaussian of deviation 1 px correlates neighbours by exp(-1/4)
    assert neighbours(pictures[1]) == pytest.approx(np.exp(-0.25), abs=0.05)
    assert np.ptp(pictures[2], axis=2).max() == 0


def test_lens_and_tone_by_hand() -> None:
    spot = np.zeros((33, 33, 3), np.float32)
    spot[16, 16] = 0.7
    disc = expose(spot, {**QUIET, 'defocus_px': 4.0}, rng())[..., 0].astype(float)
    disc = disc > 0.73 * disc.max()  # half the light, gamma 2.2
    assert disc.sum() == pytest.approx(np.pi * 4**2, rel=0.1)
    assert np.abs(np.argwhere(disc) - 16).max() == 4
    grey = np.full((8, 8, 3), 0.5, np.float32)
    veiled = expose(grey, {**QUIET, 'flare': 0.1}, rng())
    assert veiled[0, 0, 0] == round(255 * 0.6 ** (1 / 2.2))
    steep = expose(np.float32([[[0.1] * 3, [0.6] * 3]]), {**QUIET, 'contrast': 1.4}, rng())
    plain = expose(np.float32([[[0.1] * 3, [0.6] * 3]]), QUIET, rng())
    assert steep[0, 0, 0] < plain[0, 0, 0] and steep[0, 1, 0] > plain[0, 1, 0]
    dull = expose(np.float32([[[0.5, 0.2, 0.1]]]), {**QUIET, 'saturation': 0.0}, rng())
    assert np.ptp(dull) == 0
    edge = np.where(np.arange(20)[None, :, None] < 10, np.float32(0.2), np.float32(0.4)) * np.ones((8, 1, 3))
    halo = expose(edge.astype(np.float32), {**QUIET, 'sharpen': 1.0}, rng())[4, :, 0].astype(int)
    assert halo[9] < halo[2] and halo[10] > halo[17]


def test_still_background_behind_a_moving_hand() -> None:
    scene = sample_scene(rng(1), {'two_hands_probability': 0.0}, 160)
    look = {**get_domain('source').look, 'background': 'leaves'}
    sharp, moved = (render(scene, {**look, 'hand_motion_px': length}, rng(4)) for length in (0.0, 9.0))
    far = cv2.dilate((sharp.depth > 0).astype(np.uint8), np.ones((17, 17))) == 0
    assert far.sum() > 1000
    np.testing.assert_array_equal(sharp.rgb[far], moved.rgb[far])
    edges = [cv2.Laplacian(one.rgb, cv2.CV_64F)[eroded(one.mask > 1)].std() for one in (sharp, moved)]
    assert edges[1] < 0.6 * edges[0]


def test_photos_as_backgrounds(tmp_path: Path) -> None:
    """Colours tell the photos apart: those of training never stand behind a test picture."""
    folder = tmp_path / 'photos'
    (folder / 'inner').mkdir(parents=True)
    domain = get_domain('stb')
    with pytest.raises(ConfigError, match=r'photos holds 0 photos .*it needs two'):
        photo_backgrounds(domain, folder, 'train')
    for number in range(30):
        value = 8 * number + 8
        picture = np.full((40, 60, 3), value, np.uint8)
        cv2.imwrite(str(folder / ('inner' if number % 2 else '.') / f'{number}.png'), picture)
    train, test = (photo_backgrounds(domain, folder, split) for split in ('train', 'test'))
    files = [set(one.look['photo_files']) for one in (train, test)]
    assert not files[0] & files[1] and len(files[0] | files[1]) == 30 and len(files[1]) == 6
    assert train.look['background'] == {'photo': 1.0} and train.name == 'stb'
    plain = {**SOURCE_LOOK, 'key': 2.0, 'ambient': 1.0}
    plain |= {key: test.look[key] for key in ('background', 'photo_files')}
    scene = sample_scene(rng(1), {'two_hands_probability': 0.0}, 96)
    values = {8 * int(Path(file).stem) + 8 for file in files[1]}
    for seed in range(4):
        sample = render(scene, plain, generator(0, 'stb', seed, 1))
        color = np.median(sample.rgb[sample.depth == 0])
        assert min(abs(color - value) for value in values) <= 2
    mixed = photo_backgrounds(get_domain('freihand'), folder, 'train').look['background']
    assert mixed['green'] == pytest.approx(0.25) and mixed['photo'] == pytest.approx(0.75)
    (folder / 'broken.jpg').write_bytes(b'no picture')
    broken = {**plain, 'photo_files': [str(folder / 'broken.jpg')]}
    with pytest.raises(DataError, match='broken.jpg cannot be read'):
        render(scene, broken, rng())
    with pytest.raises(DataError, match='broken.jpg cannot be read'):
        photo_backgrounds(domain, folder, 'train')


@pytest.mark.parametrize('first', range(8))
def test_two_photos_are_enough_whatever_their_names(tmp_path: Path, first: int) -> None:
    """One photo for each split; eleven give three to the test split."""
    domain = get_domain('stb')
    for number in range(11):
        cv2.imwrite(str(tmp_path / f'{first}_{number}.png'), np.zeros((4, 4, 3), np.uint8))
        if not number:
            with pytest.raises(ConfigError, match='holds 1 photos'):
                photo_backgrounds(domain, tmp_path, 'test')
            continue
        splits = [photo_backgrounds(domain, tmp_path, split) for split in ('train', 'test')]
        train, test = (set(one.look['photo_files']) for one in splits)
        assert len(test) == 1 + number // 5
        assert len(train | test) == len(train) + len(test) == number + 1


def test_source_pictures_are_what_they_were_before_there_were_targets() -> None:
    """Golden values; a parameter that is off must not move the numbers of those that are on."""
    sample = render_index(0, seed=11, image_size=160)
    assert len(sample.hands) == 2
    assert sample.rgb.mean() == pytest.approx(123.1033, abs=0.02)
    assert sample.depth.sum() == pytest.approx(2448472.5, rel=1e-6)
