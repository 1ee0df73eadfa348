"""SemiHand, PeCLR and control (ii): their numbers, and what they share with the rows beside them."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from mmengine.model import BaseModel
from torch import nn

from mmdualhand import list_models
from mmdualhand.apis.experiments.results import REAL, TARGETS
from mmdualhand.apis.run_config import RUNNER_KEYS
from mmdualhand.cli.make_mini_benchmark import SCALES as PICTURES
from mmdualhand.engine import stream_configs
from mmdualhand.registry import MODELS, SELECTORS
from tests.test_configs import differences, settings

SCALES = ('', 'mini/', 'small/')


def changes(name: str, other: str) -> dict[str, Any]:
    """Keys that the Runner reads and whose values differ; variables of the files are no settings."""
    return {k: both for k, both in differences(name, other).items() if k.split('.')[0] in RUNNER_KEYS}


STARTS = {
    'semihand': 'compared/semihand_stage1',
    'semihand_dm_weak': 'ablation/r_rhd',
    'semihand_dm_encoder': 'ablation/rd_rhd',
}
"""Rows of SemiHand, and the stage 1 of each."""
MOTION = ('choose_one', 'quarter_turns', 'rotation', 'shift')
METHOD = {
    'model': ('branches', 'consistency_streams', 'consistency_weight'),
    'model.consistency.0': ('depth_weight', 'mask_weight', 'type'),
    'model.consistency.1': ('temperature', 'type'),
    'model.perturbation': MOTION,
    'model.data_preprocessor': ('clean_view',),
    'model.self_training': ('distill_weight', 'label_branches', 'label_view', 'passes'),
    'default_hooks.circle_radii': ('type',),
    'default_hooks.pseudo_labels': ('interval', 'refresh'),
    'default_hooks.pseudo_labels.labeler': ('branches', 'correction_share', 'type', 'update'),
    'default_hooks.pseudo_labels.labeler.correction': ('limits', 'palm', 'placement'),
    'default_hooks.pseudo_labels.labeler.perturbation': MOTION,
}
"""All that makes SemiHand of the paper's fine-tuning, but for the keys that are looked at one by one."""
LAST_STEP = 'train_dataloader.streams.target.dataset.pipeline.4.type'
SELECTOR = 'default_hooks.pseudo_labels.labeler.selector.type'
DEPTH_MAP = 'model.head.loss_maps.depth_map_weight'


@pytest.mark.parametrize('target', TARGETS)
@pytest.mark.parametrize('scale', SCALES)
@pytest.mark.parametrize('row', STARTS)
def test_a_row_of_semihand_differs_from_the_fine_tuning_in_its_method_alone(row, scale, target):
    """Every key is listed: a rate, batch, crop, texture, sampler or metric of its own would be one more."""
    changed = changes(f'{scale}finetune_{target}', f'{scale}compared/{row}_{target}')
    first = f'{scale}{STARTS[row]}'
    start = f'work_dirs/{first}/epoch_{settings(first).train_cfg.max_epochs}.pth'
    assert changed.pop('load_from', (None, None))[1] == start
    assert changed.pop(LAST_STEP, None) == ('-', 'LoadPseudoLabel')
    if row == 'semihand':  # the other rows have the depth map, as the fine-tuning has
        assert changed.pop(DEPTH_MAP, None) == (50.0, 0.0)
    if not scale:  # where the quantile is the gate, it is so for all; epsilon is 1.5 in both
        assert changed.pop(SELECTOR, None) == ('VarianceThreshold', 'SemiHandSelection')
    assert changed['model.branches'][1] == (('rgb', 'depth') if row == 'semihand_dm_encoder' else ('rgb',))
    assert set(changed) == {f'{place}.{key}' for place, keys in METHOD.items() for key in keys}


@pytest.mark.parametrize('scale', SCALES)
def test_stage_one_of_semihand_is_the_baseline_without_the_depth_map(scale):
    changed = changes(f'{scale}ablation/r_rhd', f'{scale}compared/semihand_stage1')
    assert changed == {DEPTH_MAP: (50.0, 0.0)}


PRE_TRAININGS = (
    'pretrain_rhd', 'ablation/rd_rhd', 'ablation/rdf_rhd', 'compared/l1_align_rhd', 'compared/intra_cl_rhd',
    'compared/intra_inter_cl_rhd',
)  # fmt: skip


@pytest.mark.parametrize('other', PRE_TRAININGS)
@pytest.mark.parametrize('scale', SCALES)
def test_stage_one_of_semihand_has_data_and_schedule_of_the_other_pre_trainings(scale, other):
    """What a row of Table 3 or 4 adds is not there; nothing else differs."""
    changed = changes(f'{scale}{other}', f'{scale}compared/semihand_stage1')
    assert changed.pop(DEPTH_MAP, None) == (50.0, 0.0)
    assert changed.pop('model.branches', (None, None))[1] == ('rgb',)
    left = {'.'.join(key.split('.')[:2]): mine for key, (_, mine) in changed.items()}
    assert set(left) <= {'model.contrast', 'model.align'} and set(left.values()) <= {'-'}


