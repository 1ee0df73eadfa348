"""A network, ready to predict, from the name of a config, a config file or a checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.logging import print_log

from mmdualhand import compat
from mmdualhand.apis.export.runners import Runner, TorchRunner, load_runner
from mmdualhand.apis.model_zoo import config_path, get_config
from mmdualhand.engine.weights import load_weights
from mmdualhand.errors import ConfigError, UnknownNameError
from mmdualhand.models.rgb_path import RGBPath, rgb_path
from mmdualhand.registry import MODELS

CHECKPOINT_SUFFIXES = ('.pth', '.pt', '.ckpt')
"""Endings of files of weights."""
EXPORTED_SUFFIXES = ('.onnx', '.ts')
"""Endings of files of ``mmdualhand export``."""


def init_model(
    config_or_checkpoint: str | Path, checkpoint: str | Path | None = None, device: str | None = None
) -> Any:
    """Build a network and load its weights.

    Args:
        config_or_checkpoint: A checkpoint of this package, which names its network; or the name
            of a shipped config or a config file, then with ``checkpoint``.
        checkpoint: Weights for the network of the config; without it the network is untrained,
            which is said once in the log.
        device: For example ``'cuda:0'``; CUDA where there is one, else the CPU.

    Returns:
        The estimator in eval mode; its attribute ``checkpoint_meta`` is what the checkpoint says
        of itself (an empty dict without one).

    Raises:
        ConfigError: No such config, it has no model, the checkpoint names no network or belongs
            to another one.
        MissingFileError: The checkpoint is not there.
        UnsafeFileError: The checkpoint is damaged or holds more than tensors.
        UnknownNameError: The network is of a class that is not registered here.
    """
    if Path(config_or_checkpoint).suffix.lower() in CHECKPOINT_SUFFIXES:
        if checkpoint is not None:
            raise ConfigError(
                f'{config_or_checkpoint} is a checkpoint and names its network: give a config first, or no '
                f'second checkpoint ({checkpoint})'
            )
        checkpoint = config_or_checkpoint
        content = _read(checkpoint)
        config = _named_network(content, checkpoint)
    else:
        config = network_config(config_or_checkpoint)
        content = {} if checkpoint is None else _read(checkpoint)
    meta = dict(content.get('meta') or {})
    model = _build(config, meta)
    if checkpoint is None:
        _warn_untrained(str(config_or_checkpoint))
    else:
        load_weights(model, content, source=str(checkpoint))
    model.checkpoint_meta = meta
    return model.to(default_device(device)).eval()


def get_model(name: str | Path, checkpoint: str | Path | None = None) -> Any:
    """The network of a shipped config, on the CPU; timm's way to ask for it.

    Args:
        name: See :func:`~mmdualhand.apis.model_zoo.list_models`.
        checkpoint: Weights; without it the network is untrained.

    Returns:
        The estimator in eval mode.

    Raises:
        ConfigError: No such config, it is a checkpoint, it has no model, or the checkpoint
            belongs to another one.
        MissingFileError: The checkpoint is not there.
        UnsafeFileError: The checkpoint is damaged or holds more than tensors.
    """
    if Path(name).suffix.lower() in CHECKPOINT_SUFFIXES:
        raise ConfigError(
            f'{name} is a checkpoint and no name of a config: mmdualhand.init_model({str(name)!r}) reads one '
            'that names its network'
        )
    config_path(name)
    return init_model(name, checkpoint, device='cpu')


def network_config(name: str | Path) -> ConfigDict:
    """The model of a config.

    Raises:
        ConfigError: No such config, or it describes a benchmark and has no model.
    """
    config = get_config(name)
    if 'model' not in config:
        raise ConfigError(f'{name} has no model, it describes a benchmark: name the config of a training')
    return config.model


def default_device(device: str | None = None) -> torch.device:
    """The device asked for; CUDA where there is one, else the CPU.

    Raises:
        ConfigError: No such device.
    """
    try:
        chosen = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
    except RuntimeError as error:
        raise ConfigError(f'device={device!r} is not a device of torch, such as cpu or cuda:0') from error
    if chosen.type == 'cuda' and not torch.cuda.is_available():
        raise ConfigError(f'device={device!r} was asked for, and torch sees no CUDA here: use cpu')
    return chosen


def make_runner(
    model: Any, checkpoint: str | Path | None = None, device: str | None = None
) -> Runner:
    """Whatever the user calls a model, as something that runs crops.

    Args:
        model: As for :func:`init_model`; an estimator or its RGB path; an exported ``.onnx`` or
            ``.ts`` file; or a runner, which is returned as it is.
        checkpoint: Weights for a ``model`` that is a config.
        device: Of networks in torch; those of an estimator stay where they are, if None, and a
            ``.ts`` file then runs on the CPU. An ``.onnx`` file runs nowhere else.

    Raises:
        ConfigError: What :func:`init_model` refuses, the network does not predict from RGB alone,
            or arguments that have no meaning together.
        MissingFileError: A file is not there.
        MissingPackageError: An exported file needs onnxruntime.
    """
    named = isinstance(model, str | Path)
    if checkpoint is not None and not (named and Path(model).suffix.lower() not in EXPORTED_SUFFIXES):
        raise ConfigError('checkpoint= is for a model that is the name or file of a config')
    if named:
        if Path(model).suffix.lower() in EXPORTED_SUFFIXES:
            return _exported(model, device)
        model = init_model(model, checkpoint, device)
    if isinstance(model, RGBPath):
        return TorchRunner(model.eval(), device)
    if isinstance(model, torch.nn.Module):
        calibration = getattr(model, 'checkpoint_meta', {}).get('calibration')
        return TorchRunner(rgb_path(model), device, calibration=calibration)
    if callable(model) and hasattr(model, 'facts'):
        return model
    raise ConfigError(
        'model must be a config, a checkpoint, an exported file, an estimator or a runner, got '
        f'{type(model).__name__}'
    )


def _exported(file: str | Path, device: str | None) -> Runner:
    """Run an exported file on the device that was asked for."""
    if Path(file).suffix.lower() == '.onnx' and device is not None and not str(device).startswith('cpu'):
        raise ConfigError(
            f'{file} runs on the CPU, device={device!r} has no meaning for it: leave device out, or take the '
            'checkpoint or a .ts file'
        )
    return load_runner(file, device=str(default_device(device or 'cpu')))


@cache
def _warn_untrained(name: str) -> None:
    """Say once for each config that its network has random weights."""
    print_log(
        f'{name} was built without a checkpoint: its weights are random and its predictions mean nothing',
        'current',
        logging.WARNING,
    )


def _read(checkpoint: str | Path) -> dict[str, Any]:
    return compat.load_from_local(str(checkpoint), map_location='cpu')


def _named_network(content: Mapping[str, Any], source: str | Path) -> ConfigDict:
    saved = (content.get('meta') or {}).get('model')
    if saved is None:
        raise ConfigError(
            f'{source} does not name its network: give the config that it was trained with first, then the '
            'checkpoint'
        )
    return ConfigDict(saved)


def _build(config: Mapping[str, Any], meta: Mapping[str, Any]) -> Any:
    try:
        return MODELS.build(dict(config))
    except UnknownNameError as error:
        modules = meta.get('custom_imports') or []
        if not modules:
            raise
        # Named, never imported: that would run code from a file of weights.
        message = f'{error} The checkpoint was trained with it: import {modules} first'
        raise UnknownNameError(message) from error
