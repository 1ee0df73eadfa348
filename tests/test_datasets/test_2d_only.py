"""Records with 2D labels alone, without a camera: crop, pack, collate, measure, predict."""

from __future__ import annotations

import copy

import cv2
import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from mmdualhand.cli.browse_dataset import sample_sheet
from mmdualhand.datasets import check_record, collate_hand_batch
from mmdualhand.datasets.transforms import HandCrop, PackHandInputs
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.evaluation import hand_metric
from mmdualhand.registry import METRICS, MODELS
from mmdualhand.testing import tiny_estimator, tiny_sample
from tests.test_datasets.test_pack_and_collate import raw_sample

UNKNOWN = [2, 14]


def flat_sample(side='left', unknown=()):
    """A sample with 2D labels in an image of 200 x 200, joint 0 at (60, 50), joint 20 at (100, 130)."""
    uv = np.column_stack([60 + 2.0 * np.arange(21), 50 + 4.0 * np.arange(21)])
    visible = np.ones(21, np.float32)
    uv[list(unknown)], visible[list(unknown)] = np.nan, 0
    img = raw_sample(side, labelled=False)['img']
    return {
        'sample_id': f'7/{side}',
        'img_path': '',
        'hand_side': side,
        'img': img,
        'keypoints_2d': uv,
        'keypoints_visible': visible,
        'dataset_name': 'flat',
    }


def pack(sample, size=64):
    return PackHandInputs()(HandCrop(input_size=size)(dict(sample, sample_index=3)))


def test_record_without_camera_is_canonical():
    record = {key: value for key, value in flat_sample(unknown=UNKNOWN).items() if key != 'img'}
    check_record(record)
    check_record({key: record[key] for key in ('sample_id', 'img_path', 'hand_side')})
    shown = copy.deepcopy(record)
    shown['keypoints_visible'][14] = 1
    with pytest.raises(DataError, match=r'keypoints_2d is not finite at joints \[14\]'):
        check_record(shown)
    del shown['keypoints_visible']
    with pytest.raises(DataError, match=r'keypoints_2d is not finite at joints \[2, 14\]'):
        check_record(shown)
    labelled = {**raw_sample(), 'keypoints_visible': record['keypoints_visible']}
    labelled['keypoints_2d'][2] = np.nan  # where there is 3D, 2D is known everywhere
    with pytest.raises(DataError, match=r'keypoints_2d is not finite at joints \[2\]'):
        check_record(labelled)
    del labelled['camera']
    with pytest.raises(DataError, match=r"has keypoints_3d and no 'camera'"):
        check_record(labelled)


def test_crop_and_grid_by_hand():
    cropped = HandCrop(input_size=64)(flat_sample('left'))
    # box 60..100 x 50..130, so the side is 120 about (80, 90); the mirror sends u to 199 - u
    zoom = 64 / 120
    np.testing.assert_allclose(cropped['keypoints_2d'][0], [31.5 + 20 * zoom, 31.5 - 40 * zoom])
    assert 'camera' not in cropped and 'orig_camera' not in cropped and cropped['mirrored']
    packed = pack(flat_sample('left'), 128)
    assert set(packed['targets']) == {'crop_matrix', 'mirrored', 'sample_index', 'side', 'visible'}
    pose = packed['data_samples'].gt_instances.pose25d
    np.testing.assert_allclose(pose[0, 0, :2], [31.5 + 20 * zoom, 31.5 - 40 * zoom], rtol=1e-6)
    assert pose.shape == (1, 21, 3) and np.isnan(pose[..., 2]).all()
    np.testing.assert_allclose(packed['data_samples'].gt_instances.keypoints[0, 20], [100, 130])
    assert 'keypoints_3d' not in packed['data_samples'].gt_instances


def test_crop_is_that_of_the_labelled_joints():
    some = HandCrop(input_size=64)(flat_sample(unknown=[0, 20]))
    middle = some['crop'].inverse_points_2d(np.array([[31.5, 31.5]]))[0]
    np.testing.assert_allclose(middle, [80, 90])  # joints 1 to 19 have the same middle
    assert np.isnan(some['keypoints_2d'][0]).all()
    assert abs(some['crop'].matrix[0, 0]) == pytest.approx(64 / (1.5 * 4 * 18))
    nothing = flat_sample(unknown=range(21))
    with pytest.raises(DataError, match='one point'):
        HandCrop(input_size=64)(nothing)