OFFICIAL = (
    'auto_scale_lr.base_batch_size', 'load_from', 'model.backbone.', 'model.head.codec.input_size',
    'model.head.deconv_channels', 'optim_wrapper.optimizer.lr', 'param_scheduler.', 'train_cfg.max_epochs',
    'train_cfg.val_interval', 'train_dataloader.batch_size',
)  # fmt: skip


@pytest.mark.parametrize('end', ['stage1', *TARGETS])
def test_official_semihand_differs_in_network_size_and_schedule_alone(end):
    """Losses, labels, data and augmentation are those of the row in the tables."""
    changed = changes(f'compared/semihand_{end}', f'compared/semihand_official_{end}')
    sizes = {key: both for key, both in changed.items() if key.endswith('pipeline.1.input_size')}
    assert set(sizes.values()) == {((256, 256), (64, 64))}
    assert [key for key in changed if key not in sizes and not key.startswith(OFFICIAL)] == []


@pytest.mark.parametrize('target', [*TARGETS, REAL])
@pytest.mark.parametrize('scale', SCALES)
def test_source_only_is_the_source_stream_of_a_fine_tuning(scale, target):
    """Rate, batch, start, images, crop, sampler, plain texture, network and pose loss are the same."""
    control, tuned = settings(f'{scale}controls/source_only'), settings(f'{scale}finetune_{target}')
    for key in ('optim_wrapper', 'auto_scale_lr', 'load_from', 'randomness', 'env_cfg'):
        assert control[key] == tuned[key], key
    assert control.train_dataloader == stream_configs(tuned.train_dataloader)['source']
    seen = tuned.model.data_preprocessor.streams.source.texture
    assert control.model.data_preprocessor.texture.plain == seen.plain
    assert control.model.contrast == []  # so that there is no other view than the plain one
    for key in ('backbone', 'head', 'branches', 'bn_groups', 'predicted_depth'):
        assert control.model[key] == tuned.model[key], key


@pytest.mark.parametrize('scale', SCALES)
def test_source_only_keeps_all_of_the_pre_training_but_contrast_and_schedule(scale):
    changed = changes(f'{scale}pretrain_rhd', f'{scale}controls/source_only')
    left = {key for key in changed if not key.startswith(('model.contrast.', 'param_scheduler.0.'))}
    batch = {'auto_scale_lr.base_batch_size', 'train_dataloader.batch_size'}  # smaller scales have one batch
    rest = {'load_from', 'optim_wrapper.optimizer.lr', 'train_cfg.max_epochs', 'train_cfg.val_interval'}
    assert left == (rest if scale else rest | batch)


