from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmdualhand.datasets.depth_registration import register_depth
from mmdualhand.datasets.transforms import LoadHandModalities

EYE, ZERO = np.eye(3), np.zeros(3)


def camera(focal, cx, cy):
    return np.array([[focal, 0, cx], [0, focal, cy], [0, 0, 1]], np.float64)


def test_the_same_camera_changes_nothing(rng):
    depth = rng.uniform(500, 600, (30, 40)).astype(np.float32)
    depth[rng.random((30, 40)) < 0.2] = 0
    small = camera(35.0, 19.5, 14.5)
    moved = register_depth(depth, small, EYE, ZERO, small, (40, 30))
    np.testing.assert_allclose(moved, depth, rtol=1e-6)
    assert moved.dtype == np.float32


def test_one_pixel_by_hand():
    """(u, v) = (12, 9) at 400 mm is (20, 10, 400); 60 mm to the right and 100 mm on it is (80, 10, 500)."""
    depth = np.zeros((20, 20), np.float32)
    depth[9, 12] = 400
    moved = register_depth(
        depth, camera(40.0, 10, 8), EYE, np.array([60.0, 0, 100]), camera(50.0, 4, 7), (16, 12)
    )
    # u' = 50 * 80 / 500 + 4, v' = 50 * 10 / 500 + 7; a square of 400 / 500 * 50 / 40 = 1 px
    assert moved.shape == (12, 16)
    assert np.argwhere(moved).tolist() == [[8, 12]] and moved[8, 12] == 500


def test_the_nearer_surface_wins():
    depth = np.full((5, 9), 1000, np.float32)
    depth[2, 6] = 500
    # 50 mm of motion are 50 * 10 / 1000 = 0.5 px for the wall, 1 px for the near pixel
    one = camera(10.0, 4, 2)
    moved = register_depth(depth, one, EYE, np.array([-50.0, 0, 0]), one, (9, 5))
    assert moved[2, 5] == 500
    # behind where the near pixel was seen from, the wall was hidden
    assert np.argwhere(moved[:, :8] == 500).tolist() == [[2, 5]]


def test_magnified_planes_have_no_holes():
    """A slanted plane seen 1.3 times larger; the value at a pixel is that of the plane on its ray."""
    small, large = camera(400.0, 159.5, 119.5), camera(520.0, 150.0, 125.0)
    turn = cv2.Rodrigues(np.array([0.01, -0.02, 0.005]))[0]
    shift = np.array([24.0, 0.5, 1.0])
    normal, distance = np.array([0.4, -0.2, 1.0]), 600.0

    def plane_depth(matrix, direction, offset, size):
        u, v = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
        rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ np.linalg.inv(matrix).T
        return offset / (rays @ direction)

    depth = plane_depth(small, normal, distance, (320, 240)).astype(np.float32)
    moved = register_depth(depth, small, turn, shift, large, (320, 240))
    # n (R^T (Y - t)) = d
    there = turn @ normal
    truth = plane_depth(large, there, distance + there @ shift, (320, 240))
    inside = np.s_[20:220, 40:300]
    assert (moved[inside] > 0).all()
    step = np.abs(np.gradient(truth[inside], axis=1)).max()
    assert np.abs(moved - truth)[inside].max() < 1.5 * step


def test_points_behind_the_new_camera_are_left_out():
    depth = np.full((4, 4), 300, np.float32)
    depth[0, 0] = 900
    one = camera(4.0, 0, 0)
    moved = register_depth(depth, one, EYE, np.array([0, 0, -310.0]), one, (4, 4))
    assert set(np.unique(moved)) == {0, 590}
    empty = register_depth(np.zeros((4, 4), np.float32), one, EYE, ZERO, one, (3, 2))
    assert empty.shape == (2, 3) and not empty.any()


def test_wrong_shapes():
    with pytest.raises(ValueError, match='rotation'):
        register_depth(np.zeros((4, 4)), EYE, np.eye(4), ZERO, EYE, (4, 4))
    with pytest.raises(ValueError, match='translation'):
        register_depth(np.zeros((4, 4)), EYE, EYE, np.zeros(2), EYE, (4, 4))


def test_loading_applies_the_motion_of_the_record(tmp_path):
    """The depth picture may have another size than the photo."""
    photo, depth = np.zeros((12, 16, 3), np.uint8), np.zeros((20, 20), np.uint16)
    depth[9, 12] = 400
    for name, picture in (('photo', photo), ('depth', depth)):
        assert cv2.imwrite(str(tmp_path / f'{name}.png'), picture)
    record = {
        'sample_id': 'a',
        'img_path': str(tmp_path / 'photo.png'),
        'camera': camera(50.0, 4, 7),
        'depth_path': str(tmp_path / 'depth.png'),
        'depth_encoding': 'millimetre',
        'depth_registration': {
            'camera': camera(40.0, 10, 8),
            'rotation': EYE,
            'translation': np.array([60.0, 0, 100]),
        },
    }
    loaded = LoadHandModalities(('rgb', 'depth'))(record)
    assert np.argwhere(loaded['depth']).tolist() == [[8, 12]] and loaded['depth'][8, 12] == 500
