"""Drift by hand, means of an epoch, a bank that was half filled, and when a run counts as collapsed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mmdualhand.codecs import Pose25D
from mmdualhand.datasets import RHDDataset
from mmdualhand.datasets.transforms import DropLabels, HandCrop, LoadHandModalities, PackHandInputs
from mmdualhand.engine.labels import (
    BankFiller,
    EpochMeans,
    LabelMemory,
    LabelProbe,
    LabelSource,
    collapse_warnings,
)
from mmdualhand.errors import ConfigError
from mmdualhand.models import MultiModalPrediction, PseudoLabels
from mmdualhand.pseudo_labels import AveragedLabels, PseudoLabelBank
from mmdualhand.registry import MODELS
from mmdualhand.testing import tiny_batch
from tests.fixtures.self_training_run import MODEL, SIZE, write_stage1


def label(value: float, confidence: float = 1.0) -> PseudoLabels:
    c = torch.tensor([confidence])
    return PseudoLabels(torch.full((1, 21, 3), value), torch.ones(1), c, {})


def crop(zoom: float, shift: float = 0.0) -> dict[str, torch.Tensor]:
    matrix = torch.tensor([[[zoom, 0.0, shift], [0.0, zoom, shift], [0.0, 0.0, 1.0]]])
    return dict(sample_index=torch.tensor([1]), crop_matrix=matrix)


def test_drift_is_measured_in_the_crop_of_now():
    memory = LabelMemory(3, SIZE, torch.device('cpu'))
    assert [float(value) for value in memory.compare(label(20.0), crop(1.0)).values()] == [0.0, 0.0]
    # 64 px of crop on the 64-grid: the label lies at pixel 20 of the photo
    assert memory.labels[1, 0].tolist() == [20.0, 20.0, 20.0] and memory.labels[0].isnan().all()
    # zoomed by two it lies at pixel 43 = 2 * 20 + 3 of the crop; the label says 40, and 40 bones of depth
    drift = memory.compare(label(40.0), crop(2.0, 3.0))
    assert float(drift['drift_px']) == pytest.approx(3 * 2**0.5)
    assert float(drift['drift_depth']) == pytest.approx(20)
    assert memory.labels[1, 0].tolist() == [18.5, 18.5, 40.0]


def test_a_label_that_is_none_moves_nothing():
    memory = LabelMemory(3, SIZE, torch.device('cpu'))
    memory.compare(label(20.0), crop(1.0))
    drift = memory.compare(label(0.0, confidence=torch.inf), crop(1.0))
    assert float(drift['drift_px']) == 0 and memory.labels[1, 0].tolist() == [20.0, 20.0, 20.0]


def test_means_count_rows():
    means = EpochMeans()
    means.add({'a': torch.tensor(1.0), 'b': torch.tensor([1.0, 2.0])}, 3)
    means.add({'a': torch.tensor(5.0)}, 1)
    assert means.take() == {'a': [2.0], 'b': [1.0, 2.0]}
    assert means.take() == {}


def test_source_adds_spread_and_share_of_each_joint():
    weight = torch.zeros(2, 21)
    weight[:, 3], weight[0, 4] = 0.5, 1.0

    class Labeler(torch.nn.Module):
        def forward(self, poses, targets, progress):
            return PseudoLabels(poses['rgb'], weight, 1 - weight, {'accepted': torch.tensor(progress)})

    source = LabelSource(Labeler())
    source.progress = 0.25
    poses = torch.zeros(2, 21, 3)
    poses[1] = torch.tensor([6.0, 2.0, 100.0])  # 3 and 1 px about the mean
    labels = source({'rgb': poses}, {})
    assert {key: float(value) for key, value in labels.monitor.items()} == dict(accepted=0.25, pose_std=2.0)
    means = source.means.take()
    assert means['keep'] == [0, 0, 0, 1.0, 0.5] + [0] * 16


class NoWaiting(TorchDispatchMode):
    """Fails where a tensor's values would have to come to the host."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func)
        assert not any(word in name for word in ('_local_scalar_dense', 'nonzero', 'masked_select')), name
        if name.startswith('aten.index.'):
            assert not any(x.dtype == torch.bool for x in args[1] if x is not None), 'index by a mask'
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    'options', [{}, dict(root_depth='solve'), dict(correction=dict(template='estimate'))], ids=str
)
def test_making_and_watching_labels_never_waits_for_the_device(options):
    targets = tiny_batch(4, 64)['targets']
    pose = targets.pop('pose25d')
    selector = dict(type='Quantile', keep=0.5, per_joint=True)
    labeler = AveragedLabels(Pose25D(64), selector=selector, **options).train()
    source = LabelSource(labeler, LabelMemory(4, SIZE, torch.device('cpu')))
    for _ in range(2):
        with NoWaiting():
            labels = source({'rgb': pose, 'fused': pose + 0.1, 'depth': pose}, targets)
    assert labels.weight.mean() > 0.4 and set(labels.monitor) >= {'drift_px', 'pose_std', 'correction_px'}


