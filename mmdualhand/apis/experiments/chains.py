"""Trainings of shipped configs by name, each with the chain that it starts from."""

from __future__ import annotations

import re
from functools import cache

from mmdualhand.apis.experiments.configs import read_config
from mmdualhand.apis.experiments.definitions import Training
from mmdualhand.apis.model_zoo import config_root
from mmdualhand.errors import ConfigError

_NAMES = {
    'ablation/r_rhd': 'baseline',
    'pretrain_rhd': 'pretrain',
    'controls/baseline_equal_compute': 'equal_compute',
}
"""Configs whose training has another name than the file."""
_SCALES = ('mini/', 'small/')
_START = re.compile(r'work_dirs/(?P<config>[\w/]+)/epoch_(?P<epoch>\d+)\.pth')


def training_name(config: str) -> str:
    """Name of the training of a config: ``mini/compared/regda_res101_stb`` is ``regda_res101_stb``."""
    scale = next((prefix for prefix in _SCALES if config.startswith(prefix)), '')
    name = config.removeprefix(scale)
    return _NAMES.get(name, name.rsplit('/', 1)[-1].removesuffix('_rhd'))


def start_of(config: str) -> str | None:
    """The config of the training that a config starts from, as its ``load_from`` says.

    Raises:
        ConfigError: ``load_from`` is not the last checkpoint of a shipped config in its usual
            place, ``work_dirs/CONFIG/epoch_N.pth``.
    """
    text, _ = _facts(config)
    if not text:
        return None
    found = _START.fullmatch(text)
    if found is None or not is_shipped(found['config']):
        raise ConfigError(
            f'{config} starts from {text}, which is no checkpoint work_dirs/CONFIG/epoch_N.pth of a shipped '
            'config, so that it is not known how to make it'
        )
    _, last = _facts(found['config'])
    if int(found['epoch']) != last:
        raise ConfigError(f'{config} starts from {text}, and {found["config"]} trains for {last} epochs')
    return found['config']


def training_of(config: str, seed: int) -> Training:
    """The training of a shipped config, with those that it starts from.

    Args:
        config: Its name.
        seed: Seed of the whole chain.

    Raises:
        ConfigError: As :func:`start_of`.
    """
    start = start_of(config)
    before = None if start is None else training_of(start, seed)
    return Training(training_name(config), config, seed, start=before)


def missing_config(config: str) -> str | None:
    """A config that is needed for a training and not there: its own, or one of its chain; None if all are."""
    if not is_shipped(config):
        return config
    found = _START.fullmatch(_facts(config)[0])
    return None if found is None else missing_config(found['config'])


def is_shipped(config: str) -> bool:
    """Whether there is a config of this name."""
    return (config_root() / f'{config}.py').is_file()


@cache
def _facts(config: str) -> tuple[str, int | None]:
    """``load_from``, empty for none, and the number of epochs of a shipped config."""
    cfg = read_config(config)
    return str(cfg.get('load_from') or ''), (cfg.get('train_cfg') or {}).get('max_epochs')
