"""``mmdualhand analyze-pseudo-labels``: curves and a table of the pseudo-labels of a run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmdualhand.visualization.label_curves import draw_label_curves, label_table, read_label_curves


def main(argv: Sequence[str] | None = None) -> int:
    """Write one PNG and print a table; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand analyze-pseudo-labels',
        description='Draw acceptance, confidence, correction, drift and, with a probe, true errors '
        'of the pseudo-labels of a training run, and print the means of its epochs.',
    )
    parser.add_argument('run', type=Path, help='work dir of the run, or its scalars.json')
    parser.add_argument('--out', type=Path, help='PNG to write (default: pseudo_labels.png in the work dir)')
    args = parser.parse_args(argv)
    curves = read_label_curves(args.run)
    folder = args.run.parent if args.run.is_file() else args.run
    out = args.out or folder / 'pseudo_labels.png'
    draw_label_curves(curves, out, str(folder))
    print(label_table(curves))
    print(f'curves: {out}')
    return 0
