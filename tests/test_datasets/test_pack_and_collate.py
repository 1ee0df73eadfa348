from __future__ import annotations

import numpy as np
import pytest
import torch

from mmdualhand.datasets import RHDDataset, collate_hand_batch
from mmdualhand.datasets.transforms import HandCrop, NormalizeDepth, PackHandInputs
from mmdualhand.errors import DataError
from mmdualhand.structures import Camera

PIPELINE = [
    dict(type='LoadHandModalities'),
    dict(type='HandCrop', input_size=(128, 128)),
    dict(type='NormalizeDepth'),
    dict(type='PackHandInputs'),
]


def raw_sample(side='left', labelled=True):
    camera = np.array([[300.0, 0, 100], [0, 300, 100], [0, 0, 1]])
    rng = np.random.default_rng(1)
    joints = np.column_stack([rng.uniform(-60, 60, (21, 2)), rng.uniform(450, 550, 21)])
    joints[9], joints[10] = (0, 0, 500), (30, 0, 540)
    img = np.zeros((200, 200, 3), np.uint8)
    img[:, :, 0] = 200
    sample = {
        'sample_id': f'00003/{side}',
        'img_path': 'a.png',
        'hand_side': side,
        'camera': camera,
        'img': img,
    }
    if labelled:
        sample['keypoints_3d'] = joints
        sample['keypoints_2d'] = Camera(camera).project(joints)
    return {**sample, 'dataset_name': 'toy'}


def pack(sample, rule='keypoints', **extra):
    return PackHandInputs()({**HandCrop(input_size=128, rule=rule)(dict(sample)), **extra})


def test_values_of_a_left_hand():
    sample = raw_sample('left')
    joints, uv = sample['keypoints_3d'], sample['keypoints_2d']
    visible = np.ones(21, np.float32)
    visible[4] = 0
    packed = pack({**sample, 'keypoints_visible': visible})
    targets = packed['targets']
    # reference bone |(30, 0, 40)| = 50 mm, root at 500 mm
    assert targets['ref_length'].item() == pytest.approx(50) and targets[
        'root_depth'
    ].item() == pytest.approx(500)
    np.testing.assert_allclose(targets['pose25d'][:, 2], (joints[:, 2] - 500) / 50, atol=1e-5)
    assert targets['pose25d'][10, 2].item() == pytest.approx(0.8)
    # by hand: mirror, crop of side 1.5 x extent to 128, 128 grid -> 64 grid
    low, high = uv.min(0), uv.max(0)
    zoom = 128 / (1.5 * (high - low).max())
    crop_uv = (uv - (low + high) / 2) * zoom * [-1, 1] + 63.5
    np.testing.assert_allclose(targets['pose25d'][:, :2], (crop_uv + 0.5) / 2 - 0.5, atol=1e-4)
    np.testing.assert_allclose(
        targets['crop_matrix'][0], [-zoom, 0, 63.5 + (low + high)[0] / 2 * zoom], rtol=1e-5
    )
    assert targets['mirrored'].item() is True and targets['mirrored'].dtype == torch.bool
    assert targets['visible'].tolist() == visible.tolist()
    projected = joints * [-1, 1, 1] @ targets['camera'].double().numpy().T
    np.testing.assert_allclose(projected[:, :2] / projected[:, 2:], crop_uv, atol=1e-3)
    assert all(value.dtype == torch.float32 for key, value in targets.items() if key != 'mirrored')


def test_data_sample_keeps_the_original_frame():
    sample = raw_sample('left')
    data_sample = pack(sample)['data_samples']
    labels = data_sample.gt_instances
    np.testing.assert_allclose(labels.keypoints[0], sample['keypoints_2d'], atol=1e-4)
    np.testing.assert_allclose(labels.keypoints_3d[0], sample['keypoints_3d'], atol=1e-4)
    assert labels.keypoints_visible.tolist() == [[1.0] * 21]
    assert labels.pose25d.shape == (1, 21, 3)
    meta = data_sample.metainfo
    assert meta['sample_id'] == '00003/left' and meta['hand_side'] == 'left' and meta['mirrored'] is True
    assert meta['input_size'] == (128, 128) and meta['dataset_name'] == 'toy'
    assert meta['root_depth'] == pytest.approx(500) and meta['ref_length'] == pytest.approx(50)
    assert meta['crop_rule'].startswith('square 1.5 x') and meta['img_path'] == 'a.png'


def test_pixels_and_codes():
    depth_map = np.full((128, 128), 0.25, np.float32)
    mask = np.ones((128, 128), np.uint8)
    view = np.full((128, 128, 3), 7, np.uint8)
    views = dict(img_augmented=view, depth_plain=depth_map * 2, depth_augmented=depth_map * 4)
    inputs = pack(raw_sample('right'), depth_map=depth_map, mask=mask, **views)['inputs']
    assert inputs['img'].dtype == torch.uint8 and inputs['img'][:, 64, 64].tolist() == [200, 0, 0]
    assert inputs['depth'].dtype == torch.uint16 and inputs['depth'].shape == (1, 128, 128)
    assert inputs['depth'][0, 0, 0].item() == 16384  # round(65535 / 4)
    assert (
        inputs['depth_plain'][0, 0, 0].item() == 32768 and inputs['depth_augmented'][0, 0, 0].item() == 65535
    )
    assert inputs['img_augmented'].shape == (3, 128, 128) and inputs['img_augmented'].max().item() == 7
    assert inputs['mask'].dtype == torch.uint8 and inputs['mask'].shape == (1, 128, 128)


