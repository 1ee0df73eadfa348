"""``mmdualhand train``: train what a config describes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner, find_latest_checkpoint

from mmdualhand import compat
from mmdualhand.apis.training_config import check_pretrained, check_weights, drop_validation, use_bf16
from mmdualhand.cli.common import check_data, load_config, runner_parser
from mmdualhand.errors import ConfigError, MissingFileError


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
    parser.add_argument(
        '--amp',
        action='store_true',
        help='bfloat16 mixed precision, on GPU and CPU; float32 on a CPU that would emulate it',
    )
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
        use_bf16(cfg)
    if args.no_validate:
        drop_validation(cfg)
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise ConfigError('--auto-scale-lr needs auto_scale_lr = dict(base_batch_size=...) in the config')
        cfg.auto_scale_lr.enable = True
    if args.resume:
        _resume(cfg, args.resume)
    check_weights(cfg)
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
