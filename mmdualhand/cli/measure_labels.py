"""``mmdualhand measure-labels``: what the passes of a network and their labels are worth on a target."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmengine.device import get_device

from mmdualhand import compat
from mmdualhand.apis.label_errors import label_table, measure_labels, self_training_network
from mmdualhand.apis.model_zoo import get_config


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand measure-labels',
        description='Measure both passes of a network and the labels that stage 2 would make of them, on the '
        'train images of a target and on the test images of the source. No label trains anything.',
    )
    parser.add_argument('config', help='config file of a fine-tuning, or its name')
    parser.add_argument('checkpoints', nargs='+', help='checkpoints of either stage')
    parser.add_argument(
        '--reestimate-bn',
        action='store_true',
        help='on the target with batch normalisation of the first pass re-estimated on its images',
    )
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='load a checkpoint that holds more than tensors; code in it runs on this machine',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the table; returns the exit status."""
    args = parse_args(argv)
    compat.apply_patches(trust_checkpoints=args.trust_checkpoint)
    rows = {}
    for path in args.checkpoints:
        cfg = get_config(args.config)
        checkpoint = compat.load_from_local(path, map_location='cpu')
        network = self_training_network(cfg, checkpoint, path).to(get_device())
        for name, values in measure_labels(network, cfg, reestimate_bn=args.reestimate_bn).items():
            rows[f'{path}, {name}'] = values
    print('Mean joint error in mm, true root depth and reference length. p_F and p_D see predicted depth.')
    print(f'\n{label_table(rows)}')
    return 0
