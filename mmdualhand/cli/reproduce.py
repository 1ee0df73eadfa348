"""``mmdualhand reproduce``: run the trainings and measurements of a table, each once, and print it."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from mmdualhand.apis.experiments import (
    SCALES,
    Measurement,
    Table,
    code_version,
    cores,
    csv_text,
    finished_cells,
    get_suite,
    list_suites,
    make_plan,
    markdown_text,
    run_measurements,
    shard,
)
from mmdualhand.cli.watch_jobs import JobWatcher
from mmdualhand.compat import replace_file
from mmdualhand.errors import ConfigError


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    known = '\n'.join(f'  {name}: {text}' for name, text in list_suites().items())
    parser = argparse.ArgumentParser(
        prog='mmdualhand reproduce',
        description='Run the trainings and measurements of a table, several at a time, and print the table. '
        'What is finished is kept and not run again; what was interrupted goes on.',
        epilog=f'suites:\n{known}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--suite', required=True, help='which table; see below')
    parser.add_argument('--scale', choices=list(SCALES), default='small', help='(default: %(default)s)')
    parser.add_argument('--seeds', type=int, default=1, help='seeds 0 to N - 1 (default: %(default)s)')
    parser.add_argument('--shard', metavar='I/N', help='part I of N machines')
    parser.add_argument('--jobs', type=int, default=cores(), help='trainings at a time (default: cores)')
    parser.add_argument('--cells', type=Path, help='finished measurements (default: results/SCALE)')
    parser.add_argument('--work-dir', type=Path, help='(default: work_dirs/reproduce/SCALE)')
    parser.add_argument(
        '--only', nargs='+', metavar='NAME', help='only these trainings; NAME may have * and ? in it'
    )
    parser.add_argument('--table', action='store_true', help='run nothing, print the table of what is there')
    args = parser.parse_args(argv)
    for name in ('seeds', 'jobs'):
        if getattr(args, name) < 1:
            raise ConfigError(f'--{name} must be 1 or more, got {getattr(args, name)}')
    args.work_dir = args.work_dir or Path('work_dirs') / 'reproduce' / args.scale
    args.cells = args.cells or Path('results') / args.scale
    return args


def wanted(args: argparse.Namespace) -> list[Measurement]:
    """The measurements of a command line.

    Raises:
        ConfigError: No such suite, training or shard.
    """
    suite = get_suite(args.suite)
    found = [one for seed in range(args.seeds) for one in suite.measurements(args.scale, seed)]
    if args.only:
        names = sorted({one.training.name for one in found})
        unknown = [pattern for pattern in args.only if not any(fnmatchcase(n, pattern) for n in names)]
        if unknown:
            raise ConfigError(f'--only {" ".join(unknown)}: no such training; {args.suite} has {names}')
        found = [one for one in found if any(fnmatchcase(one.training.name, p) for p in args.only)]
    if args.shard:
        index, _, number = args.shard.partition('/')
        if not (index.isdecimal() and number.isdecimal()):
            raise ConfigError(f'--shard is I/N, such as 1/3, not {args.shard}')
        found = shard(found, int(index), int(number))
    return found


def write_tables(args: argparse.Namespace, tables: Sequence[Table], command: str, missing: int) -> str:
    """Write Markdown and CSV into the work dir; returns the Markdown."""
    head = [f'`{command}`', '', f'Code {code_version() or "of an installed package"}, scale {args.scale}.']
    if missing:
        head.append(f'{missing} measurements are missing.')
    text = '\n\n'.join(['\n'.join(head), *map(markdown_text, tables)]) + '\n'
    args.work_dir.mkdir(parents=True, exist_ok=True)
    for ending, content in (('md', text), ('csv', csv_text(tables))):
        partial = args.work_dir / f'.{args.suite}.{ending}.partial'
        partial.write_text(content, encoding='utf-8')
        replace_file(partial, args.work_dir / f'{args.suite}.{ending}')
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing and print the table; returns the exit status, 1 where something failed."""
    args = parse_args(argv)
    measurements = wanted(args)
    failed: list[str] = []
    if not args.table:
        total = len(make_plan(measurements, args.work_dir.absolute(), args.cells.absolute()).jobs)
        with JobWatcher(total, args.work_dir) as watcher:
            run_measurements(measurements, args.work_dir, args.cells, jobs=args.jobs, watcher=watcher)
        failed = watcher.failed
    cells: list[dict[str, Any]] = finished_cells(measurements, args.cells)
    command = f'python tools/reproduce.py {shlex.join(argv or [])}'
    tables = get_suite(args.suite).tables(cells, args.scale)
    print(f'\n{write_tables(args, tables, command, len(measurements) - len(cells))}')
    print(f'tables: {args.work_dir / args.suite}.md and .csv; cells: {args.cells}')
    if failed:
        print(f'failed: {", ".join(failed)}; logs: {args.work_dir / "logs"}')
    return 1 if failed else 0
