"""Labels in, labels out: what crop, codec and mirror do to a label, uncropping undoes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mmdualhand.codecs import Pose25D
from mmdualhand.datasets import GeRealDataset, RHDDataset, collate_hand_batch
from mmdualhand.models.estimators.uncrop import uncrop_predictions
from mmdualhand.models.heads import MultiModalPrediction

GE_REAL = Path(__file__).resolve().parents[3] / 'shared' / 'data' / 'ge_real'
AUGMENT = dict(rotation=180.0, scale=(0.8, 1.2), translation=0.1, prob=1.0)


def check_round_trip(dataset, number: int, input_size: int | tuple[int, int]) -> torch.Tensor:
    """Compare uncropped labels with the labels of the original image; gives which were mirrored."""
    batch = collate_hand_batch([dataset[i] for i in range(number)])
    targets, labels = batch['targets'], [sample.gt_instances for sample in batch['data_samples']]
    maps = torch.zeros(number, 1, 4, 4)
    truth = MultiModalPrediction(targets['pose25d'], maps, maps, torch.rand(number, 21))
    out = uncrop_predictions(Pose25D(input_size), truth, targets)
    for key, tolerance in (('keypoints', 1e-3), ('keypoints_3d', 1e-2)):  # pixels, mm
        expected = np.concatenate([instances[key] for instances in labels])
        np.testing.assert_allclose(out[key], expected, rtol=0, atol=tolerance, err_msg=key)
    np.testing.assert_array_equal(out['pose25d'], targets['pose25d'].numpy())
    np.testing.assert_array_equal(out['keypoint_scores'], truth.scores.numpy())
    return targets['mirrored']


@pytest.mark.parametrize('input_size', [96, (128, 96)], ids=str)
def test_augmented_crops_of_both_hands(rhd_root, input_size):
    pipeline = [
        dict(type='LoadHandModalities'),
        dict(type='HandCrop', input_size=input_size, augment=AUGMENT),
        dict(type='NormalizeDepth'),
        dict(type='PackHandInputs'),
    ]
    dataset = RHDDataset(rhd_root, pipeline=pipeline)
    mirrored = check_round_trip(dataset, 12, input_size)
    assert mirrored.any() and not mirrored.all()
    turned = [dataset[i]['targets']['camera'][0, 1].abs() for i in range(12)]
    assert max(turned) > 10  # a turned crop has a skewed camera: the case is really there


def test_whole_photos_of_left_hands():
    if not GE_REAL.is_dir():
        pytest.skip(f'real sample files are not here: {GE_REAL}')
    pipeline = [
        dict(type='LoadHandModalities', modalities=('rgb',)),
        dict(type='HandCrop', rule='whole'),
        dict(type='PackHandInputs'),
    ]
    assert check_round_trip(GeRealDataset(GE_REAL, pipeline=pipeline), 6, 256).all()


def test_unknown_root_depth_leaves_3d_out():
    targets = dict(crop_matrix=torch.tensor([[[0.5, 0.0, -20.0], [0.0, 0.25, 5.0], [0.0, 0.0, 1.0]]]))
    pose = torch.zeros(1, 21, 3)
    maps = torch.zeros(1, 1, 4, 4)
    out = uncrop_predictions(Pose25D(256), MultiModalPrediction(pose, maps, maps), targets)
    # Grid 0 is crop pixel .5 * 4 - .5 = 1.5; (1.5 + 20) / .5 = 43 and (1.5 - 5) / .25 = -14.
    np.testing.assert_allclose(out['keypoints'][0, 7], [43.0, -14.0])
    assert set(out) == {'pose25d', 'keypoints'}
