"""How a config of a training is changed for one run of it: precision, validation, where it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmdualhand.errors import MissingFileError
from mmdualhand.models.backbones.pretrained import fetch_weights


def use_bf16(cfg: Config) -> None:
    """Train in bfloat16 mixed precision, on a GPU and on a CPU that has instructions for it."""
    cfg.optim_wrapper.type = 'BF16OptimWrapper'


def drop_validation(cfg: Config) -> None:
    """Do not validate during training; then the last checkpoint is the result, and no best one is kept."""
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.get('default_hooks', {}).get('checkpoint', {}).pop('save_best', None)


def check_weights(cfg: Config) -> None:
    """See to the weights that a run starts from, if any.

    Raises:
        MissingFileError: They are not there.
    """
    if cfg.get('load_from'):
        check_start(cfg.load_from)
        # The checkpoint brings every weight; ImageNet weights would be fetched for nothing.
        if cfg.model.get('backbone', {}).get('init_cfg'):
            cfg.model.backbone.init_cfg = None


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
