"""``mmdualhand train``: train what a config describes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner, find_latest_checkpoint

from mmdualhand import compat
from mmdualhand.cli.common import check_data, load_config, runner_parser
from mmdualhand.errors import ConfigError, MissingFileError
from mmdualhand.models.backbones.pretrained import fetch_weights


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = runner_parser('train', 'Train a model from a config.')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from a checkpoint; without a value from the last one of the work dir',
    )
    parser.add_argument('--amp', action='store_true', help='bfloat16 mixed precision, on GPU and CPU')
    parser.add_argument('--no-validate', action='store_true', help='do not validate during training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by batch size over auto_scale_lr.base_batch_size',
    )
    return parser.parse_args(argv)


def prepare(args: argparse.Namespace) -> Config:
    """The config of the run, with the options of the command applied.

    Raises:
        ConfigError: Options and config do not fit.
        MissingFileError: The checkpoint to resume from is not there.
    """
    cfg = load_config(args)
    if 'train_dataloader' not in cfg or 'model' not in cfg:
        raise ConfigError(
            f'{args.config} describes a benchmark, not a training: it has no '
            f'{"train_dataloader" if "train_dataloader" not in cfg else "model"}'
        )
    if args.amp:
        cfg.optim_wrapper.type = 'BF16OptimWrapper'
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        cfg.get('default_hooks', {}).get('checkpoint', {}).pop('save_best', None)
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise ConfigError('--auto-scale-lr needs auto_scale_lr = dict(base_batch_size=...) in the config')
        cfg.auto_scale_lr.enable = True
    if args.resume:
        _resume(cfg, args.resume)
    if cfg.get('load_from'):
        check_start(cfg.load_from)
        # The checkpoint brings every weight; ImageNet weights would be fetched for nothing.
        if cfg.model.get('backbone', {}).get('init_cfg'):
            cfg.model.backbone.init_cfg = None
    return cfg


def _resume(cfg: Config, checkpoint: str) -> None:
    if checkpoint == 'auto':
        found = find_latest_checkpoint(cfg.work_dir) if Path(cfg.work_dir).is_dir() else None
        if found is None:
            raise MissingFileError(
                f'--resume found no checkpoint in {cfg.work_dir}: start without --resume, name the folder '
                'with --work-dir, or give the file as --resume CHECKPOINT'
            )
        checkpoint = found
    if not Path(checkpoint).is_file():
        raise MissingFileError(f'--resume: the checkpoint {checkpoint} is not there')
    cfg.resume = True
    cfg.load_from = checkpoint


def check_start(load_from: str) -> None:
    """Look for the weights to start from before anything slow is built.

    Raises:
        MissingFileError: They are not there.
    """
    if '://' not in load_from and not Path(load_from).expanduser().is_file():
        raise MissingFileError(
            f'load_from={load_from} is not there: train that network first (a fine-tuning starts from a '
            'pre-trained one), or name another checkpoint with --cfg-options load_from=FILE'
        )


def check_pretrained(model: dict[str, Any]) -> None:
    """Fetch ImageNet weights before anything slow is built.

    Raises:
        MissingFileError: They cannot be had; the message gives the ways out.
    """
    backbone = model.get('backbone', {})
    if backbone.get('type') == 'DualResNet' and backbone.get('init_cfg'):
        fetch_weights(backbone['init_cfg'])


def main(argv: Sequence[str] | None = None) -> int:
    """Train; returns the exit status."""
    args = parse_args(argv)
    cfg = prepare(args)
    compat.apply_patches(trust_checkpoints=args.trust_checkpoint)
    compat.init_distributed(cfg.launcher)
    check_data(cfg, 'train_dataloader', 'val_dataloader')
    check_pretrained(cfg.model)
    Runner.from_cfg(cfg).train()
    return 0
