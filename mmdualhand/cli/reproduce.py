"""``mmdualhand reproduce``: run the trainings and measurements of a table, each once, and print it."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from mmdualhand.apis.experiments import (
    SCALES,
    Measurement,
    best_on,
    check_names,
    config_prefix,
    default_jobs,
    finished_cells,
    get_suite,
    left_out,
    list_suites,
    measured_elsewhere,
    plain_names,
    run_measurements,
    shard,
    suite_name,
    tables_heading,
    write_tables,
)
from mmdualhand.apis.experiments.selection import SUFFIX
from mmdualhand.cli.watch_jobs import JobWatcher
from mmdualhand.errors import ConfigError

_NAMES_SHOWN = 12


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
    parser.add_argument('--suite', required=True, help='which table: see below, or a Python file of your own')
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
    for name in ('work_dir', 'cells'):
        if getattr(args, name).is_file():
            raise ConfigError(f'--{name.replace("_", "-")} is a folder, and {getattr(args, name)} is a file')
    return args


def whole_suite(args: argparse.Namespace) -> list[Measurement]:
    """The measurements of the table that can be made here, of all seeds.

    Raises:
        ConfigError: No such suite, or two things in it have one name.
    """
    suite = get_suite(args.suite)
    return _chosen(args, [one for seed in range(args.seeds) for one in suite.measurements(args.scale, seed)])


def made_elsewhere(args: argparse.Namespace) -> list[Measurement]:
    """Those whose data are not here and whose cells are."""
    found = [one for seed in range(args.seeds) for one in measured_elsewhere(args.suite, args.scale, seed)]
    return [one for one in _chosen(args, found) if (args.cells / one.file_name).is_file()]


def _chosen(args: argparse.Namespace, measurements: Sequence[Measurement]) -> list[Measurement]:
    """Of the checkpoints that ``--best-on`` wants; two things of one name would share a cell."""
    check_names(measurements)
    if not args.best_on:
        return list(measurements)
    return best_on(measurements, f'{config_prefix(args.scale)}pretrain_rhd')


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
        empty = f'shard {args.shard} is empty: all that starts from the same training is in one shard'
        print(empty if args.shard else 'there is nothing to measure')
        return []
    with JobWatcher(args.work_dir) as watcher:
        outcomes = run_measurements(measurements, args.work_dir, args.cells, jobs=args.jobs, watcher=watcher)
    absent = [f'{name} (its data)' for name, outcome in outcomes.items() if outcome.status == 'absent']
    return [*watcher.failed, *absent]


def what_is_missing(
    args: argparse.Namespace, measurements: Sequence[Measurement], cells: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Where no cell is found and why, and which trainings lack measurements, a sentence each."""
    sentences = []
    if not args.cells.is_dir():
        sentences.append(f'{args.cells} is not there, and with it no finished measurement.')
    elif not any((args.cells / one.file_name).is_file() for one in measurements):
        name = suite_name(args.suite)
        sentences.append(f'{args.cells} holds no cell of the suite {name} at scale {args.scale}.')
    wanted = Counter((one.training.name, one.training.seed) for one in dict.fromkeys(measurements))
    seeds: dict[str, list[int]] = {}
    for name, seed in wanted - Counter((str(cell['training']), int(cell['seed'])) for cell in cells):
        seeds.setdefault(name, []).append(seed)
    names = [
        name if len(found) == args.seeds else f'{name} (seed {", ".join(map(str, found))})'
        for name, found in seeds.items()
    ]
    if names:
        more = len(names) - _NAMES_SHOWN
        shown = ', '.join(names[:_NAMES_SHOWN]) + (f' and {more} more' if more > 0 else '')
        sentences.append(f'Trainings whose measurements are missing: {shown}.')
    return sentences


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing and print the table.

    Returns:
        The exit status, 1 where something failed or was left out because its data are not here.
    """
    args = parse_args(argv)
    here = whole_suite(args)
    mine = to_run(args, here)
    notes = left_out(args.suite, args.scale)
    for sentence in notes:
        print(sentence)
    failed = [] if args.table else run_missing(args, mine)
    measurements = [*here, *made_elsewhere(args)]
    found = finished_cells(measurements, args.cells, say=notes.append)
    notes += what_is_missing(args, measurements, found)
    cells = plain_names(found)
    command = f'python tools/reproduce.py --suite {args.suite} --scale {args.scale} --seeds {args.seeds}'
    if args.best_on:
        command += f' --best-on {args.best_on}'
    head = '\n'.join([tables_heading(command, cells, len(measurements)), *notes])
    name = f'{suite_name(args.suite)}{SUFFIX}' if args.best_on else suite_name(args.suite)
    written = write_tables(args.suite, args.scale, cells, head, args.work_dir, name)
    print(f'\n{written.text}')
    print(f'tables: {args.work_dir / name}.md and .csv; cells: {args.cells}')
    print(f'beside them: {", ".join(file.name for file in written.others)}')
    if failed:
        print(f'failed: {", ".join(failed)}; logs: {args.work_dir / "logs"}')
    return 1 if failed else 0
