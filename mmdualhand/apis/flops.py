"""Parameters and floating-point operations, counted on the estimator itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config
from torch.utils.flop_counter import FlopCounterMode

from mmdualhand.models import PseudoLabels, SelfTrainingEstimator
from mmdualhand.registry import MODELS


@dataclass(frozen=True)
class Complexity:
    """Counts of one network; 1 multiply-add is 2 FLOP.

    Attributes:
        parameters: Part of the network to its number of parameters.
        rgb_parameters: Parameters of RGB-only inference (RGB encoder, decoder).
        inference_gflop: RGB-only inference of one image.
        training_gflop: Forward and backward of one training sample; in stage 2 of
            one source and one target image, without the making of labels.
    """

    parameters: dict[str, int]
    rgb_parameters: int
    inference_gflop: float
    training_gflop: float


def count_complexity(model_cfg: dict[str, Any] | Config, batch_size: int = 2) -> Complexity:
    """Count parameters and FLOPs by running the estimator on the meta device.

    Nothing is allocated or computed, so this takes seconds without a GPU. The
    training count is the estimator's own ``loss`` and its backward pass.

    Args:
        model_cfg: Config of the estimator.
        batch_size: Samples of the counted step; the result is per sample.
    """
    config = dict(model_cfg)
    config['backbone'] = {key: value for key, value in config['backbone'].items() if key != 'init_cfg'}
    with torch.device('meta'):
        model = MODELS.build(config)
        width, height = model.codec.input_size
        inputs, targets = _meta_batch(batch_size, height, width, len(model.branches) > 1, _views(model))
        model.train()
        with FlopCounterMode(display=False) as training:
            losses = model.loss(inputs, targets)
            if isinstance(model, SelfTrainingEstimator):
                model.labeler = _constant_labels
                losses.update(model.target_loss({'rgb': inputs['rgb']}, targets))
            torch.stack(list(losses.values())).sum().backward()
        model.eval()
        with FlopCounterMode(display=False) as inference, torch.no_grad():
            model.extract({'rgb': inputs['rgb'][:1]})
    parts = {name: sum(p.numel() for p in child.parameters()) for name, child in model.named_children()}
    rgb = (model.backbone.rgb_encoder, model.head)
    return Complexity(
        parameters={name: count for name, count in parts.items() if count},
        rgb_parameters=sum(p.numel() for module in rgb for p in module.parameters()),
        inference_gflop=inference.get_total_flops() / 1e9,
        training_gflop=training.get_total_flops() / batch_size / 1e9,
    )


def _constant_labels(poses: Mapping[str, torch.Tensor], targets: Mapping[str, torch.Tensor]) -> PseudoLabels:
    pose = torch.zeros_like(poses['rgb'])
    return PseudoLabels(pose, torch.ones(len(pose)), torch.ones(len(pose)), {})


def _views(model: Any) -> int:
    return 2 if any('+' in name for pair in model.contrast for name in pair) else 1


def _meta_batch(
    size: int, height: int, width: int, depth: bool, views: int
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    inputs: dict[str, Any] = {'rgb': torch.zeros(views * size, 3, height, width), 'views': views}
    if depth:
        inputs['depth'] = torch.zeros(views * size, 1, height, width)
    targets = {
        'pose25d': torch.zeros(size, 21, 3),
        'visible': torch.ones(size, 21),
        'mask': torch.zeros(size, 1, height, width),
        'depth_map': torch.ones(size, 1, height, width),
    }
    return inputs, targets
