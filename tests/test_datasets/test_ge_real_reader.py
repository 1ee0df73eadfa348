from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from mmdualhand.datasets import GeRealDataset, collate_hand_batch
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.structures import Camera, chirality_vote

RGB_PIPELINE = [
    dict(type='LoadHandModalities', modalities=('rgb',)),
    dict(type='HandCrop', rule='whole'),
    dict(type='PackHandInputs'),
]


def left_hand(shift=0.0):
    """A flat left hand in cm, back to the camera, 40 cm away."""
    fingers, places = np.divmod(np.arange(20), 4)
    joints = np.zeros((21, 3), np.float32)
    joints[1:, 0] = -1.5 * (fingers - 2)
    joints[1:, 1] = -4 - 2.5 * places + 2 * (fingers == 0)
    joints[1:, 2] = 0.4 * places**2
    return joints + np.array([shift, 4, 40], np.float32)


@pytest.fixture
def root(tmp_path):
    """Five photos in the published layout; photo 1 has no label."""
    pose = np.stack([left_hand(0.1 * index) for index in range(5)])
    pose[1] = np.nan
    paths = np.array([f'images/{index:05d}.jpg' for index in range(5)])
    savemat(tmp_path / 'pose_gt.mat', {'pose_gt': pose})
    savemat(
        tmp_path / 'params.mat',
        {
            'image_path': paths,
            'cam_param': np.tile([923.648, 923.759, 640.047, 362.336], (5, 1)),
            'bbox': np.tile(np.array([384, 106, 512, 512], np.int32), (5, 1)),
            'pose_root': pose[:, 0],
            'pose_scale': np.full((1, 5), 5, np.uint8),
        },
    )
    (tmp_path / 'images').mkdir()
    for path in paths:
        cv2.imwrite(str(tmp_path / path), np.full((256, 256, 3), 99, np.uint8))
    (tmp_path / 'splits.json').write_text(json.dumps({'train': [1], 'dev': [3, 0]}))
    return tmp_path


def test_records_by_hand(root):
    dataset = GeRealDataset(root, 'dev')
    assert [dataset.labels_only(i)['sample_id'] for i in range(2)] == ['00000/left', '00003/left']
    record = dataset.labels_only(1)
    # s = 256 / 512, fx' = s fx, cx' = s (u0 - x)
    expected = [[461.824, 0, 128.0235], [0, 461.8795, 128.168], [0, 0, 1]]
    np.testing.assert_allclose(record['camera'], expected, atol=1e-9)
    np.testing.assert_allclose(record['keypoints_3d'], left_hand(0.3) * 10, rtol=1e-6)
    assert record['ref_length'] == pytest.approx(np.hypot(25, 4))
    assert record['root_depth'] == pytest.approx(400)
    u = 461.824 * record['keypoints_3d'][9, 0] / record['keypoints_3d'][9, 2] + 128.0235
    assert record['keypoints_2d'][9, 0] == pytest.approx(u)
    assert record['hand_side'] == 'left'


def test_constant_reference_length(root):
    dataset = GeRealDataset(root, 'all', reference_length='dataset')
    assert [dataset.labels_only(i)['ref_length'] for i in range(3)] == [50.0, 50.0, 50.0]
    assert dataset.metainfo['lifting'] == 'true root depth, constant 50 mm'
    assert dataset.metainfo['split'] == 'all'
    waiting = GeRealDataset(root, 'all', reference_length='dataset', lazy_init=True)
    assert waiting.metainfo['lifting'] == 'true root depth, constant pose_scale of the set'
    true = GeRealDataset(root, 'dev').metainfo
    assert (true['lifting'], true['split']) == ('true root depth, true |9-10|', 'dev')


def test_rows_without_label_are_unlabelled(root):
    record = GeRealDataset(root, 'train').labels_only(0)
    assert set(record) == {'sample_id', 'img_path', 'hand_side', 'camera'}
    packed = GeRealDataset(root, 'train', RGB_PIPELINE)[0]
    assert set(packed['targets']) == {'camera', 'crop_matrix', 'mirrored', 'sample_index', 'side'}
    assert packed['data_samples'].gt_instances.keys() == []


def test_partly_labelled_split_goes_into_one_batch(root):
    dataset = GeRealDataset(root, 'all', RGB_PIPELINE)
    samples = [dataset[index] for index in range(3)]  # labelled, not labelled, labelled
    with pytest.raises(DataError, match=r"'00000/left' has pose25d.*partial_labels=True"):
        collate_hand_batch(samples)
    targets = collate_hand_batch(samples, partial_labels=True)['targets']
    assert targets['pose25d'].shape == (3, 21, 3)
    assert targets['pose25d'].isnan().all(-1).all(-1).tolist() == [False, True, False]
    assert targets['visible'].sum(-1).tolist() == [21, 0, 21]
    assert targets['root_depth'].isnan().tolist() == [False, True, False]
    assert targets['root_depth'][2].item() == pytest.approx(400)
    assert targets['ref_length'][2].item() == pytest.approx(np.hypot(25, 4))
    # the constant length is known of every photo, the depth of the root is not
    known = GeRealDataset(root, 'all', RGB_PIPELINE, reference_length='dataset')
    targets = collate_hand_batch([known[0], known[1]], partial_labels=True)['targets']
    assert targets['ref_length'].tolist() == [50, 50]
    assert targets['root_depth'].isnan().tolist() == [False, True]


