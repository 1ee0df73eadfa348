"""The hook that writes predictions on photos while a test, a validation or a training runs."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dist import get_dist_info
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.visualization import LocalVisBackend
from torch import nn

from mmdualhand.datasets.image_io import read_picture
from mmdualhand.engine.labels.batches import clean_batches
from mmdualhand.errors import ConfigError, HandUserError
from mmdualhand.registry import DATASETS, HOOKS
from mmdualhand.structures import HandDataSample
from mmdualhand.visualization.sample_panel import prediction_panel

_LONGEST_NAME = 120  # characters of a sample id that go into a file name


def _warn(message: str) -> None:
    print_log(message, logger='current', level=logging.WARNING)


def picture_name(index: int, sample_id: str) -> str:
    """File name of a sample's picture: ``000012_00012_left.png``.

    Args:
        index: Position of the sample in the data set.
        sample_id: Its name; every character but letters, digits, ``.``, ``+``,
            ``-`` and ``_`` becomes ``_``, so that ``00012/left`` makes no folder.

    Returns:
        A name without folder, at most 131 characters for indices below a million.
    """
    return f'{index:06d}_{re.sub(r"[^A-Za-z0-9.+_-]", "_", sample_id)[:_LONGEST_NAME]}.png'


@HOOKS.register_module()
class HandVisualizationHook(Hook):
    """Write a :func:`prediction_panel` of the samples of a test or validation, and of some in training.

    The first pictures also go to those back ends of the run's visualizer that keep pictures
    elsewhere (``TensorboardVisBackend``, ``WandbVisBackend`` and so on). A photo that cannot be
    read, or a picture that cannot be written, is a warning that names the file, and the run goes on.

    Args:
        enable: Draw at all; ``--show-dir`` sets it.
        interval: Draw every ``interval``-th sample of each process.
        max_images: Pictures a process draws in one test or validation; no limit where None.
        out_dir: Folder of the pictures, relative to the run's ``work_dir``
            unless absolute. A test writes into it, the validation after epoch
            ``n`` into its subfolder ``epoch_n``.
        train_images: Test pictures of the config, evenly spread, that are drawn after every
            epoch of a training, with or without validation, into ``training/epoch_n``. The
            training goes on as if nobody had looked.
        logged_images: Pictures of a test, a validation or an epoch that go to the other back ends.

    Raises:
        ValueError: ``interval`` below 1, or another number below 0.

    Note:
        A picture's name begins with the sample's position in the data set under
        mmengine's unshuffled ``DefaultSampler``, which deals samples out to the
        processes in turn: names of different processes never collide.
    """

    def __init__(
        self,
        enable: bool = False,
        interval: int = 1,
        max_images: int | None = None,
        out_dir: str = 'vis',
        train_images: int = 0,
        logged_images: int = 8,
    ) -> None:
        if interval < 1:
            raise ValueError(f'interval must be at least 1, got {interval}')
        if max_images is not None and max_images < 0:
            raise ValueError(f'max_images must be None or at least 0, got {max_images}')
        if train_images < 0 or logged_images < 0:
            raise ValueError(
                f'train_images and logged_images must be at least 0, got {train_images} and {logged_images}'
            )
        self.enable = enable
        self.interval = interval
        self.max_images = max_images
        self.out_dir = out_dir
        self.train_images = train_images
        self.logged_images = logged_images
        self._seen = 0
        self._drawn = 0
        self._dataset: Any = None

    def before_val_epoch(self, runner: Runner) -> None:
        """Count samples from zero."""
        self._seen = self._drawn = 0

    def before_test_epoch(self, runner: Runner) -> None:
        """Count samples from zero."""
        self._seen = self._drawn = 0

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[HandDataSample] | None = None,
    ) -> None:
        """Draw this batch's samples into ``out_dir/epoch_<n>``."""
        self._draw_batch(runner, f'epoch_{runner.epoch}', outputs)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[HandDataSample] | None = None,
    ) -> None:
        """Draw this batch's samples into ``out_dir``."""
        self._draw_batch(runner, '', outputs)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Say where the pictures are."""
        if self._drawn:
            print_log(f'{self._drawn} pictures of predictions in {self._folder(runner)}', logger='current')

    def after_train_epoch(self, runner: Runner) -> None:
        """Draw what the network makes of some test pictures now.

        Raises:
            ConfigError: Pictures are asked for and the config has no ``test_dataloader``.
        """
        if not (self.enable and self.train_images) or get_dist_info()[0] != 0:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        with _as_if_nobody_looked(model):
            if self._dataset is None:
                self._dataset = _test_pictures(runner)
            size = len(self._dataset)
            count = min(self.train_images, size)
            rows = [int((place + 0.5) * size / count) for place in range(count)]
            batches = clean_batches(self._dataset, rows, 16)
            samples = [sample for batch in batches for sample in model.test_step(batch)]
        folder = self._folder(runner) / 'training' / f'epoch_{runner.epoch + 1}'
        for place, (row, sample) in enumerate(zip(rows, samples, strict=True)):
            self._draw(runner, folder, row, sample, 'training', place < self.logged_images)

    def _folder(self, runner: Runner) -> Path:
        return Path(runner.work_dir) / self.out_dir

    def _draw_batch(self, runner: Runner, part: str, outputs: Sequence[HandDataSample] | None) -> None:
        """``part``: subfolder of a validation, empty in a test."""
        if not self.enable:
            return
        folder, kind = self._folder(runner) / part, 'validation' if part else 'test'
        rank, world_size = get_dist_info()
        for sample in outputs or ():
            position = self._seen
            self._seen += 1
            full = self.max_images is not None and self._drawn >= self.max_images
            if position % self.interval == 0 and not full:
                index, logged = position * world_size + rank, self._drawn < self.logged_images
                self._drawn += self._draw(runner, folder, index, sample, kind, logged)

    def _draw(
        self, runner: Runner, folder: Path, index: int, sample: HandDataSample, kind: str, logged: bool
    ) -> bool:
        """Write one picture; False, after a warning, where photo or picture fails."""
        path = str(sample.metainfo.get('img_path', ''))
        sample_id = str(sample.metainfo.get('sample_id') or Path(path).stem)
        try:
            photo = read_picture(path, sample_id, color=True)
        except (HandUserError, OSError) as error:
            _warn(f'no picture of a prediction: {error}')
            return False
        picture = prediction_panel(photo, sample)
        if logged:
            _log_picture(runner, f'{kind}/{sample_id}', picture)
        sheet = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        target = folder / picture_name(index, sample_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            target.write_bytes(cv2.imencode('.png', sheet)[1].tobytes())
        except OSError as error:
            _warn(f'no picture of a prediction: {target} cannot be written ({error})')
            return False
        return True


def _log_picture(runner: Runner, name: str, picture: np.ndarray) -> None:
    """Give a picture to the back ends that do not write files beside ours."""
    backends = getattr(getattr(runner, 'visualizer', None), '_vis_backends', {})
    for backend in backends.values():
        if not isinstance(backend, LocalVisBackend):
            backend.add_image(name, picture, step=runner.iter)


def _test_pictures(runner: Runner) -> Any:
    loader = runner.cfg.get('test_dataloader') or runner.cfg.get('val_dataloader')
    if not loader:
        raise ConfigError(
            'train_images of HandVisualizationHook draws test pictures: the config needs a test_dataloader'
        )
    return DATASETS.build(dict(loader['dataset']))


@contextmanager
def _as_if_nobody_looked(model: nn.Module) -> Iterator[None]:
    """The network in eval mode without gradients; modes and random numbers as before afterwards."""
    modes = [(part, part.training) for part in model.modules()]
    state, legacy = random.getstate(), np.random.get_state()
    model.eval()
    try:
        with torch.random.fork_rng(), torch.no_grad():
            yield
    finally:
        random.setstate(state)
        np.random.set_state(legacy)
        for part, mode in modes:
            part.training = mode