def pictures(scale: str) -> tuple[int, int]:
    """At least so many hands of the source, at most so many photos of a target."""
    if not scale:  # RHD taken as one usable hand a picture (30,000 would do); no target has more photos
        return 41258, 15000
    sizes = PICTURES[scale.strip('/')]
    train, test = sizes['target']
    return sizes['rhd'][0], max(train, (train + test) * 4 // 5)  # H3D: four fifths of all


@pytest.mark.parametrize('scale', SCALES)
def test_source_only_takes_at_least_the_steps_of_any_fine_tuning(scale):
    """As the config says; its rate drops where theirs does, before the last epoch or never."""
    hands, photos = pictures(scale)
    control = settings(f'{scale}controls/source_only')
    steps = control.train_cfg.max_epochs * (hands // control.train_dataloader.batch_size)
    for target in TARGETS:
        tuned = settings(f'{scale}finetune_{target}')
        loader = tuned.train_dataloader
        assert loader.streams.target.dataset.get('num_subset', photos) <= 15000
        assert tuned.train_cfg.max_epochs * (photos // loader.batch_size) <= steps
        assert last_drops(control) == last_drops(tuned)


def last_drops(cfg: Any) -> list[tuple[Any, ...]]:
    """Factor of every drop of the rate, and how many epochs follow it."""
    return [
        (one.type, one.gamma, one.by_epoch, cfg.train_cfg.max_epochs - epoch)
        for one in cfg.param_scheduler
        for epoch in one.milestones
    ]


@pytest.mark.parametrize('name', ['compared/semihand_stb', 'compared/semihand_official_stb'])
def test_numbers_of_semihand(name):
    model, hook = settings(name).model, settings(name).default_hooks.pseudo_labels
    labeler = hook.labeler
    motion = dict(shift=5 / 64, rotation=2.0, quarter_turns=True, choose_one=True)
    assert model.perturbation == labeler.perturbation == motion
    assert labeler.selector == dict(type='SemiHandSelection', epsilon=1.5)
    assert SELECTORS.build(labeler.selector).correction_weight == 1.0  # the second target, not gated
    bones_alone = dict(limits='none', palm='chain', template='source', placement='root')
    assert (labeler.correction, labeler.root_depth) == (bones_alone, 'given')
    assert (labeler['update'], hook.refresh, hook.interval) == ('average', 'epoch', 1)
    switches = model.self_training
    assert (switches.label_weight, switches.passes, switches.teacher_momentum) == (1.0, 1, 0.0)
    assert (model.consistency_weight, model.consistency_streams) == (0.1, ('source', 'target'))
    view, circles = model.consistency
    assert view == dict(type='ViewConsistencyLoss', mask_weight=1.0, depth_weight=50.0)
    assert len(MODELS.build(circles).weights) == 55
    assert (model.head.loss_maps.mask_weight, model.head.loss_maps.depth_map_weight) == (100.0, 0.0)
    assert model.head.loss_pose.depth_weight == labeler.depth_weight == 50.0


@pytest.mark.parametrize(
    ('end', 'rate', 'batch', 'epochs', 'drops'),
    [('stage1', 1e-3, 32, 100, [60, 90]), *((target, 1e-4, 128, 10, [5]) for target in TARGETS)],
)
def test_schedule_of_semihand_as_published(end, rate, batch, epochs, drops):
    cfg = settings(f'compared/semihand_official_{end}')
    assert (cfg.optim_wrapper.optimizer.type, cfg.optim_wrapper.optimizer.lr) == ('Adam', rate)
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == batch
    (drop,) = cfg.param_scheduler
    assert (drop.type, list(drop.milestones), drop.gamma) == ('MultiStepLR', drops, 0.1)
    assert cfg.train_cfg.max_epochs == epochs
    network = dict(type='HourglassNet', num_stacks=2, channels=256, stem_stride=1)
    assert cfg.model.backbone == dict(type='DualEncoder', rgb_encoder=network)
    assert (cfg.model.head.codec.input_size, cfg.model.head.deconv_channels) == ((64, 64), ())
    assert cfg.load_from == (
        None if end == 'stage1' else 'work_dirs/compared/semihand_official_stage1/epoch_100.pth'
    )


@pytest.mark.parametrize('scale', SCALES)
def test_numbers_of_peclr(scale):
    model = settings(f'{scale}compared/peclr_res50_rhd').model
    assert model.view_perturbation == dict(rotation=45.0, shift=15 / 128, scale=(0.8, 1.2))
    assert (model.branches, model.contrast) == (('rgb',), [('rgb', 'rgb+')])
    assert model.loss_contrast == dict(
        type='NTXent', temperature=0.5, symmetric=True, include_positive=True, reduction='mean'
    )
    assert model.contrast_weight == pytest.approx(0.1 * 140)
    head = MODELS.build(dict(model.projector, in_channels=2048, branches=('rgb',)))
    first, last = (layer for layer in head.modules() if isinstance(layer, nn.Linear))
    widths = [first.in_features, first.out_features, last.in_features, last.out_features]
    assert widths == [2048, 512, 512, 128]  # 128 numbers are 64 points of the plane
    assert last.bias is None


def test_peclr_has_the_smaller_network_and_the_schedule_of_the_paper():
    cfg = settings('compared/peclr_res50_rhd')
    assert cfg.model.backbone.depth == 50 and 'resnet50' in cfg.model.backbone.init_cfg.checkpoint
    assert cfg.optim_wrapper.optimizer == dict(type='Adam', lr=2.5e-4, betas=(0.9, 0.99))
    (drop,) = cfg.param_scheduler
    assert (list(drop.milestones), drop.gamma, cfg.train_cfg.max_epochs) == ([40, 50], 0.1, 60)
    assert cfg.train_dataloader.batch_size == 140


OF_THE_PAPER = {
    'baseline', 'l1_align', 'intra_cl', 'intra_inter_cl', 'peclr', 'semihand', 'semihand_dm_weak',
    'semihand_dm_encoder',
}  # fmt: skip
METHODS = OF_THE_PAPER | {'regda', 'ccssl', 'animalda'}


@cache
def estimators() -> dict[str, set[str]]:
    """Compared method to the estimators of all its configs: every flavour, scale, stage and target."""
    found: dict[str, set[str]] = {method: set() for method in METHODS}
    for name in list_models('*compared/*'):
        stem = name.rpartition('/')[2]
        if not stem.startswith('pretrain_'):  # ours, on the smaller network
            method = max((method for method in METHODS if stem.startswith(method)), key=len)
            found[method].add(settings(name).model.type)
    found['baseline'] |= {settings(f'{scale}ablation/r_rhd').model.type for scale in SCALES}
    return found


def test_eight_of_the_eleven_methods_need_no_estimator_of_their_own():
    """Two of the others share one; RegDA alone has one that it shares with none."""
    own = {settings('pretrain_rhd').model.type, settings('finetune_stb').model.type}
    assert own == {'DualModalityEstimator', 'SelfTrainingEstimator'}
    found = estimators()
    assert {method for method, used in found.items() if used and used <= own} == OF_THE_PAPER
    assert (len(OF_THE_PAPER), len(METHODS)) == (8, 11)
    assert found['ccssl'] == found['animalda'] == {'HeatmapEstimator', 'HeatmapSelfTrainingEstimator'}
    assert found['regda'] == {'HeatmapEstimator', 'RegDAEstimator'}


def test_regda_alone_takes_its_steps_itself():
    used = set().union(*estimators().values())
    own = {name for name in used if MODELS.get(name).train_step is not BaseModel.train_step}
    assert own == {'RegDAEstimator'}