def model_and_hands(folder, root, *steps):
    model = MODELS.build(
        dict(
            type='SelfTrainingEstimator',
            **MODEL,
            data_preprocessor=dict(type='StreamDataPreprocessor', streams=dict(target=dict())),
        )
    )
    model.load_state_dict(torch.load(write_stage1(folder / 'stage1.pth'))['state_dict'])
    pipeline = [LoadHandModalities(('rgb',)), HandCrop(SIZE), *steps, PackHandInputs()]
    return model.train(), RHDDataset(root, num_samples=7, pipeline=pipeline)


def test_a_half_filled_refresh_is_finished(tmp_path, rhd_root, monkeypatch):
    model, hands = model_and_hands(tmp_path, rhd_root, DropLabels())
    labeler = AveragedLabels(model.codec, selector=dict(type='Quantile', keep=0.5))
    name = hands.metainfo['dataset_name']
    whole = PseudoLabelBank.create(tmp_path / 'whole', name, 7)
    state = torch.random.get_rng_state()
    means = BankFiller(model, labeler, hands, whole, 3).fill(0, 0.0)
    assert torch.equal(state, torch.random.get_rng_state()) and model.backbone.training
    expected = whole.read(range(7), refresh=0)
    assert whole.active == 0 and expected.written.all() and means['accepted'] == [4 / 7]
    assert sorted(expected.weight) == [0, 0, 0, 1, 1, 1, 1]
    assert expected.confidence[expected.weight > 0].max() <= expected.confidence[expected.weight == 0].min()

    half = PseudoLabelBank.create(tmp_path / 'half', name, 7)
    ids = [hands.labels_only(row)['sample_id'] for row in (0, 4, 5)]
    half.write(0, [0, 4, 5], ids, expected.labels[[0, 4, 5]], np.full(3, 9.0), expected.confidence[[0, 4, 5]])
    seen = []
    look = type(model).look
    monkeypatch.setattr(type(model), 'look', lambda self, rgb: (seen.append(len(rgb)), look(self, rgb))[1])
    BankFiller(model, labeler, hands, half, 4).fill(0, 0.0)
    assert seen == [4] and half.active == 0
    found = half.read(range(7), [hands.labels_only(row)['sample_id'] for row in range(7)])
    assert np.array_equal(found.weight, expected.weight)
    for key in ('labels', 'confidence'):  # other batches, so not bit for bit
        np.testing.assert_allclose(getattr(found, key), getattr(expected, key), rtol=1e-3, atol=1e-3)
    again = BankFiller(model, labeler, hands, half, 4).fill(1, 0.5)
    assert again['drift_px'][0] == pytest.approx(0, abs=1e-2) and half.active == 1
    assert float(labeler.selector.filled) == 0  # the window of training is not touched


