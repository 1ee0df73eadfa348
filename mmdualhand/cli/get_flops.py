"""``mmdualhand get-flops``: parameters and FLOPs of a config."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from mmengine.config import DictAction

from mmdualhand.apis.flops import count_complexity
from mmdualhand.apis.model_zoo import get_config
from mmdualhand.cli.common import override
from mmdualhand.errors import ConfigError


def main(argv: Sequence[str] | None = None) -> int:
    """Print the counts; returns the exit status."""
    parser = argparse.ArgumentParser(prog='mmdualhand get-flops', description='Count parameters and FLOPs.')
    parser.add_argument('config', help='config file, or the name of a shipped config')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    args = parser.parse_args(argv)
    cfg = get_config(args.config)
    override(cfg, args.cfg_options)
    if 'model' not in cfg:
        raise ConfigError(f'{args.config} has no model: it describes a benchmark')
    counts = count_complexity(cfg.model)
    for name, number in counts.parameters.items():
        print(f'{name:24}{number / 1e6:10.2f} M parameters')
    print(f'{"total":24}{sum(counts.parameters.values()) / 1e6:10.2f} M parameters')
    print(f'{"RGB-only inference":24}{counts.rgb_parameters / 1e6:10.2f} M parameters')
    print(f'{"RGB-only inference":24}{counts.inference_gflop:10.2f} GFLOP an image')
    print(f'{"training step":24}{counts.training_gflop:10.2f} GFLOP a sample, forward and backward')
    print('1 multiply-add counts as 2 FLOP')
    return 0
