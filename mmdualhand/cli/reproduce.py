"""``mmdualhand reproduce``: run the trainings and measurements of a table, each once, and print it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mmdualhand.apis.experiments import (
    SCALES,
    Measurement,
    best_on,
    config_prefix,
    default_jobs,
    finished_cells,
    get_suite,
    left_out,
    list_suites,
    make_plan,
    plain_names,
    run_measurements,
    shard,
    tables_heading,
    write_tables,
)
from mmdualhand.apis.experiments.selection import SUFFIX
from mmdualhand.cli.watch_jobs import JobWatcher
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
    parser.add_argument(
        '--shard', metavar='I/N', help='run part I of N; what starts from the same training is in one part'
    )
    parser.add_argument(
        '--jobs', type=int, default=default_jobs(), help='trainings at a time (default: GPUs, or else cores)'
    )
    parser.add_argument('--cells', type=Path, help='finished measurements (default: results/SCALE)')
    parser.add_argument('--work-dir', type=Path, help='(default: work_dirs/reproduce/SCALE)')
    parser.add_argument(
        '--only', nargs='+', metavar='NAME', help='run only these trainings; NAME may have * and ?'
    )
    parser.add_argument(
        '--best-on',
        choices=['source'],
        help='the best checkpoint of every training on test images of the source counts, and the tables say '
        'so (default: the last one; labels of a target never choose)',
    )
    parser.add_argument('--table', action='store_true', help='run nothing, print the table of what is there')
    args = parser.parse_args(argv)
    for name in ('seeds', 'jobs'):
        if getattr(args, name) < 1:
            raise ConfigError(f'--{name} must be 1 or more, got {getattr(args, name)}')
    args.work_dir = args.work_dir or Path('work_dirs') / 'reproduce' / args.scale
    args.cells = args.cells or Path('results') / args.scale
    return args


def whole_suite(args: argparse.Namespace) -> list[Measurement]:
    """The measurements of the table, of all seeds.

    Raises:
        ConfigError: No such suite.
    """
    suite = get_suite(args.suite)
    found = [one for seed in range(args.seeds) for one in suite.measurements(args.scale, seed)]
    return best_on(found, f'{config_prefix(args.scale)}pretrain_rhd') if args.best_on else found


def to_run(args: argparse.Namespace, measurements: Sequence[Measurement]) -> list[Measurement]:
    """Those that this command runs, where they are missing: ``--only`` and ``--shard`` of the table's.

    Raises:
        ConfigError: No such training or shard.
    """
    found = list(measurements)
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


def run_missing(args: argparse.Namespace, measurements: Sequence[Measurement]) -> list[str]:
    """Train and measure; returns the names of the trainings that failed or were left out."""
    if not measurements:
        print(f'shard {args.shard} is empty: all that starts from the same training is in one shard')
        return []
    total = len(make_plan(measurements, args.work_dir.absolute(), args.cells.absolute()).jobs)
    with JobWatcher(total, args.work_dir) as watcher:
        run_measurements(measurements, args.work_dir, args.cells, jobs=args.jobs, watcher=watcher)
    return watcher.failed


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing and print the table; returns the exit status, 1 where something failed."""
    args = parse_args(argv)
    measurements = whole_suite(args)
    mine = to_run(args, measurements)
    notes = left_out(args.suite, args.scale)
    for sentence in notes:
        print(sentence)
    failed = [] if args.table else run_missing(args, mine)
    cells = plain_names(finished_cells(measurements, args.cells, say=notes.append))
    command = f'python tools/reproduce.py --suite {args.suite} --scale {args.scale} --seeds {args.seeds}'
    if args.best_on:
        command += f' --best-on {args.best_on}'
    head = '\n'.join([tables_heading(command, cells, len(measurements)), *notes])
    name = f'{args.suite}{SUFFIX}' if args.best_on else args.suite
    written = write_tables(args.suite, args.scale, cells, head, args.work_dir, name)
    print(f'\n{written.text}')
    print(f'tables: {args.work_dir / name}.md and .csv; cells: {args.cells}')
    print(f'beside them: {", ".join(file.name for file in written.others)}')
    if failed:
        print(f'failed: {", ".join(failed)}; logs: {args.work_dir / "logs"}')
    return 1 if failed else 0
