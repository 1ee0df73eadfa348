"""The checks for third parties pass what is right and name what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mmdualhand.datasets import BaseHandDataset
from mmdualhand.datasets.transforms import HandCrop, LoadHandModalities, PackHandInputs
from mmdualhand.models import DualModalityEstimator
from mmdualhand.registry import MODELS
from mmdualhand.structures import Camera, chirality_vote
from mmdualhand.testing import (
    ContractError,
    check_dataset,
    check_encoder,
    check_estimator,
    draw_hand,
    random_hand,
    tiny_batch,
    tiny_estimator,
    tiny_sample,
)
from mmdualhand.testing.contract import difference


def block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 2, 1), nn.BatchNorm2d(outputs), nn.ReLU())


class Good(nn.Module):
    """The smallest right encoder; the others break one thing each."""

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        self.stage_channels: Any = [4, 6]
        self.first, self.second = block(in_channels, 4), block(4, 6)

    def stem(self, x: Tensor) -> Tensor:
        return self.first(x)

    @property
    def stages(self) -> Any:
        return [self.second]


class WrongChannels(Good):
    def __init__(self) -> None:
        super().__init__()
        self.stage_channels = [4, 8]


class TooFewChannels(Good):
    def __init__(self) -> None:
        super().__init__()
        self.stage_channels = [4]


class Pooled(Good):
    @property
    def stages(self) -> Any:
        return [lambda x: self.second(x).mean((2, 3))]


class Negative(Good):
    def __init__(self) -> None:
        super().__init__()
        self.second[2] = nn.Identity()


class Unused(Good):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 10)


class Detached(Good):
    @property
    def stages(self) -> Any:
        return [lambda x: self.second(x).detach()]


class RootAtZero(Good):
    @property
    def stages(self) -> Any:
        return [lambda x: self.second(x) + (x - x.detach()).square().sum().sqrt()]


class Hidden(Good):
    """Keeps a stage where no parameter is found."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = [block(4, 6)]
        del self.second

    @property
    def stages(self) -> Any:
        return self.hidden


