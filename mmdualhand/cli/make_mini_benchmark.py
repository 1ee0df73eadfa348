"""``mmdualhand make-mini-benchmark``: render the embedded data sets."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from mmdualhand.errors import ConfigError
from mmdualhand.synthesis import DOMAINS, RHDRequest, contact_sheet, generate_rhd, is_complete, render_index
from mmdualhand.synthesis.rhd_writer import FOLDER_NAME

_LINES_WITHOUT_TERMINAL = 20


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand make-mini-benchmark',
        description='Render procedural hands in the layout of RHD. The same seed gives the same bytes, '
        'whatever the number of processes.',
    )
    parser.add_argument('--out', default='data/mini', help='folder of the sets (default: %(default)s)')
    parser.add_argument('--only', choices=['rhd'], default='rhd', help='the set to render')
    parser.add_argument('--num', type=int, default=2000, help='training pictures (default: %(default)s)')
    parser.add_argument('--eval-num', type=int, help='evaluation pictures (default: 3 for every 20 of --num)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--image-size', type=int, default=320, help='side in pixels (default: %(default)s)')
    parser.add_argument('--domain', default='source', help=f'one of: {", ".join(DOMAINS)}')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes (default: cores)')
    parser.add_argument('--overwrite', action='store_true', help='replace a set made from other settings')
    parser.add_argument('--sheet', type=int, metavar='N', help='also draw a sheet of N training pictures')
    return parser.parse_args(argv)


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar with the time left; where the output is no terminal, a line now and then.

    Args:
        title: What is being counted.
        total: How many there are.

    Yields:
        A function to call after each one.
    """
    console = Console(file=sys.stderr)
    if console.is_terminal:
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(TextColumn('{task.description}'), *columns, console=console) as bar:
            task = bar.add_task(title, total=total)
            yield lambda: bar.advance(task)
        return
    start, step, done = time.perf_counter(), max(total // _LINES_WITHOUT_TERMINAL, 1), 0

    def advance() -> None:
        nonlocal done
        done += 1
        if done % step == 0 or done == total:
            spent = time.perf_counter() - start
            left = spent / done * (total - done)
            print(f'{title}: {done}/{total}, {spent:.0f} s, {left:.0f} s left', file=sys.stderr, flush=True)

    yield advance


def write_sheet(path: Path, request: RHDRequest, number: int) -> None:
    """Draw the first training pictures of a request on one sheet.

    Raises:
        ConfigError: The number is not positive.
    """
    if number < 1:
        raise ConfigError(f'--sheet must be 1 or more, got {number}')
    samples = [
        render_index(index, seed=request.seed, domain=request.domain, image_size=request.image_size)
        for index in range(number)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), contact_sheet(samples)[..., ::-1]):
        raise OSError(f'{path} could not be written')
    print(f'contact sheet: {path}')


def main(argv: Sequence[str] | None = None) -> int:
    """Render the sets the command line asks for; returns the exit status."""
    args = parse_args(argv)
    evaluation = max(args.num * 3 // 20, 1) if args.eval_num is None else args.eval_num
    request = RHDRequest(args.num, evaluation, args.seed, args.domain, args.image_size)
    root, total, start = Path(args.out) / FOLDER_NAME, args.num + evaluation, time.perf_counter()
    if is_complete(root, request):
        print(f'{root} is there already, made from the same settings')
    else:
        with progress_bar('rendering hands', total) as advance:
            generate_rhd(args.out, request, workers=args.workers, overwrite=args.overwrite, on_image=advance)
        spent = time.perf_counter() - start
        print(
            f'{args.num} training and {evaluation} evaluation pictures in {root}: {spent:.0f} s, '
            f'{1000 * spent * args.workers / total:.0f} ms a picture and process'
        )
    if args.sheet is not None:
        write_sheet(Path(args.out) / 'rhd_sheet.png', request, args.sheet)
    return 0
