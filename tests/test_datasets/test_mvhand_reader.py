"""MVHand: joints of the world in four views, constants by serial number, mask polarity, depth."""

from __future__ import annotations

import pickle
import shutil

import cv2
import numpy as np
import pytest

from mmdualhand.datasets import DEPTH_DECODERS, MVHandDataset
from mmdualhand.datasets.mvhand_files import read_joints, read_views
from mmdualhand.datasets.transforms import LoadHandModalities
from mmdualhand.errors import ConfigError, DataError, MissingFileError, UnsafeFileError
from mmdualhand.structures import chirality_vote
from mmdualhand.testing import random_hand
from tests.fixtures.mvhand_writer import INTRINSICS, camera_of, camera_poses, encode_depth, write_mvhand

ALL = ('rgb', 'depth', 'mask')
ONE = dict(split='train', sequences=['7-14-1-2'])


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    sequences = ('7-14-1-2', '9-10-1-2', '9-17-1-2', '9-25-1-2')
    return write_mvhand(tmp_path_factory.mktemp('mvhand') / 'MVHand', 2, sequences=sequences)


@pytest.fixture
def own(root, tmp_path):
    shutil.copytree(root / '7-14-1-2', tmp_path / 'MVHand' / '7-14-1-2')
    return tmp_path / 'MVHand'


def ids(dataset):
    return [dataset.labels_only(i)['sample_id'] for i in range(len(dataset))]


def test_views_in_order_of_serials(root):
    dataset = MVHandDataset(root, 'train')
    assert ids(dataset)[:5] == [f'7-14-1-2/00000_{view}' for view in range(4)] + ['7-14-1-2/00001_0']
    joints = random_hand(np.random.default_rng([0, 0, 0]), 'right', 520.0)
    for view, serial in enumerate(sorted(INTRINSICS)):
        record = dataset.labels_only(view)
        pose = camera_poses()[serial]
        seen = (np.linalg.inv(pose) @ np.column_stack([joints, np.ones(21)]).T).T[:, :3]
        np.testing.assert_allclose(record['keypoints_3d'], seen, atol=1e-9)
        np.testing.assert_array_equal(record['camera'], camera_of(serial))
        u = INTRINSICS[serial][0] * seen[8, 0] / seen[8, 2] + INTRINSICS[serial][2]
        assert record['keypoints_2d'][8, 0] == pytest.approx(u)
        assert record['hand_side'] == 'right' and record['keypoints_visible'].tolist() == [1.0] * 21
    # the last view is the world, and nothing was rounded on the way
    np.testing.assert_allclose(record['keypoints_3d'], joints, atol=1e-12)
    assert np.abs(record['keypoints_3d'] - np.rint(record['keypoints_3d'])).max() > 0.3
    everything = np.stack([dataset.labels_only(i)['keypoints_3d'] for i in range(len(dataset))])
    assert chirality_vote(everything) == 'right'


def test_splits_views_and_subsets(root):
    assert {name.split('/')[0] for name in ids(MVHandDataset(root, 'test'))} == {'9-17-1-2', '9-25-1-2'}
    assert len(MVHandDataset(root, 'all')) == 4 * 2 * 4
    some = MVHandDataset(root, 'train', views=(3, 1))
    assert ids(some)[:3] == ['7-14-1-2/00000_1', '7-14-1-2/00000_3', '7-14-1-2/00001_1']
    assert some.metainfo['split'] == 'train (7-14-1-2 9-10-1-2, views 1 3)'
    drawn = MVHandDataset(root, 'all', num_subset=9, subset_seed=3)
    again = MVHandDataset(root, 'all', num_subset=9, subset_seed=3)
    other = MVHandDataset(root, 'all', num_subset=9, subset_seed=4)
    assert ids(drawn) == ids(again) != ids(other) and len(set(ids(drawn))) == 9
    assert 'at most 9 pictures by seed 3' in drawn.metainfo['split']
    assert len(MVHandDataset(root, 'all', num_subset=1000)) == 32


