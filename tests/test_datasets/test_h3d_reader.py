"""H3D_crop: schema, seeded split, units, intrinsics that were not moved with the crop, side."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from mmdualhand.datasets import H3DDataset
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.structures import Camera, chirality_vote
from mmdualhand.structures.h3d_split import h3d_split
from mmdualhand.testing import random_hand
from tests.fixtures.h3d_writer import FULL_CAMERA, write_h3d


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return write_h3d(tmp_path_factory.mktemp('h3d') / 'H3D_crop')


@pytest.fixture
def own(tmp_path):
    return write_h3d(tmp_path / 'H3D_crop', 10)


def change(root, edit):
    path = root / 'annotation.json'
    rows = json.loads(path.read_text())
    edit(rows)
    path.write_text(json.dumps(rows))


def ids(dataset):
    return [dataset.labels_only(i)['sample_id'] for i in range(len(dataset))]


def truth(index):
    return random_hand(np.random.default_rng([0, index]), 'right', 600.0)


def test_split_is_the_shuffle_of_the_regda_authors():
    # random.seed(42); random.shuffle(list(range(10))), worked out with Python's own generator
    assert h3d_split(10) == {'test': pytest.approx([7, 3]), 'train': pytest.approx([2, 8, 5, 6, 9, 4, 0, 1])}
    assert len(h3d_split(13_500)['test']) == 2700 and len(h3d_split(22_000)['test']) == 3200
    names = [f'frame {i}' for i in range(57)]
    random.seed(42)
    random.shuffle(names)
    assert [f'frame {i}' for i in h3d_split(57)['test']] == names[:11]


def test_frames_of_the_split(root):
    # 20 frames, every fifth with an object: 16 are kept, int(.2 * 16) = 3 of them to test on
    kept = [f'part{i % 5 + 1}/{i:06d}' for i in range(20) if i % 5 != 4]
    order = list(range(16))
    random.Random(42).shuffle(order)
    test, train = H3DDataset(root, 'test'), H3DDataset(root, 'train')
    assert ids(test) == [kept[i] for i in order[:3]] and ids(train) == [kept[i] for i in order[3:]]
    assert ids(H3DDataset(root, 'all')) == kept
    assert len(H3DDataset(root, 'all', without_object=False)) == 20
    assert set(ids(H3DDataset(root, 'test', split_seed=1, test_fraction=0.5))) != set(ids(test))
    assert len(H3DDataset(root, 'test', max_test=2)) == 2
    assert test.metainfo['split'] == 'test (frames without object, split by seed 42)'


@pytest.mark.parametrize('unit', ['m', 'cm', 'mm'])
def test_units_are_told_apart(tmp_path, unit):
    dataset = H3DDataset(write_h3d(tmp_path / 'H3D_crop', 6, unit=unit), 'all')
    assert dataset.metainfo['unit'] == unit
    record = dataset.labels_only(2)
    np.testing.assert_allclose(record['keypoints_3d'], truth(2), rtol=1e-12)
    assert record['keypoints_3d'].dtype == np.float64


@pytest.mark.parametrize(
    ('camera', 'note'),
    [
        ('moved', 'as stored'),
        ('full', 'principal point found from the labels'),
        ('scaled', r'principal point and scale found from the labels (median scale 0.500)'),
    ],
)
def test_intrinsics_that_were_not_moved_with_the_crop(tmp_path, camera, note):
    dataset = H3DDataset(write_h3d(tmp_path / 'H3D_crop', 8, camera=camera), 'all')
    assert dataset.metainfo['intrinsics'].startswith(note)
    for index in range(len(dataset)):
        record = dataset.labels_only(index)
        np.testing.assert_allclose(
            Camera(record['camera']).project(record['keypoints_3d']), record['keypoints_2d'], atol=1e-6
        )
    focal = FULL_CAMERA[0, 0] * (0.5 if camera == 'scaled' else 1.0)
    assert record['camera'][0, 0] == pytest.approx(focal)


def test_stored_intrinsics_on_request(tmp_path):
    root = write_h3d(tmp_path / 'H3D_crop', 8, camera='full')
    with pytest.raises(DataError, match='does camera belong to this image size'):
        H3DDataset(root, 'all', intrinsics='stored')
    dataset = H3DDataset(root, 'all', intrinsics='stored', num_checked=0)
    np.testing.assert_array_equal(dataset.labels_only(0)['camera'], FULL_CAMERA)
    assert dataset.metainfo['intrinsics'] == 'as stored, not looked at'


@pytest.mark.parametrize('side', ['left', 'right'])
def test_side_by_vote(tmp_path, side):
    dataset = H3DDataset(write_h3d(tmp_path / 'H3D_crop', 10, side=side), 'all')
    record = dataset.labels_only(0)
    assert record['hand_side'] == dataset.metainfo['hand_side'] == side
    joints = np.stack([dataset.labels_only(i)['keypoints_3d'] for i in range(len(dataset))])
    assert chirality_vote(joints) == side
    other = 'left' if side == 'right' else 'right'
    with pytest.raises(DataError, match='bend the other way'):
        H3DDataset(dataset.data_root, 'all', hand_side=other)


def test_single_broken_labels_are_named_and_can_be_skipped(own):
    def spoil(rows):
        rows[0]['intrinsic_matrix'] = rows[1]['intrinsic_matrix']
        rows[2]['keypoint3d'][7][1] = float('nan')
        rows[3]['keypoint2d'] = rows[3]['keypoint2d'][:20]
        del rows[5]['keypoint3d']

    change(own, spoil)
    with pytest.raises(DataError, match=r"annotation\.json, picture 'part1/000000.jpg': keypoint3d is .* px"):
        H3DDataset(own, 'all')
    dataset = H3DDataset(own, 'all', on_error='skip')
    assert dataset.num_skipped == 4
    # the split is made before broken frames go: 8 without object, four of them to test on
    kept, broken = [0, 1, 2, 3, 5, 6, 7, 8], (0, 2, 3, 5)
    test = H3DDataset(own, 'test', test_fraction=0.5, on_error='skip')
    wanted = [kept[i] for i in h3d_split(8, test_fraction=0.5)['test']]
    assert [int(name[-6:]) for name in ids(test)] == [number for number in wanted if number not in broken]


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('keypoint3d', [[0.0, 0.0, float('nan')]] * 21, 'keypoint3d holds NaN'),
        ('keypoint2d', [[0.0, 0.0]] * 20, r'keypoint2d must be numbers of shape \(21, 2\), got \(20, 2\)'),
        ('keypoint2d', 'none', r'keypoint2d must be numbers of shape'),
        ('intrinsic_matrix', [[0.0] * 3] * 3, 'intrinsic_matrix is no camera'),
    ],
)
def test_each_broken_label_is_one_sentence(own, key, value, message):
    change(own, lambda rows: rows[1].update({key: value}))
    with pytest.raises(DataError, match=rf"annotation\.json, picture 'part2/000001\.jpg': {message}"):
        H3DDataset(own, 'all')


def test_pictures_that_are_missing_or_truncated(own):
    (own / 'part2' / '000001.jpg').unlink()
    picture = own / 'part3' / '000002.jpg'
    picture.write_bytes(picture.read_bytes()[:500])
    with pytest.raises(DataError, match=r'part2/000001\.jpg of record part2/000001\.jpg does not exist'):
        H3DDataset(own, 'all')
    skipping = H3DDataset(own, 'all', on_error='skip')
    assert len(skipping) == 6 and skipping.num_skipped == 2
    (own / 'part2' / '000001.jpg').write_bytes((own / 'part1' / '000000.jpg').read_bytes())
    with pytest.raises(DataError, match=r'part3/000002\.jpg of sample .part3/000002. is truncated'):
        H3DDataset(own, 'all')


def test_errors_are_one_sentence(own, tmp_path):
    with pytest.raises(MissingFileError, match=r'annotation\.json is missing: get H3D from .*--only h3d'):
        H3DDataset(tmp_path / 'nowhere')
    for key, options in (
        ('split', dict(split='evaluation')),
        ('hand_side', dict(hand_side='both')),
        ('intrinsics', dict(intrinsics='solve')),
        ('test_fraction', dict(test_fraction=1.0)),
    ):
        with pytest.raises(ConfigError, match=key):
            H3DDataset(own, **{'split': 'all', **options})
    change(own, lambda rows: [row.update(without_object=0) for row in rows])
    with pytest.raises(DataError, match=r'no frame with without_object = 1; use without_object=False'):
        H3DDataset(own, 'all')
    free = '{"name": "a.jpg", "without_object": 1}'
    for text, message in (
        ('[]', r'annotation\.json is empty'),
        ('[{"name": "part1/0', r'annotation\.json cannot be read as JSON'),
        ('{}', r'must hold a list of annotations, got dict'),
        ('[{"id": 3}]', r"annotation 0: 'name' must be"),
        ('[{"name": "a.jpg", "without_object": "no"}]', r"picture 'a.jpg': without_object must be 0 or 1"),
        (f'[{free}, {free}]', 'more than once'),
        (f'[{free}]', r"picture 'a.jpg': keypoint2d is missing"),
    ):
        (own / 'annotation.json').write_text(text)
        with pytest.raises(DataError, match=message):
            H3DDataset(own, 'all')


def test_labels_that_no_camera_explains(own):
    def swap(rows):
        for row in rows:
            row['keypoint2d'] = [point[::-1] for point in row['keypoint2d']]

    change(own, swap)
    with pytest.raises(DataError, match=r'with a principal point of its own .*are x and y swapped'):
        H3DDataset(own, 'all')


def test_lengths_that_are_no_hand(own):
    def inches(rows):
        for row in rows:
            row['keypoint3d'] = (np.array(row['keypoint3d']) * 1e5).tolist()

    change(own, inches)
    with pytest.raises(DataError, match=r'the bone 9-10 measures .* no hand in m, cm or mm'):
        H3DDataset(own, 'all')
