"""``mmdualhand measure-sides``: how often the side of a hand is guessed correctly."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmdualhand import compat
from mmdualhand.apis.model_zoo import get_config
from mmdualhand.apis.run_config import check_data
from mmdualhand.apis.side_guesses import measure_sides, side_table
from mmdualhand.cli.common import add_trust_option
from mmdualhand.errors import ConfigError


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand measure-sides',
        description='Try both sides on every hand of a benchmark, as infer does where no side is given, and '
        'count how often the surer one is that of the label.',
    )
    parser.add_argument('config', help='config file of a benchmark, or its name')
    parser.add_argument('checkpoint', help='checkpoint of a training run')
    parser.add_argument('--limit', type=int, help='use so many hands at most')
    add_trust_option(parser)
    args = parser.parse_args(argv)
    if args.limit is not None and args.limit < 1:
        raise ConfigError(f'--limit must be 1 or more, got {args.limit}')
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print the table; returns the exit status."""
    args = parse_args(argv)
    compat.apply_patches(trust_checkpoints=args.trust_checkpoint)
    config = get_config(args.config)
    if not config.get('test_dataloader'):
        raise ConfigError(f'{args.config} has no test_dataloader, so it has no test pictures')
    check_data(config, 'test_dataloader')
    guesses = measure_sides(args.checkpoint, config, limit=args.limit)
    print('Both sides tried, the one with the higher mean raw confidence kept.')
    print(f'\n{side_table(guesses)}')
    return 0