def test_depth_lies_under_the_joints_in_every_view(root):
    dataset = MVHandDataset(root, 'train', modalities=ALL)
    for index in range(4):
        record = dataset.labels_only(index)
        loaded = LoadHandModalities().transform(dict(record))
        u, v = np.rint(record['keypoints_2d']).astype(int).T
        gap = record['keypoints_3d'][:, 2] - loaded['depth'][v, u]
        # discs of 9 mm are painted about the bones; a joint may hide behind another finger
        assert gap.min() > 8 and np.sort(gap)[4] < 25 and loaded['mask'][v, u].mean() > 0.9
        assert loaded['depth'].dtype == np.float32 and loaded['mask'].shape == (480, 640)


def test_depth_code_by_hand(tmp_path):
    # 1000 mm = 3 * 256 + 232: OpenCV wrote the low byte first, which is blue for everybody else
    picture = np.array([[[0, 3, 232], [255, 1, 0]]], np.uint8)
    assert DEPTH_DECODERS['mvhand'](picture).tolist() == [[1000.0, 256.0]]
    depth = np.array([[0.0, 255.0, 256.0, 65535.0]])
    np.testing.assert_array_equal(DEPTH_DECODERS['mvhand'](encode_depth(depth)[..., ::-1]), depth)
    with pytest.raises(ValueError, match='MVHand depth picture'):
        DEPTH_DECODERS['mvhand'](picture.astype(np.uint16))


@pytest.mark.parametrize(('bright', 'values'), [(True, (128, 255)), (False, (0, 127))])
def test_mask_polarity_is_looked_up_at_the_joints(tmp_path, bright, values):
    root = write_mvhand(tmp_path / 'MVHand', 1, sequences=['7-14-1-2'], hand_bright=bright)
    record = MVHandDataset(root, **ONE, modalities=('rgb', 'mask')).labels_only(0)
    assert record['mask_values'] == values
    mask = LoadHandModalities(('rgb', 'mask')).transform(dict(record))['mask']
    u, v = np.rint(record['keypoints_2d']).astype(int).T
    assert mask[v, u].mean() > 0.9 and mask.mean() < 0.2
    forced = MVHandDataset(root, **ONE, modalities=('rgb', 'mask'), mask_polarity='hand_dark')
    assert forced.labels_only(0)['mask_values'] == (0, 127)


def test_mask_that_says_nothing(own):
    for path in (own / '7-14-1-2' / 'mask').iterdir():
        cv2.imwrite(str(path), np.full((480, 640), 200, np.uint8))
    with pytest.raises(DataError, match=r'100% of the joints and 100% of all pixels.*mask_polarity='):
        MVHandDataset(own, **ONE, modalities=('rgb', 'mask'))
    assert MVHandDataset(own, **ONE, modalities=('rgb', 'mask'), mask_polarity='hand_bright')


@pytest.mark.parametrize('column', [True, False])
def test_both_shapes_of_the_joints(tmp_path, column):
    root = write_mvhand(tmp_path / 'MVHand', 2, sequences=['7-14-1-2'], column=column)
    joints = read_joints(root / '7-14-1-2' / 'mlresults' / '7-14-1-2-joints.npy')
    # raw 1 is the index MCP (canonical 5), raw 17 the thumb CMC (canonical 1)
    truth = random_hand(np.random.default_rng([0, 0, 1]), 'right', 520.0)
    np.testing.assert_array_equal(joints[1, [0, 1, 17]], truth[[0, 5, 1]])
    np.testing.assert_allclose(
        MVHandDataset(root, **ONE).labels_only(7)['keypoints_3d'], truth, atol=1e-12
    )


def test_joints_file_of_wrong_content(own):
    path = own / '7-14-1-2' / 'mlresults' / '7-14-1-2-joints.npy'
    joints = np.load(path)
    whole = joints.astype(np.int64)
    double = joints.copy()
    double[1, 4, 3] = 2.0
    for values, message in (
        (whole, r'joints\.npy holds int64: its positions were cut to whole millimetres'),
        (joints[:, :20], r'joints\.npy must have shape .*, got \(2, 20, 4\)'),
        (joints[:0], r'joints\.npy is empty'),
        (double, r'joints\.npy, frame 1: the fourth number of a joint must be 1, got 2'),
        (joints / [[[1000], [1000], [1000], [1]]], r'measures 0\.0\d+.*looks like metres'),
    ):
        np.save(path, values)
        with pytest.raises(DataError, match=message):
            MVHandDataset(own, **ONE)
    np.save(path, joints)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=r'joints\.npy cannot be read as an array'):
        MVHandDataset(own, **ONE)


