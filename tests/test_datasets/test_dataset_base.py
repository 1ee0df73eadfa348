from __future__ import annotations

import copy
import pickle

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmdualhand.datasets import BaseHandDataset, RHDDataset, check_record, collate_hand_batch, find_mixups
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.registry import DATASETS
from mmdualhand.structures import Camera

AUGMENTED = [
    dict(type='LoadHandModalities'),
    dict(
        type='HandCrop',
        input_size=64,
        augment=dict(rotation=180.0, scale=(0.8, 1.2), translation=0.1, prob=0.9),
    ),
    dict(type='NormalizeDepth'),
    dict(type='PackHandInputs'),
]


class ToyDataset(BaseHandDataset):
    """What a third party writes: records of a flat hand in a 200 x 100 image."""

    def __init__(self, image, change=None, count=10, **kwargs):
        self.image, self.change, self.count = image, change, count
        super().__init__(**kwargs)

    def num_records(self):
        return self.count

    def load_record(self, index):
        record = toy_record(index)
        record['img_path'] = str(self.image)
        return record if self.change is None else self.change(record)


def toy_record(index=0):
    camera = np.array([[100.0, 0, 100], [0, 100, 50], [0, 0, 1]])
    fingers, places = np.divmod(np.arange(20), 4)
    joints = np.zeros((21, 3))
    joints[1:, 0] = 20.0 * (fingers - 2)
    joints[1:, 1] = -80 - 30.0 * places + 40 * (fingers == 0)
    joints[1:, 2] = 8.0 * places**2  # a right hand with its back to us: +n points away
    joints += [index, 0, 400]
    return {
        'sample_id': f'{index:03d}/right',
        'img_path': 'toy.png',
        'hand_side': 'right',
        'camera': camera,
        'keypoints_3d': joints,
        'keypoints_2d': Camera(camera).project(joints),
    }


@pytest.fixture(scope='module')
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp('toy') / 'toy.png'
    cv2.imwrite(str(path), np.zeros((100, 200, 3), np.uint8))
    return path


def test_two_methods_make_a_dataset(image):
    dataset = ToyDataset(image, pipeline=[lambda results: results])
    assert len(dataset) == 10
    results = dataset[-1]
    assert results['sample_id'] == '009/right' and results['sample_index'] == 9
    assert results['dataset_name'] == 'ToyDataset' and isinstance(results['rng'], np.random.Generator)
    assert 'rng' not in dataset.labels_only(9)
    assert dataset.metainfo['split'] == '' and dataset.metainfo['lifting'] == 'true root depth, true |9-10|'
    assert pickle.loads(pickle.dumps(dataset.metainfo)) == dataset.metainfo
    with pytest.raises(IndexError, match='sample 10 of 10'):
        dataset[10]


def test_indices_and_num_samples(image):
    dataset = ToyDataset(image, indices=[7, 2, 5], num_samples=2)
    assert [dataset.labels_only(i)['sample_id'] for i in range(len(dataset))] == ['007/right', '002/right']
    with pytest.raises(ConfigError, match='0..9'):
        ToyDataset(image, indices=[10])
    with pytest.raises(ConfigError, match='num_samples'):
        ToyDataset(image, num_samples=0)
    with pytest.raises(ConfigError, match='on_error'):
        ToyDataset(image, on_error='ignore')
    with pytest.raises(ConfigError, match='transform'):
        ToyDataset(image, pipeline=[3])


def test_reading_can_wait(tmp_path):
    dataset = RHDDataset(tmp_path / 'nowhere', lazy_init=True)
    assert dataset.metainfo['embedded'] is False
    with pytest.raises(FileNotFoundError):
        dataset.full_init()


