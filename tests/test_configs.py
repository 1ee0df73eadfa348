"""Every shipped config: rules of the house, built, and one step taken at tiny scale."""

from __future__ import annotations

import ast
import dataclasses
import re
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmdualhand import get_config, list_models
from mmdualhand.datasets import RHDDataset, collate_hand_batch
from mmdualhand.engine import stream_configs
from mmdualhand.models.estimators.self_training_settings import SelfTraining
from mmdualhand.registry import HOOKS, LABELERS, METRICS, MODELS
from tests.fixtures.runs import REPO

CONFIGS = REPO / 'configs'


@cache
def settings(name: str) -> Config:
    """A config that is read once and not changed."""
    return get_config(name)


def needs_runner(cfg: Config) -> bool:
    """Whether a step needs more than a batch and the network: labels of a file, optimisers, hooks.

    These are tested in ``test_config_matrix.py``.
    """
    hook = cfg.default_hooks.get('pseudo_labels') or {}
    known = cfg.model.type in ('DualModalityEstimator', 'SelfTrainingEstimator')
    return not known or hook.get('refresh', 'iter') != 'iter'


TRAININGS = [name for name in list_models() if 'model' in settings(name)]
BENCHMARKS = [name for name in list_models() if 'model' not in settings(name)]
TINY_MODEL = dict(
    backbone=dict(depth=18, base_channels=4, init_cfg=None),
    head=dict(deconv_channels=(8, 8, 8), codec=dict(input_size=(64, 64))),
    projector=dict(hidden_channels=8, out_channels=8),
)


def test_there_is_something_to_test():
    assert 'pretrain_rhd' in TRAININGS and 'benchmarks/ge_real' in BENCHMARKS


def three_hands(dataset_cfg, rhd_root):
    """A batch of the fixture set through the pipeline of a config, at 64 pixels."""
    pipeline = [dict(step) for step in dataset_cfg['pipeline']]
    for step in pipeline:
        if step['type'] == 'HandCrop':
            step['input_size'] = (64, 64)
    dataset = RHDDataset(str(rhd_root), pipeline=pipeline)
    return collate_hand_batch([dataset[i] for i in range(3)])


@pytest.mark.parametrize('name', [name for name in TRAININGS if not needs_runner(settings(name))])
def test_one_training_step(name, rhd_root):
    cfg = get_config(name)
    tiny = dict(TINY_MODEL)
    if cfg.model.backbone.type != 'DualResNet':  # a published network of another kind, narrow as it is
        tiny['backbone'] = dict(rgb_encoder=dict(channels=8))
        tiny['head'] = dict(codec=dict(input_size=(64, 64)))
    cfg.merge_from_dict(dict(model=tiny))
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).train()
    if 'streams' in cfg.train_dataloader:
        streams = stream_configs(cfg.train_dataloader)
        hook = cfg.default_hooks.pseudo_labels
        model.labeler = LABELERS.build({**hook.labeler, 'codec': model.codec})
        batch = {stream: three_hands(one['dataset'], rhd_root) for stream, one in streams.items()}
        losses = model(**model.data_preprocessor(batch, True), mode='loss')
        distilled = {'loss_distill_pose'} if cfg.model.self_training.distill_weight else set()
        assert {'loss_label_rgb', 'loss_label_fused', 'loss_label_depth', *distilled} <= set(losses)
        assert distilled or not [key for key in losses if 'distill' in key]
    else:
        data = model.data_preprocessor(three_hands(cfg.train_dataloader.dataset, rhd_root), True)
        losses = model(data['inputs'], data['targets'], mode='loss')
    losses = {key: value for key, value in losses.items() if 'loss' in key}
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
    assert (maps.mask_weight, maps.depth_map_weight) == (100.0, 50.0)
    # Eq. 3 is a sum over the batch with lambda_c = 0.1; the mean of the same weight holds for any batch.
    assert cfg.model.contrast_weight == pytest.approx(0.1 * cfg.train_dataloader.batch_size)
    assert cfg.model.head.loss_pose.depth_weight == 50.0
    assert cfg.default_hooks.checkpoint.save_best == 'EPE' and cfg.default_hooks.checkpoint.rule == 'less'