def test_labels_of_the_bank_are_those_of_the_labeler(tmp_path, rhd_root):
    """Uncropped by hand: grid pixel to crop pixel to photo."""
    model, hands = model_and_hands(tmp_path, rhd_root, DropLabels())
    labeler = AveragedLabels(model.codec, correction=None)
    bank = PseudoLabelBank.create(tmp_path / 'bank', hands.metainfo['dataset_name'], 7)
    BankFiller(model, labeler, hands, bank, 7).fill(0, 0.0)
    sample = hands[5]
    data = model.data_preprocessor(dict(inputs={'img': sample['inputs']['img'][None]}))
    poses = model.look(data['inputs']['rgb'])
    pose = (poses['rgb'].pose25d + poses['fused'].pose25d)[0] / 2
    matrix = sample['targets']['crop_matrix'].double()
    crop_uv = torch.cat([pose[:, :2].double(), torch.ones(21, 1)], 1)  # the crop is as large as the grid
    uv = crop_uv @ torch.linalg.inv(matrix).T
    np.testing.assert_allclose(bank.read([5]).labels[0, :, :2], uv[:, :2], atol=2e-2)
    np.testing.assert_allclose(bank.read([5]).labels[0, :, 2], pose[:, 2].detach(), atol=1e-3)


def test_probe_of_the_truth_itself(tmp_path, rhd_root, monkeypatch):
    """Predictions that are 3 px off in u on the grid, one hand in two accepted."""
    model, hands = model_and_hands(tmp_path, rhd_root)
    truth = torch.stack([hands[row]['targets']['pose25d'] for row in range(7)])
    count = iter(range(3))

    def look(self, rgb):
        first = 3 * next(count)
        pose = truth[first : first + 3]
        blank = torch.zeros(len(pose), 1, 8, 8)
        shifts = dict(rgb=0.0, depth=3.0, fused=6.0)
        moved = {branch: pose + torch.tensor([shift, 0, 0]) for branch, shift in shifts.items()}
        return {branch: MultiModalPrediction(one, blank, blank) for branch, one in moved.items()}

    monkeypatch.setattr(type(model), 'look', look)
    labeler = AveragedLabels(model.codec, correction=None, selector=dict(type='Quantile', keep=0.5)).train()
    found = LabelProbe(model, hands, 3).measure(labeler, 0.0, whole=True)
    mm = []
    for row in range(7):  # 3 grid pixels are 3 crop pixels: X = 3 Z / f
        targets = hands[row]['targets']
        z = targets['root_depth'] + targets['pose25d'][:, 2] * targets['ref_length']
        mm.append(float((3 * z / targets['camera'][0, 0].abs()).mean()))
    assert found['rgb'] == pytest.approx(0, abs=1e-3)
    assert found['depth'] == pytest.approx(found['label']) == pytest.approx(np.mean(mm), rel=1e-4)
    assert found['fused'] == pytest.approx(2 * np.mean(mm), rel=1e-4)
    assert found['confidence'] == pytest.approx(9.0, rel=1e-3)  # both poses are 3 px from their mean
    assert labeler.training and float(labeler.selector.filled) == 0
    with pytest.raises(ConfigError, match=r"gives no \['pose25d'\]"):
        unlabelled = model_and_hands(tmp_path, rhd_root, DropLabels())[1]
        monkeypatch.undo()
        LabelProbe(model, unlabelled, 3).measure(labeler, 0.0)


def test_collapse():
    fine = dict(accepted=0.1, confidence=2.0, pose_std=1.0)
    assert collapse_warnings(2, fine, 9.0) == []
    (none,) = collapse_warnings(2, dict(fine, accepted=0.0), 9.0)
    assert 'in epoch 2' in none and 'mean C 2' in none
    (one,) = collapse_warnings(3, dict(fine, pose_std=0.8), 9.0)
    assert '0.8 px in epoch 3, and was 9 px' in one and 'teacher_momentum' in one
    assert collapse_warnings(1, dict(fine, pose_std=0.8), None) == []
