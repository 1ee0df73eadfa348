"""The configs that experiments run: that of a training, and that of a benchmark."""

from __future__ import annotations

import copy
import logging
import os
from functools import cache
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

from mmdualhand.apis.experiments.definitions import Training
from mmdualhand.apis.model_zoo import get_config
from mmdualhand.apis.run_config import check_keys, override
from mmdualhand.apis.training_config import drop_validation, use_bf16
from mmdualhand.errors import ConfigError


def training_config(training: Training) -> Config:
    """The config of a training, without the places on a machine.

    Its own values but for: bfloat16, the seed, no validation (the last checkpoint
    counts; choosing one by the labels of a target would be using them), the last
    checkpoint kept alone.

    Raises:
        ConfigError: No such config, it does not describe a training, an option
            does not fit, or it starts from weights that are not a training's.
    """
    cfg = _read(training.config)
    override(cfg, dict(training.options))
    check_keys(cfg)
    for key in ('train_dataloader', 'model', 'optim_wrapper', 'train_cfg'):
        if not cfg.get(key):
            raise ConfigError(f'{training.config} describes no training: it has no {key}')
    if training.start is None and cfg.get('load_from'):
        raise ConfigError(
            f'{training.config} starts from {cfg.load_from}, and the training {training.name} has no start: '
            'give it the training that makes these weights, so that it is known where they come from'
        )
    use_bf16(cfg)
    drop_validation(cfg)
    cfg.setdefault('randomness', {})['seed'] = training.seed
    checkpoint = cfg.setdefault('default_hooks', {}).setdefault('checkpoint', {'type': 'SafeCheckpointHook'})
    checkpoint.update(interval=1, by_epoch=True, max_keep_ckpts=1)
    cfg.load_from, cfg.resume, cfg.launcher = None, False, 'none'
    if training.start is not None and cfg.model.get('backbone', {}).get('init_cfg'):
        cfg.model.backbone.init_cfg = None
    return cfg


def benchmark_config(name: str) -> Config:
    """The config of a benchmark.

    Raises:
        ConfigError: No such config, or it has nothing to test on.
    """
    cfg = _read(name)
    if not cfg.get('test_dataloader'):
        raise ConfigError(f'{name} has no test_dataloader, so there is nothing to test on')
    return cfg


def data_folder(name: str) -> Path:
    """Where the data of a benchmark should be.

    Raises:
        ConfigError: As :func:`benchmark_config`.
    """
    return Path(benchmark_config(name).test_dataloader.dataset.data_root)


def _read(name: str) -> Config:
    return copy.deepcopy(_read_once(name, os.environ.get('HAND_DATA')))


@cache
def _read_once(name: str, data: str | None) -> Config:
    """A config, without mmengine's line about every environment variable in it."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        return get_config(name)
    finally:
        logger.setLevel(level)


def load_in_process(cfg: Config) -> None:
    """Read pictures in the process that computes: several of these fill the cores.

    With a GPU, the number of workers stays that of the config.
    """
    if torch.cuda.is_available():
        return
    for name in ('train_dataloader', 'test_dataloader'):
        loader = cfg.get(name)
        if loader:
            for one in (loader, *(loader.get('streams') or {}).values()):
                _without_workers(one, whole=one is loader)


def _without_workers(loader: Any, whole: bool) -> None:
    if whole or 'num_workers' in loader:
        loader['num_workers'] = 0
    for key in ('persistent_workers', 'pin_memory'):
        if key in loader:
            loader[key] = False
    loader.pop('prefetch_factor', None)
