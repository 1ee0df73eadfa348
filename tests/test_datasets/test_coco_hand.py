"""COCO files of other publishers: joint orders, sides, units, cameras, unlabelled joints."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from mmdualhand.datasets import CocoHandDataset
from mmdualhand.datasets.record_columns import RecordColumns
from mmdualhand.datasets.transforms import HandCrop, LoadHandModalities, PackHandInputs
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.structures import Camera, chirality_scores
from tests.fixtures.coco_writer import (
    CAMERA,
    hand,
    require_xtcocotools,
    write_flat_coco,
    write_interhand,
    write_rhd_coco,
)
from tests.test_datasets.conftest import shared_folder

require_xtcocotools()

INTERHAND = dict(
    ann_file='data.json', source='interhand3d', img_prefix='images/test',
    camera_file='camera.json', joint_file='joint_3d.json',
)  # fmt: skip


def records(dataset):
    return [dataset.labels_only(i) for i in range(len(dataset))]


def change(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_rhd_of_mmpose(tmp_path):
    write_rhd_coco(tmp_path)
    dataset = CocoHandDataset(tmp_path, 'rhd_test.json', source='rhd')
    for index, record in enumerate(records(dataset)):
        side = 'right' if index % 2 else 'left'
        assert record['sample_id'] == f'{100 + index}/{side}' and record['hand_side'] == side
        np.testing.assert_allclose(record['keypoints_3d'], hand(index, side), rtol=1e-12)
        np.testing.assert_array_equal(record['camera'], CAMERA)
        np.testing.assert_allclose(record['keypoints_2d'], Camera(CAMERA).project(hand(index, side)))
    info = dataset.metainfo
    assert (info['dataset_name'], info['split'], info['embedded']) == ('RHD', 'rhd_test', False)
    assert CocoHandDataset(tmp_path, 'rhd_test.json', source='rhd', split='test').metainfo['split'] == 'test'


def test_order_and_unit_are_options(tmp_path):
    path = write_rhd_coco(tmp_path)

    def to_metres(content):
        for row in content['annotations']:
            row['joint_cam'] = (np.array(row['joint_cam']) / 1000).tolist()

    change(path, to_metres)
    with pytest.raises(DataError, match='looks like metres'):
        CocoHandDataset(tmp_path, path.name, source='rhd')
    order = [0, 4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13, 20, 19, 18, 17]
    options = dict(source='freihand', side='annotation', unit='m')
    dataset = CocoHandDataset(tmp_path, path, joint_order=order, **options)
    np.testing.assert_allclose(dataset.labels_only(3)['keypoints_3d'], hand(3, 'right'), rtol=1e-9)
    # MMPose names the joints from base to tip; believing it makes a tip the CMC of the thumb
    named = CocoHandDataset(tmp_path, path, **options).labels_only(3)
    np.testing.assert_allclose(named['keypoints_3d'][1], hand(3, 'right')[4], rtol=1e-9)


def test_unlabelled_joints_of_a_2d_set(tmp_path):
    write_flat_coco(tmp_path, ('0.jpg', '1.jpg', '2.jpg'))
    dataset = CocoHandDataset(tmp_path, 'flat.json', source='onehand10k')
    first, second, _ = records(dataset)
    assert set(first) == {'sample_id', 'img_path', 'hand_side', 'keypoints_2d', 'keypoints_visible'}
    np.testing.assert_allclose(first['keypoints_2d'], Camera(CAMERA).project(hand(0, 'right')))
    assert np.nonzero(np.isnan(second['keypoints_2d']).all(axis=1))[0].tolist() == [3, 20]
    assert np.nonzero(second['keypoints_visible'] == 0)[0].tolist() == [3, 20]
    assert len(CocoHandDataset(tmp_path, 'flat.json', source='onehand10k', min_labelled=20)) == 2
    packed = PackHandInputs()(HandCrop(64)(LoadHandModalities(('rgb',))(dict(second))))
    pose = packed['data_samples'].gt_instances.pose25d[0]
    assert np.nonzero(np.isnan(pose[:, 0]))[0].tolist() == [3, 20]
    assert dataset.metainfo['dataset_name'] == 'OneHand10K'


def test_occluded_joints_keep_their_place(tmp_path):
    path = write_rhd_coco(tmp_path)

    def hide(content):
        row = content['annotations'][0]
        row['keypoints'][0][2] = 0  # the wrist: not visible, its place known
        row['keypoints'][1] = [0, 0, 0]  # the tip of the thumb, canonical 4: no 2D label, but a 3D one

    change(path, hide)
    record = CocoHandDataset(tmp_path, path.name, source='rhd').labels_only(0)
    assert np.nonzero(record['keypoints_visible'] == 0)[0].tolist() == [0, 4]
    np.testing.assert_allclose(record['keypoints_2d'], Camera(CAMERA).project(hand(0, 'left')))


def test_sides_in_file_names(tmp_path):
    names = ('a_01_l.jpg', 'a_01_r.jpg', 'imgs/00000000.jpg', 'ex2_2.flv_000040_l.jpg')
    write_flat_coco(tmp_path, names)
    dataset = CocoHandDataset(tmp_path, 'flat.json', source='panoptic')
    assert [record['hand_side'] for record in records(dataset)] == ['left', 'right', 'right', 'left']
    dataset = CocoHandDataset(tmp_path, 'flat.json', source='freihand')
    assert {record['hand_side'] for record in records(dataset)} == {'right'}


def test_interhand(tmp_path):
    write_interhand(tmp_path)
    dataset = CocoHandDataset(tmp_path, **INTERHAND)
    # both hands of the first picture, the left of the second; in the third a joint of the left is not valid
    wanted = [(0, 'right'), (0, 'left'), (1, 'left'), (2, 'right')]
    assert [record['sample_id'] for record in records(dataset)] == [f'5{i}/{side}' for i, side in wanted]
    for record, (index, side) in zip(records(dataset), wanted, strict=True):
        np.testing.assert_allclose(record['keypoints_3d'], hand(index, side), atol=1e-9)
        np.testing.assert_array_equal(record['camera'], CAMERA)
        thumb = chirality_scores(record['keypoints_3d'][None])[0, 1]
        assert (thumb > 0) == (side == 'right')
    assert dataset.metainfo['dataset_name'] == 'InterHand2.6M'


@pytest.mark.parametrize(
    ('file', 'place', 'key', 'value', 'message'),
    [
        ('camera', ('3',), 'campos', {}, r'camera\.json has no entry 3 / campos / 400026'),
        ('camera', ('3', 'camrot'), '400026', [1, 2], r'camrot must have shape \(3, 3\), got \(2,\)'),
        ('joint_3d', ('3',), '1', {}, r'joint_3d\.json has no entry 3 / 1 / world_coord'),
        ('joint_3d', ('3', '1'), 'world_coord', [[1, 2, 3]], 'world_coord must have shape'),
        ('data', ('images',), 1, dict(id=1, file_name='a'), "its image has no 'capture'"),
        ('data', ('annotations', 1), 'hand_type', 'both', "hand_type must be one of .* got 'both'"),
        ('data', ('annotations', 1), 'joint_valid', [1], 'joint_valid must be 42 numbers, got 1'),
    ],
)
def test_interhand_files_that_do_not_fit(tmp_path, file, place, key, value, message):
    write_interhand(tmp_path)

    def spoil(content):
        for step in place:
            content = content[step]
        content[key] = value

    change(tmp_path / f'{file}.json', spoil)
    with pytest.raises(DataError, match=r'data\.json, annotation 5\d.*: .*' + message):
        CocoHandDataset(tmp_path, **INTERHAND)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(keypoints=[1, 2, 3]), r': keypoints must be 21 times 3 numbers, got shape \(3,\)'),
        (dict(keypoints=[[float('nan')] * 3] * 21), 'keypoints holds NaN'),
        (dict(keypoints=None), 'keypoints must be 21 times 3'),
        (dict(hand_type='both'), "hand_type must be 'left' or 'right', got 'both'.*side='right'"),
        (dict(joint_cam=[[1, 2]] * 21), r'joint_cam must be 21 times 3 numbers, got shape \(21, 2\)'),
    ],
)
def test_a_broken_annotation_is_named_and_can_be_skipped(tmp_path, changes, message):
    path = write_rhd_coco(tmp_path)
    change(path, lambda content: content['annotations'][1].update(changes))
    with pytest.raises(DataError, match=r'rhd_test\.json, annotation 101.*' + message):
        CocoHandDataset(tmp_path, path.name, source='rhd')
    dataset = CocoHandDataset(tmp_path, path.name, source='rhd', on_error='skip')
    assert len(dataset) == 5 and dataset.num_skipped == 1


def test_errors_name_the_file(tmp_path):
    with pytest.raises(MissingFileError, match=r'rhd_test\.json is missing; ann_file is looked for in'):
        CocoHandDataset(tmp_path, 'rhd_test.json', source='rhd')
    path = write_rhd_coco(tmp_path)
    text = path.read_text()
    content = json.loads(text)
    for broken, message in (
        ({**content, 'annotations': []}, r'rhd_test\.json is empty'),
        ([], r'rhd_test\.json is no COCO file: it must hold lists'),
        ({**content, 'images': [{}]}, r"no COCO file: an image or annotation lacks 'id'"),
        ({**content, 'annotations': 2 * content['annotations']}, 'two annotations have the same id'),
        ({**content, 'images': content['images'][:2]}, r'annotation 102: image 2 is not listed'),
    ):
        path.write_text(json.dumps(broken))
        with pytest.raises(DataError, match=message):
            CocoHandDataset(tmp_path, path.name, source='rhd')
    path.write_text(text[:900])
    with pytest.raises(DataError, match=r'rhd_test\.json cannot be read as JSON'):
        CocoHandDataset(tmp_path, path.name, source='rhd')
    path.write_text(text)
    with pytest.raises(DataError, match=r'was not written by convert-to-coco; name its kind with source='):
        CocoHandDataset(tmp_path, path.name)
    for options, message in (
        (dict(source='coco'), 'source must be one of mmdualhand, rhd'),
        (dict(source='rhd', unit='inch'), 'unit must be one of'),
        (dict(source='rhd', side='both'), 'side must be one of'),
        (dict(source='rhd', joint_order='rdh'), 'joint_order: no joint order is known'),
        (dict(source='rhd', joint_order=[0] * 21), 'joint_order: .* names a raw joint twice'),
        (dict(source='interhand3d'), 'camera_file and joint_file are both needed'),
        (dict(source='rhd', camera_file='a', joint_file='b'), 'for no other'),
        (dict(side='left'), 'says joint order and side itself'),
    ):
        with pytest.raises(ConfigError, match=message):
            CocoHandDataset(tmp_path, path.name, **options)


def test_pictures_that_are_missing_or_truncated(tmp_path):
    path = write_rhd_coco(tmp_path)
    picture = tmp_path / 'training' / 'color' / '00002.png'
    picture.write_bytes(picture.read_bytes()[:400])
    with pytest.raises(DataError, match=r"00002\.png of sample '102/left' is truncated"):
        CocoHandDataset(tmp_path, path.name, source='rhd')
    (tmp_path / 'training' / 'color' / '00003.png').unlink()
    dataset = CocoHandDataset(tmp_path, path.name, source='rhd', on_error='skip')
    assert len(dataset) == 4 and dataset.num_skipped == 2


def test_columns_give_records_back():
    rng = np.random.default_rng(0)
    first = {
        'sample_id': 'a', 'img_path': 'a.png', 'hand_side': 'left', 'keypoints_2d': rng.random((21, 2)),
        'mask_path': 'm.png', 'mask_values': (2, 17),
    }  # fmt: skip
    second = {
        'sample_id': 'b', 'img_path': 'b.png', 'hand_side': 'right', 'camera': rng.random((3, 3)),
        'keypoints_visible': np.ones(21, np.float32), 'ref_length': 31.25,
        'keypoints_3d': rng.random((21, 3)),
    }  # fmt: skip
    columns = RecordColumns([first, second, first])
    assert len(columns) == 3
    for got, wanted in zip((columns[0], columns[1], columns[2]), (first, second, first), strict=True):
        assert set(got) == set(wanted)
        for key, value in wanted.items():
            assert np.array_equal(got[key], value) and type(got[key]) is type(value)
    columns[0]['keypoints_2d'][:] = 0
    assert np.array_equal(columns[0]['keypoints_2d'], first['keypoints_2d'])


def test_real_rhd_frames():
    folder = shared_folder('rhd_mmpose')
    dataset = CocoHandDataset(folder, 'test_rhd.json', source='rhd')
    errors = []
    for record in records(dataset):
        projected = Camera(record['camera']).project(record['keypoints_3d'])
        errors.append(np.linalg.norm(projected - record['keypoints_2d'], axis=-1))
        bend, thumb = chirality_scores(record['keypoints_3d'][None])[0]
        assert min(bend, thumb) > 0 if record['hand_side'] == 'right' else max(bend, thumb) < 0
    assert np.mean(errors) == pytest.approx(0.04, abs=0.005)
    assert np.max(errors) == pytest.approx(0.075, abs=0.001)
    focal = sorted(record['camera'][0, 0] for record in records(dataset))
    assert focal == pytest.approx([263.2, 299.0, 305.9], abs=0.05)
    middle = records(dataset)[0]['keypoints_3d'][[0, 9, 10, 11, 12]]
    np.testing.assert_allclose(
        np.linalg.norm(np.diff(middle, axis=0), axis=1), [95.0, 36.9, 29.4, 29.8], atol=8
    )


def test_real_freihand_versions_have_the_same_2d():
    folder = shared_folder('freihand_mmpose')
    load = dict(type='LoadHandModalities', modalities=('rgb',))
    pipeline = [load, dict(type='HandCrop'), dict(type='PackHandInputs')]
    dataset = CocoHandDataset(folder, 'test_freihand.json', pipeline, source='freihand')
    groups = {}
    for record in records(dataset):
        assert 'camera' not in record and record['hand_side'] == 'right'
        groups.setdefault(int(record['sample_id'].split('/')[0]) % 32560, []).append(record['keypoints_2d'])
    assert {key: len(group) for key, group in groups.items()} == {17620: 4, 355: 4}
    for group in groups.values():
        assert all(np.array_equal(group[0], other) for other in group)
    unlabelled = {'crop_matrix', 'mirrored', 'sample_index', 'side', 'visible'}
    assert set(dataset[0]['targets']) == unlabelled
    assert torch.isfinite(dataset[0]['targets']['crop_matrix']).all()
