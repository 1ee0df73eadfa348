"""Stage 2: what each term of Eq. 11 is, and what moves with it."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F

from mmdualhand.errors import ConfigError
from mmdualhand.models import PseudoLabels
from mmdualhand.models.estimators import MeanTeacher
from mmdualhand.models.estimators.predicted_depth import depth_input
from mmdualhand.models.losses import PoseDist
from mmdualhand.registry import MODELS
from mmdualhand.testing import tiny_batch

SIZE, ROWS = 64, 3


def build(self_training=None, **kwargs):
    torch.manual_seed(0)
    config = dict(
        type='SelfTrainingEstimator',
        backbone=dict(type='DualResNet', depth=18, base_channels=8),
        head=dict(
            type='MultiModal2.5DHead',
            deconv_channels=(8, 8, 8),
            codec=dict(type='Pose25D', input_size=(SIZE, SIZE)),
        ),
        data_preprocessor=dict(
            type='StreamDataPreprocessor',
            clean_view=True,
            streams=dict(
                source=dict(texture=dict(plain=dict(rgb=dict(brightness=0.2)))),
                target=dict(texture=dict(plain=dict(rgb=dict(brightness=0.4)))),
            ),
        ),
        self_training=self_training,
    )
    model = MODELS.build({**config, **kwargs})
    for part in (model.head.final, *(m for m in model.head.deconv if hasattr(m, 'stride'))):
        torch.nn.init.normal_(part.weight, std=0.05)  # heat maps that are not flat
    return model.train()


def streams(model):
    return model.data_preprocessor(
        {'source': tiny_batch(ROWS, SIZE, seed=1), 'target': tiny_batch(ROWS, SIZE, seed=2)}, training=True
    )


def constant_labeler(weight):
    def label(poses, targets):
        rows = poses['rgb'].shape[0]
        pose = torch.full((rows, 21, 3), 20.0)
        return PseudoLabels(pose, weight, weight, {'accepted': weight.mean()})

    return label


def test_without_labels_and_distillation_the_gradient_is_the_supervised_one():
    """method.md section 7, check 9: a gate that accepts nothing and lambda_f = 0."""
    model = build(dict(distill_weight=0.0))
    model.labeler = constant_labeler(torch.zeros(ROWS))
    data = streams(model)
    supervised = copy.deepcopy(model)
    losses = model(**data, mode='loss')
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    reference = supervised.loss(data['source']['inputs'], data['source']['targets'])
    sum(reference.values()).backward()
    for (name, one), other in zip(model.named_parameters(), supervised.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad), name
    assert float(losses['loss_label_rgb']) == 0


def test_label_loss_is_the_weighted_distance_to_the_label_over_the_batch():
    model = build(dict(label_weight=2.0, distill_weight=0.0))
    weight = torch.tensor([1.0, 0.0, 0.5])
    model.labeler = constant_labeler(weight)
    data = streams(model)['target']
    losses = model.target_loss(data['inputs'], data['targets'])
    poses = {
        b: p.pose25d for b, p in model._two_passes(data['inputs']['rgb'], model.backbone, model.head).items()
    }
    for branch in ('rgb', 'depth', 'fused'):
        each = PoseDist(50.0, reduction='none')(poses[branch], torch.full((ROWS, 21, 3), 20.0))
        assert float(losses[f'loss_label_{branch}']) == pytest.approx(2 * float((each * weight).sum()) / ROWS)
    assert float(losses['accepted']) == pytest.approx(0.5)


def test_labels_are_weighed_against_each_other_as_the_head_weighs_truth():
    """A head that sums over joints must not be trained by labels that are averaged: 21 joints, 21 times."""
    head = dict(
        type='MultiModal2.5DHead',
        deconv_channels=(8, 8, 8),
        codec=dict(type='Pose25D', input_size=(SIZE, SIZE)),
    )
    losses = []
    for reduction in ('mean', 'joint_sum'):
        model = build(head={**head, 'loss_pose': dict(type='PoseDist', reduction=reduction)})
        model.labeler = constant_labeler(torch.ones(ROWS))
        data = streams(model)['target']
        losses.append(model.target_loss(data['inputs'], data['targets'])['loss_label_rgb'])
    assert float(losses[1]) == pytest.approx(21 * float(losses[0]), rel=1e-5)


def test_label_loss_divided_by_the_accepted():
    model, other = (
        build(dict(distill_weight=0.0)),
        build(dict(distill_weight=0.0, normalize_by_accepted=True)),
    )
    model.labeler = other.labeler = constant_labeler(torch.tensor([1.0, 0.0, 0.0]))
    data = streams(model)['target']
    one = model.target_loss(data['inputs'], data['targets'])['loss_label_rgb']
    two = other.target_loss(data['inputs'], data['targets'])['loss_label_rgb']
    assert float(two) == pytest.approx(3 * float(one), rel=1e-5)


def test_distillation_is_the_multi_modal_loss_between_rgb_and_fused():
    model = build()
    data = streams(model)['target']
    losses = model.target_loss(data['inputs'], data['targets'])
    out = model._two_passes(data['inputs']['rgb'], model.backbone, model.head)
    pose = PoseDist(50.0)(out['rgb'].pose25d, out['fused'].pose25d)
    mask = 100 * (out['rgb'].mask - out['fused'].mask).abs().mean()
    depth = 50 * (out['rgb'].depth_map - out['fused'].depth_map).abs().mean()
    for name, value in (('pose', pose), ('mask', mask), ('depth_map', depth)):
        assert float(losses[f'loss_distill_{name}']) == pytest.approx(0.2 * float(value), rel=1e-5)
    assert set(losses) == {'loss_distill_pose', 'loss_distill_mask', 'loss_distill_depth_map'}


def test_second_pass_sees_the_predicted_depth_map():
    model = build().eval()
    rgb = streams(model)['target']['inputs']['rgb']
    out = model._two_passes(rgb, model.backbone, model.head)
    depth = F.interpolate(out['rgb'].depth_map.clamp(0, 1), size=SIZE, mode='bilinear', align_corners=False)
    whole = model._decode(model.backbone.encode(rgb, depth).final)
    for branch in ('rgb', 'depth', 'fused'):
        torch.testing.assert_close(out[branch].pose25d, whole[branch].pose25d, rtol=1e-4, atol=1e-4)


def test_clean_depth_reaches_the_second_pass():
    model, plain = build(dict(clean_depth=True)).eval(), build().eval()
    rgb = streams(model)['target']['inputs']['rgb']
    out, dirty = (m._two_passes(rgb, m.backbone, m.head) for m in (model, plain))
    depth = depth_input(out['rgb'], (SIZE, SIZE), clean=True)
    assert (depth == 1).float().mean() > (depth_input(out['rgb'], (SIZE, SIZE)) == 1).float().mean()
    whole = model._decode(model.backbone.encode(rgb, depth).final)
    torch.testing.assert_close(out['fused'].pose25d, whole['fused'].pose25d, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(out['fused'].pose25d, dirty['fused'].pose25d, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(('detach', 'reaches'), [(True, False), (False, True)])
def test_gradient_through_predicted_depth(detach, reaches):
    model = build(dict(detach_depth=detach))
    out = model._two_passes(streams(model)['target']['inputs']['rgb'], model.backbone, model.head)
    depth = out['rgb'].depth_map
    grad = torch.autograd.grad(out['depth'].pose25d.sum(), depth, allow_unused=True)[0]
    assert (grad is not None and bool(grad.abs().sum() > 0)) == reaches


@pytest.mark.parametrize(('side', 'frozen'), [('rgb', 'rgb'), ('fused', 'fused')])
def test_distillation_to_one_side_only(side, frozen):
    model = build(dict(distill_detach=side))
    out = model._two_passes(streams(model)['target']['inputs']['rgb'], model.backbone, model.head)
    for branch in ('rgb', 'fused'):
        out[branch].pose25d.retain_grad()
    sum(model._distill_losses(out, None).values()).backward()
    assert (out[frozen].pose25d.grad is None) and out[
        'fused' if side == 'rgb' else 'rgb'
    ].pose25d.grad is not None


def test_gated_distillation_leaves_out_rejected_samples():
    model, plain = build(dict(distill_gated=True)), build()
    out = plain._two_passes(torch.randn(ROWS, 3, SIZE, SIZE), plain.backbone, plain.head)
    gated = model._distill_losses(out, torch.tensor([1.0, 0.0, 0.0]))
    one = {branch: prediction.rows(0, 1) for branch, prediction in out.items()}
    alone = plain._distill_losses(one, None)
    for name, value in gated.items():
        assert float(value) == pytest.approx(float(alone[name]) / ROWS, rel=1e-5)


def test_labels_of_the_clean_view_do_not_depend_on_texture_nor_move_statistics():
    model = build(dict(label_view='clean'))
    seen = []

    def label(poses, targets):
        seen.append({k: v.clone() for k, v in poses.items()})
        return PseudoLabels(poses['rgb'], torch.zeros(ROWS), torch.zeros(ROWS), {})

    model.labeler = label
    raw = {'target': tiny_batch(ROWS, SIZE, seed=2)}
    statistics = {k: v.clone() for k, v in model.state_dict().items() if 'running' in k}
    for _ in range(2):
        data = model.data_preprocessor(raw, training=True)['target']
        with torch.no_grad():
            model._labels(data['inputs'], data['targets'], {})
    for branch in ('rgb', 'depth', 'fused'):
        assert torch.equal(seen[0][branch], seen[1][branch])
    assert all(torch.equal(model.state_dict()[k], v) for k, v in statistics.items())
    assert model.backbone.training and model.head.training


def test_student_labels_are_the_predictions_that_are_trained():
    model = build()
    kept = {}

    def label(poses, targets):
        kept.update(poses)
        return PseudoLabels(poses['rgb'], torch.ones(ROWS), torch.ones(ROWS), {})

    model.labeler = label
    data = streams(model)['target']
    losses = model.target_loss(data['inputs'], data['targets'])
    assert float(losses['loss_label_rgb']) == 0  # the label is the prediction itself
    assert float(losses['loss_label_fused']) > 0 and not kept['rgb'].requires_grad


@pytest.mark.parametrize(('statistics', 'moves'), [('both', True), ('target', False)])
def test_source_images_move_running_statistics_only_if_asked(statistics, moves):
    model = build(dict(statistics=statistics))
    data = streams(model)
    norm = model.backbone.rgb_encoder.bn1
    alone = copy.deepcopy(model)
    model(**data, mode='loss')
    alone.target_loss(data['target']['inputs'], data['target']['targets'])
    same = torch.equal(norm.running_mean, alone.backbone.rgb_encoder.bn1.running_mean)
    assert same != moves


def test_one_pass_trains_the_rgb_branch_alone():
    model = build(dict(passes=1), branches=('rgb',))
    model.labeler = constant_labeler(torch.ones(ROWS))
    losses = model(**streams(model), mode='loss')
    assert {name for name in losses if 'label' in name or 'distill' in name} == {'loss_label_rgb'}


def test_running_mean_of_the_weights():
    student, momentum = torch.nn.Linear(1, 1, bias=False), 0.75
    teacher = MeanTeacher({'net': student}, momentum)
    student.weight.data.fill_(2.0)  # weights loaded after construction
    teacher.follow({'net': student})
    assert float(teacher.parts['net'].weight) == 2.0
    student.weight.data.fill_(6.0)
    teacher.follow({'net': student})
    assert float(teacher.parts['net'].weight) == 3.0  # 0.75 * 2 + 0.25 * 6
    resumed = MeanTeacher({'net': student}, momentum)
    resumed.load_state_dict(teacher.state_dict())
    resumed.follow({'net': student})
    assert float(resumed.parts['net'].weight) == 3.75
    assert not teacher.train().parts['net'].training and not teacher.parts['net'].weight.requires_grad


@pytest.mark.parametrize(
    ('settings', 'branches', 'message'),
    [
        (dict(passes=3), None, 'passes'),
        (dict(label_vew='clean'), None, 'label_vew'),
        (dict(teacher_momentum=0.9), None, 'label_view'),
        (dict(teacher_momentum=1.0, label_view='clean'), None, 'teacher_momentum'),
        (dict(label_branches=('rbg',)), None, 'label_branches'),
        (dict(), ('rgb',), 'passes=1'),
    ],
)
def test_settings_without_meaning_are_refused(settings, branches, message):
    with pytest.raises(ConfigError, match=message):
        build(settings, **({} if branches is None else {'branches': branches}))


def test_training_needs_both_streams():
    with pytest.raises(ConfigError, match='two streams'):
        build()(mode='loss')


def test_clean_labels_without_a_clean_view_say_so():
    model = build(dict(label_view='clean'))
    model.labeler = constant_labeler(torch.ones(ROWS))
    with pytest.raises(ConfigError, match='clean_view=True'):
        model.target_loss({'rgb': torch.zeros(ROWS, 3, SIZE, SIZE)}, {})


def test_an_ordinary_batch_is_tested_as_in_stage_one():
    model = build().eval()
    data = model.data_preprocessor(tiny_batch(2, SIZE))
    with torch.no_grad():
        samples = model(**data, mode='predict')
    assert samples[0].pred_instances.keypoints_3d.shape == (1, 21, 3)