def test_a_photo_that_cannot_be_read_is_not_replaced(root):
    options = dict(on_error='skip', num_checked=0)
    measured = GeRealDataset(root, 'dev', RGB_PIPELINE, **options)
    (root / 'images' / '00000.jpg').unlink()
    with pytest.raises(MissingFileError, match=r"test_mode=True.*00000\.jpg of sample '00000/left'"):
        measured[0]
    replacing = GeRealDataset(root, 'dev', RGB_PIPELINE, test_mode=False, **options)
    assert replacing[0]['data_samples'].metainfo['sample_id'] == '00003/left'


def test_whole_photo_is_the_crop(root):
    dataset = GeRealDataset(root, 'dev', RGB_PIPELINE)
    assert dataset.metainfo['crop_rule'] == 'whole image' and dataset.metainfo['dataset_name'] == 'GeReal'
    packed = dataset[0]
    # mirrored only: u' = 255 - u
    np.testing.assert_allclose(
        packed['targets']['crop_matrix'], [[-1, 0, 255], [0, 1, 0], [0, 0, 1]], atol=1e-6
    )
    np.testing.assert_allclose(packed['targets']['camera'][0, 2], 255 - 128.0235, atol=1e-4)


def test_without_split_file(root):
    (root / 'splits.json').unlink()
    assert len(GeRealDataset(root, 'all')) == 5
    with pytest.raises(MissingFileError, match=r"splits\.json is missing.*split='dev'.*split='all'"):
        GeRealDataset(root, 'dev')


def test_errors_name_the_file(root, tmp_path_factory):
    empty = tmp_path_factory.mktemp('empty')
    with pytest.raises(MissingFileError, match=r'params\.mat is missing: get the real-photo set'):
        GeRealDataset(empty)
    with pytest.raises(ConfigError, match='split'):
        GeRealDataset(root, 'test')
    with pytest.raises(ConfigError, match='reference_length'):
        GeRealDataset(root, reference_length='constant')
    (root / 'splits.json').write_text('{"dev": [9]}')
    with pytest.raises(DataError, match=r'splits\.json names photos outside 0\.\.4'):
        GeRealDataset(root, 'dev')
    (root / 'splits.json').write_text('{"dev": 9')
    with pytest.raises(DataError, match=r'splits\.json must hold lists'):
        GeRealDataset(root, 'dev')
    savemat(root / 'pose_gt.mat', {'pose_gt': np.zeros((5, 20, 3))})
    with pytest.raises(
        DataError, match=r'pose_gt\.mat: pose_gt must have shape \(-1, 21, 3\), got \(5, 20, 3\)'
    ):
        GeRealDataset(root, 'all')
    (root / 'pose_gt.mat').write_bytes((root / 'pose_gt.mat').read_bytes()[:200])
    with pytest.raises(DataError, match=r'pose_gt\.mat cannot be read'):
        GeRealDataset(root, 'all')


def test_the_real_photos(ge_folder):
    dev = GeRealDataset(ge_folder, 'dev', RGB_PIPELINE)
    train = GeRealDataset(ge_folder, 'train')
    assert (len(dev), len(train), len(GeRealDataset(ge_folder, 'all'))) == (150, 300, 450)
    records = [dev.labels_only(index) for index in range(len(dev))]
    joints = np.stack([record['keypoints_3d'] for record in records])
    uv = np.stack([record['keypoints_2d'] for record in records]) / 256
    # the published figures: z 27.8..48.2 cm, |9-10| 4.90 +- .43 cm, every joint inside the crop
    assert joints[..., 2].min() > 277 and joints[..., 2].max() < 483
    assert np.mean([record['ref_length'] for record in records]) == pytest.approx(49.0, abs=2)
    assert uv.min() > 0.09 and uv.max() < 0.99
    assert chirality_vote(joints) == 'left'
    for record in records[:5]:
        np.testing.assert_allclose(
            Camera(record['camera']).project(record['keypoints_3d']), record['keypoints_2d']
        )
    assert all('keypoints_3d' not in train.labels_only(index) for index in range(len(train)))
    packed = dev[3]
    assert packed['inputs']['img'].shape == (3, 256, 256) and packed['targets']['mirrored'].item() is True
