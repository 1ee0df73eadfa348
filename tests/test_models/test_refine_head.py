"""AnimalDA's decoder, discriminator, mixup and consistency, against the original's numbers and by hand."""

from __future__ import annotations

import math

import pytest
import torch

from mmdualhand.errors import ConfigError
from mmdualhand.models import (
    DomainDiscriminatorHead,
    DomainMixup,
    MapBatch,
    MultiScaleDeconvNeck,
    RefineCascade,
    RefineHeatmapHead,
    RefinementConsistency,
    WeightSchedule,
)
from mmdualhand.models.domain_mixup import mix
from mmdualhand.models.losses.refinement_consistency import EASIEST, RAMP
from mmdualhand.models.weight_schedules import Progress


def size(module):
    return sum(p.numel() for p in module.parameters())


def tiny(**more):
    torch.manual_seed(0)
    options = dict(in_channels=6, deconv_channels=(8, 8, 8), codec=dict(type='Heatmap', input_size=128))
    return RefineHeatmapHead(**{**options, **more})


def test_network_of_the_original():
    """Parameters as counted in the original for 18 joints and two branches."""
    head = RefineHeatmapHead(in_channels=32, num_joints=18, num_branches=2)
    assert size(head.cascade) + size(head.branches) == 2_913_316
    assert size(DomainDiscriminatorHead(head.feature_channels)) == 12_193_792
    assert head.feature_channels == 1024


def test_maps_of_every_resolution():
    neck = MultiScaleDeconvNeck(6, channels=4)
    maps = neck(torch.rand(2, 6, 8, 8))
    assert [tuple(x.shape) for x in maps] == [(2, 4, side, side) for side in (8, 16, 32, 64)]
    assert min(float(x.detach().min()) for x in maps) >= 0
    assert size(neck) == 6 * 4 + 3 * 4 * 4 * 16 + 4 * 2 * 4
    fused = RefineCascade(4, 2)(maps)
    assert fused.shape == (2, 16, 64, 64)
    # the finest map has no bottleneck and comes last, unchanged
    assert torch.equal(fused[:, 12:], maps[-1])


def test_outputs_and_what_predicts():
    head = tiny(num_branches=2).eval()
    features = torch.rand(2, 6, 8, 8)
    found = head.outputs(features)
    assert found.coarse.shape == (2, 21, 64, 64) and len(found.refined) == 2
    coarse, refined = head.maps(features)
    assert torch.equal(refined, found.refined[0]) and torch.equal(coarse, found.coarse)
    assert torch.equal(head(features).heatmaps, found.refined[0])
    assert not torch.equal(found.refined[0], found.refined[1])


def test_loss_is_that_of_the_coarse_and_the_first_refined_maps():
    head = tiny(num_branches=2)
    maps = [torch.zeros(2, 21, 64, 64), torch.full((2, 21, 64, 64), 2.0)]
    weight = torch.ones(2, 21)
    assert float(head.loss(maps, torch.ones_like(maps[0]), weight)) == pytest.approx(0.5 + 0.5)


def test_second_branch_starts_as_the_first():
    one, two = tiny(), tiny(num_branches=2)
    state = {f'head.{key}': value for key, value in one.state_dict().items()}
    own = {f'head.{key}': value for key, value in two.state_dict().items()}
    filled = RefineHeatmapHead.spread_branches(state, own)
    two.load_state_dict({key.removeprefix('head.'): value for key, value in filled.items()})
    first, second = two.eval().outputs(torch.rand(1, 6, 4, 4)).refined
    assert torch.equal(first, second)
    again = RefineHeatmapHead.spread_branches(own, own)
    assert all(torch.equal(again[key], own[key]) for key in own)
    assert RefineHeatmapHead.spread_branches({}, own) == {}


@pytest.mark.parametrize(
    'wrong',
    [
        dict(num_branches=3),
        dict(deconv_channels=(8, 8, 4)),
        dict(blocks=(1, 1)),
        dict(blocks=(1, 1, -1, 0)),
    ],
)
def test_heads_without_meaning(wrong):
    with pytest.raises(ConfigError):
        tiny(**wrong)


def discriminator(**more):
    torch.manual_seed(0)
    return DomainDiscriminatorHead(3, map_size=(32, 16), channels=(4, 4), **more)


