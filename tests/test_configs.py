"""Every shipped config: rules of the house, built, and one step taken at tiny scale."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmdualhand import get_config, list_models
from mmdualhand.datasets import collate_hand_batch
from mmdualhand.registry import DATASETS, METRICS, MODELS
from tests.fixtures.runs import REPO

CONFIGS = REPO / 'configs'
TRAININGS = [name for name in list_models() if 'model' in get_config(name)]
BENCHMARKS = [name for name in list_models() if 'model' not in get_config(name)]
TINY_MODEL = dict(
    backbone=dict(depth=18, base_channels=4, init_cfg=None),
    head=dict(deconv_channels=(8, 8, 8), codec=dict(input_size=(64, 64))),
    projector=dict(hidden_channels=8, out_channels=8),
)


def test_there_is_something_to_test():
    assert 'pretrain_rhd' in TRAININGS and 'benchmarks/ge_real' in BENCHMARKS


@pytest.mark.parametrize('name', TRAININGS)
def test_one_training_step(name, rhd_root):
    cfg = get_config(name)
    cfg.merge_from_dict(dict(model=TINY_MODEL))
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).train()
    dataset_cfg = dict(cfg.train_dataloader.dataset, data_root=str(rhd_root))
    for step in dataset_cfg['pipeline']:
        if step['type'] == 'HandCrop':
            step['input_size'] = (64, 64)
    dataset = DATASETS.build(dataset_cfg)
    batch = collate_hand_batch([dataset[i] for i in range(3)])
    data = model.data_preprocessor(batch, True)
    losses = model(data['inputs'], data['targets'], mode='loss')
    assert all(key.startswith('loss_') and torch.isfinite(value) for key, value in losses.items())
    sum(losses.values()).backward()
    missing = [n for n, p in model.named_parameters() if p.grad is None]
    assert missing == []


@pytest.mark.parametrize('name', list_models())
def test_metrics_build_and_protocol_is_stated(name):
    for metric in get_config(name).test_evaluator:
        assert METRICS.build(dict(metric)).rule in ('less', 'greater')


@pytest.mark.parametrize('name', BENCHMARKS)
def test_benchmarks_hold_data_and_metrics_only(name):
    cfg = get_config(name)
    assert 'optim_wrapper' not in cfg and 'model' not in cfg
    assert cfg.test_dataloader.dataset.type.endswith('Dataset') and cfg.test_cfg.type == 'TestLoop'


def test_values_of_the_paper():
    cfg = get_config('pretrain_rhd')
    assert (cfg.model.backbone.depth, cfg.model.head.codec.input_size) == (101, (256, 256))
    assert cfg.optim_wrapper.optimizer == dict(type='Adam', lr=2.5e-4, betas=(0.9, 0.99))
    (drop,) = cfg.param_scheduler
    assert (drop.milestones, drop.gamma, cfg.train_cfg.max_epochs) == ([40, 50], 0.1, 60)
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 140
    loss = cfg.model.loss_contrast
    printed = dict(temperature=0.5, symmetric=False, include_positive=False, reduction='mean')
    assert {key: loss[key] for key in printed} == printed
    maps = cfg.model.head.loss_maps
    assert (maps.mask_weight, maps.depth_map_weight, cfg.model.contrast_weight) == (100.0, 50.0, 0.1)
    assert cfg.model.head.loss_pose.depth_weight == 50.0
    assert cfg.default_hooks.checkpoint.save_best == 'EPE' and cfg.default_hooks.checkpoint.rule == 'less'


def base_files() -> list[Path]:
    return sorted((CONFIGS / '_base_').rglob('*.py'))


def test_bases_do_not_define_the_same_key():
    groups: dict[str, dict[str, Path]] = {}
    for path in base_files():
        if 'pretrain' not in path.stem and path.parent.name not in ('models', 'datasets', '_base_'):
            continue
        for key in Config.fromfile(path)._cfg_dict:
            groups.setdefault(key, {})[path.parent.name] = path
    clashes = {key: sorted(map(str, owners.values())) for key, owners in groups.items() if len(owners) > 1}
    assert clashes == {}


@pytest.mark.parametrize('name', list_models())
def test_leaves_are_short_and_say_what_they_are(name):
    text = (CONFIGS / f'{name}.py').read_text()
    assert len(text.splitlines()) < 40
    assert ast.get_docstring(ast.parse(text))
