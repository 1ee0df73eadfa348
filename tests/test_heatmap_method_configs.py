"""Configs of CC-SSL and AnimalDA: the numbers of their papers, and what they share with our fine-tuning."""

from __future__ import annotations

import pytest

from mmdualhand import get_config
from mmdualhand.registry import HOOKS, MODELS

SHARED = ('optim_wrapper', 'param_scheduler', 'train_cfg', 'auto_scale_lr', 'randomness', 'env_cfg')


def config(name):
    return get_config(name)._cfg_dict.to_dict()


@pytest.mark.parametrize('scale', ['', 'mini/', 'small/'])
@pytest.mark.parametrize('method', ['ccssl', 'animalda'])
def test_common_network_has_data_and_schedule_of_the_fine_tuning(scale, method):
    ours, theirs = config(f'{scale}finetune_h3d'), config(f'{scale}compared/{method}_res101_h3d')
    for key in SHARED:
        assert ours[key] == theirs[key], key
    mine = ours['train_dataloader']['streams']['target']['dataset']['pipeline']
    read = theirs['train_dataloader']['streams']['target']['dataset'].pop('pipeline')
    assert read == [*mine, dict(type='LoadPseudoLabel')]
    ours['train_dataloader']['streams']['target']['dataset'].pop('pipeline')
    assert ours['train_dataloader'] == theirs['train_dataloader']
    assert theirs['model']['backbone'] == {**ours['model']['backbone'], 'branches': ('rgb',)}
    assert theirs['model']['data_preprocessor'] == ours['model']['data_preprocessor']
    assert theirs['model']['statistics'] == ours['model']['self_training']['statistics'] == 'target'
    codec = theirs['model']['head']['codec']
    assert codec['input_size'] == ours['model']['head']['codec']['input_size']
    hook = HOOKS.build(theirs['default_hooks']['pseudo_labels'])
    assert (hook.refresh, hook.interval) == ('epoch', dict(ccssl=1, animalda=1000)[method])


@pytest.mark.parametrize('scale', ['', 'mini/', 'small/'])
@pytest.mark.parametrize('method', ['ccssl', 'animalda'])
def test_stage_one_is_the_network_of_stage_two_on_the_data_of_the_baseline(scale, method):
    first, second = (config(f'{scale}compared/{method}_res101_{end}') for end in ('stage1', 'stb'))
    baseline = config(f'{scale}ablation/r_rhd')
    for key in (*SHARED, 'train_dataloader', 'load_from'):
        assert first.get(key) == baseline.get(key), key
    heads = [one['model']['head'] for one in (first, second)]
    if method == 'animalda':
        assert [head.pop('num_branches') for head in heads] == [1, 2]
    assert heads[0] == heads[1] and first['model']['backbone'] == second['model']['backbone']
    assert 'save_best' not in second['default_hooks']['checkpoint']


def test_numbers_of_cc_ssl():
    cfg = config('compared/ccssl_official_stb')
    model, labeler = cfg['model'], cfg['default_hooks']['pseudo_labels']['labeler']
    assert (model['label_weight'], model['statistics']) == (10.0, 'both')
    assert model['backbone'] == dict(type='HourglassNet', num_stacks=4, num_blocks=1)
    codec = model['head']['codec']
    assert (model['head']['num_stages'], codec['sigma'], codec['round_centers']) == (4, 1.0, True)
    assert cfg['optim_wrapper']['optimizer'] == dict(type='RMSprop', lr=2.5e-4)
    assert (cfg['train_cfg']['max_epochs'], cfg['train_dataloader']['batch_size']) == (60, 6)
    assert (cfg['default_hooks']['pseudo_labels']['interval'], cfg['param_scheduler']) == (10, [])
    views = {key: labeler[key] for key in ('num_views', 'rotation', 'max_rotation', 'scale', 'flip')}
    assert views == dict(num_views=5, rotation=30.0, max_rotation=60.0, scale=0.25, flip=False)
    assert labeler['selector'] == dict(type='CurriculumQuantile', schedule=[(0, 0.2), (0.5, 0.8)])
    first = config('compared/ccssl_official_stage1')
    assert (first['param_scheduler'][0]['milestones'], first['train_cfg']['max_epochs']) == ([60, 90], 100)


def test_numbers_of_animal_da():
    cfg = config('compared/animalda_official_stb')
    model = cfg['model']
    assert (model['backbone']['depth'], model['test_network']) == (50, 'teacher')
    assert model['teacher'] == dict(momentum=0.999, warm_up=True, buffers='own')
    assert (model['mixup']['alpha'], model['mixup']['cross_prob'], model['domain_weight']) == (0.8, 0.5, 5e-4)
    assert model['discriminator']['channels'] == (64, 128, 256, 512, 1024)
    assert cfg['default_hooks']['pseudo_labels']['labeler']['selector']['schedule'] == [(0, 0.4)]
    assert cfg['param_scheduler'][0]['type'] == 'PolyLR' and cfg['param_scheduler'][0]['end'] == 100
    assert (cfg['train_cfg']['max_epochs'], cfg['train_dataloader']['batch_size']) == (80, 6)
    # what the config says of both loops is what the class does by itself
    said, silent = MODELS.build(model['consistency']), MODELS.build(dict(type='RefinementConsistency'))
    for name in ('inner_weight', 'outer_weight', 'agreement_weight'):
        assert repr(getattr(said, name)) == repr(getattr(silent, name))
    assert repr(said.loss_inner.top_k) == repr(silent.loss_inner.top_k)
