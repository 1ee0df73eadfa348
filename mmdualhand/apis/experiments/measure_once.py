"""One measurement: a trained network on a benchmark, as a cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mmengine.device import get_device

from mmdualhand.apis.evaluate import evaluate, fit_test, take_network
from mmdualhand.apis.experiments.cells import code_version, precision_of, versions
from mmdualhand.apis.experiments.configs import benchmark_config, load_in_process
from mmdualhand.apis.experiments.definitions import Measurement
from mmdualhand.apis.experiments.origin import measurement_origin
from mmdualhand.apis.reestimate import target_batches
from mmdualhand.apis.run_config import check_data
from mmdualhand.engine import reestimate_batch_norm
from mmdualhand.engine.weights import load_weights
from mmdualhand.errors import ConfigError
from mmdualhand.registry import MODELS

_COST = ('steps', 'seconds', 'cpu_seconds', 'chain_seconds', 'chain_cpu_seconds')


def measure(
    measurement: Measurement, checkpoint: Mapping[str, Any], record: Mapping[str, Any]
) -> dict[str, Any]:
    """Measure a trained network.

    Args:
        measurement: What is measured and how.
        checkpoint: Content of the training's last checkpoint.
        record: The training's record, for what it cost and how many threads it had.

    Returns:
        The cell: what was measured, ``origin``, ``metrics``, ``curve3d``,
        ``per_sample_epe`` (mm), what the training cost, its number of threads, precision and
        commit (``training_commit``), and commit and versions of what measured.

    Raises:
        ConfigError: The checkpoint names no network, or there are no images to
            re-estimate batch normalisation on.
        MissingFileError: The data is not there.
    """
    cfg = benchmark_config(measurement.benchmark)
    if not checkpoint.get('meta', {}).get('model') or not take_network(cfg, checkpoint):
        raise ConfigError(f'the checkpoint of {measurement.training.key} does not name its network')
    unlabelled = target_batches(cfg) if measurement.reestimate_bn else None
    fit_test(cfg, measurement.branches, measurement.root_depth)
    load_in_process(cfg)
    check_data(cfg, 'test_dataloader')
    model = MODELS.build(cfg.model).to(get_device())
    load_weights(model, checkpoint, source=measurement.training.key)
    if unlabelled is not None:
        reestimate_batch_norm(model, unlabelled)
    result = evaluate(model, cfg)
    return {
        'training': measurement.training.name,
        'seed': measurement.training.seed,
        'benchmark': measurement.benchmark,
        'branches': list(measurement.branches),
        'reestimate_bn': measurement.reestimate_bn,
        'root_depth': measurement.root_depth,
        **({'best_on': measurement.training.best_on} if measurement.training.best_on else {}),
        'origin': measurement_origin(measurement),
        **{key: value for key, value in asdict(result).items() if key != 'dataset'},
        **{key: record[key] for key in _COST},
        'threads': record.get('threads'),
        'precision': precision_of(record),
        'training_commit': record.get('commit'),
        'commit': code_version(),
        'versions': versions(),
    }
