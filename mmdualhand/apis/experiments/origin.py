"""What a result depends on, as hashes: whether a finished one still belongs to today's config and data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmdualhand.apis.evaluate import evaluators
from mmdualhand.apis.experiments.configs import benchmark_config, training_config
from mmdualhand.apis.experiments.definitions import Measurement, Training
from mmdualhand.apis.experiments.selection import METRIC
from mmdualhand.apis.reestimate import BATCH_SIZE, target_dataset
from mmdualhand.synthesis.generate import NOTE

_PLACES = frozenset({
    'bank', 'data_root', 'multiprocessing_context', 'num_workers', 'persistent_workers', 'pin_memory',
    'prefetch_factor', 'probe', 'timeout',
})  # fmt: skip
"""Keys, at any depth, that say where and how fast, not what."""
_SAME_RESULT = frozenset({
    'CheckpointHook', 'FiniteLossHook', 'HandVisualizationHook', 'IterTimerHook', 'LoggerHook',
    'SafeCheckpointHook',
})  # fmt: skip
"""Hooks that leave the weights alone."""
_LOOP_ONLY = ('val_interval', 'val_begin', 'dynamic_intervals')
_LENGTH = 16  # hexadecimal digits of a hash

WORDS = {
    'config': 'the config of the training',
    'start': 'the training that it starts from',
    'data': 'the data',
    'benchmark': 'the benchmark',
    'training': 'the training',
}
"""Part of an origin in words, for messages."""


def digest(value: Any) -> str:
    """Hash of plain data; the order of keys and whether a sequence is a tuple do not count."""
    text = json.dumps(_plain(value), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def training_origin(training: Training) -> dict[str, Any]:
    """What the weights of a training depend on.

    Args:
        training: The training; its config is read, and the notes of embedded data.

    Returns:
        ``config``, ``start`` (None without one) and ``data`` (folder name to the hash of
        its ``SYNTHETIC.json``, None for published data), and ``hash`` over all of it.

    Raises:
        ConfigError: As ``training_config``.
    """
    cfg = training_config(training)
    parts: dict[str, Any] = {
        'config': digest(_weights(cfg)),
        'start': None if training.start is None else training_origin(training.start)['hash'],
        'data': data_digests(cfg.train_dataloader),
    }
    if training.best_on:
        chosen_on = benchmark_config(training.best_on).test_dataloader
        parts['config'] = digest([parts['config'], METRIC, _without(dict(chosen_on.dataset), 'input_size')])
        parts['data'].update(data_digests(chosen_on))
    return {'hash': digest(parts), **parts}


def measurement_origin(measurement: Measurement) -> dict[str, Any]:
    """What a measurement depends on.

    Returns:
        ``training`` (the hash of its origin), ``benchmark``, ``data`` of the benchmark,
        ``hash`` over all of it, and beside it ``configs``, the hash of the configs of its
        trainings, which can be compared without their data.

    Raises:
        ConfigError: As ``training_config`` and ``benchmark_config``.
    """
    cfg = benchmark_config(measurement.benchmark)
    benchmark: dict[str, Any] = {
        'dataset': _without(dict(cfg.test_dataloader.dataset), 'input_size'),
        'evaluator': evaluators(cfg),
        'branches': measurement.branches,
        'root_depth': measurement.root_depth,
        'test_cfg': training_config(measurement.training).model.get('test_cfg'),
    }
    data = [cfg.test_dataloader]
    if measurement.reestimate_bn:
        unlabelled = target_dataset(cfg)
        benchmark['reestimated'] = {'dataset': _without(unlabelled, 'input_size'), 'batch': BATCH_SIZE}
        data.append(unlabelled)
    parts = {
        'training': training_origin(measurement.training)['hash'],
        'benchmark': digest(benchmark),
        'data': data_digests(data),
    }
    return {'hash': digest(parts), **parts, 'configs': _configs(measurement.training)}


def _configs(training: Training) -> str:
    """Hash of the config of a training and of those that it starts from, whatever their data."""
    own = training_origin(training)['config']
    return digest([own, None if training.start is None else _configs(training.start)])


def same_configs(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether two measurements are of the same benchmark and configs, where data cannot be compared.

    Args:
        kept: Origin of a finished one; the configs of those before 0.1 was complete are not known.
        wanted: Of the one that would be made today.
    """
    configs = kept.get('configs', wanted['configs'])
    return kept.get('benchmark') == wanted['benchmark'] and configs == wanted['configs']


def difference(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """What two origins differ in, in words; empty where they do not."""
    if kept.get('hash') == wanted['hash']:
        return ''
    parts = [WORDS[key] for key in WORDS if key in wanted and kept.get(key) != wanted[key]]
    return ' and '.join(parts) or 'its origin'


def absent_data(measurement: Measurement) -> list[str]:
    """Folders of data that a measurement, or a training that it needs, has and this machine has not.

    The origin says of embedded data which they are; without them, it cannot be told.
    """
    cfg = benchmark_config(measurement.benchmark)
    needed = [cfg.test_dataloader, *([target_dataset(cfg)] if measurement.reestimate_bn else [])]
    training: Training | None = measurement.training
    while training is not None:
        needed.append(training_config(training).train_dataloader)
        training = training.start
    return [root for root in sorted(set(_roots(needed))) if not Path(root).is_dir()]


def data_digests(config: Any) -> dict[str, str | None]:
    """Folder name of every ``data_root`` in a config to the hash of its note, None where there is none."""
    return {Path(root).name: _note(Path(root)) for root in sorted(set(_roots(config)))}


def _note(root: Path) -> str | None:
    file = root / NOTE
    return digest(json.loads(file.read_text(encoding='utf-8'))) if file.is_file() else None


def _roots(config: Any) -> Iterator[str]:
    if isinstance(config, Mapping):
        for key, value in config.items():
            if key == 'data_root':
                yield str(value)
            else:
                yield from _roots(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _roots(value)


def _weights(cfg: Config) -> dict[str, Any]:
    """The part of a config that decides about the weights."""
    model = {key: value for key, value in cfg.model.items() if key != 'test_cfg'}
    loop = {key: value for key, value in cfg.train_cfg.items() if key not in _LOOP_ONLY}
    hooks = [*(cfg.get('default_hooks') or {}).values(), *(cfg.get('custom_hooks') or [])]
    scale = cfg.get('auto_scale_lr') or {}
    return {
        'model': model,
        'train_dataloader': cfg.train_dataloader,
        'optim_wrapper': cfg.optim_wrapper,
        'param_scheduler': cfg.get('param_scheduler'),
        'train_cfg': loop,
        'randomness': cfg.get('randomness'),
        'hooks': [hook for hook in hooks if hook and hook.get('type') not in _SAME_RESULT],
        'auto_scale_lr': scale if scale.get('enable') else None,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if key not in _PLACES}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _without(value: Any, key: str) -> Any:
    """A copy without a key at any depth; the size of the crop is that of the network."""
    if isinstance(value, Mapping):
        return {name: _without(item, key) for name, item in value.items() if name != key}
    if isinstance(value, list | tuple):
        return [_without(item, key) for item in value]
    return value