def change_record(**changes):
    record = toy_record()
    for key, value in changes.items():
        if value is None:
            del record[key]
        else:
            record[key] = value
    return record


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(camera=None), "no 'camera'"),
        (dict(hand_side='Right'), "'left' or 'right', got 'Right'"),
        (dict(camera=np.eye(4)), 'no intrinsic matrix'),
        (dict(keypoints_2d=np.zeros((42, 2))), r'keypoints_2d must have shape \(21, 2\), got \(42, 2\)'),
        (dict(keypoints_visible=np.ones((21, 1))), r'keypoints_visible must have shape \(21,\)'),
        (dict(keypoints_3d=toy_record()['keypoints_3d'] / 1000), 'measures 0.031.*looks like metres'),
        (dict(keypoints_3d=toy_record()['keypoints_3d'] / 10), 'looks like centimetres'),
        (dict(keypoints_3d=toy_record()['keypoints_3d'] * [1, 1, -1]), 'behind the camera'),
        (dict(ref_length=0.04), 'ref_length measures 0.04, which looks like metres'),
        (dict(ref_length=4.0), 'ref_length measures 4, which looks like centimetres'),
        (dict(ref_length=np.nan), 'ref_length must be finite and positive, got nan'),
        (dict(ref_length='40 mm'), "ref_length must be a number of millimetres, got '40 mm'"),
        (dict(root_depth=0.6), 'root_depth measures 0.6, which looks like metres'),
        (dict(root_depth=40), 'root_depth measures 40, which looks like centimetres'),
        (dict(root_depth=6e4), 'root_depth measures 6e.04, which is no hand in millimetres'),
        (dict(root_depth=-400.0), 'root_depth must be finite and positive, got -400'),
        (dict(root_depth=np.inf), 'root_depth must be finite and positive, got inf'),
        (dict(root_depth=0.6, keypoints_3d=None), 'root_depth measures 0.6, which looks like metres'),
        # joint 9 of the toy hand lies at 400 mm: 1 mm + 1 % = 5 mm
        (dict(root_depth=405.1), 'root_depth is 405.1 mm, but the middle MCP .* lies at z = 400 mm'),
        (dict(depth_path='d.png'), 'depth_path and depth_encoding belong together'),
    ],
)
def test_check_record_names_the_key(changes, message):
    check_record(toy_record(), 'toy')
    with pytest.raises(DataError, match=r"record '000/right' of toy.*" + message):
        check_record(change_record(**changes), 'toy')


def test_what_a_record_may_say_beside_its_joints():
    check_record(change_record(root_depth=404.9))
    check_record(change_record(root_depth=395.1, ref_length=50.0))  # |9-10| is 31 mm: lifted with a constant
    check_record(change_record(root_depth=5000, ref_length=5, keypoints_3d=None))


def test_nan_labels_name_the_joints():
    record = toy_record()
    record['keypoints_3d'][[3, 7], 1] = np.nan
    with pytest.raises(DataError, match=r'keypoints_3d is not finite at joints \[3, 7\]; leave the key out'):
        check_record(record)


def test_swapped_axes_say_so(image):
    def swap(record):
        return {**record, 'keypoints_2d': record['keypoints_2d'][:, ::-1]}

    with pytest.raises(DataError) as caught:
        ToyDataset(image, swap)
    text = str(caught.value)
    # joint 0 lies at (100, 50) and swapped at (50, 100), below an image of height 100
    assert 'joint 0 (wrist) is outside the image in 100% of 8 samples; are x and y swapped?' in text
    assert 'px (median) from keypoints_2d' in text and text.startswith('ToyDataset at')


def test_mixups_are_listed_separately():
    records = [toy_record(index) for index in range(6)]
    assert find_mixups(records, [(200, 100)] * 6) == []
    assert find_mixups(records, [None] * 6) == []
    other = [{**record, 'camera': record['camera'] * [[2], [2], [1]]} for record in records]
    (finding,) = find_mixups(other, [None] * 6)
    assert 'does camera belong to this image size' in finding
    assert find_mixups(other, [None] * 6, tolerance=None) == []
    left = [{**record, 'hand_side': 'left'} for record in records]
    (finding,) = find_mixups(left, [None] * 6)
    assert "6 hands are labelled 'left' but bend the other way" in finding
    hidden = copy.deepcopy(records)
    for record in hidden:
        record['keypoints_visible'] = np.zeros(21, np.float32)
    assert find_mixups(hidden, [(10, 10)] * 6) == []


