"""RegDA as published: the numbers of the authors' code, and a short run of both stages."""

from __future__ import annotations

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from mmdualhand import compat, get_config
from mmdualhand.datasets.transforms.geometric import HandCrop
from mmdualhand.engine import stream_configs
from mmdualhand.models import Progress, WeightSchedule
from mmdualhand.registry import MODELS
from tests.test_config_matrix import shrink, tiny
from tests.test_configs import differences

AUGMENT = dict(rotation=180.0, scale=(0.775, 1.0), translation=0.08, prob=1.0)
COLOURS = dict(brightness=0.25, contrast=0.25, saturation=0.25, blur_prob=1.0, blur_sigma=(0.0, 0.8))
SGD = dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True)
STAGE_1, STB = 'compared/regda_official_stage1', 'compared/regda_official_stb'


def plain(cfg):
    return cfg._cfg_dict.to_dict()


def test_numbers_of_stage_one():
    cfg = plain(get_config(STAGE_1))
    assert cfg['train_cfg'] == dict(
        type='FixedEpochTrainLoop', max_epochs=70, epoch_length=500, val_interval=10
    )
    assert cfg['optim_wrapper']['optimizer'] == SGD
    (drop,) = cfg['param_scheduler']
    assert (drop['type'], drop['milestones'], drop['gamma']) == ('MultiStepLR', [45, 60], 0.1)
    assert cfg['train_dataloader']['batch_size'] == cfg['auto_scale_lr']['base_batch_size'] == 32
    assert cfg['train_dataloader']['dataset']['pipeline'][1]['augment'] == AUGMENT
    assert cfg['model']['data_preprocessor']['texture']['plain']['rgb'] == COLOURS
    # the head is one 1x1 convolution
    assert 'conv_channels' not in cfg['model']['head'] and cfg['model']['visible_only'] is True


def test_the_backbone_learns_at_a_tenth():
    cfg = get_config(STAGE_1)
    shrink(cfg.model)
    model = MODELS.build(cfg.model)
    groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    rates = {id(p): group['lr'] for group in groups for p in group['params']}
    for key, parameter in model.named_parameters():
        wanted = 0.01 if key.startswith('backbone') else 0.1
        assert rates[id(parameter)] == pytest.approx(wanted), key
    assert {group['weight_decay'] for group in groups} == {1e-4}


def test_numbers_of_stage_two():
    cfg = plain(get_config(STB))
    assert cfg['train_cfg'] == dict(type='StreamTrainLoop', max_epochs=30, epoch_length=500, val_interval=30)
    assert cfg['optim_wrapper']['optimizer'] == SGD
    streams = stream_configs(cfg['train_dataloader'])
    assert {name: one['batch_size'] for name, one in streams.items()} == dict(source=32, target=32)
    for name, one in streams.items():
        assert one['dataset']['pipeline'][1]['augment'] == AUGMENT
        assert cfg['model']['data_preprocessor']['streams'][name]['texture']['plain']['rgb'] == COLOURS
    model = cfg['model']
    assert (model['margin'], model['trade_off'], model['visible_only']) == (4.0, 1.0, True)
    assert model['pseudo_target'] == dict(type='HeatmapPseudoTarget', sigma=2.0, require_positive=True)
    assert (model['backbone']['depth'], model['head']['conv_channels']) == (101, (256,))
    assert 'save_best' not in cfg['default_hooks']['checkpoint']


def test_the_run_is_as_long_as_what_its_schedules_are_written_for():
    """15,000 steps: nothing is stretched, so the numbers are those measured on the authors' code."""
    cfg = get_config(STB)
    steps = cfg.train_cfg.max_epochs * cfg.train_cfg.epoch_length
    schedule = cfg.model.gradient_scale.schedule
    assert steps == 15000 == schedule.total == cfg.param_scheduler[0].total
    warm_start = WeightSchedule.from_config(schedule)
    for step, value in {500: 0.024492, 1000: 0.046212, 5000: 0.098661}.items():
        assert warm_start(Progress(iter=step, max_iters=steps)) == pytest.approx(value, abs=1e-6)


def test_both_stages_have_the_same_network_and_labels():
    first, second = get_config(STAGE_1), get_config(STB)
    assert first.model.backbone == second.model.backbone
    codec = dict(type='Heatmap', input_size=(256, 256), sigma=2.0, score='mass')
    for cfg in (first, second):
        assert cfg.model.head.codec == dict(codec, round_centers=True, quarter_shift=False)
    assert second.load_from == f'work_dirs/{STAGE_1}/epoch_{first.train_cfg.max_epochs}.pth'


@pytest.mark.parametrize('end', ['stage1', 'stb'])
def test_what_differs_from_the_common_flavour(end):
    """Labels, augmentation, optimiser and length; neither the network nor the losses."""
    changed = differences(f'compared/regda_res101_{end}', f'compared/regda_official_{end}')
    allowed = (
        *('train_pipeline', 'source_pipeline', 'target_pipeline', 'train_dataloader', 'auto_scale_lr'),
        *('optim_wrapper', 'param_scheduler', 'train_cfg', 'load_from', 'model.visible_only'),
        *('model.head.codec.', 'model.pseudo_target.require_positive', 'model.data_preprocessor.'),
    )
    assert [key for key in changed if not key.startswith(allowed)] == []


def test_the_crop_does_not_enlarge():
    """As that of the authors, which leaves at least 0.6 of the area and goes nowhere beyond the box."""
    low, high = HandCrop(augment=AUGMENT).augment.scale
    assert low**2 == pytest.approx(0.6, abs=2e-3) and high == 1.0


@pytest.mark.parametrize('name', [STAGE_1, STB])
def test_an_epoch_that_is_no_pass(name, rhd_root, tmp_path):
    """Three steps over two batches a pass, with every hook and optimiser of the real run."""
    compat.apply_patches()
    torch.manual_seed(0)
    cfg = tiny(get_config(name), str(rhd_root), str(tmp_path))
    cfg.train_cfg.epoch_length = 3
    cfg.experiment_name = f'official_{name.rpartition("_")[2]}'
    runner = Runner.from_cfg(cfg)
    before = {key: value.clone() for key, value in runner.model.named_parameters()}
    runner.train()
    assert runner.iter == runner.max_iters == 3
    after = dict(runner.model.named_parameters())
    assert all(torch.isfinite(value).all() for value in after.values())
    moved = {key.split('.')[0] for key, value in before.items() if not torch.equal(after[key], value)}
    assert moved == ({'backbone', 'head'} if name == STAGE_1 else {'backbone', 'head', 'head_adv'})
