"""``mmdualhand measure-domain-gap``: what the look of each target costs a network that saw the source's."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mmdualhand.apis.domain_gap import Cell, GapSettings, gap_row, gap_table, run_cells
from mmdualhand.apis.rendered_looks import LOOKS, render_looks
from mmdualhand.cli.progress import progress_bar
from mmdualhand.compat import replace_file
from mmdualhand.errors import ConfigError

TARGETS = ('stb', 'freihand', 'h3d', 'mvhand')


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    defaults = GapSettings()
    parser = argparse.ArgumentParser(
        prog='mmdualhand measure-domain-gap',
        description='Draw the same scenes in the look of the source and in that of each target, train the '
        'same small network on either and test both on the look of the target.',
    )
    parser.add_argument('--targets', nargs='+', choices=TARGETS, default=TARGETS, metavar='NAME')
    parser.add_argument('--seeds', type=int, default=3, help='networks of each kind (default: %(default)s)')
    parser.add_argument('--train', type=int, default=800, help='training scenes (default: %(default)s)')
    parser.add_argument('--test', type=int, default=200, help='test scenes (default: %(default)s)')
    parser.add_argument('--epochs', type=int, default=defaults.epochs, help='(default: %(default)s)')
    parser.add_argument('--scene-seed', type=int, default=0, help='seed of the scenes')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes (default: cores)')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/domain_gap'))
    args = parser.parse_args(argv)
    for name in ('seeds', 'train', 'test', 'epochs', 'workers'):
        if getattr(args, name) < 1:
            raise ConfigError(f'--{name} must be 1 or more, got {getattr(args, name)}')
    if args.train < 32:
        raise ConfigError(f'--train must be 32 or more, two batches, got {args.train}')
    return args


def draw_pictures(args: argparse.Namespace, target: str) -> dict[str, Path]:
    """Draw the training and test scenes of a target in both looks."""
    folder, pictures = args.work_dir / 'pictures', {}
    with progress_bar(f'{target}: scenes', args.train + args.test) as advance:
        for split, count in (('train', args.train), ('test', args.test)):
            paths = render_looks(
                target,
                split,
                count,
                seed=args.scene_seed,
                workers=args.workers,
                folder=folder,
                on_scene=advance,
            )
            pictures.update({f'{split}/{look}': path for look, path in paths.items()})
    return pictures


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the gap of every target asked for; returns the exit status."""
    args = parse_args(argv)
    start = time.perf_counter()
    settings = GapSettings(epochs=args.epochs)
    pictures = {target: draw_pictures(args, target) for target in args.targets}
    drawn = time.perf_counter() - start
    seeds = range(args.seeds)
    cells = [Cell(target, look, seed) for target in args.targets for seed in seeds for look in LOOKS]

    def report(cell: Cell, errors: dict[str, float]) -> None:
        values = ', '.join(f'{key} {value:.1f}' for key, value in errors.items())
        print(f'{cell.target}, {cell.look} look, seed {cell.seed}: {values}', flush=True)

    results = run_cells(
        cells, pictures, settings, folder=args.work_dir / 'cells', workers=args.workers, on_cell=report
    )
    rows = [gap_row(target, results) for target in args.targets]
    longest = max(errors['seconds'] for errors in results.values())
    text = (
        f'EPE in mm (true root depth, true |9-10|), mean +- standard deviation of {args.seeds} seeds; '
        f'{args.train} training and {args.test} test scenes a target, {args.epochs} epochs.\n\n'
        f'{gap_table(rows)}\n\nDrawing {drawn:.0f} s, all {time.perf_counter() - start:.0f} s with '
        f'{args.workers} processes, the longest training {longest:.0f} s.'
    )
    print(f'\n{text}')
    partial = args.work_dir / '.gap.json.partial'
    partial.write_text(json.dumps([asdict(row) for row in rows], indent=2) + '\n', encoding='utf-8')
    replace_file(partial, args.work_dir / 'gap.json')
    (args.work_dir / 'gap.md').write_text(f'{text}\n', encoding='utf-8')
    return 0