def test_a_frame_that_is_not_finite(own):
    path = own / '7-14-1-2' / 'mlresults' / '7-14-1-2-joints.npy'
    joints = np.load(path)
    joints[1, 4, 2] = np.nan
    np.save(path, joints)
    with pytest.raises(DataError, match=r'joints\.npy: frame 1 holds NaN .*3 more records are broken'):
        MVHandDataset(own, **ONE)
    assert ids(MVHandDataset(own, **ONE, on_error='skip')) == [f'7-14-1-2/00000_{view}' for view in range(4)]


def test_calibration_of_wrong_content(own):
    path = own / '7-14-1-2' / 'calib.pkl'
    poses = camera_poses()
    mirrored = {**poses, '840412062035': np.diag([-1.0, 1, 1, 1])}
    unknown = {**{key: value for key, value in poses.items() if key != '840412062035'}, '123': np.eye(4)}
    flat = {**poses, '840412062035': np.eye(3)}
    for content, message in (
        ({'840412062035': np.eye(4)}, r'calib\.pkl must hold a dictionary of 4 cameras'),
        (mirrored, r'calib\.pkl, camera 840412062035: the pose is no rigid motion'),
        (unknown, r'calib\.pkl: no intrinsics are known for the camera 123'),
        (flat, r'the pose must be a finite \(4, 4\) matrix, got shape \(3, 3\)'),
    ):
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(DataError, match=message):
            MVHandDataset(own, **ONE)
    path.write_bytes(pickle.dumps({'840412062035': print}))
    with pytest.raises(UnsafeFileError, match=r'calib\.pkl asks for'):
        read_views(path)


def test_pictures_that_are_missing_or_truncated(own):
    (own / '7-14-1-2' / 'depth' / '00001_2.png').unlink()
    picture = own / '7-14-1-2' / 'rgb' / '00000_1.jpg'
    picture.write_bytes(picture.read_bytes()[:500])
    with pytest.raises(DataError, match=r'00001_2\.png of record 7-14-1-2/00001_2 does not exist'):
        MVHandDataset(own, **ONE, modalities=ALL)
    with pytest.raises(DataError, match=r'00000_1\.jpg of sample .7-14-1-2/00000_1. is truncated'):
        MVHandDataset(own, **ONE)
    skipping = MVHandDataset(own, **ONE, modalities=ALL, on_error='skip')
    assert len(skipping) == 6 and skipping.num_skipped == 2
    shutil.rmtree(own / '7-14-1-2' / 'mask')
    with pytest.raises(MissingFileError, match=r"mask is missing.*leave 'mask' out of modalities"):
        MVHandDataset(own, **ONE, modalities=ALL)


def test_a_resized_picture_is_refused(own):
    path = own / '7-14-1-2' / 'rgb' / '00000_0.jpg'
    cv2.imwrite(str(path), cv2.resize(cv2.imread(str(path)), (1280, 960)))
    with pytest.raises(DataError, match=r'00000_0\.jpg .* is 1280 x 960, photos of its set are 640 x 480'):
        MVHandDataset(own, **ONE)


def test_a_sequence_without_joints_is_not_offered(own):
    shutil.copytree(own / '7-14-1-2', own / '9-10-1-2')
    with pytest.raises(MissingFileError, match=r"9-10-1-2-joints\.npy is missing.*sequences=\['7-14-1-2'\]"):
        MVHandDataset(own, 'train')


def test_errors_are_one_sentence(own, tmp_path):
    with pytest.raises(MissingFileError, match=r'joints\.npy is missing: get MVHand from .*--only mvhand'):
        MVHandDataset(tmp_path / 'nowhere')
    with pytest.raises(MissingFileError, match=r"9-10-1-2.*sequences=\['7-14-1-2'\]"):
        MVHandDataset(own, 'train')
    for key, options in (
        ('split', dict(split='training')),
        ('views', dict(views=(0, 4))),
        ('views', dict(views=(1, 1))),
        ('modalities', dict(modalities=('depth',))),
        ('mask_polarity', dict(mask_polarity='bright')),
        ('num_subset', dict(num_subset=0)),
        ('sequences', dict(sequences=[])),
    ):
        with pytest.raises(ConfigError, match=key):
            MVHandDataset(own, **options)
