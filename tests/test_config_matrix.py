"""The methods of the tables: every config trains for two steps at tiny size; rows differ in their method."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmdualhand import compat, list_models
from mmdualhand.apis.experiments.chains import missing_config, start_of
from mmdualhand.apis.experiments.configs import load_in_process
from mmdualhand.apis.experiments.results import TARGETS
from mmdualhand.apis.run_config import RUNNER_KEYS
from mmdualhand.engine import stream_configs
from tests.test_configs import TRAININGS, differences, needs_runner, settings

SCALES = ('', 'mini/', 'small/')


STAGE_2 = [name for name in TRAININGS if 'streams' in settings(name).train_dataloader]
METHODS = sorted({name.removesuffix('_stb') for name in STAGE_2 if name.endswith('_stb')})
RUN = [
    # On another target than STB a method differs in its data alone, which is tested below.
    pytest.param(name, marks=[pytest.mark.slow] if name.endswith(('_freihand', '_h3d', '_mvhand')) else [])
    for name in TRAININGS
    if needs_runner(settings(name))
]


def tiny(cfg: Config, data: str, folder: str) -> Config:
    """Four hands in batches of two, one epoch, the network as narrow as it gets."""
    cfg = Config(copy.deepcopy(cfg.to_dict()), format_python_code=False)  # yapf takes a second
    shrink(cfg.model)
    # The discriminator of AnimalDA halves the maps for every width; other networks may not fit at all.
    if cfg.model.backbone.type == 'DualResNet' and 'discriminator' not in cfg.model:
        resize(cfg._cfg_dict, (96, 96))
    loader = cfg.train_dataloader
    for one in loader.streams.values() if 'streams' in loader else [loader]:
        pipeline = one.dataset.pipeline
        one.dataset = dict(type='RHDDataset', data_root=data, num_samples=4, pipeline=pipeline)
    loader.batch_size = 2
    load_in_process(cfg)
    cfg.train_cfg.update(max_epochs=1)
    if 'epoch_length' in cfg.train_cfg:
        cfg.train_cfg.epoch_length = 2  # RegDA as published: 500
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.test_dataloader = cfg.test_cfg = cfg.test_evaluator = None
    cfg.load_from, cfg.work_dir, cfg.log_level = None, folder, 'ERROR'
    cfg.default_hooks.checkpoint.update(save_best=None)
    if 'circle_radii' in cfg.default_hooks:
        cfg.default_hooks.circle_radii.update(steps=2, batch_size=2)
    return cfg


def shrink(config: Any) -> None:
    """Narrow every part of a network in place."""
    if isinstance(config, list | tuple):
        for one in config:
            shrink(one)
    if not isinstance(config, dict):
        return
    if config.get('type') in ('DualResNet', 'ResNetEncoder'):
        config.update(depth=18, base_channels=4, init_cfg=None)
    if config.get('type') == 'HourglassNet':
        config.update(channels=8)
    for key in ('deconv_channels', 'conv_channels'):
        if config.get(key):
            config[key] = (8,) * len(config[key])
    for key in ('hidden_channels', 'out_channels'):
        if config.get('type') == 'ProjectionHead' and key in config:
            config[key] = 8
    for value in config.values():
        shrink(value)


def resize(config: Any, size: tuple[int, int]) -> None:
    """Give crops and codec another size, in place."""
    if isinstance(config, list | tuple):
        for one in config:
            resize(one, size)
    if isinstance(config, dict):
        for key, value in config.items():
            if key == 'input_size':
                config[key] = size
            else:
                resize(value, size)


@pytest.mark.parametrize('name', RUN)
def test_an_epoch_of_two_steps(name, rhd_root, tmp_path):
    """Every hook, label file and optimiser as in the real run; weights move and stay finite."""
    compat.apply_patches()
    torch.manual_seed(0)
    cfg = tiny(settings(name), str(rhd_root), str(tmp_path))
    cfg.experiment_name = f'matrix_{name.replace("/", "_")}'
    runner = Runner.from_cfg(cfg)
    before = {key: value.clone() for key, value in runner.model.state_dict().items()}
    runner.train()
    after = runner.model.state_dict()
    assert runner.iter == 2
    floating = [key for key, value in after.items() if value.is_floating_point()]
    assert all(torch.isfinite(after[key]).all() for key in floating)
    moved = [key for key in floating if not torch.equal(before[key], after[key])]
    assert any(key.startswith('backbone') for key in moved) and any('head' in key for key in moved)


@pytest.mark.parametrize('name', [n for n in list_models() if settings(n).get('load_from')])
def test_every_start_is_a_shipped_training_to_its_end(name):
    assert start_of(name) is not None and missing_config(name) is None


@pytest.mark.parametrize('method', METHODS)
def test_targets_of_a_method_differ_in_their_data_alone(method):
    """Network, losses, schedule, batch, selection and start are the same on all four targets."""
    assert {f'{method}_{target}' for target in TARGETS} <= set(list_models())
    data = ('data_root', 'target', 'test_dataloader', 'val_dataloader', 'train_dataloader')
    for target in list(TARGETS)[1:]:
        changed = differences(f'{method}_stb', f'{method}_{target}')
        other = [key for key in changed if key.split('.')[0] not in data]
        assert other == [], target
        loader = [key for key in changed if key.startswith('train_dataloader')]
        assert all(key.startswith('train_dataloader.streams.target.dataset.') for key in loader), target


@pytest.mark.parametrize('target', TARGETS)
@pytest.mark.parametrize('scale', SCALES)
def test_rows_of_stage_two_see_the_same_images(scale, target):
    """All methods of Tables 1, 2 and 4 have the streams, augmented crops and subsets of ``finetune``."""
    wanted = _images(f'{scale}finetune_{target}')
    rows = [n for n in STAGE_2 if n.endswith(f'_{target}') and n.startswith((f'{scale}comp', f'{scale}abl'))]
    assert f'{scale}ablation/ft_l_{target}' in rows
    for name in rows:
        if 'official' not in name:
            assert _images(name) == wanted, name
        cfg = settings(name)
        assert 'save_best' not in cfg.default_hooks.checkpoint, name
        sized = 'official' not in name
        assert _test_images(name, sized) == _test_images(f'{scale}finetune_{target}', sized), name
        steps = [step.type for step in stream_configs(cfg.train_dataloader)['target']['dataset'].pipeline]
        assert 'DropLabels' in steps, name  # no label of a target reaches a step


def _images(name: str) -> dict[str, Any]:
    """Which images the streams of a config have, and their crops; other steps are the method's."""
    found = {}
    for stream, one in stream_configs(settings(name).train_dataloader).items():
        data = {key: value for key, value in one['dataset'].items() if key != 'pipeline'}
        crops = [dict(step) for step in one['dataset'].pipeline if step.type == 'HandCrop']
        found[stream] = {**data, 'crops': crops}
    return found


