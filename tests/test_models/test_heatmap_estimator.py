"""Source-only networks of heat maps: loss, prediction, and where they start from."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from mmdualhand.errors import ConfigError
from mmdualhand.models import HeatmapHead, MultiModal25DHead
from mmdualhand.registry import MODELS
from mmdualhand.testing import tiny_batch, tiny_estimator

CODEC = dict(type='Heatmap', input_size=(64, 64))
BACKBONE = dict(type='DualResNet', depth=18, base_channels=4, branches=('rgb',))


def build(**changes: Any) -> Any:
    torch.manual_seed(0)
    head = dict(type='HeatmapHead', deconv_channels=(8, 8, 8), codec=CODEC)
    return MODELS.build({**dict(type='HeatmapEstimator', backbone=BACKBONE, head=head), **changes})


def prepared(model: Any, training: bool = True, **kwargs: Any) -> dict[str, Any]:
    return model.data_preprocessor(tiny_batch(3, 64, depth=False, **kwargs), training)


def test_the_loss_is_that_of_the_maps_and_reaches_everything():
    model = build().train()
    batch = prepared(model)
    losses = model(**batch, mode='loss')
    assert list(losses) == ['loss_heatmap']
    with torch.no_grad():
        (maps,) = model.head.maps(model.features(batch['inputs']['rgb']))
        target, weight = model.codec.encode(batch['targets']['pose25d'][..., :2])
    assert target.shape == (3, 21, 16, 16) and weight.mean() > 0.9
    expected = 0.5 * ((maps - target).square().mean((-2, -1)) * weight).mean()
    assert losses['loss_heatmap'].item() == pytest.approx(expected.item(), rel=1e-5)
    losses['loss_heatmap'].backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []


def test_invisible_joints_count_unless_left_out():
    every, seen = build(), build(visible_only=True)
    targets = dict(prepared(every)['targets'])
    targets['visible'] = torch.zeros_like(targets['visible'])
    targets['visible'][:, 4] = 1.0
    assert every.encode(targets)[1].sum() > 21
    assert torch.nonzero(seen.encode(targets)[1].sum(0)).flatten().tolist() == [4]


def test_every_stack_of_an_hourglass_is_supervised():
    head = dict(type='HeatmapHead', deconv_channels=(), num_stages=2, codec=CODEC)
    model = build(backbone=dict(type='HourglassNet', num_stacks=2, channels=16), head=head).train()
    batch = prepared(model)
    maps = model.head.maps(model.features(batch['inputs']['rgb']))
    target, weight = model.encode(batch['targets'])
    single = [model.head.loss_maps(one, target, weight) for one in maps]
    assert model.head.loss(maps, target, weight).item() == pytest.approx(sum(single).item(), rel=1e-6)
    model(**batch, mode='loss')['loss_heatmap'].backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []
    with pytest.raises(ConfigError, match='num_stages'):
        model.head.maps(torch.zeros(2, 16, 16, 16))


def test_predictions_are_of_the_original_image_and_have_no_depth():
    model = build().eval()
    raw = tiny_batch(2, 64)
    batch = model.data_preprocessor(raw, False)
    truth = batch['targets']['pose25d'][..., :2]
    maps, _ = model.codec.encode(truth)
    model.head.forward = lambda features: model.head.decode(maps)  # a network that knows the answer
    samples = model(**batch, mode='predict')
    for sample, points in zip(samples, truth, strict=True):
        found = sample.pred_instances
        assert 'keypoints_3d' not in found and sample.metainfo['prediction_dims'] == 2
        assert found.pose25d.shape == (1, 21, 3) and np.isnan(found.pose25d[..., 2]).all()
        # the largest cell of a 16 x 16 map: at most half a cell off, 2 px of the 64-grid
        assert np.abs(found.pose25d[0, :, :2] - points.numpy()).max() <= 2.0 + 1e-4
        scale = np.linalg.norm(np.asarray(sample.metainfo['crop_matrix'])[0, :2])
        away = np.abs(found.keypoints - sample.gt_instances.keypoints)
        assert away.max() <= 2.0 * np.sqrt(2) / scale + 1e-3
        assert ((found.keypoint_scores >= 0) & (found.keypoint_scores <= 1)).all()


def test_the_deconvolutions_are_those_of_the_2d5_decoder():
    torch.manual_seed(0)
    one = MultiModal25DHead(6, deconv_channels=(4, 4), branches=('rgb',))
    two = HeatmapHead(6, deconv_channels=(4, 4))
    two.deconv.load_state_dict(one.deconv.state_dict())
    x = torch.randn(2, 6, 4, 4)
    assert torch.equal(one.eval().deconv(x), two.eval().upsample(x))
    assert two.final.weight.std().item() == pytest.approx(0.001, rel=0.5) and two.final.bias.abs().max() == 0


def test_a_2d5_network_of_the_rgb_branch_is_a_start():
    rgb = MODELS.build(tiny_estimator(branches=('rgb',), contrast=[]))
    model = build()
    state = rgb.state_dict()
    kept = model.complete_start(state)
    assert {key for key in state if key not in kept} == {'head.final.weight', 'head.final.bias'}
    own = model.state_dict()
    new = [key for key in own if key not in kept]
    assert new == ['head.final.weight', 'head.final.bias']
    assert all(own[key].shape == kept[key].shape for key in own if key in kept)
    assert model.complete_start(own).keys() == own.keys()


def test_a_copy_of_the_state_predicts_the_same():
    model, other = build().eval(), build()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(0.1)
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    batch = prepared(model, training=False)
    one, two = (net.extract(batch['inputs'])['rgb'] for net in (model, other.eval()))
    assert torch.equal(one.heatmaps, two.heatmaps)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(backbone=dict(BACKBONE, branches=('rgb', 'depth'))), 'branches'),
        (dict(test_cfg=dict(root_depth='solve')), 'root_depth'),
        (dict(test_cfg=dict(branches=('rgb', 'fused'))), 'branches'),
        (dict(head=dict(type='HeatmapHead', num_stages=2)), 'deconv_channels'),
        (dict(head=dict(type='HeatmapHead', conv_kernel=2)), 'conv_kernel'),
    ],
)
def test_settings_without_meaning(changes, message):
    with pytest.raises(ConfigError, match=message):
        build(**changes)


def test_what_other_networks_may_be_asked_for_is_accepted():
    model = build(test_cfg=dict(branches=('rgb',), root_depth='given'))
    assert model.branches == model.test_branches == ('rgb',)


def test_wrong_data_is_named():
    model = build()
    batch = prepared(model)
    with pytest.raises(ConfigError, match='64 x 64'):
        model({'rgb': torch.zeros(2, 3, 32, 32)}, batch['targets'], mode='loss')
    with pytest.raises(ConfigError, match='pose25d'):
        model(batch['inputs'], {}, mode='loss')
    wrong = build(head=dict(type='HeatmapHead', deconv_channels=(8, 8), codec=CODEC))
    with pytest.raises(ConfigError, match='heatmap_size'):
        wrong(**batch, mode='loss')
