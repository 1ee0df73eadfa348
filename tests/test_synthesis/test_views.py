"""Other cameras, windows, fixed intrinsics."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.structures import Camera
from mmdualhand.synthesis import (
    SOURCE_LOOK,
    Sample,
    Scene,
    get_domain,
    kernels,
    render,
    sample_identity,
    sample_scene,
)
from mmdualhand.synthesis.lighting import sample_lights, turned_lights
from mmdualhand.synthesis.parameters import draw_all
from mmdualhand.synthesis.rotations import rotation_about

CAMERA = np.array([[607.92, 0.0, 314.78], [0.0, 607.88, 236.42], [0.0, 0.0, 1.0]])
CONFIG = {
    'two_hands_probability': 0.0, 'occluders': 1, 'object_probability': 1.0, 'min_joints_beside_props': 8
}  # fmt: skip


def scene_of(seed: int = 0, size: tuple[int, int] = (640, 480)) -> Scene:
    return sample_scene(np.random.default_rng([8, seed]), CONFIG, size, camera=CAMERA)


def motion_about(angle_deg: float, center: np.ndarray) -> np.ndarray:
    """Motion of a camera that goes round a point on a ring."""
    motion = np.eye(4)
    motion[:3, :3] = rotation_about(np.array([0.3, 1.0, 0.1]), np.radians(angle_deg))
    motion[:3, 3] = center - motion[:3, :3] @ center
    return motion


def test_fixed_camera() -> None:
    scene = scene_of()
    np.testing.assert_array_equal(scene.camera, CAMERA)
    assert scene.image_size == (640, 480)
    hand = scene.hands[0]
    np.testing.assert_allclose(Camera(CAMERA).project(hand.xyz), hand.uv, atol=1e-9)


def test_a_window_holds_the_same_pixels() -> None:
    """Depth, triangles and weights are those of the full picture to the last bit, also beyond its edges."""
    scene = scene_of(1)
    full, twice = scene.rasterise(), scene.rasterise(2)
    part = scene.window(151, 60, 300, 290)
    seen = part.rasterise()
    np.testing.assert_array_equal(seen.depth, full.depth[60:350, 151:451])
    np.testing.assert_array_equal(seen.triangle, full.triangle[60:350, 151:451])
    np.testing.assert_array_equal(seen.barycentric, full.barycentric[60:350, 151:451])
    np.testing.assert_array_equal(part.rasterise(2).depth, twice.depth[120:700, 302:902])
    assert (seen.depth > 0).any()
    inner = part.window(40, 30, 200, 100)
    np.testing.assert_array_equal(inner.rasterise().depth, full.depth[90:190, 191:391])
    outer = scene.window(-20, -10, 700, 520)
    np.testing.assert_array_equal(outer.rasterise().depth[10:490, 20:660], full.depth)
    hand = part.hands[0]
    np.testing.assert_allclose(hand.uv, scene.hands[0].uv - [151, 60], atol=1e-9)
    np.testing.assert_allclose(Camera(part.camera).project(hand.xyz), hand.uv, atol=1e-9)
    with pytest.raises(ValueError, match='at least one pixel'):
        scene.window(0, 0, 0, 5)


@pytest.mark.parametrize('domain', ['stb', 'h3d'])
def test_a_window_shows_a_part_of_the_painted_picture(domain: str) -> None:
    """Without the sensor the colours are those of the full picture: light, shadow, background."""
    quiet = dict(
        jpeg=100, shot_noise=0.0, read_noise=0.0, blur_px=0.0, vignette=0.0, sharpen=0.0, resolution=1.0,
        hand_motion_px=0.0, plane_probability=1.0, occlusion=0.0, bump=0.0, creases=0.0,
    )  # fmt: skip
    look = {**get_domain(domain).look, **quiet}
    scene = scene_of(2)
    whole = render(scene, look, np.random.default_rng(3)).rgb[60:350, 150:450].astype(int)
    part = render(scene.window(150, 60, 300, 290), look, np.random.default_rng(3)).rgb.astype(int)
    assert np.abs(whole - part).mean() < 0.5 and (np.abs(whole - part) > 3).mean() < 0.01


def test_seen_from_another_camera() -> None:
    """World points project the same whether moved with the scene or with the camera."""
    scene = scene_of(3)
    other = np.array([[619.5, 0.0, 325.3], [0.0, 619.1, 245.4], [0.0, 0.0, 1.0]])
    motion = motion_about(35.0, scene.hands[0].xyz[9])
    view = scene.seen_from(other, (640, 480), motion)
    hand, moved = scene.hands[0], view.hands[0]
    expected = hand.xyz @ motion[:3, :3].T + motion[:3, 3]
    np.testing.assert_allclose(moved.xyz, expected, atol=1e-9)
    np.testing.assert_allclose(Camera(other).project(expected), moved.uv, atol=1e-6)
    np.testing.assert_allclose(moved.uv[9, 1] - 245.4, (hand.uv[9, 1] - 236.42) * 619.1 / 607.88, atol=1e-6)
    in_hand = hand.mesh.vertices * ([-1, 1, 1] if hand.side == 'left' else [1, 1, 1])
    covered = moved.triangle_part < 18
    index = np.unique(moved.triangles[covered])
    rigid = in_hand[index] @ moved.rotation.T + moved.translation
    bare = np.abs(rigid - moved.vertices[index]).max(1) < 1e-6  # the others lie under a sleeve
    assert bare.mean() > 0.8
    back = view.seen_from(CAMERA, (640, 480), np.linalg.inv(motion))
    np.testing.assert_allclose(back.surface()[0], scene.surface()[0], atol=1e-9)
    np.testing.assert_allclose(back.motion, np.eye(4), atol=1e-12)
    depth = view.rasterise().depth
    inside = ((moved.uv > 0) & (moved.uv < [639, 479])).all(1)
    column, row = np.rint(moved.uv[inside]).astype(int).T
    assert (depth[row, column] > 0).all() and (depth[row, column] < moved.xyz[inside, 2]).all()


@pytest.mark.parametrize('motion', [np.eye(3), np.diag([1.0, 1.0, -1.0, 1.0]), 2 * np.eye(4)])
def test_a_motion_is_rigid(motion: np.ndarray) -> None:
    with pytest.raises(ValueError, match='rigid motion'):
        scene_of().seen_from(CAMERA, (640, 480), motion)


def test_lamps_stay_where_they_are() -> None:
    """The angle between a lamp and a bone is the same in every view."""
    scene = scene_of(4)
    view = scene.seen_from(CAMERA, (640, 480), motion_about(40.0, scene.hands[0].xyz[9]))
    values = draw_all(np.random.default_rng(0), {**SOURCE_LOOK, 'lights': 2})
    lights = sample_lights(values, np.random.default_rng(1))
    turned = turned_lights(lights, view.motion[:3, :3])
    assert turned_lights(lights, scene.motion[:3, :3]) is lights
    bones = [one.hands[0].xyz[12] - one.hands[0].xyz[9] for one in (scene, view)]
    np.testing.assert_allclose(lights.direction @ bones[0], turned.direction @ bones[1], atol=1e-4)
    np.testing.assert_allclose(lights.up @ bones[0], turned.up @ bones[1], atol=1e-4)
    np.testing.assert_array_equal(lights.color, turned.color)


@pytest.mark.skipif(kernels.numba is None, reason='numba is not installed')
def test_compiled_loops_change_neither_depth_nor_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    person = sample_identity(0, 'freihand', 0, 'train')
    look = get_domain('freihand').look

    def samples() -> list[Sample]:
        made = []
        for seed in range(3):
            config = get_domain('freihand').scene
            scene = sample_scene(np.random.default_rng([9, seed]), config, 160, identity=person)
            made.append(render(scene, look, np.random.default_rng(seed), identity=person))
        return made

    compiled = samples()
    for module in ('kernels', 'raster'):
        monkeypatch.setattr(f'mmdualhand.synthesis.{module}.numba', None)
    for one, other in zip(compiled, samples(), strict=True):
        np.testing.assert_array_equal(one.depth, other.depth)
        np.testing.assert_array_equal(one.mask, other.mask)
        np.testing.assert_array_equal(one.hands[0].xyz, other.hands[0].xyz)
        np.testing.assert_array_equal(one.rgb, other.rgb)