def test_unlabelled_sample_has_no_label_keys():
    packed = pack(raw_sample('left', labelled=False), rule='whole')
    assert set(packed['targets']) == {'camera', 'crop_matrix', 'mirrored', 'side'}
    assert packed['data_samples'].gt_instances.keys() == []
    known = pack(
        {**raw_sample('left', labelled=False), 'root_depth': 400.0, 'ref_length': 50.0}, rule='whole'
    )
    assert known['targets']['root_depth'].item() == 400 and known['targets']['ref_length'].item() == 50


def test_record_scale_overrides_the_joints():
    packed = pack({**raw_sample(), 'ref_length': 40.0})
    assert packed['targets']['pose25d'][10, 2].item() == pytest.approx(1.0)  # 40 mm / 40 mm


def test_collate_stacks_values(rhd_root):
    dataset = RHDDataset(rhd_root, pipeline=PIPELINE)
    items = [dataset[0], dataset[1], dataset[2]]
    batch = collate_hand_batch(items)
    assert batch['inputs']['img'].shape == (3, 3, 128, 128) and batch['inputs']['depth'].dtype == torch.uint16
    for part in ('inputs', 'targets'):
        for key, value in batch[part].items():
            for row, item in enumerate(items):
                assert torch.equal(value[row].float(), item[part][key].float()), key
    assert batch['targets']['root_depth'].shape == (3,)
    assert [sample.metainfo['sample_id'] for sample in batch['data_samples']] == [
        item['data_samples'].metainfo['sample_id'] for item in items
    ]


def test_collate_refuses_mixed_samples():
    labelled, unlabelled = pack(raw_sample(), 'whole'), pack(raw_sample('right', labelled=False), 'whole')
    with pytest.raises(
        DataError, match=r"00003/left.*00003/right.*different targets: '00003/left' has pose25d"
    ):
        collate_hand_batch([labelled, unlabelled])
    with pytest.raises(DataError, match='different inputs'):  # labels only, never pixels
        collate_hand_batch(
            [labelled, pack(raw_sample('right'), mask=np.ones((128, 128), np.uint8))], partial_labels=True
        )
    small = PackHandInputs()(HandCrop(input_size=64)(raw_sample('right')))
    with pytest.raises(DataError, match=r'img of sample.*\(3, 128, 128\).*\(3, 64, 64\)'):
        collate_hand_batch([labelled, small])


def test_partial_labels_leave_the_samples_as_they_are():
    labelled, unlabelled = pack(raw_sample(), 'whole'), pack(raw_sample('right', labelled=False), 'whole')
    for place, batch in enumerate(([labelled, unlabelled], [unlabelled, labelled])):
        targets = collate_hand_batch(batch, partial_labels=True)['targets']
        for key in ('pose25d', 'visible', 'root_depth', 'ref_length', 'camera'):
            assert torch.equal(targets[key][place], labelled['targets'][key]), key
        for key in ('pose25d', 'root_depth', 'ref_length'):
            assert targets[key][1 - place].isnan().all() and targets[key].dtype == torch.float32, key
        assert targets['visible'][1 - place].tolist() == [0.0] * 21
    assert 'pose25d' not in unlabelled['targets']
    nothing = collate_hand_batch([unlabelled, unlabelled], partial_labels=True)['targets']
    assert set(nothing) == {'camera', 'crop_matrix', 'mirrored', 'side'}


def test_range_of_the_depth_map_travels_with_the_sample():
    sample = {**raw_sample('right'), 'depth': np.full((200, 200), 500, np.float32)}
    cropped = NormalizeDepth(half_range=5.0)(HandCrop(input_size=128)(sample))
    assert PackHandInputs()(cropped)['data_samples'].metainfo['depth_half_range'] == 5.0
    assert 'depth_half_range' not in pack(raw_sample('right'))['data_samples'].metainfo


def test_default_length_where_only_the_root_is_known():
    packed = pack({**raw_sample('left', labelled=False), 'root_depth': 400.0}, rule='whole')
    assert packed['targets']['root_depth'].item() == 400 and packed['targets']['ref_length'].item() == 40
    length_only = pack({**raw_sample('left', labelled=False), 'ref_length': 50.0}, rule='whole')
    assert 'root_depth' not in length_only['targets']


@pytest.mark.parametrize(
    ('side', 'mirror', 'shown'),
    [('right', True, 1), ('left', True, 1), ('left', False, -1), ('right', False, 1)],
)
def test_side_is_that_of_the_hand_as_the_crop_shows_it(side, mirror, shown):
    cropped = HandCrop(input_size=128, mirror_left=mirror)(raw_sample(side))
    targets = PackHandInputs()({**cropped, 'sample_index': 70_000})['targets']
    assert targets['side'].item() == shown and targets['side'].dtype == torch.float32
    assert targets['sample_index'].item() == 70_000 and targets['sample_index'].dtype == torch.int64
    assert 'sample_index' not in pack(raw_sample(side))['targets']