def _test_images(name: str, sized: bool) -> dict[str, Any]:
    """What a config tests on; without the size of the crop, which is that of the network, on demand."""
    dataset = copy.deepcopy(dict(settings(name).test_dataloader.dataset))
    if not sized:
        dataset['pipeline'][1].pop('input_size')
    return dataset


PRE_TRAINING = {
    'ablation/r_rhd': {'model.branches', 'model.contrast'},
    'ablation/rd_rhd': {'model.branches', 'model.contrast'},
    'ablation/rdf_rhd': {'model.contrast'},
    'compared/l1_align_rhd': {'model.branches', 'model.contrast', 'model.align'},
    'compared/intra_cl_rhd': {'model.branches', 'model.contrast'},
    'compared/intra_inter_cl_rhd': {'model.branches', 'model.contrast'},
}
SMALLER = {
    'compared/baseline_res50_rhd': {'model.branches', 'model.contrast'},
    'compared/peclr_res50_rhd': {
        'model.branches', 'model.contrast', 'model.loss_contrast', 'model.projector',
        'model.view_perturbation',
    },
}  # fmt: skip
BACKBONE = {'model.backbone', 'load_from'}
"""What a smaller network changes, and what it starts from."""


@pytest.mark.parametrize('scale', SCALES)
@pytest.mark.parametrize('name', [*PRE_TRAINING, *SMALLER])
def test_rows_of_table_3_and_4_differ_in_their_method_alone(scale, name):
    """Data, epochs, batch, learning rate, augmentation and start are those of the paper's pre-training."""
    if f'{scale}{name}' not in list_models():
        pytest.skip(f'{scale}{name} is not there')
    base = f'{scale}{"compared/pretrain_res50_rhd" if name in SMALLER else "pretrain_rhd"}'
    keys = [key.split('.') for key in differences(base, f'{scale}{name}')]
    changed = {'.'.join(key[:2]) for key in keys if key[0] in RUNNER_KEYS}  # others are variables
    assert changed == {**PRE_TRAINING, **SMALLER}[name]


@pytest.mark.parametrize('scale', SCALES)
def test_the_smaller_network_differs_in_size_alone(scale):
    changed = differences(f'{scale}pretrain_rhd', f'{scale}compared/pretrain_res50_rhd')
    top = {'.'.join(key.split('.')[:2]) for key in changed}
    assert top == ({'model.backbone'} if not scale else BACKBONE)
    assert {key for key in changed if 'init_cfg' not in key} == (
        {'model.backbone.depth'} if not scale else {'model.backbone.base_channels', 'load_from'}
    )
    if scale:
        assert differences(f'{scale}init_rgb', f'{scale}init_rgb_res50') == {
            'model.backbone.base_channels': (16, 8)
        }


@pytest.mark.parametrize('target', TARGETS)
@pytest.mark.parametrize('scale', SCALES)
def test_the_last_step_of_table_4_is_distillation_alone(scale, target):
    changed = differences(f'{scale}finetune_{target}', f'{scale}ablation/ft_l_{target}')
    assert changed == {'model.self_training.distill_weight': (0.2, 0.0)}
