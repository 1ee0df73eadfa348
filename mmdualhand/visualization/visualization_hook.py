"""The hook that writes predictions on photos while a test or a validation runs."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
from mmengine.dist import get_dist_info
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmdualhand.datasets.image_io import read_picture
from mmdualhand.errors import HandUserError
from mmdualhand.registry import HOOKS
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
    """Write a :func:`prediction_panel` of the samples of a test or validation.

    Does nothing in training. A photo that cannot be read, or a picture that
    cannot be written, is a warning that names the file, and the run goes on.

    Args:
        enable: Draw at all; ``--show-dir`` sets it.
        interval: Draw every ``interval``-th sample of each process.
        max_images: Pictures a process draws in one test or validation; no limit where None.
        out_dir: Folder of the pictures, relative to the run's ``work_dir``
            unless absolute. A test writes into it, the validation after epoch
            ``n`` into its subfolder ``epoch_n``.

    Raises:
        ValueError: ``interval`` below 1 or ``max_images`` below 0.

    Note:
        A picture's name begins with the sample's position in the data set under
        mmengine's unshuffled ``DefaultSampler``, which deals samples out to the
        processes in turn: names of different processes never collide.
    """

    def __init__(
        self, enable: bool = False, interval: int = 1, max_images: int | None = None, out_dir: str = 'vis'
    ) -> None:
        if interval < 1:
            raise ValueError(f'interval must be at least 1, got {interval}')
        if max_images is not None and max_images < 0:
            raise ValueError(f'max_images must be None or at least 0, got {max_images}')
        self.enable = enable
        self.interval = interval
        self.max_images = max_images
        self.out_dir = out_dir
        self._seen = 0
        self._drawn = 0

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
        self._draw_batch(self._folder(runner) / f'epoch_{runner.epoch}', outputs)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[HandDataSample] | None = None,
    ) -> None:
        """Draw this batch's samples into ``out_dir``."""
        self._draw_batch(self._folder(runner), outputs)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Say where the pictures are."""
        if self._drawn:
            print_log(f'{self._drawn} pictures of predictions in {self._folder(runner)}', logger='current')

    def _folder(self, runner: Runner) -> Path:
        return Path(runner.work_dir) / self.out_dir

    def _draw_batch(self, folder: Path, outputs: Sequence[HandDataSample] | None) -> None:
        if not self.enable:
            return
        rank, world_size = get_dist_info()
        for sample in outputs or ():
            position = self._seen
            self._seen += 1
            full = self.max_images is not None and self._drawn >= self.max_images
            if position % self.interval == 0 and not full:
                self._drawn += self._draw(folder, position * world_size + rank, sample)

    def _draw(self, folder: Path, index: int, sample: HandDataSample) -> bool:
        """Write one picture; False, after a warning, where photo or picture fails."""
        path = str(sample.metainfo.get('img_path', ''))
        sample_id = str(sample.metainfo.get('sample_id') or Path(path).stem)
        try:
            photo = read_picture(path, sample_id, color=True)
        except (HandUserError, OSError) as error:
            _warn(f'no picture of a prediction: {error}')
            return False
        sheet = cv2.cvtColor(prediction_panel(photo, sample), cv2.COLOR_RGB2BGR)
        target = folder / picture_name(index, sample_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            target.write_bytes(cv2.imencode('.png', sheet)[1].tobytes())
        except OSError as error:
            _warn(f'no picture of a prediction: {target} cannot be written ({error})')
            return False
        return True
