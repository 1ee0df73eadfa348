"""The small config is the large one, smaller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmdualhand.apis.model_zoo import get_config

ALLOWED = {
    'model.backbone.depth',
    'model.backbone.base_channels',
    'model.backbone.init_cfg',  # there are no published weights of this width
    'model.backbone.init_cfg.type',
    'model.backbone.init_cfg.checkpoint',
    'model.head.deconv_channels',
    'model.head.codec.input_size',
    'input_size',  # the variable that the next ones are set from
    'network.backbone.depth',  # and the variable that the network is set from
    'network.backbone.base_channels',
    'network.backbone.init_cfg',
    'network.head.deconv_channels',
    'network.head.codec.input_size',
    'train_pipeline.1.input_size',
    'test_pipeline.1.input_size',
    'train_dataloader.dataset.pipeline.1.input_size',
    'val_dataloader.dataset.pipeline.1.input_size',
    'test_dataloader.dataset.pipeline.1.input_size',
    'data_root',
    'train_dataloader.dataset.data_root',
    'val_dataloader.dataset.data_root',
    'test_dataloader.dataset.data_root',
    'train_dataloader.batch_size',
    'auto_scale_lr.base_batch_size',
    'optim_wrapper.optimizer.lr',
    'param_scheduler.0.milestones',
    'train_cfg.max_epochs',
    'train_cfg.val_interval',
    'load_from',
}


def leaves(value: Any, path: str = '') -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f'{path}.{key}' if path else str(key))
    elif isinstance(value, (list, tuple)) and any(isinstance(inner, dict) for inner in value):
        for index, inner in enumerate(value):
            yield from leaves(inner, f'{path}.{index}')
    else:
        yield path, value


def test_difference_from_the_full_config() -> None:
    full = dict(leaves(get_config('pretrain_rhd').to_dict()))
    mini = dict(leaves(get_config('mini/pretrain_rhd').to_dict()))
    missing = object()
    changed = {key for key in full | mini if full.get(key, missing) != mini.get(key, missing)}
    assert changed <= ALLOWED, sorted(changed - ALLOWED)
    for key in ('model.branches', 'model.contrast_weight', 'model.head.loss_maps.mask_weight'):
        assert mini[key] == full[key]
