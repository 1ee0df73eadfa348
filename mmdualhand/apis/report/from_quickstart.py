"""The report of ``mmdualhand quickstart``: what it says, what took how long, and when it is written again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from mmengine.logging import MMLogger

from mmdualhand.apis.experiments import Measurement, Training
from mmdualhand.apis.experiments.cells import read_json, write_json
from mmdualhand.apis.experiments.configs import benchmark_config
from mmdualhand.apis.experiments.suites import two_stage
from mmdualhand.apis.experiments.train_once import RECORD, find_trained
from mmdualhand.apis.quiet_log import quiet_log
from mmdualhand.apis.report.content import Comparison, ReportContent, RunLog, StepTimes
from mmdualhand.apis.report.html import duration
from mmdualhand.apis.report.write import REPORT, write_report
from mmdualhand.synthesis import LAYOUTS

TITLE = 'Dual-modality hand pose on rendered hands'
SUMMARY = (
    'One seed of a small network on a few hundred rendered pictures of each target shows that all parts of '
    'the method work together and which way each stage moves the error; it does not show that the method is '
    'what moves it, nor the numbers of the paper: re-estimating batch normalisation on unlabelled target '
    'pictures alone (in the table) gives part of the gain, and one seed has no spread. All controls over '
    'several seeds: mmdualhand reproduce --suite two_stage.'
)
SHOWN = 'report_shows.json'
"""File beside the page with a digest of what it shows."""
_PAGE_STEP = 'report'


class Times:
    """How long a quickstart took, over all calls of the command; a context manager, kept at its end.

    The seconds of a training are in its own record, which counts an interrupted one
    whole; everything else is noted here.

    Args:
        file: Where it is kept; written after every step too, so that a call that is
            killed loses the step that it was at.
        clock: Seconds that pass.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.perf_counter) -> None:
        kept = read_json(file) or {}
        self._file, self._clock, self._start = file, clock, clock()
        self._steps: dict[str, float] = dict(kept.get('steps', {}))
        self._before = float(kept.get('elapsed', 0.0))

    def __enter__(self) -> Times:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._save()

    @property
    def elapsed(self) -> float:
        """Seconds of all calls together, without the time between them."""
        return self._before + self.of_this_call

    @property
    def of_this_call(self) -> float:
        """Seconds since the beginning of this call."""
        return self._clock() - self._start

    def note(self, step: str, seconds: float) -> None:
        """Note a step that was done."""
        self._steps[step] = round(seconds, 1)
        self._save()

    def note_job(self, folder: Path, seconds: float) -> None:
        """Note what a finished job took besides its training: the tests, and loading what they need.

        Args:
            folder: Of the training, with its record.
            seconds: Of the job's process, which ended just now. Where the training was
                finished before, it only made up for tests that were missing.
        """
        step = _test_step(folder.name)
        since_training = time.time() - (folder / RECORD).stat().st_mtime
        if since_training < seconds:
            self.note(step, since_training)
        else:
            self.note(step, self._steps.get(step, 0.0) + seconds)

    def steps(self, measurements: Sequence[Measurement], work_dir: Path) -> list[tuple[str, float]]:
        """What was done, in its order, and the seconds of it.

        Args:
            measurements: Those of the quickstart.
            work_dir: Folder with a folder for every training.
        """
        names = [f'render {layout.title}' for layout in LAYOUTS.values()]
        found = [(name, self._steps[name]) for name in names if name in self._steps]
        tested = {one.training for one in measurements}
        for training in _with_starts(measurements):
            trained = find_trained(training, work_dir)
            if trained is not None:
                tests = self._steps.get(_test_step(training.key), 0.0)
                name = f'{"train and test" if training in tested else "train"} {training.name}'
                found.append((name, trained.record['seconds'] + tests))
        if _PAGE_STEP in self._steps:
            found.append((_PAGE_STEP, self._steps[_PAGE_STEP]))
        return found

    def _save(self) -> None:
        write_json(self._file, {'elapsed': round(self.elapsed, 1), 'steps': self._steps})


def _test_step(key: str) -> str:
    return f'test {key}'


def _with_starts(measurements: Sequence[Measurement]) -> list[Training]:
    """Every training once, what it starts from before it."""
    found: dict[Training, None] = {}

    def add(training: Training) -> None:
        if training.start is not None:
            add(training.start)
        found[training] = None

    for one in measurements:
        add(one.training)
    return list(found)


def time_lines(times: Times, steps: Sequence[tuple[str, float]], jobs: int) -> str:
    """Steps, and what all of it took, as two lines for the terminal.

    Args:
        times: Of the quickstart.
        steps: As :meth:`Times.steps`.
        jobs: Processes at a time.
    """
    taken = ', '.join(f'{name} {duration(seconds)}' for name, seconds in steps)
    processes = f'{jobs} process{"" if jobs == 1 else "es"}'
    elapsed, now = duration(times.elapsed), duration(times.of_this_call)
    return f'time: {taken}\nall in {elapsed} with {processes}, {now} of it in this call'


def update_page(
    work_dir: Path, measurements: Sequence[Measurement], cells: Sequence[dict[str, Any]], times: Times
) -> Path:
    """Write the page, unless the one that is there shows these cells.

    Args:
        work_dir: Folder with a folder for every training; the page is written here.
        measurements: Those of the quickstart.
        cells: What was measured.
        times: The time of writing the page is noted there.

    Returns:
        The page.

    Raises:
        DataError: A cell lacks a key, or the digest beside the page is broken.
    """
    page, beside = work_dir / REPORT, work_dir / SHOWN
    shown = {'digest': _digest(cells)}
    if page.is_file() and read_json(beside) == shown:
        return page
    start = times.elapsed

    def taken() -> StepTimes:
        times.note(_PAGE_STEP, times.elapsed - start)
        return StepTimes(times.steps(measurements, work_dir), times.elapsed)

    trainings = dict.fromkeys(one.training for one in measurements)
    content = ReportContent(
        title=TITLE,
        summary=SUMMARY,
        times=taken,
        cells=list(cells),
        runs=[RunLog(training.name, work_dir / training.key) for training in trainings],
        comparisons=_comparisons(list(trainings), work_dir),
    )
    with quiet_log(MMLogger.get_current_instance()):
        page = write_report(work_dir, content)
    write_json(beside, shown)
    return page


def _comparisons(trainings: Sequence[Training], work_dir: Path) -> list[Comparison]:
    """Every target before and after fine-tuning, where both networks are there."""
    by_name = {training.name: training for training in trainings}
    found = []
    for target, title in two_stage.TARGETS.items():
        tuned = by_name.get(f'finetune_{target}')
        if tuned is None or tuned.start is None:
            continue
        before, after = find_trained(tuned.start, work_dir), find_trained(tuned, work_dir)
        if before is not None and after is not None:
            config = benchmark_config(tuned.config)
            found.append(Comparison(title, config, before.checkpoint, after.checkpoint))
    return found


def _digest(cells: Sequence[dict[str, Any]]) -> str:
    """Hash of everything that the cells say: origin, numbers, cost of the training."""
    return hashlib.sha256(json.dumps([TITLE, SUMMARY, *cells], sort_keys=True).encode()).hexdigest()
