"""``mmdualhand check-data``: what is wrong with a dataset on disk, and what to do about it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console

from mmdualhand.datasets.coco_sources import SOURCES as COCO_SOURCES
from mmdualhand.datasets.health import SOURCES, Examination, examine
from mmdualhand.errors import ConfigError
from mmdualhand.visualization import label_sheet

_LINE_WIDTH = 118


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand check-data',
        description='Check a dataset: files, labels against pictures, units, joint order, sides, bone '
        'lengths, and samples that are in two splits. The exit status is 0 where nothing is WRONG.',
    )
    parser.add_argument('name', choices=list(SOURCES), help='which dataset')
    parser.add_argument('root', help='its folder')
    parser.add_argument('--split', nargs='+', help='only these splits (default: all)')
    parser.add_argument(
        '--partial', action='store_true', help='only a part is there: check it, and list what is not'
    )
    parser.add_argument('--sheet', type=Path, metavar='FILE', help='also draw labels over pictures')
    parser.add_argument(
        '--num-images', type=int, default=12, help='samples on the sheet (default: %(default)s)'
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write the table as JSON')
    parser.add_argument(
        '--option', nargs='+', default=[], metavar='KEY=VALUE', help='of the dataset: stream=BB_left for stb'
    )
    parser.add_argument('--ann', nargs='+', metavar='FILE', help='json files of coco, relative to the folder')
    parser.add_argument('--source', choices=list(COCO_SOURCES), help='kind of the json files of coco')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='threads that read pictures')
    args = parser.parse_args(argv)
    for name in ('num_images', 'workers'):
        if getattr(args, name) < 1:
            raise ConfigError(f'--{name.replace("_", "-")} must be 1 or more, got {getattr(args, name)}')
    return args


def read_options(args: argparse.Namespace) -> dict[str, Any]:
    """``--option``, ``--ann`` and ``--source`` as a dictionary; ``true`` and ``false`` become booleans.

    Raises:
        ConfigError: An option without ``=``.
    """
    options: dict[str, Any] = {}
    for text in args.option:
        key, sign, value = text.partition('=')
        if not sign or not key:
            raise ConfigError(f'--option wants KEY=VALUE, got {text!r}')
        options[key] = {'true': True, 'false': False}.get(value.lower(), value)
    for name in ('ann', 'source'):
        if getattr(args, name) is not None:
            options[name] = getattr(args, name)
    return options


def write_sheet(path: Path, result: Examination, number: int) -> None:
    """Draw samples of every split on one sheet.

    Raises:
        ConfigError: The file cannot be written.
    """
    title = f'{result.report.name} at {result.report.root}: labels as they stand in the files'
    sheet = label_sheet(result.tables, number, title)
    if sheet is None:
        print('no picture can be read, so there is no sheet')
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.suffix or not cv2.imwrite(str(path), sheet[..., ::-1]):
        raise ConfigError(f'{path} cannot be written; name a file such as sheet.png with --sheet')
    print(f'contact sheet: {path}')


def _progress() -> Callable[[int, int], None]:
    """Files read, on one line of a terminal, now and then; nothing where there is no terminal."""
    if not Console(file=sys.stderr).is_terminal:
        return lambda done, total: None
    last = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > 0.2:
            last = time.monotonic()
            print(f'\r{done} of {total} picture files', end='\n' if done == total else '', file=sys.stderr)

    return show


def main(argv: Sequence[str] | None = None) -> int:
    """Print the health table; returns 0 where nothing is wrong, 1 otherwise."""
    args = parse_args(argv)
    result = examine(
        args.name,
        args.root,
        splits=args.split,
        partial=args.partial,
        options=read_options(args),
        workers=args.workers,
        on_progress=_progress(),
    )
    print(result.report.as_text(_LINE_WIDTH))
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(result.report.as_dict(), indent=2) + '\n')
    if args.sheet is not None:
        write_sheet(args.sheet, result, args.num_images)
    return 0 if result.report.healthy else 1
