"""``mmdualhand make-mini-benchmark``: render the embedded data sets."""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2

from mmdualhand.cli.progress import progress_bar
from mmdualhand.errors import ConfigError
from mmdualhand.synthesis import (
    DOMAINS,
    LAYOUTS,
    Sample,
    SetRequest,
    check_request,
    contact_sheet,
    generate_set,
)

SCALES = {
    'mini': {'rhd': (2000, 300), 'target': (400, 200)},
    'small': {'rhd': (4000, 500), 'target': (1200, 400)},
}
"""Training and test pictures of the source and of every target."""


@dataclass(frozen=True)
class Timing:
    """How long a set took: name, pictures, wall-clock seconds, processes."""

    title: str
    pictures: int
    seconds: float
    workers: int

    @property
    def ms(self) -> float:
        """Milliseconds a picture and process."""
        return 1000 * self.seconds * self.workers / self.pictures


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand make-mini-benchmark',
        description='Render procedural hands in the layouts of published data sets: RHD as the source, STB, '
        'FreiHAND, H3D and MVHand as targets. The same seed gives the same bytes, whatever the number of '
        'processes. A set that is there already is left alone.',
    )
    parser.add_argument('--out', help='folder of the sets (default: data/SCALE)')
    parser.add_argument('--scale', choices=list(SCALES), default='mini', help='numbers of pictures')
    names = list(LAYOUTS)
    parser.add_argument('--only', nargs='+', choices=names, default=names, help='the sets to render')
    parser.add_argument('--num', type=int, help='training pictures of each set, instead of those of --scale')
    parser.add_argument('--test-num', '--eval-num', type=int, help='test pictures of each set')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--image-size', type=int, help='side of the pictures of RHD (default: 320)')
    parser.add_argument('--domain', help=f'for a single set another domain, of: {", ".join(DOMAINS)}')
    parser.add_argument('--background-dir', help='folder of photos to stand behind the hands')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes (default: cores)')
    parser.add_argument('--overwrite', action='store_true', help='replace sets made from other settings')
    parser.add_argument('--sheet', type=int, metavar='N', help='also draw N pictures of every set on a sheet')
    parser.add_argument('--digest', action='store_true', help='print the SHA-256 of every file')
    return parser.parse_args(argv)


def make_request(name: str, args: argparse.Namespace) -> SetRequest:
    """The request of one set.

    Args:
        name: Key of ``LAYOUTS``.
        args: The command line. Without ``--test-num``, the test pictures keep the
            scale's ratio to the training pictures, as far as the layout allows.

    Raises:
        ConfigError: The options do not fit the set.
    """
    sizes = SCALES[args.scale]
    train, test = sizes.get(name, sizes['target'])
    if args.num is not None:
        multiple, least = LAYOUTS[name].multiples()['test']
        test = max(args.num * test // train // multiple * multiple, least)
        train = args.num
    return SetRequest(
        name,
        train,
        test if args.test_num is None else args.test_num,
        args.seed,
        args.domain,
        image_size=args.image_size,
        background_dir=args.background_dir,
    )


def render_set(out: Path, request: SetRequest, args: argparse.Namespace) -> Timing | None:
    """Render one set, unless it is there; say how long it took."""
    layout = LAYOUTS[request.layout]
    root = out / layout.folder_name
    if check_request(out, request, overwrite=args.overwrite):
        print(f'{root} is there already, made from the same settings')
        return None
    total, start = sum(map(layout.pictures_of, layout.jobs(request))), time.perf_counter()
    with progress_bar(f'rendering {layout.title}', total) as advance:
        generate_set(out, request, workers=args.workers, overwrite=args.overwrite, on_image=advance)
    timing = Timing(layout.title, total, time.perf_counter() - start, args.workers)
    *first, last = [f'{number} {part}' for part, number in layout.counts(request).items()]
    print(
        f'{", ".join(first)} and {last} pictures in {root}: {timing.seconds:.0f} s, '
        f'{timing.ms:.0f} ms a picture and process',
        flush=True,
    )
    return timing


def write_sheet(path: Path, request: SetRequest, number: int) -> None:
    """Draw the first pictures of a request on one sheet, training pictures before others."""
    layout = LAYOUTS[request.layout]
    jobs = sorted(layout.jobs(request), key=lambda job: job[0] != 'train')
    drawn: Iterator[Sample] = (sample for job in jobs for sample in layout.render_job(job, request))
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), contact_sheet(list(islice(drawn, number)))[..., ::-1]):
        raise OSError(f'{path} could not be written')
    print(f'contact sheet: {path}')


def timing_table(timings: Sequence[Timing]) -> str:
    """Markdown table of what each set took."""
    lines = ['| set | pictures | seconds | ms a picture and process |', '|---|---|---|---|']
    lines += [f'| {one.title} | {one.pictures} | {one.seconds:.0f} | {one.ms:.0f} |' for one in timings]
    pictures, seconds = sum(one.pictures for one in timings), sum(one.seconds for one in timings)
    total = Timing('all', pictures, seconds, timings[0].workers)
    return '\n'.join([*lines, f'| all | {pictures} | {seconds:.0f} | {total.ms:.0f} |'])


def print_digests(out: Path, root: Path) -> None:
    """Print the SHA-256 and the path below ``out`` of every file of a set, as ``sha256sum`` does."""
    for file in sorted(path for path in root.rglob('*') if path.is_file()):
        print(f'{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(out).as_posix()}')


def main(argv: Sequence[str] | None = None) -> int:
    """Render the sets the command line asks for; returns the exit status."""
    args = parse_args(argv)
    out, names = Path(args.out or f'data/{args.scale}'), list(dict.fromkeys(args.only))
    if len(names) > 1 and (args.domain is not None or args.image_size is not None):
        raise ConfigError('--domain and --image-size are for a single set; name it with --only')
    if args.sheet is not None and args.sheet < 1:
        raise ConfigError(f'--sheet must be 1 or more, got {args.sheet}')
    requests = [make_request(name, args) for name in names]
    for request in requests:  # all of them before the first is rendered
        check_request(out, request, overwrite=args.overwrite)
    done = [render_set(out, request, args) for request in requests]
    timings = [timing for timing in done if timing is not None]
    if len(timings) > 1:
        print(f'\n{timing_table(timings)}\n')
    for request in requests:
        if args.sheet is not None:
            write_sheet(out / f'{request.layout}_sheet.png', request, args.sheet)
        if args.digest:
            print_digests(out, out / LAYOUTS[request.layout].folder_name)
    return 0
