"""``mmdualhand quickstart``: the whole paper on rendered hands, from nothing to a report, in one command."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mmdualhand.apis.experiments import (
    Measurement,
    default_jobs,
    finished_cells,
    markdown_text,
    run_measurements,
    with_options,
)
from mmdualhand.apis.experiments.suites import two_stage
from mmdualhand.apis.report.from_quickstart import SUMMARY, Times, time_lines, update_page
from mmdualhand.cli import make_mini_benchmark
from mmdualhand.cli.watch_jobs import JobWatcher
from mmdualhand.datasets.picture_cache import CACHE_VARIABLE
from mmdualhand.errors import ConfigError
from mmdualhand.synthesis import LAYOUTS, check_request, is_complete
from mmdualhand.synthesis.generate import NOTE

SCALE = 'mini'
ROOM_FOR_PICTURES = 8 * 2**30
"""Free bytes from which on decoded pictures are kept during the run; they take half of it."""
RENDER_SEED = 0
"""The pictures are the same whatever the seed of the trainings."""


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
    parser.add_argument(
        '--jobs', default=default_jobs(), type=int, help='processes at a time (default: GPUs, or else cores)'
    )
    parser.add_argument('--seed', default=0, type=int, help='of the trainings; the pictures stay the same')
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


def render(args: argparse.Namespace, times: Times) -> None:
    """Render the sets that are not there.

    Raises:
        ConfigError: There are sets that were made from other settings.
    """
    out = args.data / SCALE
    sizes = [] if args.num is None else ['--num', str(args.num)]
    shared = ['--out', str(out), '--scale', SCALE, '--seed', str(RENDER_SEED), '--workers', str(args.jobs)]
    options = make_mini_benchmark.parse_args([*shared, *sizes])
    requests = [make_mini_benchmark.make_request(name, options) for name in LAYOUTS]
    for request in requests:  # all of them before the first is rendered
        root = out / LAYOUTS[request.layout].folder_name
        if (root / NOTE).is_file() and not is_complete(root, request):
            raise ConfigError(
                f'{root} was rendered with other settings, such as another --num; call the command with the '
                'same settings, or name another folder with --data'
            )
        check_request(out, request)
    for request in requests:
        timing = make_mini_benchmark.render_set(out, request, options)
        if timing is not None:
            times.note(f'render {timing.title}', timing.seconds)


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

    def note(name: str, seconds: float) -> None:
        times.note_job(args.work_dir / name, seconds)

    with JobWatcher(args.work_dir, note) as watcher:
        run_measurements(measurements, args.work_dir, cells, jobs=args.jobs, watcher=watcher)
    return watcher.failed


def main(argv: Sequence[str] | None = None) -> int:
    """Do everything; returns the exit status, 1 where a training failed."""
    args = parse_args(argv)
    os.environ['HAND_DATA'] = str(args.data)  # where the configs, here and in the processes of jobs, look
    args.work_dir.mkdir(parents=True, exist_ok=True)
    measurements = two_stage.method(SCALE, args.seed, everywhere=True)
    if args.epochs is not None:
        measurements = with_options(measurements, (('train_cfg.max_epochs', args.epochs),))
    with Times(args.work_dir / f'times_s{args.seed}.json') as times:
        render(args, times)
        with decoded_pictures(args.work_dir / 'decoded'):
            failed = train_and_test(args, measurements, times)
        cells = finished_cells(measurements, args.work_dir / 'cells')
        text = '\n\n'.join(map(markdown_text, two_stage.tables(cells, SCALE)))
        (args.work_dir / 'results.md').write_text(f'{text}\n\n{SUMMARY}\n', encoding='utf-8')
        print(f'\n{text}\n\n{SUMMARY}\n')
        if failed:
            print(f'failed: {", ".join(failed)}; logs: {args.work_dir / "logs"}')
            return 1
        print(f'report: {update_page(args.work_dir, measurements, cells, times)}')
        print(time_lines(times, times.steps(measurements, args.work_dir), args.jobs))
    return 0
