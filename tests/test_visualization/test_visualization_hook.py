"""The hook: files and their names, limits, broken photos, back ends, and no trace in training."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmengine.visualization import LocalVisBackend

from mmdualhand.errors import ConfigError
from mmdualhand.registry import HOOKS
from mmdualhand.structures import HandDataSample
from mmdualhand.visualization import HandVisualizationHook, prediction_panel, visualization_hook


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / 'fotoß.png'
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[..., 0] = 200
    path.write_bytes(cv2.imencode('.png', rgb[..., ::-1])[1].tobytes())
    return path


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def record(message: str, logger: Any = None, level: int = logging.INFO) -> None:
        if level == logging.WARNING:
            seen.append(message)

    monkeypatch.setattr(visualization_hook, 'print_log', record)
    return seen


def samples(photo: Path, *names: str) -> list[HandDataSample]:
    made = []
    for name in names:
        sample = HandDataSample(metainfo={'sample_id': name, 'img_path': str(photo)})
        sample.pred_instances = InstanceData(keypoints=np.full((1, 21, 2), 16.0))
        made.append(sample)
    return made


def fake_runner(tmp_path: Path, epoch: int = 0) -> Any:
    return SimpleNamespace(work_dir=str(tmp_path / 'run'), epoch=epoch)


def written(tmp_path: Path, folder: str = 'vis') -> list[str]:
    return sorted(path.name for path in (tmp_path / 'run' / folder).glob('*.png'))


def test_pictures_are_written_under_the_samples_names(tmp_path: Path, photo: Path) -> None:
    hook = HOOKS.build({'type': 'HandVisualizationHook', 'enable': True})
    runner = fake_runner(tmp_path)
    hook.before_test_epoch(runner)
    batch = samples(photo, '00012/left', '../a b')
    hook.after_test_iter(runner, 0, None, batch)
    hook.after_test_iter(runner, 1, None, samples(photo, '00013/right'))
    assert written(tmp_path) == ['000000_00012_left.png', '000001_.._a_b.png', '000002_00013_right.png']
    picture = cv2.imread(str(tmp_path / 'run/vis/000000_00012_left.png'))[..., ::-1]
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[..., 0] = 200
    assert np.array_equal(picture, prediction_panel(rgb, batch[0]))  # colours in RGB order on the way


def test_disabled_by_default_and_silent(tmp_path: Path, photo: Path) -> None:
    hook = HandVisualizationHook()
    hook.after_test_iter(fake_runner(tmp_path), 0, None, samples(photo, 'a'))
    hook.after_val_iter(fake_runner(tmp_path), 0, None, samples(photo, 'a'))
    assert not (tmp_path / 'run').exists()


def test_interval_and_limit_hold_for_each_epoch(tmp_path: Path, photo: Path) -> None:
    hook = HandVisualizationHook(enable=True, interval=2, max_images=2)
    for epoch in (3, 6):
        runner = fake_runner(tmp_path, epoch)
        hook.before_val_epoch(runner)
        hook.after_val_iter(runner, 0, None, samples(photo, *'abc'))
        hook.after_val_iter(runner, 1, None, samples(photo, *'defgh'))
        assert written(tmp_path, f'vis/epoch_{epoch}') == ['000000_a.png', '000002_c.png']


def test_folder_relative_to_the_run_or_absolute(tmp_path: Path, photo: Path) -> None:
    runner = fake_runner(tmp_path)
    hook = HandVisualizationHook(enable=True, out_dir='show/here')
    hook.after_test_iter(runner, 0, None, samples(photo, 'a'))
    assert written(tmp_path, 'show/here') == ['000000_a.png']
    elsewhere = tmp_path / 'elsewhere'
    hook = HandVisualizationHook(enable=True, out_dir=str(elsewhere))
    hook.after_test_iter(runner, 0, None, samples(photo, 'a'))
    assert [path.name for path in elsewhere.iterdir()] == ['000000_a.png']


def test_names_of_ranks_are_positions_in_the_data_set(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the unshuffled DefaultSampler deals samples 0..4 as 0 2 4 and 1 3 (0 again, to fill up)
    for rank, names in enumerate((['s0', 's2', 's4'], ['s1', 's3', 's0'])):
        monkeypatch.setattr(visualization_hook, 'get_dist_info', lambda rank=rank: (rank, 2))
        hook = HandVisualizationHook(enable=True)
        hook.after_test_iter(fake_runner(tmp_path), 0, None, samples(photo, *names))
    assert written(tmp_path) == [
        '000000_s0.png', '000001_s1.png', '000002_s2.png', '000003_s3.png', '000004_s4.png', '000005_s0.png',
    ]  # fmt: skip


@pytest.mark.parametrize('content', [None, b'', b'no picture'])
def test_broken_photo_is_a_warning_and_the_run_goes_on(
    tmp_path: Path, photo: Path, warnings: list[str], content: bytes | None
) -> None:
    broken = tmp_path / 'broken.png'
    if content is not None:
        broken.write_bytes(content)
    batch = samples(broken, 'bad/left') + samples(photo, 'good')
    HandVisualizationHook(enable=True, max_images=1).after_test_iter(fake_runner(tmp_path), 0, None, batch)
    assert written(tmp_path) == ['000001_good.png']
    assert len(warnings) == 1
    assert str(broken) in warnings[0] and 'bad/left' in warnings[0]


def test_unwritable_picture_is_a_warning(tmp_path: Path, photo: Path, warnings: list[str]) -> None:
    (tmp_path / 'run').write_text('a file where the folder should be')
    HandVisualizationHook(enable=True).after_test_iter(fake_runner(tmp_path), 0, None, samples(photo, 'a'))
    assert len(warnings) == 1 and '000000_a.png cannot be written' in warnings[0]


def test_sample_without_name_or_outputs(tmp_path: Path, photo: Path) -> None:
    hook = HandVisualizationHook(enable=True)
    hook.after_test_iter(fake_runner(tmp_path), 0, None, None)
    hook.after_test_iter(fake_runner(tmp_path), 0, None, [HandDataSample(metainfo={'img_path': str(photo)})])
    assert written(tmp_path) == ['000000_foto_.png']


def test_long_sample_id_is_cut_to_a_legal_file_name() -> None:
    name = visualization_hook.picture_name(7, 'x' * 500)
    assert name == f'000007_{"x" * 120}.png'


def test_training_steps_are_not_touched() -> None:
    for stage in ('before_train_iter', 'after_train_iter', 'before_train_epoch'):
        assert getattr(HandVisualizationHook, stage) is getattr(Hook, stage)
    stages = HandVisualizationHook(enable=True).get_triggered_stages()
    assert [stage for stage in stages if 'train' in stage or 'checkpoint' in stage] == ['after_train_epoch']


class Backend:
    """A back end of a visualizer that keeps what it is given."""

    def __init__(self) -> None:
        self.pictures: list[tuple[str, int, np.ndarray]] = []

    def add_image(self, name: str, image: np.ndarray, step: int = 0) -> None:
        self.pictures.append((name, step, image))


def test_first_pictures_go_to_the_other_back_ends(tmp_path: Path, photo: Path) -> None:
    backend, local = Backend(), LocalVisBackend(str(tmp_path / 'local'))
    runner = fake_runner(tmp_path, epoch=2)
    runner.iter = 60
    runner.visualizer = SimpleNamespace(_vis_backends={'theirs': backend, 'local': local})
    hook = HandVisualizationHook(enable=True, logged_images=2)
    hook.before_val_epoch(runner)
    batch = samples(photo, *'abc')
    hook.after_val_iter(runner, 0, None, batch)
    assert [one[:2] for one in backend.pictures] == [('validation/a', 60), ('validation/b', 60)]
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[..., 0] = 200
    assert np.array_equal(backend.pictures[0][2], prediction_panel(rgb, batch[0]))
    assert not (tmp_path / 'local').exists() and len(written(tmp_path, 'vis/epoch_2')) == 3
    hook.before_test_epoch(runner)
    hook.after_test_iter(runner, 0, None, batch)
    assert [one[0] for one in backend.pictures[2:]] == ['test/a', 'test/b']


class Network(torch.nn.Module):
    """Predicts one place and disturbs whatever a careless look would disturb."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(2)
        self.frozen = torch.nn.BatchNorm1d(2).eval()

    def test_step(self, batch: dict[str, Any]) -> list[HandDataSample]:
        torch.rand(3), np.random.rand(3)
        assert not self.training and not torch.is_grad_enabled()
        self.norm(torch.rand(4, 2))
        for sample in batch['data_samples']:
            sample.pred_instances = InstanceData(keypoints=np.full((1, 21, 2), 16.0))
        return batch['data_samples']