def test_discriminator_at_a_loss_and_sure():
    head = discriminator()
    head.layers[-1].weight.data.zero_()
    source, target = torch.rand(3, 3, 16, 32), torch.rand(2, 3, 16, 32)
    assert head(source).tolist() == [0.0] * 3
    found = head.loss(source, target)
    assert float(found['loss_domain']) == pytest.approx(math.log(2))
    assert float(found['domain_accuracy']) == pytest.approx(0.5)
    torch.nn.init.constant_(head.layers[-1].weight, 0.1)
    swapped = head.loss(target, source)
    logits = [head(x).detach() for x in (source, target)]
    by_hand = 0.5 * (-logits[0].sigmoid().log().mean() - (1 - logits[1].sigmoid()).log().mean())
    assert float(head.loss(source, target)['loss_domain']) == pytest.approx(float(by_hand), rel=1e-5)
    assert float(swapped['loss_domain']) != pytest.approx(float(by_hand), rel=1e-5)


def test_features_are_trained_against_the_discriminator():
    """A reversal of 0.3 gives -0.3 times the gradient to the features, and the whole one to the layers."""
    gradients = {}
    for value in (0.3, 1.0):
        head, rng = discriminator(reversal=value), torch.Generator().manual_seed(1)
        x = torch.rand(2, 3, 16, 32, generator=rng).requires_grad_()
        head.loss(x[:1], x[1:])['loss_domain'].backward()
        gradients[value] = x.grad, head.layers[0].weight.grad
    assert torch.allclose(gradients[0.3][0], 0.3 * gradients[1.0][0])
    assert torch.equal(gradients[0.3][1], gradients[1.0][1])
    head, x = discriminator(), torch.rand(2, 3, 16, 32).requires_grad_()
    plain = torch.autograd.grad(head.layers(x).sum(), x)[0]
    reversed_ = torch.autograd.grad(discriminator(reversal=0.3)(x).sum(), x)[0]
    assert torch.allclose(reversed_, -0.3 * plain, atol=1e-7)


def test_discriminator_of_a_map_that_is_too_small():
    with pytest.raises(ConfigError, match='fewer channels'):
        DomainDiscriminatorHead(3, map_size=24)
    assert DomainDiscriminatorHead(3, map_size=24, channels=(4, 4, 4)).layers[-1].kernel_size == (3, 3)


def batch(value, rows=2, weight=1.0):
    one = torch.ones(rows, 3, 8, 8) * torch.tensor(value).view(-1, 1, 1, 1)
    return MapBatch(one, one[:, :1, :2, :2].expand(-1, 21, -1, -1), torch.full((rows, 21), weight))


def test_mixing_by_hand():
    mixed = mix(batch([1.0]), batch([3.0], weight=0.0), 0.25)
    assert mixed.rgb.unique().tolist() == [2.5] and mixed.heatmaps.unique().tolist() == [2.5]
    assert mixed.weight.unique().tolist() == [1.0]
    assert mix(batch([1.0]), batch([3.0]), 0.25, keeps_first=True).rgb.unique().tolist() == [1.5]


def test_mixup_keeps_the_target_the_larger_part_across_domains():
    torch.manual_seed(0)
    target, source = batch([1.0, 1.0, 1.0], 3), batch([0.0, 0.0], 2)
    crossed = [DomainMixup(cross_prob=1.0)(target, source) for _ in range(50)]
    shares = torch.stack([one.rgb.mean() for one in crossed])
    assert shares.min() >= 0.5 and shares.max() <= 1.0 and shares.std() > 0.05
    assert all(one.rgb.shape == (3, 3, 8, 8) for one in crossed)
    assert all(torch.equal(one.rgb[:, 0, 0, 0], one.heatmaps[:, 0, 0, 0]) for one in crossed)


def test_mixup_inside_the_target_never_sees_the_source():
    torch.manual_seed(0)
    target, source = batch([0.0, 1.0]), batch([100.0, 100.0])
    inside = torch.stack([DomainMixup(cross_prob=0.0)(target, source).rgb[:, 0, 0, 0] for _ in range(60)])
    assert inside.min() >= 0 and inside.max() <= 1
    assert (inside[:, 0] > 0.5).any(), 'the first image may be the smaller part here'
    share = (torch.stack([DomainMixup()(target, source).rgb.max() for _ in range(200)]) > 1.5).float().mean()
    assert float(share) == pytest.approx(0.5, abs=0.12)


