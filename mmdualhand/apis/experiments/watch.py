"""What a training says of itself while it runs: what it cost so far, and how far it is."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

COST = 'cost'
"""Key of a checkpoint's ``meta``: wall-clock and CPU seconds that its weights took."""
PROGRESS = 'progress'
"""File in a training's folder: steps done, steps in all."""
_EVERY_SECONDS = 1.0


class CostHook(Hook):
    """Writes into every checkpoint how many seconds the training took up to there.

    An interrupted run that is resumed goes on counting from its checkpoint, so
    what was computed and lost does not count.

    Attributes:
        seconds: Wall-clock seconds of training so far.
        cpu_seconds: CPU seconds of all threads of this process so far.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._before = (0.0, 0.0)
        self._start = (time.perf_counter(), time.process_time())

    @property
    def seconds(self) -> float:
        """See the class."""
        return self._before[0] + time.perf_counter() - self._start[0]

    @property
    def cpu_seconds(self) -> float:
        """See the class."""
        return self._before[1] + time.process_time() - self._start[1]

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Go on counting, where the run is resumed."""
        if runner._resume:
            cost = checkpoint.get('meta', {}).get(COST, {})
            self._before = (float(cost.get('seconds', 0.0)), float(cost.get('cpu_seconds', 0.0)))

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        self._start = (time.perf_counter(), time.process_time())

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Write down what it took."""
        checkpoint['meta'][COST] = {'seconds': self.seconds, 'cpu_seconds': self.cpu_seconds}


class ProgressHook(Hook):
    """Writes how far a training is, and ends it when the process that started it is gone.

    Args:
        file: Where to write.
        parent: Process to live and die with; None for none.
    """

    priority = 'VERY_LOW'

    def __init__(self, file: Path, parent: int | None = None) -> None:
        self._file, self._parent, self._last = file, parent, 0.0

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Write, at most once a second.

        Raises:
            SystemExit: Nobody waits for this training any more.
        """
        now = time.perf_counter()
        if now - self._last < _EVERY_SECONDS:
            return
        self._last = now
        leave_if_alone(self._parent)
        self._file.write_text(f'{runner.iter + 1} {runner.max_iters}\n', encoding='utf-8')


def leave_if_alone(parent: int | None) -> None:
    """End this process where the one that started it is gone.

    Args:
        parent: The process that started it; None for none.

    Raises:
        SystemExit: It is gone.
    """
    if parent is not None and os.getppid() != parent:
        raise SystemExit('the process that started this training is gone; it goes on when started again')


def read_progress(folder: Path) -> tuple[int, int] | None:
    """Steps done and steps in all of a training that runs; None where it has not said yet."""
    try:
        done, total = (folder / PROGRESS).read_text(encoding='utf-8').split()
        return int(done), int(total)
    except (OSError, ValueError):
        return None
