"""Scenes: cameras, placement, labels that belong to the picture."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.errors import ConfigError
from mmdualhand.structures import chirality_vote
from mmdualhand.synthesis import raster
from mmdualhand.synthesis.placement import PlacedHand, count_visible, place_hand
from mmdualhand.synthesis.scene import SCENE_DEFAULTS, resolve_scene_config, sample_scene
from mmdualhand.synthesis.visibility import joint_visibility


@pytest.fixture(scope='module')
def scenes():
    config = {'two_hands_probability': 0.4}
    return [sample_scene(np.random.default_rng([3, seed]), config, 320) for seed in range(24)]


def in_frame(hand, size):
    column, row = np.rint(hand.uv).astype(int).T
    inside = (column >= 0) & (column < size[0]) & (row >= 0) & (row < size[1])
    return inside, row[inside], column[inside]


def test_joints_project_with_the_camera_and_lie_behind_the_surface(scenes) -> None:
    total = 0
    for scene in scenes:
        depth = scene.rasterise().depth
        for hand in scene.hands:
            pixels = hand.xyz @ scene.camera.T
            np.testing.assert_allclose(pixels[:, :2] / pixels[:, 2:], hand.uv, atol=1e-9)
            inside, row, column = in_frame(hand, scene.image_size)
            gap = hand.xyz[inside, 2] - depth[row, column]
            assert (depth[row, column] > 0).all() and gap.min() > 0.5
            total += inside.sum()
    assert total > 450


def test_mask_is_where_depth_is(scenes) -> None:
    for scene in scenes[:6]:
        result = scene.rasterise()
        assert ((result.depth > 0) == (result.triangle >= 0)).all()
        assert result.depth.shape == (320, 320) and np.isfinite(result.depth).all()
        assert 0.01 < (result.depth > 0).mean() < 0.7
        triangles = scene.surface()[1]
        assert result.triangle.max() < len(triangles)


def test_bone_lengths_of_the_sampled_shape(scenes) -> None:
    for scene in scenes:
        for hand in scene.hands:
            bones = np.linalg.norm(np.diff(hand.xyz[1:].reshape(5, 4, 3), axis=1), axis=-1)
            np.testing.assert_allclose(bones, hand.shape.segments, rtol=1e-9)


def test_sides(scenes) -> None:
    for side in ('left', 'right'):
        joints = np.stack([hand.xyz for scene in scenes for hand in scene.hands if hand.side == side])
        assert len(joints) >= 6 and chirality_vote(joints) == side
    pairs = [{hand.side for hand in scene.hands} for scene in scenes if len(scene.hands) == 2]
    assert pairs and all(pair == {'left', 'right'} for pair in pairs)
    assert any(len(scene.hands) == 1 for scene in scenes)


def test_surfaces_face_the_camera_side_out(scenes) -> None:
    """Normals point away from the joints of their bone, also on mirrored hands."""
    for scene in scenes[:6]:
        for hand in scene.hands:
            finger = np.unique(hand.triangles[hand.triangle_part == 9])  # last bone of the middle finger
            middle = 0.5 * (hand.xyz[11] + hand.xyz[12])
            outward = ((hand.vertices[finger] - middle) * hand.normals()[finger]).sum(1)
            assert (outward > 0).mean() > 0.95


def test_camera_is_that_of_rhd(scenes) -> None:
    focal = np.array([scene.camera[0, 0] for scene in scenes])
    assert focal.min() >= 0.82 * 320 and focal.max() <= 0.96 * 320 and len(set(focal)) == len(focal)
    for scene in scenes:
        assert scene.camera[0, 0] == scene.camera[1, 1]
        assert scene.camera[0, 2] == scene.camera[1, 2] == 160.0


def test_size_place_and_orientation_follow_the_config() -> None:
    config = {
        'two_hands_probability': 0.0, 'left_probability': 0.0, 'hand_size': 0.5, 'center_jitter': 0.0,
        'tilt_deg': 0.0, 'in_plane_deg': 0.0, 'back_probability': 1.0, 'pose_family': 'open',
        'sleeve_probability': 1.0, 'focal_ratio': 0.9, 'wrist_twist_sd': 0.0,
    }  # fmt: skip
    scene = sample_scene(np.random.default_rng(0), config, 200)
    hand = scene.hands[0]
    assert hand.side == 'right' and hand.sleeve is not None and 18 in hand.triangle_part
    assert scene.camera[0, 0] == pytest.approx(180.0)
    # fingers up: the tip of the middle finger above the wrist; back of a right hand: thumb on the left
    assert hand.uv[12, 1] < hand.uv[0, 1] - 60 and hand.uv[4, 0] < hand.uv[20, 0]
    extent = np.ptp(hand.uv, axis=0).max()
    assert extent == pytest.approx(100.0, abs=12.0)
    middle = 0.5 * (hand.uv.max(0) + hand.uv.min(0))
    np.testing.assert_allclose(middle, [100.0, 100.0], atol=6.0)
    turned = sample_scene(np.random.default_rng(0), {**config, 'in_plane_deg': 90.0}, 200).hands[0]
    # a quarter turn from x to y, y down: clockwise on the screen, so the fingers point to the right
    assert turned.uv[12, 0] > turned.uv[0, 0] + 60


def test_any_in_plane_angle_occurs() -> None:
    settings = resolve_scene_config({'in_plane_deg': (-180.0, 180.0)})
    camera = np.array([[280.0, 0, 160], [0, 280.0, 160], [0, 0, 1]])
    rng = np.random.default_rng(0)
    hands = [place_hand(rng, settings, camera, 'right', np.array([160.0, 160.0]), 120.0) for _ in range(60)]
    along = np.array([hand.xyz[9] - hand.xyz[0] for hand in hands])
    sectors = np.floor(np.degrees(np.arctan2(along[:, 1], along[:, 0])) / 45.0)
    assert len(set(sectors)) == 8
    hidden = [count_visible([hand], camera, (320, 320))[0] for hand in hands]
    assert max(hidden) >= 20 and min(hidden) >= 0


def test_traced_visibility_agrees_with_the_picture(scenes) -> None:
    """Rays through the capsules against the z-buffer of the meshes."""
    difference = []
    for scene in scenes:
        depth = scene.rasterise().depth
        placed = [
            PlacedHand(
                hand.side, hand.shape, hand.pose, hand.mesh.frames, hand.rotation, hand.translation,
                hand.xyz, hand.mesh.forearm_length, hand.sleeve,
            )
            for hand in scene.hands
        ]  # fmt: skip
        traced = count_visible(placed, scene.camera, scene.image_size)
        assert min(traced) >= 13
        for hand, count in zip(scene.hands, traced, strict=True):
            drawn = joint_visibility(hand.xyz, hand.uv, depth, hand.shape.joint_radii).sum()
            difference.append(int(drawn) - count)
    assert np.abs(difference).max() <= 4 and np.abs(difference).mean() < 1.0


def test_joint_visibility_by_hand() -> None:
    xyz = np.zeros((21, 3)) + [0, 0, 500.0]
    uv, depth = np.full((21, 2), 2.0), np.zeros((5, 5), np.float32)
    depth[2, 2], depth[2, 3] = 490.0, 400.0
    uv[1], uv[2], uv[3] = [3.0, 2.0], [-1.0, 2.0], [1.0, 1.0]
    seen = joint_visibility(xyz, uv, depth, np.full(21, 8.0))
    assert seen[0] and not seen[1] and not seen[2] and not seen[3] and seen[4:].all()


def test_the_same_generator_gives_the_same_scene() -> None:
    first, second = (sample_scene(np.random.default_rng([5, 1]), {}, 160) for _ in range(2))
    np.testing.assert_array_equal(first.surface()[0], second.surface()[0])
    np.testing.assert_array_equal(first.rasterise().depth, second.rasterise().depth)
    other = sample_scene(np.random.default_rng([5, 2]), {}, 160)
    assert not np.array_equal(first.hands[0].xyz, other.hands[0].xyz)


def test_geometry_does_not_depend_on_the_picture_size() -> None:
    small, large = (sample_scene(np.random.default_rng([5, 1]), {}, size) for size in (160, 320))
    np.testing.assert_allclose(small.hands[0].xyz, large.hands[0].xyz, rtol=1e-12)


def test_scaled_rasterisation_covers_the_same_area() -> None:
    scene = sample_scene(np.random.default_rng([5, 3]), {}, 160)
    one, two = scene.rasterise().depth, scene.rasterise(2).depth
    assert two.shape == (320, 320)
    blocks = (two > 0).reshape(160, 2, 160, 2).mean((1, 3))
    assert np.abs(blocks - (one > 0)).mean() < 0.01
    assert (blocks[one == 0] < 1).all()


@pytest.mark.skipif(raster.numba is None, reason='numba is not installed')
def test_numba_draws_the_same_scene(scenes) -> None:
    for scene in scenes[:4]:
        for scale in (1, 2):
            first, second = scene.rasterise(scale, 'numpy'), scene.rasterise(scale, 'numba')
            np.testing.assert_array_equal(first.depth, second.depth)
            np.testing.assert_array_equal(first.triangle, second.triangle)


def test_wrong_settings_are_named() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="'tilt' is not a setting of a scene; did you mean 'tilt_deg'"):
        sample_scene(rng, {'tilt': 3.0}, 64)
    with pytest.raises(ConfigError, match="'facing' or 'any', got 'front'"):
        sample_scene(rng, {'orientation': 'front'}, 64)
    assert sample_scene(rng, {'orientation': 'any'}, (96, 64)).rasterise().depth.shape == (64, 96)
    assert set(resolve_scene_config({})) == set(SCENE_DEFAULTS)