def matrices(loader):
    return [batch['targets']['crop_matrix'].clone() for batch in loader]


def test_augmentation_repeats_under_a_seed_and_differs_between_epochs(rhd_root):
    def epochs(seed):
        torch.manual_seed(seed)
        dataset = RHDDataset(rhd_root, pipeline=AUGMENTED, num_samples=4, num_checked=0)
        loader = DataLoader(dataset, 2, collate_fn=collate_hand_batch)
        return torch.cat(matrices(loader)), torch.cat(matrices(loader))

    first, second = epochs(1)
    again, again_second = epochs(1)
    assert torch.equal(first, again) and torch.equal(second, again_second)
    other, _ = epochs(2)
    for different in (second, other):
        assert ((first - different).abs().amax((1, 2)) > 1e-3).sum() >= 3


def run_loader(root, seed, **options):
    """Two epochs through mmengine's own loader, whose workers get one torch seed in every epoch."""
    torch.manual_seed(seed)
    loader = Runner.build_dataloader(
        dict(
            batch_size=2,
            num_workers=2,
            dataset=dict(
                type='mmdualhand.RHDDataset',
                data_root=str(root),
                pipeline=AUGMENTED,
                indices=[0, 0, 0, 0],
                num_checked=0,
            ),
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='mmdualhand.collate_hand_batch'),
            **options,
        ),
        seed=7,
    )
    return torch.cat(matrices(loader)), torch.cat(matrices(loader))


@pytest.mark.parametrize('persistent', [False, True])
def test_workers_and_epochs_differ_and_repeat(rhd_root, persistent):
    first, second = run_loader(rhd_root, 1, persistent_workers=persistent)
    again, again_second = run_loader(rhd_root, 1, persistent_workers=persistent)
    assert torch.equal(first, again) and torch.equal(second, again_second)
    draws = torch.cat([first, second])  # the same record eight times: four samples, two workers, two epochs
    distinct = {tuple(row.flatten().round(decimals=4).tolist()) for row in draws}
    assert len(distinct) >= 6  # one in ten is not augmented


@pytest.mark.slow
def test_spawned_workers(rhd_root):
    dataset = DATASETS.build(
        dict(type='RHDDataset', data_root=str(rhd_root), pipeline=AUGMENTED, num_samples=2)
    )
    dataset[0]
    loader = DataLoader(
        dataset, 2, num_workers=1, multiprocessing_context='spawn', collate_fn=collate_hand_batch
    )
    (batch,) = list(loader)
    assert batch['inputs']['img'].shape == (2, 3, 64, 64)
    assert [s.metainfo['sample_id'] for s in batch['data_samples']] == [
        dataset.labels_only(index)['sample_id'] for index in range(2)
    ]


def test_pickled_dataset_makes_the_same_samples(rhd_root):
    dataset = RHDDataset(rhd_root, pipeline=AUGMENTED, num_samples=3)
    clone = pickle.loads(pickle.dumps(dataset))
    torch.manual_seed(0)
    for place in range(3):
        one, other = dataset[place], clone[place]
        assert torch.equal(one['inputs']['img'], other['inputs']['img'])
        assert torch.equal(one['targets']['pose25d'], other['targets']['pose25d'])


def test_unreadable_samples_are_replaced_and_counted(image):
    class Flaky(ToyDataset):
        def load_record(self, index):
            record = super().load_record(index)
            return {**record, 'hand_side': 'both'} if index in (3, 4) else record

    with pytest.raises(DataError, match=r"'003/right' of Flaky"):
        Flaky(image, num_checked=0)[3]
    dataset = Flaky(image, on_error='skip')
    assert dataset[3]['sample_id'] == '005/right' and dataset.num_skipped == 2
    measured = Flaky(image, on_error='skip', test_mode=True)
    with pytest.raises(DataError, match=r"sample 3 of Flaky cannot be read.*'003/right' of Flaky"):
        measured[3]
    assert measured.num_skipped == 0 and measured[5]['sample_id'] == '005/right'
    with pytest.raises(DataError, match='none of the 2 samples'):
        Flaky(image, on_error='skip', indices=[3, 4])[0]
