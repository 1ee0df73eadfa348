"""Trainings of configs, shipped ones and files of one's own, each with the chain that it starts from."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from mmdualhand.apis.experiments.configs import read_config
from mmdualhand.apis.experiments.definitions import Training
from mmdualhand.apis.model_zoo import config_root, list_models
from mmdualhand.errors import ConfigError

FILE_ENDING = '.py'
"""End of a config that is a file of one's own and no name."""
_NAMES = {
    'ablation/r_rhd': 'baseline',
    'pretrain_rhd': 'pretrain',
    'controls/baseline_equal_compute': 'equal_compute',
}
"""Configs whose training has another name than the file."""
_SCALES = ('mini/', 'small/')
_START = re.compile(r'work_dirs/(?P<config>[\w/]+)/epoch_(?P<epoch>\d+)\.pth')


def config_name(config: str) -> str:
    """A config by the one name that trainings have for it.

    Args:
        config: Name of a shipped config, which may end in ``.py``, or a file, relative to
            the working folder.

    Returns:
        The name of a shipped config without ``.py``; the absolute path of any other file,
        also of one that is not there.
    """
    if not config.endswith(FILE_ENDING):
        return config
    file, root = Path(os.path.abspath(Path(config).expanduser())), config_root()
    if not file.is_file():
        name = config.removeprefix('configs/').removesuffix(FILE_ENDING)
        return name if is_shipped(name) else str(file)
    shipped = file.resolve()
    return shipped.relative_to(root).with_suffix('').as_posix() if shipped.is_relative_to(root) else str(file)


def training_name(config: str) -> str:
    """Name of the training of a config: ``mini/compared/regda_res101_stb`` is ``regda_res101_stb``."""
    if config.endswith(FILE_ENDING):
        return Path(config).stem.removesuffix('_rhd')
    scale = next((prefix for prefix in _SCALES if config.startswith(prefix)), '')
    name = config.removeprefix(scale)
    return _NAMES.get(name, name.rsplit('/', 1)[-1].removesuffix('_rhd'))


def start_of(config: str) -> str | None:
    """The config of the training that a config starts from, as its ``load_from`` says.

    Args:
        config: As :func:`config_name` gives it.

    Raises:
        ConfigError: ``load_from`` is not the last checkpoint of a shipped config, or of a file
            beside this one, in its usual place, ``work_dirs/CONFIG/epoch_N.pth``.
    """
    text, _ = _facts(config)
    if not text:
        return None
    found = _START.fullmatch(text)
    start = None if found is None else _start_config(config, found['config'])
    if found is None or start is None or not _is_there(start):
        beside = ' or of a file beside it' if config.endswith(FILE_ENDING) else ''
        raise ConfigError(
            f'{config} starts from {text}, which is no checkpoint work_dirs/CONFIG/epoch_N.pth of a shipped '
            f'config{beside}, so that it is not known how to make it'
        )
    _, last = _facts(start)
    if int(found['epoch']) != last:
        raise ConfigError(f'{config} starts from {text}, and {start} trains for {last} epochs')
    return start


def training_of(config: str, seed: int, name: str = '') -> Training:
    """The training of a config, with those that it starts from.

    Args:
        config: Name of a shipped config, or a file of one's own; see :func:`config_name`.
        seed: Seed of the whole chain.
        name: Its name; :func:`training_name` where empty.

    Raises:
        ConfigError: As :func:`start_of`; or the name is that of another, shipped training,
            with which it would share cells.
    """
    config = config_name(config)
    usual = training_name(config)
    name = name or usual
    shipped = _shipped_trainings().get(name)
    if shipped is not None and (config.endswith(FILE_ENDING) or name != usual):
        raise ConfigError(
            f'the training of {config} would be named {name}, as that of the shipped config {shipped}: give '
            'it another name'
        )
    start = start_of(config)
    before = None if start is None else training_of(start, seed)
    return Training(name, config, seed, start=before)


def missing_config(config: str) -> str | None:
    """A config that is needed for a training and not there: its own, or one of its chain; None if all are."""
    config = config_name(config)
    if not _is_there(config):
        return config
    found = _START.fullmatch(_facts(config)[0])
    return None if found is None else missing_config(_start_config(config, found['config']))


def is_shipped(config: str) -> bool:
    """Whether there is a shipped config of this name."""
    return (config_root() / f'{config}.py').is_file()


def _is_there(config: str) -> bool:
    return Path(config).is_file() if config.endswith(FILE_ENDING) else is_shipped(config)


def _start_config(config: str, start: str) -> str:
    """What ``work_dirs/START/`` in a config means: a shipped config, for a file also one beside it.

    Raises:
        ConfigError: It may be either.
    """
    if not config.endswith(FILE_ENDING):
        return start
    beside = config_name(str(Path(config).parent / f'{start}{FILE_ENDING}'))
    if not is_shipped(start) or beside == start:
        return beside
    if _is_there(beside):
        raise ConfigError(
            f'{config} starts from work_dirs/{start}, which is the shipped config or {beside}: give the file '
            'another name'
        )
    return start


@cache
def _shipped_trainings() -> dict[str, str]:
    """Name of the training of every shipped config, and the config."""
    return {training_name(config): config for config in reversed(list_models())}


@cache
def _facts(config: str) -> tuple[str, int | None]:
    """``load_from``, empty for none, and the number of epochs of a config."""
    cfg = read_config(config)
    return str(cfg.get('load_from') or ''), (cfg.get('train_cfg') or {}).get('max_epochs')
