"""``mmdualhand quickstart``: the whole paper on rendered hands, from nothing to a report, in one command."""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmdualhand.apis.experiments import (
    Measurement,
    cores,
    finished_cells,
    make_plan,
    markdown_text,
    run_measurements,
    with_options,
)
from mmdualhand.apis.experiments.cells import read_json, write_json
from mmdualhand.apis.experiments.configs import benchmark_config
from mmdualhand.apis.experiments.suites import two_stage
from mmdualhand.apis.experiments.train_once import find_trained
from mmdualhand.cli import make_mini_benchmark
from mmdualhand.cli.watch_jobs import JobWatcher
from mmdualhand.datasets.picture_cache import CACHE_VARIABLE
from mmdualhand.errors import ConfigError
from mmdualhand.synthesis import LAYOUTS

SCALE = 'mini'
ROOM_FOR_PICTURES = 8 * 2**30
"""Free bytes from which on decoded pictures are kept during the run; they take half of it."""
SUMMARY = (
    'One seed of a small network on a few hundred rendered pictures of each target shows that all parts of '
    'the method work together and which way each stage moves the error; it does not show that the method is '
    'what moves it, nor the numbers of the paper: re-estimating batch normalisation on unlabelled target '
    'pictures alone (in the table) gives part of the gain, and one seed has no spread. All controls over '
    'several seeds: mmdualhand reproduce --suite two_stage.'
)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand quickstart',
        description='Render procedural hands, train the baseline and both stages on them, test all networks '
        'on all targets, and write a report. What is finished is skipped; what was interrupted goes on.',
    )
    parser.add_argument('--work-dir', default='work_dirs/quickstart', type=Path)
    parser.add_argument(
        '--data',
        default=os.environ.get('HAND_DATA') or 'data',
        type=Path,
        help=f'folder of data sets, {SCALE}/ in it is rendered (default: $HAND_DATA or data)',
    )
    parser.add_argument('--jobs', default=cores(), type=int, help='processes at a time (default: cores)')
    parser.add_argument('--seed', default=0, type=int)
    parser.add_argument('--num', type=int, help=f'training pictures of every set (default: those of {SCALE})')
    parser.add_argument('--epochs', type=int, help='epochs of every training (default: those of the configs)')
    args = parser.parse_args(argv)
    for name in ('jobs', 'num', 'epochs'):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise ConfigError(f'--{name} must be 1 or more, got {getattr(args, name)}')
    for name in ('data', 'work_dir'):
        if getattr(args, name).is_file():
            given = f'--{name.replace("_", "-")} {getattr(args, name)}'
            raise ConfigError(f'{given} must be a folder, and there is a file of this name')
    return args


