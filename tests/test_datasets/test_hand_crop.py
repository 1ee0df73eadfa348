from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.datasets import RHDDataset
from mmdualhand.datasets.transforms import HandCrop, LoadHandModalities
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.structures import Camera

AUGMENT = dict(rotation=180.0, scale=(0.8, 1.2), translation=0.1, prob=1.0)


def sample(side='right', size=(320, 240)):
    """Joints in a 40 x 20 box about (100, 80), in a plane at 500 mm."""
    width, height = size
    camera = np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]])
    uv = np.tile([100.0, 80.0], (21, 1))
    uv[0], uv[1] = (80, 75), (120, 90)
    uv[2] = (95, 70)
    u, v = np.meshgrid(np.arange(width), np.arange(height))
    return {
        'sample_id': f'00001/{side}',
        'hand_side': side,
        'img': np.stack([u % 256, v % 256, (u + v) % 256], axis=-1).astype(np.uint8),
        'depth': (u * 1000 + v).astype(np.float32),
        'mask': (u > 100).astype(np.uint8),
        'camera': camera,
        'keypoints_2d': uv,
        'keypoints_3d': Camera(camera).back_project(uv, np.full(21, 500.0)),
        'rng': np.random.default_rng(5),
    }


def mirrored_world(original):
    """The same scene seen in a mirror: every quantity by hand, not by the crop's code."""
    width = original['img'].shape[1]
    flipped = dict(original)
    for key in ('img', 'depth', 'mask'):
        flipped[key] = original[key][:, ::-1].copy()
    flipped['hand_side'] = {'left': 'right', 'right': 'left'}[original['hand_side']]
    flipped['keypoints_2d'] = original['keypoints_2d'] * [-1, 1] + [width - 1, 0]
    flipped['keypoints_3d'] = original['keypoints_3d'] * [-1, 1, 1]
    flipped['camera'] = original['camera'].copy()
    flipped['camera'][0, 2] = width - 1 - original['camera'][0, 2]
    flipped['rng'] = np.random.default_rng(5)
    return flipped


def test_box_by_hand():
    results = HandCrop(input_size=(256, 256))(sample())
    # extent 40 x 20, centre (100, 80), side 60, zoom 256 / 60; the centre of a 256 crop is 127.5
    zoom = 256 / 60
    np.testing.assert_allclose(
        results['crop'].matrix, [[zoom, 0, 127.5 - 100 * zoom], [0, zoom, 127.5 - 80 * zoom], [0, 0, 1]]
    )
    np.testing.assert_allclose(results['keypoints_2d'][0], [127.5 - 20 * zoom, 127.5 - 5 * zoom])
    np.testing.assert_allclose(results['camera'][0], [300 * zoom, 0, 127.5 + 60 * zoom])
    assert results['mirrored'] is False
    assert results['crop_rule'] == 'square 1.5 x extent of the 21 projected joints'
    assert results['orig_keypoints_2d'][0].tolist() == [80, 75]


def test_box_of_a_left_hand_by_hand():
    results = HandCrop(input_size=(256, 256))(sample('left'))
    # in the mirrored 320 px image the centre is 319 - 100 = 219 and cx is 319 - 160 = 159
    zoom = 256 / 60
    np.testing.assert_allclose(results['keypoints_2d'][0], [127.5 + 20 * zoom, 127.5 - 5 * zoom])
    np.testing.assert_allclose(results['camera'][0], [300 * zoom, 0, 127.5 + (159 - 219) * zoom], atol=1e-9)
    assert results['keypoints_3d'][0, 0] == -results['orig_keypoints_3d'][0, 0]
    assert results['mirrored'] is True


@pytest.mark.parametrize('augment', [None, AUGMENT])
@pytest.mark.parametrize('side', ['left', 'right'])
def test_labels_and_camera_move_together(side, augment):
    results = HandCrop(augment=augment)(sample(side))
    projected = Camera(results['camera']).project(results['keypoints_3d'])
    np.testing.assert_allclose(projected, results['keypoints_2d'], atol=1e-8)
    back = results['crop'].inverse_points_2d(results['keypoints_2d'])
    np.testing.assert_allclose(back, results['orig_keypoints_2d'], atol=1e-9)


@pytest.mark.parametrize('augment', [None, AUGMENT])
def test_a_mirrored_world_gives_the_same_crop(augment):
    crop = HandCrop(input_size=96, augment=augment)
    right = crop(sample('right'))
    left = crop(mirrored_world(sample('right')))
    for key in ('keypoints_2d', 'keypoints_3d', 'camera'):
        np.testing.assert_allclose(left[key], right[key], atol=1e-8, err_msg=key)
    assert np.abs(left['img'].astype(int) - right['img']).max() <= 1
    same = (left['depth'] == right['depth']) & (left['mask'] == right['mask'])
    assert same.mean() > 0.99  # nearest neighbour: ties may fall either way


