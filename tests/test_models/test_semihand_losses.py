"""What SemiHand adds to self-training: view consistency, the mask against the pose, the second target."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from mmdualhand.errors import ConfigError
from mmdualhand.models import MultiModalPrediction, PseudoLabels, ViewConsistencyLoss, Warp
from mmdualhand.models.losses import PoseDist
from mmdualhand.models.perturbation import AffinePerturbation, warp_images, warp_pose25d
from mmdualhand.registry import MODELS
from mmdualhand.testing import tiny_batch

SIZE, ROWS = 64, 3
MIXTURE = dict(shift=5 / 64, rotation=2.0, quarter_turns=True, choose_one=True)


def prediction(seed=0):
    generator = torch.Generator().manual_seed(seed)
    pose = torch.rand(4, 21, 3, generator=generator) * 20 + 22
    mask = F.interpolate(torch.rand(4, 1, 4, 4, generator=generator), (16, 16), mode='bilinear')
    return MultiModalPrediction(pose, mask, mask)


def moved_exactly(found, warp):
    """What an exactly equivariant network says of the moved images."""
    mask = warp_images(found.mask, warp)
    return MultiModalPrediction(warp_pose25d(found.pose25d, warp), mask, mask)


def test_an_equivariant_network_has_no_view_loss():
    found = prediction()
    warp = AffinePerturbation(**MIXTURE).sample(4, generator=torch.Generator().manual_seed(1))
    losses = ViewConsistencyLoss()(found, moved_exactly(found, warp), warp)
    assert float(losses['loss_view_pose']) < 1e-8 and float(losses['loss_view_mask']) < 1e-6
    still = ViewConsistencyLoss()(found, found, warp)
    assert float(still['loss_view_pose']) > 1


def test_view_loss_of_an_offset():
    """(1, 1) px and 0.1 in depth: 2.5 for every joint; 0.25 of the mask."""
    found = prediction()
    warp = Warp(torch.full((4,), 90.0), torch.zeros(4, 2), torch.ones(4), torch.zeros(4) > 0)
    moved = moved_exactly(found, warp)
    moved = moved._replace(pose25d=moved.pose25d + torch.tensor([1.0, 1.0, 0.1]), mask=moved.mask + 0.25)
    losses = ViewConsistencyLoss(mask_weight=2.0)(found, moved, warp)
    assert float(losses['loss_view_pose']) == pytest.approx(2.5, rel=1e-4)
    assert float(losses['loss_view_mask']) == pytest.approx(0.5, rel=1e-4)


def test_what_leaves_the_picture_does_not_count():
    found = prediction()
    pose = found.pose25d.clone()
    pose[:, :7, 0] = 62.0  # of 21 joints, 7 are shifted out by 5 px
    found = found._replace(pose25d=pose)
    shift = torch.tensor([[5 / 64, 0.0]]).repeat(4, 1)
    warp = Warp(torch.zeros(4), shift, torch.ones(4), torch.zeros(4) > 0)
    moved = moved_exactly(found, warp)
    moved = moved._replace(pose25d=moved.pose25d + torch.tensor([1.0, 0.0, 0.0]), mask=moved.mask.clone())
    moved.mask[..., 0] = 1.0  # the column that came in from outside
    losses = ViewConsistencyLoss()(found, moved, warp)
    assert float(losses['loss_view_pose']) == pytest.approx(14 / 21, rel=1e-4)
    assert float(losses['loss_view_mask']) < 1e-6


def test_gradients_reach_both_sides_unless_one_is_held():
    warp = AffinePerturbation(rotation=2.0).sample(4)
    for detach in (False, True):
        pose, mask = (x.clone().requires_grad_() for x in prediction()[:2])
        other = prediction(1)
        away = other.pose25d.clone().requires_grad_()
        losses = ViewConsistencyLoss(detach_target=detach)(
            MultiModalPrediction(pose, mask, mask), other._replace(pose25d=away), warp
        )
        sum(losses.values()).backward()
        assert float(away.grad.abs().sum()) > 0 and (pose.grad is None) is detach


def build(**changes):
    torch.manual_seed(0)
    config = dict(
        type='SelfTrainingEstimator',
        branches=('rgb',),
        backbone=dict(type='DualResNet', depth=18, base_channels=4),
        head=dict(
            type='MultiModal2.5DHead',
            deconv_channels=(8, 8, 8),
            codec=dict(type='Pose25D', input_size=(SIZE, SIZE)),
            loss_maps=dict(type='MultiModalL1', depth_map_weight=0.0),
        ),
        data_preprocessor=dict(type='StreamDataPreprocessor', streams=dict(source=dict(), target=dict())),
        self_training=dict(passes=1, distill_weight=0.0, label_branches=('rgb',)),
        consistency=[dict(type='ViewConsistencyLoss'), dict(type='SilhouetteCircleLoss')],
        perturbation=MIXTURE,
    )
    model = MODELS.build({**config, **changes})
    for part in (model.head.final, *(m for m in model.head.deconv if hasattr(m, 'stride'))):
        torch.nn.init.normal_(part.weight, std=0.05)
    return model.train()


def streams(model):
    batch = {'source': tiny_batch(ROWS, SIZE, seed=1), 'target': tiny_batch(ROWS, SIZE, depth=False, seed=2)}
    return model.data_preprocessor(batch, training=True)


TERMS = ('view_pose', 'view_mask', 'silhouette')
NAMES = {f'loss_{term}_{stream}' for term in TERMS for stream in ('source', 'target')}


def test_consistency_of_both_streams_with_its_weight():
    model, heavier = build(consistency_weight=0.1), build(consistency_weight=0.3)
    data = streams(model)
    found = []
    for one in (model, heavier):
        torch.manual_seed(5)
        found.append(one(**data, mode='loss'))
    assert set(found[0]) >= NAMES and float(found[0]['loss_view_pose_target']) > 0
    for name in NAMES:
        assert float(found[1][name]) == pytest.approx(3 * float(found[0][name]), rel=1e-4), name
    one = build(consistency_streams=('target',))
    assert {name for name in one(**data, mode='loss') if name in NAMES} == {
        name for name in NAMES if name.endswith('target')
    }


def test_the_view_loss_of_a_step_is_that_of_two_passes():
    model = build(consistency=[dict(type='ViewConsistencyLoss')], consistency_weight=1.0)
    rgb = streams(model)['target']['inputs']['rgb']
    torch.manual_seed(6)
    loss = model.target_loss({'rgb': rgb}, {})['loss_view_pose_target']
    torch.manual_seed(6)
    warp = model.consistency.perturbation.sample(ROWS)
    plain = model._decode(model.backbone.encode(rgb).final)['rgb']
    moved = model._decode(model.backbone.encode(warp_images(rgb, warp)).final)['rgb']
    wanted = ViewConsistencyLoss()(plain, moved, warp)['loss_view_pose']
    assert float(loss) == pytest.approx(float(wanted), rel=1e-5)


def test_moved_images_leave_the_running_statistics_alone():
    model, plain = build(), build(consistency=[], perturbation=None)
    plain.load_state_dict({k: v for k, v in model.state_dict().items() if not k.startswith('consistency.')})
    data = streams(model)
    for one in (model, plain):
        one(**data, mode='loss')
    own, other = dict(model.backbone.named_buffers()), dict(plain.backbone.named_buffers())
    assert own and all(torch.equal(value, other[name]) for name, value in own.items())


def test_the_second_target_is_not_gated():
    model = build(consistency=[], perturbation=None)
    data = streams(model)['target']
    label, corrected = torch.full((ROWS, 21, 3), 20.0), torch.full((ROWS, 21, 3), 30.0)
    weight, share = torch.zeros(ROWS), torch.tensor([1.0, 1.0, 0.0])
    model.labeler = lambda poses, targets: PseudoLabels(label, weight, weight, {}, corrected, share)
    losses = model.target_loss(data['inputs'], data['targets'])
    pose = model._decode(model.backbone.encode(data['inputs']['rgb']).final)['rgb'].pose25d
    assert float(losses['loss_label_rgb']) == 0
    each = PoseDist(50.0, reduction='none')(pose, corrected)
    assert float(losses['loss_correction_rgb']) == pytest.approx(float(each[:2].sum()) / ROWS, rel=1e-5)


def test_labels_see_the_moved_pose_put_back():
    model = build(perturbation=dict(quarter_turns=True, choose_one=True))
    seen = {}

    def labeler(poses, targets):
        seen.update(poses)
        pose = poses['rgb']
        return PseudoLabels(pose, torch.ones(ROWS), torch.ones(ROWS), {})

    model.labeler = labeler
    data = streams(model)['target']
    torch.manual_seed(7)
    model.target_loss(data['inputs'], data['targets'])
    torch.manual_seed(7)
    warp = model.consistency.perturbation.sample(ROWS)
    moved = model._decode(model.backbone.encode(warp_images(data['inputs']['rgb'], warp)).final)['rgb']
    assert torch.allclose(warp_pose25d(seen['moved'], warp), moved.pose25d.detach(), atol=1e-4)


def test_gradients_and_a_checkpoint_of_stage_one():
    model = build()
    losses = model(**streams(model), mode='loss')
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    frozen = {name for name, p in model.named_parameters() if p.grad is None}
    assert frozen and all(name.startswith('consistency.losses.1.radii.') for name in frozen)
    assert 'consistency.' in model.optional_parts


@pytest.mark.parametrize(
    ('changes', 'word'),
    [
        (dict(perturbation=None), 'moved images'),
        (dict(perturbation=dict(scale=(0.9, 1.1))), 'scale'),
        (dict(perturbation=dict(flip=0.5)), 'flip'),
        (dict(consistency=[]), 'consistency is empty'),
        (dict(consistency_streams=('probe',)), 'consistency_streams'),
    ],
)
def test_settings_without_meaning(changes, word):
    with pytest.raises(ConfigError, match=word):
        build(**changes)
