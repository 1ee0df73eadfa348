"""The target images of a run: their stream, the same without augmentation, and where it reads labels."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmdualhand.engine.streams import StreamLoader, stream_configs
from mmdualhand.errors import ConfigError
from mmdualhand.pseudo_labels import LoadPseudoLabel

_TRAINING_ONLY = ('TextureViews', 'LoadPseudoLabel')


def find_stream(runner: Runner, name: str) -> DataLoader:
    """The DataLoader of a stream.

    Raises:
        ConfigError: The run has no streams, or none of that name.
    """
    loader = runner.train_dataloader
    if not isinstance(loader, StreamLoader) or name not in loader.loaders:
        there = sorted(loader.loaders) if isinstance(loader, StreamLoader) else 'no streams'
        raise ConfigError(
            f'PseudoLabelHook labels the stream {name!r} of train_dataloader, and there is {there}; see '
            "train_cfg=dict(type='StreamTrainLoop')"
        )
    return loader.loaders[name]


def clean_config(runner: Runner, name: str) -> dict[str, Any]:
    """Config of a stream's dataset without what changes from one look to the next.

    Raises:
        ConfigError: The run was not built from a config.
    """
    config = runner.cfg.get('train_dataloader')
    if not config:
        raise ConfigError("refresh='epoch' needs PseudoLabelHook(dataset=...) where the run has no config")
    dataset = copy.deepcopy(dict(stream_configs(config)[name]['dataset']))
    pipeline = [dict(step) for step in dataset.get('pipeline', ()) if step['type'] not in _TRAINING_ONLY]
    for step in pipeline:
        if step['type'] == 'HandCrop':
            step['augment'] = None
    return {**dataset, 'pipeline': pipeline}


def name_bank(dataset: Any, path: str) -> None:
    """Tell the ``LoadPseudoLabel`` of a dataset where its bank is, before workers start.

    Raises:
        ConfigError: The pipeline has none, or one that reads another bank.
    """
    readers = [step for step in getattr(dataset, 'pipeline', ()) if isinstance(step, LoadPseudoLabel)]
    if not readers:
        raise ConfigError(
            "PseudoLabelHook(refresh='epoch') fills a bank that nobody reads: put "
            "dict(type='LoadPseudoLabel') at the end of the pipeline of the target stream, after "
            'PackHandInputs'
        )
    for step in readers:
        if step.bank is None:
            step.bank = path
        elif step.bank != path:
            raise ConfigError(
                f'LoadPseudoLabel reads {step.bank} and PseudoLabelHook fills {path}: leave one of them out'
            )