def test_mixups_without_meaning():
    for wrong in (dict(alpha=0.0), dict(cross_prob=1.5)):
        with pytest.raises(ConfigError):
            DomainMixup(**wrong)


def at_epoch(config, epoch, length=80):
    return WeightSchedule.from_config(config)(Progress(0, 1, epoch, length))


def test_ramps_of_the_original():
    """Values of the original code, epoch by epoch of 80; k for its 18 joints."""
    label = dict(form='cosine_rampdown', unit='epoch', high=15.0, low=8.0, length=15, total=80)
    for epoch, value in zip((0, 1, 3, 5, 7, 8), (15, 14.8361, 13.5676, 11.25, 8.284, 8), strict=True):
        assert at_epoch(label, epoch) == pytest.approx(value, abs=1e-3)
    consistency = (0.6064, 1.568, 7.7664, 25.7854, 57.3865, 85.6106, 90)
    for epoch, value in zip((0, 1, 3, 5, 7, 9, 10), consistency, strict=True):
        assert at_epoch(RAMP, epoch) == pytest.approx(value, abs=1e-3)
    joints = {**EASIEST, 'start': 18.0, 'low': 9.0}
    assert [at_epoch(joints, epoch) for epoch in (0, 2, 3, 5, 11, 40)] == [18, 18, 17, 15, 9, 9]
    assert [at_epoch(EASIEST, epoch) for epoch in (0, 2, 3, 13, 79)] == [21, 21, 20, 10, 10]
    for share, value in ((0.1, 0.4621), (0.25, 0.8483), (0.5, 0.9866)):
        reversal = WeightSchedule('dann')(Progress(int(1000 * share), 1000))
        assert reversal == pytest.approx(value, abs=1e-4)
    # a run of a tenth of the length passes through the same values ten times as fast
    assert at_epoch(RAMP, 1, 8) == pytest.approx(90)


def constant(value):
    return torch.full((2, 4, 5, 5), float(value), requires_grad=True)


def test_consistency_by_hand():
    loss = RefinementConsistency(
        inner_weight=2.0,
        outer_weight=3.0,
        agreement_weight=0.5,
        loss_inner=dict(type='KeypointCurriculumMSELoss', top_k=2),
    )
    coarse, first, second, teacher = constant(1), constant(3), constant(4), constant(6)
    losses = loss(coarse, first, second, teacher)
    assert {key: float(value) for key, value in losses.items()} == {
        'loss_inner': 2.0 * 0.5 * 4,  # each of the two easiest joints has 1/2 (3 - 1)^2
        'loss_outer': 3.0 * 0.5 * 4,
        'loss_agreement': 0.5 * 0.5 * 1,
    }
    sum(losses.values()).backward()
    assert teacher.grad is None, 'the teacher is a constant'
    # each map has 2 x 4 x 5 x 5 = 200 cells; coarse has gradient in 2 of 4 joints
    assert float(coarse.grad.sum()) == pytest.approx(2.0 * -2)
    assert float(first.grad.sum()) == pytest.approx(0.5 * -1), 'not through the inner loop'
    assert float(second.grad.sum()) == pytest.approx(3.0 * -2 + 0.5 * 1)


def test_curriculum_drops_hard_joints_of_the_inner_loop():
    loss = RefinementConsistency(1.0, 0.0, 0.0, dict(type='KeypointCurriculumMSELoss', top_k=2))
    coarse, zero = torch.zeros(1, 4, 2, 2), torch.zeros(1, 4, 2, 2)
    first = coarse + torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 4, 1, 1)
    assert float(loss(coarse, first, zero, zero)['loss_inner']) == pytest.approx((0.5 + 2.0) / 2)


def test_default_weights_ramp_with_the_run(monkeypatch):
    def train(epoch):
        monkeypatch.setattr(Progress, 'current', classmethod(lambda cls: Progress(0, 800, epoch, 80)))
        return RefinementConsistency()(*(constant(value) for value in (1, 3, 4, 6)))

    early, late = train(0), train(10)
    assert float(early['loss_outer']) == pytest.approx(0.6064 * 2, abs=1e-3)
    assert float(late['loss_outer']) == pytest.approx(90 * 2)
    assert float(late['loss_agreement']) == float(early['loss_agreement']) == pytest.approx(0.005)
