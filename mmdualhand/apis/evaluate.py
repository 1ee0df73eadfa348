"""Measuring a network of a checkpoint on the benchmark of a config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from torch import nn

from mmdualhand.apis.run_config import transforms_of
from mmdualhand.evaluation.functional import joint_errors, pck_curve
from mmdualhand.registry import DATASETS, METRICS
from mmdualhand.structures import BRANCHES, INSTANCE_FIELDS, as_size

CURVE_MM = (0.0, 80.0, 41)
"""First and last threshold and number of thresholds of the 3D PCK curve, mm: a step of 2 mm."""


def take_network(cfg: Config, checkpoint: Mapping[str, Any]) -> bool:
    """Put the network of a checkpoint into the config of a benchmark.

    The network is the one the checkpoint was trained with, so every checkpoint
    runs on every benchmark; a ``model`` in the benchmark's config is used only
    where the checkpoint does not name one.

    Args:
        cfg: Config of the benchmark, changed in place.
        checkpoint: What a checkpoint file holds.

    Returns:
        Whether there is a network now.
    """
    saved = checkpoint.get('meta', {}).get('model')
    if saved is not None:
        cfg.model = ConfigDict(saved)
    return 'model' in cfg


def fit_test(cfg: Config, branches: Sequence[str] | None = None, root_depth: str | None = None) -> None:
    """Make a config with a network and a benchmark one that only tests.

    Args:
        cfg: Changed in place.
        branches: Branches to measure, ``rgb`` always among them; those of the
            config where None.
        root_depth: ``'given'`` or ``'solve'``; that of the network where None.
    """
    cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.load_from = None
    cfg.resume = False
    fit_crop(cfg)
    if branches:
        _choose_branches(cfg, branches)
    if root_depth:
        cfg.model.test_cfg = ConfigDict(cfg.model.get('test_cfg') or {}, root_depth=root_depth)


def evaluators(cfg: Config) -> list[Any]:
    """Configs of the metrics of the test."""
    evaluator = cfg.get('test_evaluator') or []
    return list(evaluator) if isinstance(evaluator, list | tuple) else [evaluator]


def fit_crop(cfg: Config) -> None:
    """Crop the pictures of the test to the size that the network of the config was trained on."""
    codec = cfg.model.get('head', {}).get('codec') or {}
    size = codec.get('input_size')
    if size is not None:
        set_crop(cfg, as_size(size))


def set_crop(cfg: Config, input_size: tuple[int, int]) -> None:
    """Crop the pictures of the test to a size.

    Args:
        cfg: Config of a benchmark, changed in place.
        input_size: ``(w, h)``, px.
    """
    for step in transforms_of(cfg, 'test_dataloader'):
        if step.get('type') == 'HandCrop':
            step['input_size'] = input_size


def _choose_branches(cfg: Config, branches: Sequence[str]) -> None:
    branches = tuple(branch for branch in BRANCHES if branch == 'rgb' or branch in branches)
    test_cfg = cfg.model.setdefault('test_cfg', ConfigDict()) or ConfigDict()
    cfg.model.test_cfg = ConfigDict(test_cfg, branches=branches)
    for metric in evaluators(cfg):
        metric['branches'] = branches
    if len(branches) > 1:
        for step in transforms_of(cfg, 'test_dataloader'):
            if step.get('type') == 'LoadHandModalities':
                step['modalities'] = ('rgb', 'depth', 'mask')


@dataclass(frozen=True)
class Result:
    """What a network gave on a benchmark.

    Attributes:
        metrics: Result key to value, of all branches.
        curve3d: ``thresholds_mm`` and ``pck``, the share of joints of the RGB branch
            within each; empty where the benchmark has no 3D labels, or the network no 3D.
        per_sample_epe: Mean joint error of the RGB branch of every sample with
            labels, mm, rounded to 0.01, in the order of the benchmark.
        dataset: The benchmark's own description.
        protocol: Unit, frame, alignment and rule of every metric, a line each.
    """

    metrics: dict[str, float]
    curve3d: dict[str, list[float]]
    per_sample_epe: list[float]
    dataset: dict[str, Any]
    protocol: list[str]


@torch.no_grad()
def evaluate(model: nn.Module, cfg: Config) -> Result:
    """Test a network, as ``mmdualhand test`` does, without a Runner.

    Args:
        model: An estimator; in eval mode afterwards.
        cfg: Config with ``test_dataloader`` and ``test_evaluator``, see :func:`fit_test`.

    Returns:
        Metrics, and the errors of the RGB branch one by one.
    """
    # Our registries by name: outside a Runner, mmengine does not know where to look.
    dataset = DATASETS.build(dict(cfg.test_dataloader.dataset))
    loader = Runner.build_dataloader({**cfg.test_dataloader, 'dataset': dataset}, seed=0)
    evaluator = Evaluator([METRICS.build(dict(metric)) for metric in evaluators(cfg)])
    evaluator.dataset_meta = loader.dataset.metainfo
    model.eval()
    predicted, true = [], []
    for batch in loader:
        outputs = model.test_step(batch)  # type: ignore[operator]
        evaluator.process(data_samples=outputs, data_batch=batch)
        for sample in outputs:
            labels, found = sample.get('gt_instances'), sample.get(INSTANCE_FIELDS['rgb'])
            if labels is not None and 'keypoints_3d' in labels and 'keypoints_3d' in found:
                predicted.append(np.asarray(found.keypoints_3d[0]))
                true.append(np.asarray(labels.keypoints_3d[0]))
    metrics = evaluator.evaluate(len(loader.dataset))
    curve, errors = _errors(predicted, true)
    lines = [line for metric in evaluator.metrics if (line := getattr(metric, 'protocol_line', None))]
    values = {key: float(value) for key, value in metrics.items()}
    return Result(values, curve, errors, dict(loader.dataset.metainfo), lines)


def _errors(
    predicted: Iterable[np.ndarray], true: Sequence[np.ndarray]
) -> tuple[dict[str, list[float]], list[float]]:
    """3D PCK curve and mean error of each sample; (21, 3) mm each, NaN where there is no label."""
    if not true:
        return {}, []
    pred, gt = np.stack(list(predicted)).astype(np.float64), np.stack(true).astype(np.float64)
    labelled = np.isfinite(gt).all(-1).any(-1)
    if not labelled.any():
        return {}, []
    pred, gt = pred[labelled], gt[labelled]
    counts = np.isfinite(gt).all(-1)
    thresholds, shares = pck_curve(pred, gt, counts, *CURVE_MM)
    curve = {'thresholds_mm': thresholds.tolist(), 'pck': [round(float(share), 6) for share in shares]}
    errors = np.nanmean(joint_errors(pred, gt, counts), axis=1)
    return curve, [round(float(error), 2) for error in errors]
