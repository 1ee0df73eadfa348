"""The configs that experiments run: that of a training, and that of a benchmark."""

from __future__ import annotations

import copy
import os
from functools import cache
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

from mmdualhand.apis.evaluate import evaluators
from mmdualhand.apis.experiments.definitions import Training
from mmdualhand.apis.experiments.selection import METRIC, RULE
from mmdualhand.apis.model_zoo import get_config
from mmdualhand.apis.quiet_log import quiet_log
from mmdualhand.apis.run_config import check_keys, override, transforms_of
from mmdualhand.apis.training_config import drop_validation, use_bf16
from mmdualhand.errors import ConfigError
from mmdualhand.structures import as_size


def training_config(training: Training) -> Config:
    """The config of a training, without the places on a machine.

    Its own values but for: bfloat16 (where it is not emulated), the seed, no validation (the last checkpoint
    counts; choosing one by the labels of a target would be using them) or one on the
    benchmark ``best_on``, the last checkpoint kept alone.

    Raises:
        ConfigError: No such config, it does not describe a training, an option
            does not fit, or it starts from weights that are not a training's.
    """
    cfg = read_config(training.config)
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
    if training.best_on:
        _validate_on(cfg, training.best_on)
    cfg.load_from, cfg.resume, cfg.launcher = None, False, 'none'
    if training.start is not None and cfg.model.get('backbone', {}).get('init_cfg'):
        cfg.model.backbone.init_cfg = None
    return cfg


def _validate_on(cfg: Config, benchmark: str) -> None:
    """Validate after every epoch, as a benchmark tests, and keep the best checkpoint too.

    Raises:
        ConfigError: There is no such benchmark, or it does not measure what chooses.
    """
    given = benchmark_config(benchmark)
    names = [metric.get('type') for metric in evaluators(given)]
    if 'PCK' not in names:
        raise ConfigError(f'{benchmark} measures {names}, and checkpoints are chosen by {METRIC}')
    cfg.val_dataloader = given.test_dataloader
    cfg.val_evaluator = [metric for metric in evaluators(given) if metric.get('type') == 'PCK']
    cfg.val_cfg = dict(type='ValLoop')
    cfg.train_cfg.update(val_interval=1, val_begin=1)
    cfg.default_hooks.checkpoint.update(save_best=METRIC, rule=RULE)
    codec = cfg.model.get('head', {}).get('codec') or {}
    for step in transforms_of(cfg, 'val_dataloader'):
        if step.get('type') == 'HandCrop' and codec.get('input_size') is not None:
            step['input_size'] = as_size(codec['input_size'])


def benchmark_config(name: str) -> Config:
    """The config of a benchmark.

    Raises:
        ConfigError: No such config, or it has nothing to test on.
    """
    cfg = read_config(name)
    if not cfg.get('test_dataloader'):
        raise ConfigError(f'{name} has no test_dataloader, so there is nothing to test on')
    return cfg


def data_folder(name: str) -> Path:
    """Where the data of a benchmark should be.

    Raises:
        ConfigError: As :func:`benchmark_config`.
    """
    return Path(benchmark_config(name).test_dataloader.dataset.data_root)


def read_config(name: str) -> Config:
    """A shipped config or a file, to be changed at will.

    Raises:
        ConfigError: No such config.
    """
    return copy.deepcopy(_read_once(name, os.environ.get('HAND_DATA')))


@cache
def _read_once(name: str, data: str | None) -> Config:
    """A config, without mmengine's line about every environment variable in it."""
    with quiet_log(MMLogger.get_current_instance()):
        return get_config(name)


def load_in_process(cfg: Config) -> None:
    """Read pictures in the process that computes: several of these fill the cores.

    With a GPU, the number of workers stays that of the config.
    """
    if torch.cuda.is_available():
        return
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
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