@pytest.mark.parametrize('target', ['stb', 'freihand', 'h3d', 'mvhand', 'ge_real'])
def test_values_of_the_paper_in_stage_two(target):
    cfg, first = get_config(f'finetune_{target}'), get_config('pretrain_rhd')
    assert cfg.optim_wrapper.optimizer == dict(type='Adam', lr=2.5e-5, betas=(0.9, 0.99))
    assert (cfg.train_cfg.type, cfg.train_cfg.max_epochs) == ('StreamTrainLoop', 6)
    assert cfg.param_scheduler == []
    streams = stream_configs(cfg.train_dataloader)
    assert {name: one['batch_size'] for name, one in streams.items()} == dict(source=20, target=20)
    assert cfg.train_dataloader.driver == 'target' and cfg.auto_scale_lr.base_batch_size == 20
    assert (cfg.model.self_training.label_weight, cfg.model.self_training.distill_weight) == (1.0, 0.2)
    hook = cfg.default_hooks.pseudo_labels
    assert HOOKS.build(hook).refresh == 'iter'
    assert hook.labeler.selector == dict(type='VarianceThreshold', epsilon=1.5)
    assert hook.labeler.correction == dict(
        limits='anatomical', palm='rigid', template='source', placement='xy'
    )
    # the network, its losses, the source and the mild texture are those of stage 1
    for part in ('backbone', 'head', 'branches', 'bn_groups', 'predicted_depth', 'test_cfg'):
        assert cfg.model[part] == first.model[part], part
    assert streams['source']['dataset'] == first.train_dataloader.dataset
    assert cfg.model.data_preprocessor.streams.source.texture.plain == first.texture.plain
    assert 'contrast' not in cfg.model
    data = streams['target']['dataset']
    subset = 15000 if target in ('freihand', 'mvhand') else None
    assert data.get('num_subset') == subset and data.split in ('train', 'training')
    assert cfg.test_dataloader == get_config(f'benchmarks/{target}').test_dataloader == cfg.val_dataloader
    assert cfg.train_cfg.val_interval == 6 and 'save_best' not in cfg.default_hooks.checkpoint


def test_switches_of_stage_two_are_all_shown_with_their_defaults():
    """``configs/_base_/self_training.py`` names every key, so that a reader sees what there is.

    Labels come from the clean view, which is not the default because it needs a clean view to be there.
    """
    model = get_config('finetune_stb').model
    shown = dict(model.self_training)
    assert SelfTraining.from_config(shown) == SelfTraining(label_view='clean', statistics='target')
    assert model.data_preprocessor.clean_view
    assert set(shown) == {item.name for item in dataclasses.fields(SelfTraining)}


SCALES_MAY_CHANGE = {
    'network width and depth': (
        r'(model|network)\.(backbone\.(depth|base_channels|init_cfg)|head\.(deconv_channels|conv_channels)'
        r'|(\w+\.)?(hidden_channels|channels))\b'
    ),
    'image size': r'(.*\.)?input_size$',
    'number of images': r'(.*\.)?(data_root|source_root|num_subset|num_samples)$',
    'epochs': r'train_cfg\.(max_epochs|val_interval)$',
    'batch size': r'(train_dataloader\.batch_size|auto_scale_lr\.base_batch_size)$',
    'learning rate': r'optim_wrapper\.optimizer\.lr$',
    'its drops': r'param_scheduler\.0\.(type|milestones\.\d|gamma|by_epoch)$',
    'selector': r'default_hooks\.pseudo_labels\.labeler\.selector\.',
    'start of the same scale': r'load_from$',
}


def flat(value, path=''):
    if isinstance(value, dict):
        return {k: v for key, one in value.items() for k, v in flat(one, f'{path}.{key}').items()}
    if isinstance(value, list):
        return {k: v for i, one in enumerate(value) for k, v in flat(one, f'{path}.{i}').items()}
    return {path[1:]: value}


@cache
def values(name):
    """Dotted key to value."""
    return flat(settings(name)._cfg_dict)


