"""The stage-1 estimator: losses, choices of branches, predictions in original frames."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch

from mmdualhand.errors import ConfigError
from mmdualhand.models.branch_norm import batch_layout, view_segments
from mmdualhand.models.losses import NTXent
from mmdualhand.registry import MODELS
from mmdualhand.structures import HandDataSample

PAIRS = [('rgb', 'rgb+'), ('depth', 'depth+'), ('rgb', 'fused'), ('rgb+', 'fused+')]


def build(**kwargs):
    torch.manual_seed(0)
    config = dict(
        type='DualModalityEstimator',
        backbone=dict(type='DualResNet', depth=18, base_channels=8),
        head=dict(
            type='MultiModal2.5DHead',
            deconv_channels=(16, 16, 16),
            codec=dict(type='Pose25D', input_size=(64, 64)),
        ),
        projector=dict(type='ProjectionHead', hidden_channels=16, out_channels=8),
        contrast=PAIRS,
        data_preprocessor=dict(type='HandDataPreprocessor'),
    )
    return MODELS.build({**config, **kwargs})


def batch(rows: int = 3, views: int = 2, size: int = 64):
    torch.manual_seed(1)
    inputs = dict(
        rgb=torch.randn(views * rows, 3, size, size),
        depth=torch.rand(views * rows, 1, size, size),
        views=views,
    )
    targets = dict(
        pose25d=torch.rand(rows, 21, 3) * 40,
        mask=(torch.rand(rows, 1, size, size) > 0.5).float(),
        depth_map=torch.rand(rows, 1, size, size),
    )
    return inputs, targets


def names(branches):
    return {f'loss_{kind}_{b}' for b in branches for kind in ('pose', 'mask', 'depth_map')}


@pytest.mark.parametrize(
    ('branches', 'contrast', 'align', 'extra'),
    [
        (('rgb', 'depth', 'fused'), PAIRS, None, {'loss_contrast'}),
        (('rgb', 'depth', 'fused'), [], None, set()),
        (('rgb', 'depth'), [], None, set()),
        (('rgb',), [], None, set()),
        (('rgb', 'depth'), PAIRS[:2], None, {'loss_contrast'}),
        (('rgb', 'depth'), [*PAIRS[:2], ('rgb', 'depth')], None, {'loss_contrast'}),
        (('rgb', 'depth'), [], dict(type='FeatureAlign'), {'loss_align'}),
    ],
)
def test_rows_of_the_tables_are_pure_config(branches, contrast, align, extra):
    model = build(branches=branches, contrast=contrast, align=align)
    views = 2 if any('+' in n for p in contrast for n in p) else 1
    assert model.data_preprocessor.augmented_view == (views == 2)
    losses = model.loss(*batch(views=views))
    assert set(losses) == names(branches) | extra
    sum(losses.values()).backward()
    unused = [n for n, p in model.named_parameters() if p.grad is None]
    assert unused == []


def test_contrast_is_the_sum_of_its_pairs():
    model = build(contrast_weight=0.1).eval()
    inputs, targets = batch()
    with torch.no_grad():
        got = model.loss(inputs, targets)['loss_contrast']
        features = model.backbone.encode(inputs['rgb'], inputs['depth'], 2).final
        z = {}
        for branch, encoder in (('rgb', 'rgb'), ('fused', 'rgb'), ('depth', 'depth')):
            pooled = features[branch].mean((2, 3))
            layers = model.projectors[encoder].layers
            norm = layers[1]
            mean, var = norm.statistics(branch)
            hidden = (layers[0](pooled) - mean) / (var + norm.eps).sqrt() * norm.weight + norm.bias
            out = layers[3](hidden.relu())
            z[branch], z[f'{branch}+'] = out[:3], out[3:]
        expected = 0.1 * sum(NTXent()(z[a], z[b]) for a, b in PAIRS)
    assert torch.allclose(got, expected, atol=1e-5)


def test_the_augmented_view_is_never_decoded():
    model = build().train()
    inputs, targets = batch()
    seen = []
    model.head.register_forward_hook(lambda module, args, out: seen.append(args[0].shape[0]))
    model.loss(inputs, targets)
    assert seen == [9]


def test_branches_meet_decoder_and_projection_with_their_own_statistics():
    model = build().train()
    inputs, targets = batch()
    calls = []  # a copy of the module before the step, its branches, views, input and output
    watched = [(model.head, ('rgb', 'depth', 'fused'), 1)]
    watched += [(projector, projector.branches, 2) for projector in model.projectors.values()]

    def keep(before, _, args, out):
        calls.append((*before, args[0], getattr(out, 'pose25d', out)))

    for module, branches, views in watched:
        module.register_forward_hook(partial(keep, (copy.deepcopy(module), branches, views)))
    model.loss(inputs, targets)
    assert [len(branches) for _, branches, *_ in calls] == [3, 2, 1]
    for fresh, branches, views, features, together in calls:
        parts = zip(branches, features.chunk(len(branches)), together.chunk(len(branches)), strict=True)
        for branch, part, got in parts:
            with batch_layout(view_segments(branch, part.shape[0], views)):
                alone = fresh(part)
            assert torch.allclose(got, getattr(alone, 'pose25d', alone), atol=1e-4), branch


def test_alignment_compares_plain_views_only():
    model = build(contrast=PAIRS[:1], align=dict(type='FeatureAlign')).eval()
    inputs, targets = batch()
    with torch.no_grad():
        before = model.loss(inputs, targets)
        inputs['rgb'][3:] += 1.0
        inputs['depth'][3:] *= 0.5
        after = model.loss(inputs, targets)
    assert torch.isclose(before['loss_align'], after['loss_align'], rtol=1e-5)
    assert not torch.isclose(before['loss_contrast'], after['loss_contrast'], rtol=1e-3)


def test_modes_do_what_they_say():
    model = build(contrast=[]).eval()
    inputs, targets = batch(views=1)
    with torch.no_grad():
        assert model(inputs, targets, mode='loss') == model.loss(inputs, targets)
        raw = model(inputs)
        assert list(raw) == ['rgb', 'depth', 'fused']
        expected = model.head(model.backbone(inputs['rgb'])['rgb'])
    assert torch.allclose(raw['rgb'].pose25d, expected.pose25d, atol=1e-4)
    assert torch.allclose(raw['rgb'].depth_map, expected.depth_map, atol=1e-5)
    with pytest.raises(ValueError, match="mode='loss' needs targets"):
        model(inputs, mode='loss')
    with pytest.raises(ValueError, match="mode='predict' needs targets"):
        model(inputs, targets, mode='predict')
    with pytest.raises(ValueError, match='train'):
        model(inputs, targets, mode='train')


def test_channels_last_changes_the_memory_order_and_no_value():
    wide = dict(contrast=[], backbone=dict(type='DualResNet', depth=18, base_channels=16))
    plain, turned = build(**wide).eval(), build(**wide, channels_last=True).eval()
    narrow = build(contrast=[], channels_last=True).backbone.rgb_encoder.layer1[0].conv1.weight
    assert narrow.is_contiguous()  # too narrow for a fault of torch, see compat
    weights = turned.backbone.rgb_encoder.layer2[0].conv1.weight
    assert weights.is_contiguous(memory_format=torch.channels_last) and not weights.is_contiguous()
    with torch.no_grad():
        before, after = (m.loss(*batch(views=1)) for m in (plain, turned))
    assert all(torch.isclose(before[key], after[key], rtol=1e-4) for key in before)


def test_missing_inputs_are_named():
    inputs, targets = batch(views=1)
    with pytest.raises(ConfigError, match='augmented_view'):
        build().loss(inputs, targets)
    inputs.pop('depth')
    with pytest.raises(ConfigError, match='LoadHandModalities'):
        build(contrast=[]).loss(inputs, targets)
    with pytest.raises(ConfigError, match='contrast pairs'):
        build(contrast=[('rgb', 'thermal')])
    with pytest.raises(ConfigError, match='"depth"'):
        build(branches=('rgb',), contrast=[], align=dict(type='FeatureAlign'))
    with pytest.raises(ConfigError, match='test_cfg'):
        build(branches=('rgb',), contrast=[], test_cfg=dict(branches=('rgb', 'fused')))
    with pytest.raises(ConfigError, match='gives none'):
        build(test_cfg=dict(branches=('rgb', 'fused'))).predict_branches(inputs)


@pytest.mark.parametrize('mirrored', [False, True])
def test_predictions_return_to_the_original_image(mirrored):
    model = build(contrast=[], test_cfg=dict(branches=('rgb', 'depth', 'fused'))).eval()
    inputs, _ = batch(rows=1, views=1)
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
    mirror[0, 2] = 319.0
    crop = torch.tensor([[0.5, 0.0, -20.0], [0.0, 0.5, -10.0], [0.0, 0.0, 1.0]])
    matrix = crop @ mirror if mirrored else crop
    original = torch.tensor([[300.0, 0.0, 160.0], [0.0, 300.0, 160.0], [0.0, 0.0, 1.0]])
    flip = torch.diag(torch.tensor([-1.0, 1.0, 1.0])) if mirrored else torch.eye(3)
    targets = dict(
        crop_matrix=matrix[None],
        camera=(matrix @ original @ flip)[None],
        root_depth=torch.tensor([600.0]),
        ref_length=torch.tensor([40.0]),
        mirrored=torch.tensor([mirrored]),
    )
    (sample,) = model.predict(inputs, targets, [HandDataSample()])
    for instances in (sample.pred_instances, sample.pred_instances_depth, sample.pred_instances_fused):
        xyz = torch.as_tensor(instances.keypoints_3d[0], dtype=torch.float64)
        uvw = xyz @ original.double().T
        uv = (uvw[:, :2] / uvw[:, 2:]).numpy()
        assert abs(uv - instances.keypoints[0]).max() < 1e-3
        assert xyz[:, 2].mean() == pytest.approx(600, abs=60)
    assert sample.pred_fields.mask.shape == (1, 16, 16)
    grid = sample.pred_instances.pose25d[0, :, :2]
    in_crop = (grid + 0.5) * 1.0 - 0.5
    first = matrix.double() @ torch.tensor([*sample.pred_instances.keypoints[0, 0], 1.0]).double()
    assert abs(first[:2].numpy() - in_crop[0]).max() < 1e-3


def test_maps_and_attention_of_a_prediction():
    model = build(contrast=[], test_cfg=dict(branches=('rgb', 'depth'), attention=True)).eval()
    with torch.no_grad():
        model.head.final.bias[42:] = torch.tensor([0.0, 1.5])  # mask logit, depth map
    inputs, _ = batch(rows=2, views=1)
    samples = model.predict(
        inputs, dict(crop_matrix=torch.eye(3).repeat(2, 1, 1)), [HandDataSample(), HandDataSample()]
    )
    weights = model.backbone.encode(inputs['rgb'], inputs['depth']).attention[0]
    for sample, expected in zip(samples, weights, strict=True):
        assert sample.pred_fields.mask == pytest.approx(0.5, abs=0.1)
        assert (sample.pred_fields.depth_map == 1).all()  # the map is linear, what is written lies in 0..1
        assert torch.allclose(torch.as_tensor(sample.pred_attention.weights), expected, atol=1e-5)


def test_crops_of_another_size_are_refused():
    inputs, targets = batch(size=96)
    with pytest.raises(ConfigError, match='96 x 96 .* 64 x 64'):
        build()(inputs, targets, mode='loss')


def test_3d_is_left_out_where_depth_is_unknown():
    model = build(contrast=[]).eval()
    inputs, _ = batch(rows=1, views=1)
    targets = dict(crop_matrix=torch.eye(3)[None], mirrored=torch.tensor([False]))
    (sample,) = model.predict(inputs, targets, [HandDataSample()])
    assert 'keypoints_3d' not in sample.pred_instances
    assert not hasattr(sample, '_pred_instances_fused')
