"""What the user sees of an experiment while it runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import Progress, TaskID

from mmdualhand.apis.experiments import Outcome, Task, Watcher
from mmdualhand.apis.experiments.time_left import TimeLeft
from mmdualhand.apis.experiments.watch import read_progress
from mmdualhand.cli.progress import bars, in_words

_LINE_EVERY_SECONDS = 60.0


class JobWatcher(Watcher):
    """Bars with the time left on a terminal, lines otherwise; a context manager.

    Args:
        work_dir: Folder with a folder for every training.
        on_done: Is told the name of every job that is done, and the seconds of its process.

    Attributes:
        failed: Names of the jobs that failed or were left out.
    """

    def __init__(self, work_dir: Path, on_done: Callable[[str, float], None] | None = None) -> None:
        self._total, self._work_dir, self._on_done = 0, work_dir, on_done
        self._console = Console(file=sys.stderr)
        self._bars: Progress | None = bars(self._console) if self._console.is_terminal else None
        self._all: TaskID | None = None
        self._running: dict[str, TaskID | None] = {}
        self._ended = 0
        self._line_at = time.monotonic()
        self._left = TimeLeft([], 1)
        self.failed: list[str] = []

    def __enter__(self) -> JobWatcher:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def planned(self, tasks: Sequence[Task], jobs: int) -> None:
        """Begin to count and to reckon with the time left."""
        self._total, self._left = len(tasks), TimeLeft(tasks, jobs)
        if self._bars is not None:
            self._all = self._bars.add_task('jobs', total=self._total)

    def started(self, task: Task) -> None:
        """Say so."""
        self._left.started(task.name, self._fraction(task.name))
        self._running[task.name] = None if self._bars is None else self._bars.add_task(task.name, total=None)
        if self._bars is None:
            self._say(f'{task.name}: begins')

    def ended(self, task: Task, outcome: Outcome) -> None:
        """Say so; where it failed with the end of its log."""
        self._ended += 1
        self._left.ended(task.name, ran=outcome.status == 'done')
        bar = self._running.pop(task.name, None)
        if self._bars is not None:
            if bar is not None:
                self._bars.remove_task(bar)
            if self._all is not None:
                self._bars.advance(self._all)
        place = f'({self._ended}/{self._total})'
        if outcome.status == 'done':
            if self._on_done is not None:
                self._on_done(task.name, outcome.seconds)
            self._say(f'{task.name}: {outcome.seconds:.0f} s {place}')
            return
        self.failed.append(task.name)
        if outcome.status == 'skipped':
            self._say(f'{task.name}: left out, what it starts from failed {place}')
        else:
            head = f'{task.name}: FAILED after {outcome.seconds:.0f} s {place}; the end of {task.log}:'
            self._say(f'{head}\n{outcome.tail}')

    def tick(self) -> None:
        """Move the bars; without a terminal, a line a minute."""
        if self._bars is None and time.monotonic() - self._line_at <= _LINE_EVERY_SECONDS:
            return
        steps = {name: read_progress(self._work_dir / name) for name in self._running}
        left = self._left.seconds({name: done / total for name, (done, total) in _known(steps).items()})
        if self._bars is not None:
            for name, (done, total) in _known(steps).items():
                bar = self._running[name]
                if bar is not None:
                    self._bars.update(bar, completed=done, total=total)
            if self._all is not None:
                self._bars.update(self._all, seconds_left=left)
        elif steps:
            self._line_at = time.monotonic()
            texts = [f'{name} {done}/{total} steps' for name, (done, total) in _known(steps).items()]
            end = '' if left is None else f'; about {in_words(left)} left'
            self._say(f'running: {", ".join(texts or steps)}{end}')

    def _fraction(self, name: str) -> float:
        found = read_progress(self._work_dir / name)
        return 0.0 if found is None else found[0] / found[1]

    def _say(self, text: str) -> None:
        if self._bars is not None:
            self._bars.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)


def _known(steps: Mapping[str, tuple[int, int] | None]) -> dict[str, tuple[int, int]]:
    return {name: found for name, found in steps.items() if found is not None}
