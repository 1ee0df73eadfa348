"""``mmdualhand measure-labels``: what the passes of a network and their labels are worth on a target."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmdualhand import compat
from mmdualhand.apis.label_errors import label_table, measure_labels, self_training_network
from mmdualhand.cli.common import load_config, runner_parser


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = runner_parser(
        'measure-labels',
        'Measure both passes of a network and the labels that stage 2 would make of them, on the train '
        'images of a target and on the test images of the source. Its labels serve the measurement alone.',
    )
    parser.add_argument('checkpoints', nargs='+', help='checkpoints of either stage')
    parser.add_argument(
        '--reestimate-bn', action='store_true', help='on the target with re-estimated batch normalisation'
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the table; returns the exit status."""
    args = parse_args(argv)
    compat.apply_patches(trust_checkpoints=args.trust_checkpoint)
    rows = {}
    for path in args.checkpoints:
        cfg = load_config(args)
        network = self_training_network(cfg, compat.load_from_local(path, map_location='cpu'), path)
        for name, values in measure_labels(network, cfg, reestimate_bn=args.reestimate_bn).items():
            rows[f'{path}, {name}'] = values
    print('Mean joint error in mm, true root depth and reference length. p_F and p_D see predicted depth.')
    print(f'\n{label_table(rows)}')
    return 0