def differences(name, other):
    """Dotted keys whose values differ, with both values."""
    one, two = values(name), values(other)
    keys = sorted({*one, *two})
    return {key: (one.get(key, '-'), two.get(key, '-')) for key in keys if one.get(key) != two.get(key)}


@pytest.mark.parametrize('name', [*list_models('mini/*'), *list_models('small/*')])
def test_scales_change_size_alone(name):
    """No part of the method is switched on or off; the differences are printed."""
    full = name.split('/', 1)[1]
    same = {'init_rgb': 'ablation/r_rhd', 'init_rgb_res50': 'compared/baseline_res50_rhd'}
    changed = differences(same.get(full, full), name)
    for key, (before, after) in changed.items():
        reasons = [why for why, pattern in SCALES_MAY_CHANGE.items() if re.match(pattern, key)]
        (reason,) = reasons or ['REFUSED']
        print(f'{reason}: {key} {before} -> {after}')
        assert reason != 'REFUSED', key
    assert changed
    cfg = settings(name)
    if not full.startswith('compared/') or full.endswith('_rhd'):
        drops = [(drop.type, drop.gamma) for drop in cfg.param_scheduler]
        assert drops == ([] if name.startswith('mini/init_rgb') else [('MultiStepLR', 0.1)])  # too short
    if 'finetune' in name or 'ft_l' in name:
        assert cfg.default_hooks.pseudo_labels.labeler.selector == dict(type='Quantile', keep=0.6)


@pytest.mark.parametrize('scale', ['', 'mini/', 'small/'])
def test_baseline_and_pretraining_differ_in_branches_and_contrast_alone(scale):
    changed = differences(f'{scale}pretrain_rhd', f'{scale}ablation/r_rhd')
    assert {key.rstrip('.0123456789') for key in changed} == {'model.branches', 'model.contrast'}


@pytest.mark.parametrize('scale', ['mini', 'small'])
def test_all_rows_of_a_scale_share_network_and_schedule(scale):
    fine_tunings = [f'{scale}/finetune_{target}' for target in ('stb', 'freihand', 'h3d', 'mvhand')]
    for name in fine_tunings[1:]:
        changed = differences(fine_tunings[0], name)
        shared = ('model', 'optim_wrapper', 'param_scheduler', 'train_cfg', 'load_from', 'default_hooks')
        assert not [key for key in changed if key.split('.')[0] in shared], name
    first, second = get_config(f'{scale}/pretrain_rhd'), get_config(fine_tunings[0])
    for part in ('backbone', 'head', 'branches', 'bn_groups', 'predicted_depth'):
        assert first.model[part] == second.model[part], part


def base_files() -> list[Path]:
    return sorted((CONFIGS / '_base_').rglob('*.py'))


def test_bases_do_not_define_the_same_key():
    groups: dict[str, dict[str, Path]] = {}
    for path in base_files():
        if 'pretrain' not in path.stem and path.parent.name not in ('models', 'datasets', '_base_'):
            continue
        if '_base_ = ' in path.read_text():  # changes keys of its own bases, which is what it is for
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


@pytest.mark.parametrize(
    'name', [n for n in TRAININGS if n.endswith(('_stb', '_freihand', '_h3d', '_mvhand'))]
)
def test_a_leaf_of_stage_two_names_its_method_and_its_target(name):
    """What a method does stands in its base and which photos in that of the target: a leaf joins the two."""
    bases = re.search(r'^_base_ = \[(.+)\]$', (CONFIGS / f'{name}.py').read_text(), re.MULTILINE).group(1)
    folder, target = name.rpartition('/')[0], name.rpartition('_')[2]
    if 'ablation' in name:  # a row of Table 4 is the fine-tuning of its scale and one switch
        assert bases == f"'../finetune_{target}.py'"
        return
    scale = next((f'{one}/' for one in ('mini', 'small') if name.startswith(one)), '')
    up = '../' * len(Path(folder).parts)
    method, photos = (base.strip().strip("'").removeprefix(f'{up}_base_/') for base in bases.split(','))
    assert method.startswith(f'methods/{scale}') and photos == f'targets/{scale}{target}.py'
    assert name.rpartition('/')[2].startswith(Path(method).stem.split('_')[0])
