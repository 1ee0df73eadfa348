"""What the commands that build a Runner share: options, config checks, launching."""

from __future__ import annotations

import argparse
import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict, DictAction

from mmdualhand.apis.model_zoo import get_config
from mmdualhand.errors import ConfigError

RUNNER_KEYS = (
    'auto_scale_lr', 'cfg', 'custom_hooks', 'custom_imports', 'data_preprocessor', 'default_hooks',
    'default_scope', 'env_cfg', 'experiment_name', 'launcher', 'load_from', 'log_level', 'log_processor',
    'model', 'optim_wrapper', 'param_scheduler', 'randomness', 'resume', 'runner_type', 'test_cfg',
    'test_dataloader', 'test_evaluator', 'train_cfg', 'train_dataloader', 'val_cfg', 'val_dataloader',
    'val_evaluator', 'vis_backends', 'visualizer', 'work_dir',
)  # fmt: skip


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
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='load a checkpoint that holds more than tensors; code in it runs on this machine',
    )
    return parser


def load_config(args: argparse.Namespace) -> Config:
    """Read the config an ``args.config`` names, with the options of the command applied.

    Raises:
        ConfigError: No such config, or a misspelt top-level key.
    """
    if 'LOCAL_RANK' not in os.environ:
        os.environ['LOCAL_RANK'] = str(args.local_rank)
    cfg = get_config(args.config)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    check_keys(cfg)
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(Path('work_dirs') / Path(args.config).stem)
    if args.show_dir:
        hook = cfg.default_hooks.setdefault('visualization', ConfigDict(type='HandVisualizationHook'))
        hook.update(enable=True, out_dir=args.show_dir)
    return cfg


def check_keys(cfg: Config) -> None:
    """Refuse top-level keys that are nearly, but not quite, keys of the Runner.

    The Runner ignores what it does not know, so ``optim_wraper=...`` would
    change nothing and say nothing.

    Raises:
        ConfigError: Such a key; the message names the one that was meant.
    """
    for key in cfg:
        if key in RUNNER_KEYS:
            continue
        near = difflib.get_close_matches(key, RUNNER_KEYS, n=1, cutoff=0.88)
        if near:
            raise ConfigError(
                f'the config sets {key!r}, which nothing reads; did you mean {near[0]!r}? '
                'Choose another name if it is a variable of yours.'
            )


def transforms_of(cfg: Config | dict[str, Any], dataloader: str) -> Iterable[dict[str, Any]]:
    """The transforms of a dataloader's pipeline, to read or to change in place."""
    pipeline = ((cfg.get(dataloader) or {}).get('dataset') or {}).get('pipeline') or []
    return [step for step in pipeline if isinstance(step, dict)]
