"""RegDA's configs: the numbers of the original, and what the rows share with those of the table."""

from __future__ import annotations

import pytest

from mmdualhand import get_config
from mmdualhand.engine import stream_configs
from mmdualhand.models import Progress, WeightSchedule

SCALES = ('', 'mini/', 'small/')
TARGETS = ('stb', 'freihand', 'h3d', 'mvhand')


def test_values_of_the_original():
    cfg = get_config('compared/regda_res101_stb')
    assert (cfg.model.margin, cfg.model.trade_off) == (4.0, 1.0)
    assert cfg.model.loss_disparity == dict(type='KeypointKLDivLoss', epsilon=1e-7)
    assert (cfg.model.head.codec.sigma, cfg.model.pseudo_target.sigma) == (2.0, 2.0)
    assert (cfg.model.backbone.depth, cfg.model.head.conv_channels) == (101, (256,))
    optimizer = dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True)
    assert cfg.optim_wrapper.optimizer == optimizer
    assert cfg.optim_wrapper.parts.feature == dict(modules=('backbone', 'head.deconv'), lr_mult=0.1)
    assert (cfg.param_scheduler[0].gamma, cfg.param_scheduler[0].power) == (1e-4, 0.75)


def test_the_warm_start_is_that_of_15000_steps_whatever_the_length():
    cfg = get_config('mini/compared/regda_res101_stb')
    schedule = WeightSchedule.from_config(cfg.model.gradient_scale.schedule)
    assert schedule(Progress(iter=500, max_iters=15000)) == pytest.approx(0.024492, abs=1e-6)
    assert schedule(Progress(iter=10, max_iters=300)) == pytest.approx(0.024492, abs=1e-6)
    assert schedule(Progress(iter=300, max_iters=300)) == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize('target', TARGETS)
@pytest.mark.parametrize('scale', SCALES)
def test_stage_two_shares_data_and_epochs(scale, target):
    cfg, other = get_config(f'{scale}compared/regda_res101_{target}'), get_config(f'{scale}finetune_{target}')
    assert (cfg.train_cfg, cfg.auto_scale_lr) == (other.train_cfg, other.auto_scale_lr)
    assert cfg.test_dataloader == other.test_dataloader and cfg.test_evaluator == other.test_evaluator
    one, two = (stream_configs(c.train_dataloader) for c in (cfg, other))
    assert one['target'] == two['target']
    crops = [stream['source']['dataset']['pipeline'][1] for stream in (one, two)]
    assert crops[0].type == 'HandCrop' and crops[0] == crops[1]
    textures = [c.model.data_preprocessor.streams for c in (cfg, other)]
    assert textures[0] == textures[1]
    assert cfg.model.backbone == dict(other.model.backbone, branches=('rgb',))
    assert cfg.model.head.deconv_channels == other.model.head.deconv_channels
    assert 'pseudo_labels' not in cfg.default_hooks
    assert set(other.default_hooks) - set(cfg.default_hooks) == {'pseudo_labels'}
    steps = [step.type for step in one['target']['dataset']['pipeline']]
    assert 'DropLabels' in steps


@pytest.mark.parametrize('scale', SCALES)
def test_stage_one_shares_data_schedule_and_start(scale):
    cfg, other = get_config(f'{scale}compared/regda_res101_stage1'), get_config(f'{scale}ablation/r_rhd')
    for key in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'load_from', 'val_dataloader'):
        assert cfg[key] == other[key], key
    assert cfg.model.backbone == dict(other.model.backbone, branches=('rgb',))
    assert cfg.model.type == 'HeatmapEstimator' and 'conv_channels' not in cfg.model.head
    second = get_config(f'{scale}compared/regda_res101_stb')
    name = f'work_dirs/{scale}compared/regda_res101_stage1/epoch_{cfg.train_cfg.max_epochs}.pth'
    assert second.load_from == name
