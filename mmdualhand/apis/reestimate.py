"""Unlabelled target images to re-estimate batch normalisation on: the control row of every adaptation."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import partial
from typing import Any

from mmengine.config import Config
from torch.utils.data import DataLoader

from mmdualhand.apis.evaluate import fit_crop
from mmdualhand.datasets import collate_hand_batch
from mmdualhand.engine import stream_configs
from mmdualhand.errors import ConfigError
from mmdualhand.registry import DATASETS

STREAM = 'target'
BATCH_SIZE = 50


def target_dataset(cfg: Config) -> dict[str, Any]:
    """Config of the target's train images as the test looks at them, without their labels.

    Args:
        cfg: Config of a fine-tuning, with ``train_dataloader.streams.target`` and a
            ``test_dataloader``; where it has a ``model``, pictures are cropped to the size
            of that network.

    Returns:
        The stream's dataset with the pipeline of the test and ``DropLabels`` before
        ``PackHandInputs``.

    Raises:
        ConfigError: The config lacks one of the two, or the pipeline does not pack.
    """
    streams = (cfg.get('train_dataloader') or {}).get('streams') or {}
    if STREAM not in streams or not cfg.get('test_dataloader'):
        raise ConfigError(
            'batch normalisation is re-estimated on the images of train_dataloader.streams.target with the '
            'pipeline of test_dataloader; this config lacks one of them: name one of the finetune configs'
        )
    if cfg.get('model'):
        fit_crop(cfg)
    dataset = copy.deepcopy(dict(stream_configs(cfg.train_dataloader)[STREAM]['dataset']))
    pipeline = copy.deepcopy(list(cfg.test_dataloader.dataset.pipeline))
    places = [place for place, step in enumerate(pipeline) if step['type'] == 'PackHandInputs']
    if not places:
        raise ConfigError('test_dataloader.dataset.pipeline has no PackHandInputs')
    return {**dataset, 'pipeline': [*pipeline[: places[0]], dict(type='DropLabels'), *pipeline[places[0] :]]}


def target_batches(cfg: Config, batch_size: int = BATCH_SIZE) -> Iterable[dict[str, Any]]:
    """The target's train images in their order, un-augmented, for ``engine.reestimate_batch_norm``.

    Args:
        cfg: As for :func:`target_dataset`, before its ``train_dataloader`` is taken out.
        batch_size: Images of a batch; what is left over at the end is left out, because
            every batch counts alike. Fewer images are one batch.

    Returns:
        Collated batches without labels.

    Raises:
        ConfigError: As :func:`target_dataset`.
    """
    dataset = DATASETS.build(target_dataset(cfg))
    return DataLoader(
        dataset,
        batch_size=max(min(batch_size, len(dataset)), 1),
        drop_last=True,
        collate_fn=partial(collate_hand_batch, partial_labels=True),
    )
