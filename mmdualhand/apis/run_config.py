"""Checks and changes of a config before a Runner is built from it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from typing import Any

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from mmdualhand.engine import stream_configs
from mmdualhand.errors import ConfigError
from mmdualhand.registry import DATASETS

RUNNER_KEYS = (
    'auto_scale_lr', 'cfg', 'custom_hooks', 'custom_imports', 'data_preprocessor', 'default_hooks',
    'default_scope', 'env_cfg', 'experiment_name', 'launcher', 'load_from', 'log_level', 'log_processor',
    'model', 'model_wrapper_cfg', 'optim_wrapper', 'param_scheduler', 'randomness', 'resume',
    'runner_type', 'test_cfg', 'test_dataloader', 'test_evaluator', 'train_cfg', 'train_dataloader',
    'val_cfg', 'val_dataloader', 'val_evaluator', 'vis_backends', 'visualizer', 'work_dir',
)  # fmt: skip


def override(cfg: Config, options: dict[str, Any] | None) -> None:
    """Apply ``--cfg-options`` in place, importing ``custom_imports`` given there.

    Raises:
        ConfigError: An option does not fit the value that it overrides.
    """
    if not options:
        return
    for key in options:
        top = key.split('.')[0]
        if top not in RUNNER_KEYS:
            near = difflib.get_close_matches(top, RUNNER_KEYS, n=1)
            hint = f'did you mean {near[0]!r}? ' if near else ''
            raise ConfigError(
                f'--cfg-options {key}: nothing reads {top!r} once the config is loaded; {hint}Where it is a '
                'variable that other keys were made from, set those: train_dataloader.dataset.data_root=... '
                '(of stage 2 train_dataloader.streams.target.dataset.data_root=...)'
            )
    try:
        cfg.merge_from_dict(options)
    except (KeyError, TypeError) as error:
        raise ConfigError(f'--cfg-options {" ".join(options)}: {error}') from error
    if any(key.startswith('custom_imports') for key in options):
        import_modules_from_strings(**cfg.custom_imports)


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


def check_data(cfg: Config, *dataloaders: str) -> None:
    """Read the annotations of the datasets before anything slow is built.

    Raises:
        MissingFileError: The data is not there.
        DataError: The data is broken.
        ConfigError: Less than one full batch, where the rest is dropped.
    """
    for name, loader in _loaders(cfg, dataloaders):
        samples = len(DATASETS.build(dict(loader['dataset'])))
        batch = loader.get('batch_size', 1) * int(os.environ.get('WORLD_SIZE', 1))
        if loader.get('drop_last') and samples < batch:
            raise ConfigError(
                f'{name} has {samples} samples, fewer than one batch of {batch}, and drop_last leaves '
                f'nothing: use --cfg-options {name}.batch_size={max(samples // 2, 1)} or less'
            )


def _loaders(cfg: Config, names: Iterable[str]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Place in the config and content of every dataloader, those of streams one by one."""
    for name in names:
        loader = cfg.get(name) or {}
        if 'streams' in loader:
            yield from ((f'{name}.streams.{stream}', one) for stream, one in stream_configs(loader).items())
        elif loader.get('dataset'):
            yield name, loader


def transforms_of(cfg: Config | dict[str, Any], dataloader: str) -> Iterable[dict[str, Any]]:
    """The transforms of a dataloader's pipeline, to read or to change in place."""
    pipeline = ((cfg.get(dataloader) or {}).get('dataset') or {}).get('pipeline') or []
    return [step for step in pipeline if isinstance(step, dict)]