def test_batches_of_2d_and_of_both():
    flat, solid = pack(flat_sample()), tiny_sample(0, 64, depth=False)
    batch = collate_hand_batch([flat, pack(flat_sample('right'))])
    assert set(batch['targets']) == {'crop_matrix', 'mirrored', 'sample_index', 'side', 'visible'}
    with pytest.raises(DataError, match=r"'tiny/0' has camera, pose25d, ref_length, root_depth"):
        collate_hand_batch([flat, solid])
    targets = collate_hand_batch([flat, solid], partial_labels=True)['targets']
    assert targets['camera'][0].isnan().all() and targets['pose25d'][0].isnan().all()
    assert torch.equal(targets['camera'][1], solid['targets']['camera'])


def measured(name, samples, moved=()):
    """Result of a metric whose predictions are the labels, those of some joints 4 grid pixels off."""
    metric = METRICS.build(dict(type=name))
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = dict(dataset_name='flat', split='')
    for sample in samples:
        pose = np.nan_to_num(sample.gt_instances.pose25d)
        pose[0, list(moved), 0] += 4
        sample.pred_instances = InstanceData(pose25d=pose, keypoints_3d=np.zeros((1, 21, 3)) + 500)
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def test_pck_measures_the_labelled_joints():
    samples = [pack(flat_sample(unknown=UNKNOWN))['data_samples'] for _ in range(2)]
    assert measured('PCK', samples) == {'PCK@0.05': 1.0}
    # one of 19 labelled joints is off; what is predicted for an unlabelled one does not matter
    assert measured('PCK', samples, moved=[5, 14]) == {'PCK@0.05': pytest.approx(18 / 19)}


@pytest.mark.parametrize('name', ['EPE', 'AUC'])
def test_3d_metrics_say_that_there_is_no_3d(name, monkeypatch):
    lines = []
    monkeypatch.setattr(hand_metric, 'print_log', lambda text, **_: lines.append(text))
    samples = [pack(flat_sample())['data_samples'] for _ in range(3)]
    assert measured(name, samples) == {}
    assert lines == [
        f'{name} measures nothing: none of the 3 samples of flat has 3D labels (gt_instances.keypoints_3d).'
    ]


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return MODELS.build(tiny_estimator())


def test_prediction_needs_no_camera(model):
    flat = [pack(flat_sample(side)) for side in ('left', 'right')]
    data = model.data_preprocessor(collate_hand_batch(flat))
    with torch.no_grad():
        left, right = model.eval()(**data, mode='predict')
    assert set(left.pred_instances.keys()) == {'pose25d', 'keypoints', 'keypoint_scores'}
    keypoints = right.pred_instances.keypoints
    assert keypoints.shape == (1, 21, 2) and np.isfinite(keypoints).all()


def test_prediction_of_a_mixed_batch_lifts_what_it_can(model):
    both = [pack(flat_sample()), tiny_sample(0, 64, depth=False)]
    data = model.data_preprocessor(collate_hand_batch(both, partial_labels=True))
    with torch.no_grad():
        flat, solid = model.eval()(**data, mode='predict')
    assert 'keypoints_3d' not in flat.pred_instances and 'keypoints_3d' in solid.pred_instances
    # a depth and a length without a camera are of no use
    data['targets'].update(root_depth=torch.tensor([500.0, 500.0]), ref_length=torch.tensor([40.0, 40.0]))
    with torch.no_grad():
        flat, solid = model(**data, mode='predict')
    assert 'keypoints_3d' not in flat.pred_instances and np.isfinite(solid.pred_instances.keypoints_3d).all()


def test_training_on_2d_labels_is_one_error():
    rgb_only = MODELS.build(
        tiny_estimator(
            branches=('rgb',),
            contrast=(),
            head=dict(
                type='MultiModal2.5DHead',
                deconv_channels=(8, 8, 8),
                codec=dict(type='Pose25D', input_size=64),
                loss_maps=dict(type='MultiModalL1', mask_weight=0.0, depth_map_weight=0.0),
            ),
        )
    )
    data = rgb_only.data_preprocessor(collate_hand_batch([pack(flat_sample()), pack(flat_sample())]), True)
    with pytest.raises(ConfigError, match='2D labels alone.*can be tested on, with the metric PCK'):
        rgb_only(**data, mode='loss')


def test_sheet_of_a_2d_sample(tmp_path):
    sample = flat_sample(unknown=UNKNOWN)
    sample['img_path'] = str(tmp_path / 'photo.png')
    cv2.imwrite(sample['img_path'], sample['img'])
    sheet = sample_sheet(pack(sample), None, training=False)
    assert sheet.ndim == 3 and sheet.dtype == np.uint8