def test_pixels_follow_the_points():
    results = HandCrop(input_size=256, augment=AUGMENT)(sample('left'))
    u, v = np.meshgrid(np.arange(256), np.arange(256))
    source = results['crop'].inverse_points_2d(np.stack([u, v], axis=-1).astype(float))
    inside = (source > 1).all(-1) & (source[..., 0] < 318) & (source[..., 1] < 238)
    assert inside.mean() > 0.9
    read = np.stack([results['depth'] // 1000, results['depth'] % 1000], axis=-1)
    assert np.abs(read - source)[inside].max() <= 0.5 + 1 / 32  # OpenCV rounds coordinates to 1/32 px
    assert (results['mask'][inside] == (read[inside][:, 0] > 100)).all()


def test_mask_and_depth_lie_under_the_joints(rhd_root):
    dataset = RHDDataset(rhd_root, pipeline=[LoadHandModalities(), HandCrop(256, augment=AUGMENT)])
    dataset.set_epoch(0)
    sides, distances = set(), []
    for place in range(len(dataset)):
        results = dataset[place]
        sides.add(results['hand_side'])
        uv = np.rint(results['keypoints_2d']).astype(int)
        ok = (results['keypoints_visible'] > 0) & ((uv >= 2) & (uv < 254)).all(-1)
        joints = np.array([results['mask'][v - 2 : v + 3, u - 2 : u + 3].max() for u, v in uv[ok]])
        assert joints.mean() > 0.9, results['sample_id']
        on_hand = results['mask'][uv[ok][:, 1], uv[ok][:, 0]] > 0
        depth = results['depth'][uv[ok][:, 1], uv[ok][:, 0]][on_hand]
        behind = results['keypoints_3d'][ok, 2][on_hand] - depth  # the surface is in front of the joint
        distances.append(np.median(behind))  # up to 17 mm where fingers lie before others
        assert (behind > -3).mean() > 0.95, results['sample_id']
    assert np.median(distances) == pytest.approx(9.5, abs=3) and 5 < min(distances) < max(distances) < 20
    assert sides == {'left', 'right'}


def test_zero_padding():
    data = sample()
    data['img'] += 1
    data['img'][:] = np.maximum(data['img'], 1)
    data['keypoints_2d'] = data['keypoints_2d'] - [95, 0]
    results = HandCrop(input_size=60)(data)
    assert (results['img'][:, :20] == 0).all() and (results['img'][5:50, 30:] > 0).all()
    assert (results['depth'][:, :20] == 0).all() and (results['mask'][:, :20] == 0).all()


def test_whole_image():
    data = sample('left', size=(320, 320))
    results = HandCrop(input_size=160, rule='whole')(data)
    # u' = 319 - u, then (u' + .5) / 2 - .5
    np.testing.assert_allclose(results['keypoints_2d'][0], [(319 - 80 + 0.5) / 2 - 0.5, (75 + 0.5) / 2 - 0.5])
    assert results['crop_rule'] == 'whole image'
    unlabelled = {key: data[key] for key in ('sample_id', 'hand_side', 'img', 'camera')}
    assert HandCrop(input_size=64, rule='whole')(unlabelled)['img'].shape == (64, 64, 3)


def test_mirror_can_be_switched_off():
    results = HandCrop(mirror_left=False)(sample('left'))
    assert results['mirrored'] is False and results['crop'].mirror is False


def test_augmentation_stays_in_its_ranges():
    crop = HandCrop(input_size=256, augment=dict(rotation=30, scale=(0.5, 2.0), translation=0.2, prob=0.5))
    generator = np.random.default_rng(0)
    angles, zooms, shifts = [], [], []
    for _ in range(400):
        results = crop({**sample(), 'rng': generator})
        linear = results['crop'].matrix[:2, :2]
        angles.append(np.degrees(np.arctan2(linear[0, 1], linear[0, 0])))
        zooms.append(np.sqrt(np.linalg.det(linear)) * 60 / 256)
        middle = results['crop'].inverse_points_2d(np.array([[127.5, 127.5]]))[0]
        shifts.append((middle - [100, 80]) * zooms[-1] / 60)
    changed = np.abs(angles) > 1e-9
    assert changed.mean() == pytest.approx(0.5, abs=0.08)
    assert np.abs(angles).max() == pytest.approx(30, abs=2)
    assert 1 / np.max(zooms) == pytest.approx(0.5, abs=0.05) and 1 / np.min(zooms) == pytest.approx(
        2, abs=0.1
    )
    assert np.abs(shifts).max() == pytest.approx(0.2, abs=0.02)
    assert (np.abs(np.array(shifts)[~changed]) < 1e-9).all()


def test_positive_rotation_is_counter_clockwise_on_the_screen():
    crop = HandCrop(input_size=256, augment=dict(rotation=0, scale=(1, 1), translation=0, prob=1))
    crop.augment = crop.augment._replace(rotation=90.0)

    class Fixed:
        def random(self):
            return 0.0

        def uniform(self, low, high, size=None):
            return high if size is None else np.zeros(size)

    results = crop({**sample(), 'rng': Fixed()})
    point = results['crop'].points_2d(np.array([[110.0, 80.0]]))[0]  # right of the centre goes to the top
    np.testing.assert_allclose(point, [127.5, 127.5 - 10 * 256 / 60], atol=1e-9)


def test_errors_name_the_way_out():
    data = sample()
    del data['keypoints_2d']
    with pytest.raises(DataError, match=r"00001/right.*no keypoints_2d.*rule='whole'"):
        HandCrop()(data)
    data['keypoints_2d'] = np.full((21, 2), 5.0)
    with pytest.raises(DataError, match='one point'):
        HandCrop()(data)
    with pytest.raises(ConfigError, match="'keypoints' or 'whole'"):
        HandCrop(rule='keypoint')
    with pytest.raises(ConfigError, match='unknown.*rotate'):
        HandCrop(augment=dict(rotate=10))
    with pytest.raises(ConfigError, match='scale'):
        HandCrop(augment=dict(scale=(1.2, 0.8)))
    data = sample()
    del data['rng']
    with pytest.raises(ValueError, match='rng'):
        HandCrop(augment=AUGMENT)(data)
