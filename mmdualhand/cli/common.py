"""What the commands that build a Runner share: options, config checks, launching."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from mmengine.config import Config, ConfigDict, DictAction

from mmdualhand.apis.load_model import CHECKPOINT_SUFFIXES, EXPORTED_SUFFIXES, network_config
from mmdualhand.apis.model_zoo import config_path, config_root, get_config
from mmdualhand.apis.run_config import RUNNER_KEYS, check_data, check_keys, override, transforms_of
from mmdualhand.errors import ConfigError

__all__ = [
    'RUNNER_KEYS', 'add_trust_option', 'check_data', 'check_keys', 'load_config', 'override',
    'require_weights', 'run_name', 'runner_parser', 'transforms_of',
]  # fmt: skip


def runner_parser(command: str, description: str) -> argparse.ArgumentParser:
    """A parser with the options that training and testing share (MMPose's names)."""
    parser = argparse.ArgumentParser(prog=f'mmdualhand {command}', description=description)
    parser.add_argument('config', help='config file, or the name of a shipped config')
    parser.add_argument('--work-dir', help='folder for logs, checkpoints and results')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override config values, e.g. train_dataloader.batch_size=2 model.backbone.init_cfg=None',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument('--show-dir', help='draw predictions into this folder of the work dir')
    add_trust_option(parser)
    return parser


def add_trust_option(parser: argparse.ArgumentParser) -> None:
    """Let the user say that a checkpoint with more than tensors may be loaded."""
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='load a checkpoint that holds more than tensors; code in it runs on this machine',
    )


def require_weights(model: str, checkpoint: str | None) -> None:
    """Refuse a config without weights: its network would predict at random.

    Raises:
        ConfigError: There is no checkpoint, and ``model`` is a config or nothing known.
    """
    with_weights = (*CHECKPOINT_SUFFIXES, *EXPORTED_SUFFIXES)
    if checkpoint is None and Path(model).suffix.lower() not in with_weights:
        network_config(model)
        raise ConfigError(f'{model} is a config, its network is untrained: add --checkpoint FILE.pth')


def load_config(args: argparse.Namespace) -> Config:
    """Read the config an ``args.config`` names, with the options of the command applied.

    Raises:
        ConfigError: No such config, or a misspelt top-level key.
    """
    if 'LOCAL_RANK' not in os.environ:
        os.environ['LOCAL_RANK'] = str(args.local_rank)
    cfg = get_config(args.config)
    override(cfg, args.cfg_options)
    check_keys(cfg)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name) and 'streams' not in cfg[name] and not cfg[name].get('num_workers'):
            cfg[name].persistent_workers = False
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(Path('work_dirs') / run_name(args.config))
    if args.show_dir:
        hook = cfg.default_hooks.setdefault('visualization', ConfigDict(type='HandVisualizationHook'))
        hook.update(enable=True, out_dir=args.show_dir)
    return cfg


def run_name(config: str) -> str:
    """Name of a run: the whole name of a shipped config, the file's stem otherwise."""
    path, root = config_path(config), config_root()
    return str(path.relative_to(root).with_suffix('')) if path.is_relative_to(root) else path.stem
