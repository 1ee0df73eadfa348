"""What is left of a target image: pixels, camera, crop, root depth, length and side."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmdualhand.datasets import RHDDataset
from mmdualhand.datasets.transforms import DropLabels, HandCrop, LoadHandModalities, PackHandInputs

CROP = HandCrop((96, 96), augment=dict(rotation=180.0, scale=(0.8, 1.2), translation=0.1, prob=1.0))


def samples(root, *steps):
    dataset = RHDDataset(root, pipeline=[LoadHandModalities(), CROP, *steps])
    dataset.set_epoch(0, seed=1)
    return [dataset[0], dataset[1]]


def test_the_rest_is_dropped(rhd_root):
    for results in samples(rhd_root, DropLabels()):
        assert set(results) == {
            'sample_id', 'sample_index', 'dataset_name', 'img_path', 'hand_side', 'rng', 'img', 'camera',
            'orig_camera', 'crop', 'mirrored', 'crop_rule', 'input_size', 'root_depth', 'ref_length',
        }  # fmt: skip


def test_also_what_nobody_has_heard_of():
    known = dict(img=1, hand_side='left', root_depth=400.0, ref_length=50.0)
    assert DropLabels()({**known, 'vertices': 1, 'keypoints_2d_clean': 2}) == known


def test_packed_targets_are_those_of_the_labelled_sample_without_labels(rhd_root):
    labelled, unlabelled = (
        samples(rhd_root, PackHandInputs()),
        samples(rhd_root, DropLabels(), PackHandInputs()),
    )
    for one, other in zip(labelled, unlabelled, strict=True):
        assert set(one['targets']) - set(other['targets']) == {'pose25d', 'visible'}
        assert set(other['inputs']) == {'img'} and torch.equal(one['inputs']['img'], other['inputs']['img'])
        for key, value in other['targets'].items():
            assert torch.equal(value, one['targets'][key]), key
        assert other['data_samples'].gt_instances.keys() == []
        expected = one['data_samples'].gt_instances.keypoints_3d[0]
        bone = np.linalg.norm(expected[10] - expected[9])
        assert other['targets']['ref_length'].item() == pytest.approx(bone, rel=1e-5)


def test_root_depth_and_length_can_be_withheld(rhd_root):
    steps = dict(root=DropLabels(keep_root_depth=False), length=DropLabels(keep_ref_length=False))
    known = {name: samples(rhd_root, step, PackHandInputs())[0]['targets'] for name, step in steps.items()}
    assert 'root_depth' not in known['root'] and known['root']['ref_length'] > 0
    assert known['length']['root_depth'] > 0 and known['length']['ref_length'].item() == 40
    neither = samples(rhd_root, DropLabels(False, False), PackHandInputs())[0]['targets']
    assert not {'root_depth', 'ref_length'} & set(neither)
