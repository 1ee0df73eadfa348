"""What the passes of a network, and the labels made of them, are worth on images with known labels."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmdualhand.apis.reestimate import target_batches, target_dataset
from mmdualhand.engine import reestimate_batch_norm
from mmdualhand.engine.labels import LabelProbe
from mmdualhand.engine.weights import load_weights
from mmdualhand.errors import ConfigError
from mmdualhand.registry import DATASETS, LABELERS, MODELS
from mmdualhand.structures import BRANCHES

BATCH_SIZE = 50
COLUMNS = {
    'rgb': 'p_R',
    'fused': 'p_F',
    'depth': 'p_D',
    'label': 'label',
    'accepted': 'accepted labels',
    'rejected': 'rejected labels',
    'accepted_share': 'share accepted',
    'confidence': 'median C',
}
"""Key of a measurement to its heading; the last two are no errors in mm."""


def self_training_network(cfg: Config, checkpoint: Mapping[str, Any], source: str) -> Any:
    """The network of a checkpoint of either stage, as stage 2 begins with it.

    Args:
        cfg: Config of a fine-tuning.
        checkpoint: What the file holds.
        source: Its name, for messages.

    Returns:
        An estimator in eval mode. A network of the RGB branch alone has one pass.

    Raises:
        ConfigError: It is no config of a fine-tuning, or the checkpoint does not name
            its network.
    """
    if (cfg.get('model') or {}).get('type') != 'SelfTrainingEstimator':
        raise ConfigError('labels are measured with the config of a fine-tuning, such as finetune_stb')
    saved = checkpoint.get('meta', {}).get('model')
    if saved is None:
        raise ConfigError(f'{source} does not name its network: it was not saved by mmdualhand train')
    model = dict(cfg.model)
    shared = ('backbone', 'head', 'branches', 'bn_groups')
    model.update({key: saved[key] for key in shared if key in saved})
    model['backbone'] = {**model['backbone'], 'init_cfg': None}
    passes = 2 if set(BRANCHES) <= set(model.get('branches', BRANCHES)) else 1
    model['self_training'] = {**model['self_training'], 'passes': passes, 'teacher_momentum': 0.0}
    network = MODELS.build(model)
    state = checkpoint.get('state_dict', checkpoint)
    state = {key: value for key, value in state.items() if not key.startswith(('projectors.', 'teacher.'))}
    load_weights(network, {'state_dict': state}, source=source)
    return network.eval()


def measure_labels(network: Any, cfg: Config, *, reestimate_bn: bool = False) -> dict[str, dict[str, float]]:
    """Errors of both passes and of the labels, on the target's train images and on the source's test.

    Args:
        network: From :func:`self_training_network`.
        cfg: Config of the fine-tuning; the train images of its target must have labels.
        reestimate_bn: Measure the target with the statistics of batch normalisation
            re-estimated on its images first. They stay so.

    Returns:
        ``'source'`` and ``'target'`` to the values of
        :meth:`~mmdualhand.engine.labels.LabelProbe.measure`: mean joint errors in mm, true
        root depth and reference length. The selector sees all values of C at once.

    Raises:
        ConfigError: The config lacks a part of this.
    """
    cfg = copy.deepcopy(cfg)
    cfg.model.head.codec.input_size = network.codec.input_size
    target = target_dataset(cfg)
    target['pipeline'] = [step for step in target['pipeline'] if step['type'] != 'DropLabels']
    stream = cfg.train_dataloader.streams.source.dataset
    depthless = {'type': 'LoadHandModalities', 'modalities': ('rgb',)}
    pipeline = [depthless, *(step for step in target['pipeline'] if step['type'] != 'LoadHandModalities')]
    source = {**stream, 'split': 'evaluation', 'test_mode': True, 'pipeline': pipeline}
    labeler = LABELERS.build({**cfg.default_hooks.pseudo_labels.labeler, 'codec': network.codec})
    found = {}
    for name, config in (('source', source), ('target', target)):
        if name == 'target' and reestimate_bn:
            reestimate_batch_norm(network, target_batches(cfg))
        probe = LabelProbe(network, DATASETS.build(config), BATCH_SIZE)
        found[name] = probe.measure(labeler, progress=1.0, whole=True)
    return found


def label_table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Markdown table of measurements, mm where it is an error.

    Args:
        rows: Heading to the values of one measurement.
    """
    used = [key for key in COLUMNS if any(key in values for values in rows.values())]
    lines = [f'| | {" | ".join(COLUMNS[key] for key in used)} |', f'|---|{"---|" * len(used)}']
    for head, values in rows.items():
        lines.append(f'| {head} | {" | ".join(_cell(key, values.get(key)) for key in used)} |')
    return '\n'.join(lines)


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return ''
    return f'{value:.2f}' if key in ('accepted_share', 'confidence') else f'{value:.1f}'
