"""Labels made in one crop, read in another."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmdualhand.datasets import RHDDataset
from mmdualhand.datasets.transforms import HandCrop, LoadHandModalities, PackHandInputs
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.pseudo_labels import LoadPseudoLabel, PseudoLabelBank, pose_to_crop, pose_to_image

AUGMENT = dict(rotation=180.0, scale=(0.7, 1.3), translation=0.2, prob=1.0)
SIZE, OTHER = (96, 96), (128, 128)


def hands(root, size, *more, augment=None, **options) -> RHDDataset:
    steps = [LoadHandModalities(('rgb',)), HandCrop(size, augment=augment), PackHandInputs(), *more]
    selection = dict(min_visible=0, min_crop_side=1.0, max_overlap=9.0)
    return RHDDataset(root, split='evaluation', pipeline=steps, selection=selection, **options)


@pytest.fixture
def clean(rhd_root):
    return hands(rhd_root, SIZE)


@pytest.fixture
def filled(clean, tmp_path):
    """A bank whose labels are the true poses, made in the clean crops; the last row is missing."""
    bank = PseudoLabelBank.create(tmp_path / 'labels.bank', clean.metainfo['dataset_name'], len(clean))
    samples = [clean[index] for index in range(len(clean) - 1)]
    pose, matrix = (torch.stack([s['targets'][key] for s in samples]) for key in ('pose25d', 'crop_matrix'))
    labels = pose_to_image(pose, matrix, SIZE).numpy()
    metas = [sample['data_samples'].metainfo for sample in samples]
    weight = np.linspace(0.5, 1, len(samples))
    rows, names = ([meta[key] for meta in metas] for key in ('sample_index', 'sample_id'))
    bank.write(0, rows, names, labels, weight, 2 * weight)
    bank.publish(0)
    return bank


def test_there_and_back():
    pose = torch.rand(4, 21, 3, dtype=torch.float64) * 60
    matrix = torch.eye(3, dtype=torch.float64).repeat(4, 1, 1)
    matrix[:, :2] = torch.tensor([[-0.5, 0.1, 200.0], [0.2, 0.4, -30.0]], dtype=torch.float64)
    image = pose_to_image(pose, matrix, SIZE)
    back = np.stack([pose_to_crop(image[i].numpy(), matrix[i].numpy(), SIZE) for i in range(4)])
    assert np.allclose(back, pose.numpy(), atol=1e-9)
    # by hand: grid (31.5, 31.5) is the centre of any crop; crop = 2 x image
    centre = torch.tensor([[[31.5, 31.5, 0.25]]]).repeat(1, 21, 1)
    doubled = torch.diag(torch.tensor([2.0, 2.0, 1.0]))[None]
    assert pose_to_image(centre, doubled, (96, 64))[0, 0].tolist() == [23.75, 15.75, 0.25]


def test_both_sides_are_in_the_set(clean):
    assert len({clean[i]['data_samples'].metainfo['mirrored'] for i in range(len(clean))}) == 2


def test_a_label_fits_every_other_crop(clean, filled, rhd_root):
    """Also turned, shifted, of another size, and of mirrored left hands: it is where the truth is."""
    data = hands(rhd_root, OTHER, LoadPseudoLabel(str(filled.path)), augment=AUGMENT)
    weights = np.linspace(0.5, 1, len(clean) - 1)
    for index in range(len(clean) - 1):
        data.set_epoch(index, seed=1)
        targets = data[index]['targets']
        assert not torch.allclose(targets['crop_matrix'], clean[index]['targets']['crop_matrix'], atol=1e-2)
        assert torch.allclose(targets['pseudo_pose25d'], targets['pose25d'], atol=2e-4)
        assert targets['pseudo_weight'].item() == pytest.approx(weights[index], rel=1e-6)
        assert targets['pseudo_confidence'].item() == pytest.approx(2 * weights[index], rel=1e-6)
        assert targets['pseudo_pose25d'].dtype == targets['pseudo_weight'].dtype == torch.float32


def test_an_absent_label_has_weight_zero(filled, rhd_root):
    data = hands(rhd_root, SIZE, LoadPseudoLabel(str(filled.path)))
    targets = data[len(data) - 1]['targets']
    assert targets['pseudo_weight'] == 0 and targets['pseudo_confidence'] == torch.inf
    assert torch.equal(targets['pseudo_pose25d'], torch.zeros(21, 3))


def test_an_absent_label_can_be_passed_over(filled, rhd_root):
    steps = LoadPseudoLabel(str(filled.path), absent='raise')
    with pytest.raises(DataError, match='has no pseudo-label'):
        hands(rhd_root, SIZE, steps)[-1]
    data = hands(rhd_root, SIZE, steps, on_error='skip')
    assert data[len(data) - 1]['data_samples'].metainfo['sample_index'] == 0


def test_weights_of_joints(clean, tmp_path, rhd_root):
    name = clean.metainfo['dataset_name']
    bank = PseudoLabelBank.create(tmp_path / 'b', name, len(clean), per_joint=True)
    weight = np.linspace(0, 1, 21)[None]
    sample = clean[0]['data_samples'].metainfo['sample_id']
    bank.write(0, [0], [sample], np.zeros((1, 21, 3)), weight, weight)
    bank.publish(0)
    targets = hands(rhd_root, SIZE, LoadPseudoLabel(str(bank.path)))[0]['targets']
    assert np.allclose(targets['pseudo_weight'], weight[0]) and targets['pseudo_confidence'].shape == (21,)


def test_other_data_is_refused(clean, filled, rhd_root, tmp_path):
    step = LoadPseudoLabel(str(filled.path))
    shifted = hands(rhd_root, SIZE, step, indices=range(1, len(clean)))
    with pytest.raises(DataError, match='made for another sample'):
        shifted[0]
    other = PseudoLabelBank.create(tmp_path / 'other', 'FreiHAND', len(clean))
    with pytest.raises(ConfigError, match="pseudo-labels of 'FreiHAND', and the sample is of 'RHD"):
        hands(rhd_root, SIZE, LoadPseudoLabel(str(other.path)))[0]
    short = PseudoLabelBank.create(tmp_path / 'short', clean.metainfo['dataset_name'], 1)
    with pytest.raises(ConfigError, match='has 1 rows and the dataset a sample 1'):
        hands(rhd_root, SIZE, LoadPseudoLabel(str(short.path)))[1]


def test_mistakes_are_said(clean, rhd_root, tmp_path):
    with pytest.raises(ConfigError, match='LoadPseudoLabel has no bank'):
        hands(rhd_root, SIZE, LoadPseudoLabel())[0]
    with pytest.raises(MissingFileError, match='PseudoLabelHook makes it before training'):
        hands(rhd_root, SIZE, LoadPseudoLabel(str(tmp_path / 'none')))[0]
    with pytest.raises(ConfigError, match='put it after PackHandInputs'):
        LoadPseudoLabel(str(tmp_path / 'none')).transform(dict(sample_id='a'))
    with pytest.raises(ConfigError, match="absent of LoadPseudoLabel must be one of .*'drop'"):
        LoadPseudoLabel(absent='drop')