class Frozen(Good):
    """Its stages are made once and belong to the original of a copy."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = [lambda x: self.second(x)]

    @property
    def stages(self) -> Any:
        return self.calls


class AlwaysRandom(Good):
    def stem(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(self.first(x), 0.5, training=True)


class OverTheBatch(Good):
    def stem(self, x: Tensor) -> Tensor:
        return self.first(x) / (self.first(x).mean() + 0.01)


class InPlace(Good):
    @property
    def stages(self) -> Any:
        return [lambda x: self.second(x if self.training else x.mul_(2))]


class Forgetful(Good):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('scale', torch.rand(1) + 1, persistent=False)

    def stem(self, x: Tensor) -> Tensor:
        return self.first(x) * self.scale

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        self.scale = self.scale + 1
        return super().load_state_dict(*args, **kwargs)


@pytest.mark.parametrize('in_channels', [1, 3])
def test_a_good_encoder_passes_and_stays_as_it_was(in_channels: int) -> None:
    encoder = Good(in_channels).eval()
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    state = torch.get_rng_state()
    assert check_encoder(encoder, in_channels) == [(4, 32, 32), (6, 16, 16)]
    assert torch.equal(torch.get_rng_state(), state)
    assert not encoder.training and isinstance(encoder.first[1], nn.BatchNorm2d)
    assert all(torch.equal(value, before[key]) for key, value in encoder.state_dict().items())


@pytest.mark.parametrize(
    ('encoder', 'sentence'),
    [
        (nn.Sequential, r'lacks `stem`'),
        (TooFewChannels, r'stage_channels must name'),
        (WrongChannels, r'stage 0 returns 6 channels, but stage_channels\[1\] is 8'),
        (Pooled, r'stage 0 must return \(4, C, h, w\)'),
        (Negative, r'features after stage 0 in train mode reach -.*end the stem and every stage in a ReLU'),
        (Unused, r'2 parameters get no gradient \(fc.weight, fc.bias\)'),
        (Detached, r'no gradient reaches'),
        (RootAtZero, r'gradient that is not finite'),
        (Hidden, r'stages\[0\] is a module that Hidden does not hold'),
        (Frozen, r'a deep copy computes stage 0 with the weights of its original'),
        (AlwaysRandom, r'different features for one input in eval mode'),
        (OverTheBatch, r'after the stem depend on the other rows'),
        (InPlace, r'stage 0 changes its input in place'),
        (Forgetful, r'after loading its state dict a copy gives other features'),
    ],
)
def test_a_broken_encoder_is_told_what_to_mend(encoder: type[nn.Module], sentence: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(ContractError, match=sentence):
        check_encoder(encoder())


def test_a_copy_that_keeps_the_old_stages_is_found_in_a_config_too() -> None:
    MODELS.register_module(module=Frozen, name='FrozenStagesForTest', force=True)
    with pytest.raises(ContractError, match='with the weights of its original'):
        check_encoder(dict(type='FrozenStagesForTest'))


def test_other_channels_are_refused() -> None:
    with pytest.raises(ValueError, match='got 4'):
        check_encoder(Good(4), 4)


def test_estimators_of_every_kind_pass() -> None:
    check_estimator(tiny_estimator())
    check_estimator(tiny_estimator(branches=('rgb',), contrast=[]))
    check_estimator(tiny_estimator(test_cfg=dict(branches=('rgb', 'depth', 'fused'))))


class Misnamed(DualModalityEstimator):
    def loss(self, *args: Any) -> dict[str, Tensor]:
        return {**super().loss(*args), 'monitor_loss': torch.zeros(())}


class NotFinite(DualModalityEstimator):
    def loss(self, *args: Any) -> dict[str, Tensor]:
        return {key: value / 0 for key, value in super().loss(*args).items()}


class Blind(DualModalityEstimator):
    def loss(self, *args: Any) -> dict[str, Tensor]:
        return {k: v for k, v in super().loss(*args).items() if 'pose' not in k}


class Cropped(DualModalityEstimator):
    def predict(self, *args: Any) -> Any:
        samples = super().predict(*args)
        for sample in samples:
            sample.pred_instances.keypoints = sample.pred_instances.keypoints + 4
        return samples


class Flat(DualModalityEstimator):
    def predict(self, *args: Any) -> Any:
        samples = super().predict(*args)
        for sample in samples:
            del sample.pred_instances.keypoint_scores
        return samples


class Unsafe(DualModalityEstimator):
    def get_extra_state(self) -> Any:
        return Path('x')

    def set_extra_state(self, state: Any) -> None:
        pass


@pytest.mark.parametrize(
    ('kind', 'sentence'),
    [
        (Misnamed, "'monitor_loss' would be added to the loss"),
        (NotFinite, 'loss_.* must be finite'),
        (Blind, r'1 parameters get no gradient \(head.codec.log_beta\)'),
        (Cropped, r'project 5\.66 px from keypoints'),
        (Flat, 'pred_instances.keypoint_scores must be finite with shape'),
        (Unsafe, 'does not load with weights_only=True'),
    ],
)
def test_a_broken_estimator_is_told_what_to_mend(kind: type[nn.Module], sentence: str) -> None:
    config = tiny_estimator(branches=('rgb',), contrast=[])
    config.pop('type')
    with pytest.raises(ContractError, match=sentence):
        check_estimator(kind(**config))


class Folder(BaseHandDataset):
    """Four hands in files; ``fault`` breaks one thing."""

    dataset_name = 'folder'

    def __init__(self, data_root: Path, fault: str = '', **kwargs: Any) -> None:
        self.fault = fault
        self.kept: dict[int, Any] = {}
        super().__init__(data_root, num_checked=0, **kwargs)
        if fault == 'open file':
            self.file = open(Path(data_root) / '0.png', 'rb')

    @property
    def metainfo(self) -> dict[str, Any]:
        info = super().metainfo
        return {**info, 'parents': tuple(info['parents'])} if self.fault == 'tuple' else info

    def num_records(self) -> int:
        return 4

    def load_record(self, index: int) -> Any:
        record = json.loads((self.data_root / f'{index}.json').read_text())
        record = {key: np.array(value) if isinstance(value, list) else value for key, value in record.items()}
        record['mask_values'] = (1, 1)
        record['img_path'], record['depth_path'], record['mask_path'] = (
            str(self.data_root / f'{kind}{index}.png') for kind in ('', 'd', 'm')
        )
        if self.fault == 'shared':
            record = self.kept.setdefault(index, record)
        if self.fault == 'names':
            record['sample_id'] = 'hand'
        if self.fault == 'metres':
            record['keypoints_3d'] = record['keypoints_3d'] / 1000
        if self.fault == 'order':
            record['keypoints_2d'] = record['keypoints_2d'][::-1]
        if self.fault == 'float32':
            record['keypoints_2d'] = record['keypoints_2d'].astype(np.float32)
        if self.fault == 'extra':
            record['keypoint_3d'] = record['keypoints_3d']
        if self.fault == 'depth':
            record['camera'], record['keypoints_3d'] = record['camera'], record['keypoints_3d'] * 1.5
        if self.fault == 'mask':
            record['mask_values'] = (7, 9)
        return dict(record)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, rng = tmp_path_factory.mktemp('folder'), np.random.default_rng(3)
    camera = np.array([[180.0, 0, 80], [0, 180, 60], [0, 0, 1]])
    for i in range(4):
        joints = random_hand(rng)
        photo, depth, mask = draw_hand(joints, camera, (160, 120), rng)
        cv2.imwrite(str(root / f'{i}.png'), photo)
        cv2.imwrite(str(root / f'd{i}.png'), depth.astype(np.uint16))
        cv2.imwrite(str(root / f'm{i}.png'), mask)
        record = dict(
            sample_id=str(i), hand_side='right', depth_encoding='millimetre', camera=camera.tolist(),
            keypoints_3d=joints.tolist(), keypoints_2d=Camera(camera).project(joints).tolist(),
        )  # fmt: skip
        (root / f'{i}.json').write_text(json.dumps(record))
    return root


def noise(results: dict[str, Any]) -> dict[str, Any]:
    """A transform that draws from the global generator."""
    results['img'] = results['img'] ^ np.random.randint(0, 255, results['img'].shape).astype(np.uint8)
    return results


def shift(results: dict[str, Any]) -> dict[str, Any]:
    """A transform that changes its input in place."""
    results['keypoints_2d'] += 1
    return results


LOAD, CROP, PACK = LoadHandModalities(('rgb',)), HandCrop(64), PackHandInputs()


@pytest.mark.parametrize('pipeline', [(), (LOAD, CROP, PACK), (LOAD, HandCrop(32, augment={}), PACK)])
def test_a_good_dataset_passes(folder: Path, pipeline: tuple) -> None:
    dataset = Folder(folder, pipeline=pipeline)
    check_dataset(dataset)
    assert dataset.pipeline == list(pipeline)


@pytest.mark.parametrize(
    ('fault', 'pipeline', 'sentence'),
    [
        ('tuple', (), r"metainfo\['parents'\] must be a list"),
        ('names', (), r"samples 0 and 1 are both called 'hand'"),
        ('metres', (), r'looks like metres'),
        ('order', (), r'keypoints_3d project \d+\.\d px \(median\)'),
        ('float32', (), r'keypoints_2d must be a numpy array of float64, got float32'),
        ('extra', (), r'nothing reads keypoint_3d'),
        ('depth', (), r'measured depth is \d+ mm \(median\) from the joints'),
        ('mask', (), r'the mask is empty; check mask_values'),
        ('open file', (), r'cannot be pickled'),
        ('', (LOAD, noise, CROP, PACK), r'differs between two runs of the same seed \(inputs\.img\)'),
        ('shared', (LOAD, shift, CROP, PACK), r'the pipeline changed keypoints_2d of record 0'),
        ('', (LOAD, CROP), r'end the pipeline in PackHandInputs'),
        ('', (LOAD, HandCrop(64, augment=dict(scale=(1.0, 1.0))), PACK), None),
    ],
)
def test_a_broken_dataset_is_told_what_to_mend(
    folder: Path, fault: str, pipeline: tuple, sentence: str | None
) -> None:
    dataset = Folder(folder, fault, pipeline=pipeline)
    if sentence is None:
        check_dataset(dataset)
        return
    with pytest.raises(ContractError, match=sentence):
        check_dataset(dataset)


def test_a_dataset_must_have_the_base_class() -> None:
    with pytest.raises(ContractError, match='must be a subclass of BaseHandDataset'):
        check_dataset(torch.utils.data.TensorDataset(torch.zeros(1)))


def test_made_up_hands_are_hands() -> None:
    rng = np.random.default_rng(0)
    for side in ('left', 'right'):
        hands = np.stack([random_hand(rng, side, 600.0) for _ in range(20)])
        assert chirality_vote(hands) == side
        assert np.allclose(hands[:, 9, 2], 600.0) and hands[..., 2].min() > 350
        assert np.allclose(np.linalg.norm(hands[:, 10] - hands[:, 9], axis=-1), 44.0)
    with pytest.raises(ValueError, match="got 'both'"):
        random_hand(rng, 'both')
    with pytest.raises(ValueError, match='at least 250'):
        random_hand(rng, root_depth=100)


def test_the_picture_shows_the_hand() -> None:
    rng = np.random.default_rng(1)
    camera, joints = np.array([[180.0, 0, 80], [0, 180, 60], [0, 0, 1]]), random_hand(rng)
    photo, depth, mask = draw_hand(joints, camera, (160, 120), rng)
    assert photo.shape == (120, 160, 3) and photo.dtype == np.uint8
    u, v = np.rint(Camera(camera).project(joints)).astype(int).T
    assert mask[v, u].all() and (depth[v, u] <= joints[:, 2] + 1).all()
    nearest = joints[:, 2].argmin()
    assert depth[v[nearest], u[nearest]] == pytest.approx(joints[nearest, 2] - 9, abs=1e-3)
    assert (depth[mask == 0] == 1500).all()


def test_tiny_batch() -> None:
    batch = tiny_batch(3, (64, 32), depth=False, seed=5)
    assert tuple(batch['inputs']) == ('img',) and tuple(batch['inputs']['img'].shape) == (3, 3, 32, 64)
    assert batch['targets']['mirrored'].tolist() == [False, True, False]
    again = tiny_sample(1, (64, 32), depth=False, seed=5)
    assert torch.equal(again['inputs']['img'], batch['inputs']['img'][1])
    assert torch.equal(again['targets']['pose25d'], batch['targets']['pose25d'][1])
    other = tiny_sample(1, (64, 32), depth=False, seed=6)
    assert not torch.equal(again['targets']['pose25d'], other['targets']['pose25d'])


@pytest.mark.parametrize(
    ('first', 'second', 'where'),
    [
        (dict(a=[1, np.array([1.0, np.nan])]), dict(a=[1, np.array([1.0, np.nan])]), None),
        (dict(a=[1, np.array([1.0, 2.0])]), dict(a=[1, np.array([1.0, 3.0])]), 'a[1]'),
        (dict(a=dict(b=torch.ones(2))), dict(a=dict(b=torch.ones(3))), 'a.b'),
        (dict(a=1), dict(b=1), 'keys'),
        (dict(a=[1]), dict(a=[1, 2]), 'a'),
        (1, 1.0, 'type'),
        (np.zeros(2, np.float32), np.zeros(2), 'value'),
        (tiny_sample(0), tiny_sample(0), None),
    ],
)
def test_difference(first: Any, second: Any, where: str | None) -> None:
    assert difference(first, second) == where