def test_test_pictures_are_drawn_after_an_epoch_of_training(tmp_path: Path, rhd_root: Path) -> None:
    dataset = dict(
        type='RHDDataset',
        data_root=str(rhd_root),
        split='evaluation',
        selection=dict(min_visible=0, min_crop_side=1.0),
        pipeline=[
            dict(type='LoadHandModalities', modalities=('rgb',)),
            dict(type='HandCrop', input_size=(64, 64)),
            dict(type='PackHandInputs'),
        ],
    )
    runner = fake_runner(tmp_path, epoch=4)
    runner.model, runner.cfg = Network().train(), Config(dict(test_dataloader=dict(dataset=dataset)))
    runner.model.frozen.eval()
    state = {key: value.clone() for key, value in runner.model.state_dict().items()}
    torch.manual_seed(3), np.random.seed(3)
    expected = torch.rand(2), np.random.rand(2)
    torch.manual_seed(3), np.random.seed(3)
    with DefaultScope.overwrite_default_scope('mmdualhand'):
        HandVisualizationHook(enable=True, train_images=2).after_train_epoch(runner)
        HandVisualizationHook(enable=True).after_train_epoch(runner)
        HandVisualizationHook(train_images=2).after_train_epoch(runner)
    assert len(written(tmp_path, 'vis/training/epoch_5')) == 2
    assert torch.equal(torch.rand(2), expected[0]) and np.array_equal(np.random.rand(2), expected[1])
    assert runner.model.norm.training and not runner.model.frozen.training
    assert all(torch.equal(value, state[key]) for key, value in runner.model.state_dict().items())


def test_training_pictures_need_test_pictures(tmp_path: Path) -> None:
    runner = fake_runner(tmp_path)
    runner.model, runner.cfg = Network(), Config({})
    with pytest.raises(ConfigError, match='test_dataloader'):
        HandVisualizationHook(enable=True, train_images=1).after_train_epoch(runner)


def test_wrong_options_are_named() -> None:
    with pytest.raises(ValueError, match='interval must be at least 1, got 0'):
        HandVisualizationHook(interval=0)
    with pytest.raises(ValueError, match='train_images and logged_images'):
        HandVisualizationHook(train_images=-1)
    with pytest.raises(ValueError, match='max_images must be None or at least 0, got -1'):
        HandVisualizationHook(max_images=-1)