class Times:
    """How long each step took when it was done, also in an earlier run of the command.

    Args:
        file: Where they are kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds: dict[str, float] = dict(read_json(file) or {})

    def add(self, name: str, seconds: float) -> None:
        """Note a step that was done."""
        self._seconds[name] = round(seconds, 1)
        write_json(self._file, self._seconds)

    def items(self) -> list[tuple[str, float]]:
        """Steps and seconds in the order in which they were first done."""
        return list(self._seconds.items())

    def line(self) -> str:
        """All of it in one line."""
        return ', '.join(f'{name} {seconds:.0f} s' for name, seconds in self._seconds.items())


def render(args: argparse.Namespace, times: Times) -> None:
    """Render the sets that are not there."""
    sizes = [] if args.num is None else ['--num', str(args.num)]
    out = args.data / SCALE
    for name, layout in LAYOUTS.items():
        there, start = (out / layout.folder_name).is_dir(), time.perf_counter()
        shared = ['--scale', SCALE, '--seed', str(args.seed), '--workers', str(args.jobs)]
        make_mini_benchmark.main(['--out', str(out), '--only', name, *shared, *sizes])
        if not there:
            times.add(f'render {layout.title}', time.perf_counter() - start)


@contextmanager
def decoded_pictures(folder: Path) -> Iterator[None]:
    """Keep decoded pictures in a folder while the trainings run, where the disk has room for them.

    A folder that ``HAND_CACHE`` names already is used, and left, as it is.
    """
    if os.environ.get(CACHE_VARIABLE) or shutil.disk_usage(folder.parent).free < ROOM_FOR_PICTURES:
        yield
        return
    os.environ[CACHE_VARIABLE] = str(folder.absolute())
    try:
        yield
    finally:
        del os.environ[CACHE_VARIABLE]
        shutil.rmtree(folder, ignore_errors=True)


def train_and_test(args: argparse.Namespace, measurements: Sequence[Measurement], times: Times) -> list[str]:
    """Run what is missing; returns the names of the trainings that failed."""
    cells = args.work_dir / 'cells'
    total = len(make_plan(measurements, args.work_dir.absolute(), cells.absolute()).jobs)
    watcher = JobWatcher(total, args.work_dir)
    try:
        with watcher:
            run_measurements(measurements, args.work_dir, cells, jobs=args.jobs, watcher=watcher)
    finally:
        for name, seconds in watcher.seconds.items():
            times.add(f'train and test {name}', seconds)
    return watcher.failed


def write_page(
    args: argparse.Namespace,
    measurements: Sequence[Measurement],
    cells: Sequence[dict[str, Any]],
    times: Times,
) -> Path:
    """Write the report, unless nothing changed since; returns the file."""
    from mmdualhand.apis.report import Comparison, ReportContent, RunLog, write_report

    trainings = {one.training.name: one.training for one in measurements}
    before = find_trained(trainings['pretrain'], args.work_dir)
    comparisons = []
    for target, title in two_stage.TARGETS.items():
        after = find_trained(trainings[f'finetune_{target}'], args.work_dir)
        if before is not None and after is not None:
            config = benchmark_config(trainings[f'finetune_{target}'].config)
            comparisons.append(Comparison(title, config, before.checkpoint, after.checkpoint))
    content = ReportContent(
        title='Dual-modality hand pose on rendered hands',
        summary=SUMMARY,
        times=times.items(),
        cells=list(cells),
        runs=[RunLog(name, args.work_dir / one.key) for name, one in trainings.items()],
        comparisons=comparisons,
    )
    return write_report(args.work_dir, content)


def main(argv: Sequence[str] | None = None) -> int:
    """Do everything; returns the exit status, 1 where a training failed."""
    args = parse_args(argv)
    os.environ['HAND_DATA'] = str(args.data)  # where the configs, here and in the processes of jobs, look
    args.work_dir.mkdir(parents=True, exist_ok=True)
    times = Times(args.work_dir / 'times.json')
    render(args, times)
    measurements = two_stage.method(SCALE, args.seed, everywhere=True)
    if args.epochs is not None:
        measurements = with_options(measurements, (('train_cfg.max_epochs', args.epochs),))
    with decoded_pictures(args.work_dir / 'decoded'):
        failed = train_and_test(args, measurements, times)
    cells = finished_cells(measurements, args.work_dir / 'cells')
    text = '\n\n'.join(map(markdown_text, two_stage.tables(cells, SCALE)))
    (args.work_dir / 'results.md').write_text(f'{text}\n\n{SUMMARY}\n', encoding='utf-8')
    print(f'\n{text}\n\n{SUMMARY}\n')
    if failed:
        print(f'failed: {", ".join(failed)}; logs: {args.work_dir / "logs"}')
        return 1
    page = args.work_dir / 'report.html'
    newest = max(file.stat().st_mtime for file in (args.work_dir / 'cells').iterdir())
    if not page.is_file() or page.stat().st_mtime < newest:
        start = time.perf_counter()
        page = write_page(args, measurements, cells, times)
        times.add('report', time.perf_counter() - start)
    print(f'time: {times.line()} ({args.jobs} processes at a time)')
    print(f'report: {page}')
    return 0
