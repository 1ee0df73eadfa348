"""Every registered class keeps the contract of its kind. A new class needs a line in ``MINIMAL``."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.hooks import Hook
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmdualhand import registry
from mmdualhand.codecs import Heatmap, Pose25D
from mmdualhand.models import MultiModalPrediction
from mmdualhand.models.perturbation import identity_warp
from mmdualhand.structures import HandDataSample
from mmdualhand.testing import (
    check_dataset,
    check_encoder,
    check_estimator,
    random_hand,
    tiny_batch,
    tiny_sample,
)
from tests.fixtures.coco_writer import require_xtcocotools, write_rhd_coco
from tests.fixtures.freihand_writer import write_freihand
from tests.fixtures.ge_real_writer import write_ge_real
from tests.fixtures.h3d_writer import write_h3d
from tests.fixtures.mvhand_writer import write_mvhand
from tests.fixtures.rhd_writer import write_rhd
from tests.fixtures.stb_writer import write_stb

REGISTRIES = {
    value.name: value for value in vars(registry).values() if isinstance(value, registry.Registry)
}
TINY_HEAD = dict(deconv_channels=(4, 4, 4), codec=dict(type='Pose25D', input_size=(64, 64)))
TINY_ENCODER = dict(type='ResNetEncoder', depth=18, base_channels=4)
TINY_RGB = dict(type='DualResNet', depth=18, base_channels=4, branches=('rgb',))
TINY_HEATMAPS = dict(deconv_channels=(4, 4, 4), codec=dict(type='Heatmap', input_size=(64, 64)))
TINY_REFINED = dict(
    deconv_channels=(4, 4, 4), codec=dict(type='Heatmap', input_size=(64, 64), heatmap_size=(16, 16))
)

# Registry and registered name to the smallest config that builds (None: see the factory below).
MINIMAL: dict[tuple[str, str], dict[str, Any] | None] = {
    ('model', 'ResNetEncoder'): dict(depth=18, base_channels=4),
    ('model', 'DualEncoder'): dict(rgb_encoder=TINY_ENCODER, depth_encoder=dict(TINY_ENCODER, in_channels=1)),
    ('model', 'DualResNet'): dict(depth=18, base_channels=4),
    ('model', 'DepthAttention'): dict(),
    ('model', 'MultiModal2.5DHead'): dict(in_channels=6, **TINY_HEAD),
    ('model', 'MultiModal25DHead'): dict(in_channels=6, **TINY_HEAD),
    ('model', 'ProjectionHead'): dict(in_channels=6, hidden_channels=5, out_channels=4),
    ('model', 'HandDataPreprocessor'): dict(augmented_view=False),
    ('model', 'DualModalityEstimator'): dict(
        backbone=dict(type='DualResNet', depth=18, base_channels=4),
        head=dict(type='MultiModal2.5DHead', **TINY_HEAD),
    ),
    ('model', 'SelfTrainingEstimator'): dict(
        backbone=dict(type='DualResNet', depth=18, base_channels=4),
        head=dict(type='MultiModal2.5DHead', **TINY_HEAD),
        data_preprocessor=dict(type='StreamDataPreprocessor', streams=dict(source=dict(), target=dict())),
    ),
    ('model', 'StreamDataPreprocessor'): dict(streams=dict(target=dict())),
    ('model', 'HourglassNet'): dict(num_stacks=2, channels=8, depth=2),
    ('model', 'HeatmapHead'): dict(in_channels=6, conv_channels=(4,), **TINY_HEATMAPS),
    ('model', 'HeatmapEstimator'): dict(backbone=TINY_RGB, head=dict(type='HeatmapHead', **TINY_HEATMAPS)),
    ('model', 'RegDAEstimator'): dict(
        backbone=TINY_RGB,
        head=dict(type='HeatmapHead', loss=dict(type='KeypointKLDivLoss'), **TINY_HEATMAPS),
        data_preprocessor=dict(type='StreamDataPreprocessor', streams=dict(source=dict(), target=dict())),
    ),
    ('model', 'HeatmapSelfTrainingEstimator'): dict(
        backbone=TINY_RGB,
        head=dict(type='RefineHeatmapHead', num_branches=2, **TINY_REFINED),
        consistency=dict(type='RefinementConsistency'),
        teacher=dict(momentum=0.999, warm_up=True),
        discriminator=dict(type='DomainDiscriminatorHead', channels=(4,)),
        data_preprocessor=dict(
            type='StreamDataPreprocessor', clean_view=True, streams=dict(source=dict(), target=dict())
        ),
    ),
    ('model', 'MultiScaleDeconvNeck'): dict(in_channels=6, channels=4),
    ('model', 'RefineCascade'): dict(channels=6, hidden_channels=4, blocks=(1,)),
    ('model', 'RefineHeatmapHead'): dict(in_channels=6, **TINY_REFINED),
    ('model', 'DomainDiscriminatorHead'): dict(in_channels=6, map_size=4, channels=(4,)),
    ('model', 'DomainMixup'): dict(),
    ('model', 'RefinementConsistency'): dict(),
    ('model', 'GradientScale'): dict(sign=-1),
    ('model', 'HeatmapPseudoTarget'): dict(),
    ('model', 'KeypointKLDivLoss'): dict(),
    ('model', 'KeypointMSELoss'): dict(),
    ('model', 'KeypointCurriculumMSELoss'): dict(top_k=2),
    ('model', 'NTXent'): dict(),
    ('model', 'PoseDist'): dict(),
    ('model', 'MultiModalL1'): dict(),
    ('model', 'FeatureAlign'): dict(stages=('stem', 'layer1')),
    ('model', 'ViewConsistencyLoss'): dict(),
    ('model', 'SilhouetteCircleLoss'): dict(hidden_channels=8),
    ('model', 'AffinePerturbation'): dict(rotation=2.0),
    ('dataset', 'RHDDataset'): None,
    ('dataset', 'GeRealDataset'): None,
    ('dataset', 'STBDataset'): None,
    ('dataset', 'FreiHANDDataset'): None,
    ('dataset', 'H3DDataset'): None,
    ('dataset', 'MVHandDataset'): None,
    ('dataset', 'CocoHandDataset'): None,
    ('transform', 'LoadHandModalities'): dict(),
    ('transform', 'HandCrop'): dict(input_size=(64, 64)),
    ('transform', 'NormalizeDepth'): dict(),
    ('transform', 'TextureViews'): dict(views=dict(plain=dict(rgb=dict(brightness=0.1)))),
    ('transform', 'DropLabels'): dict(),
    ('transform', 'PackHandInputs'): dict(),
    ('transform', 'LoadPseudoLabel'): dict(bank='labels.bank'),
    ('selector', 'VarianceThreshold'): dict(),
    ('selector', 'SemiHandSelection'): dict(),
    ('selector', 'PerJointWeight'): dict(),
    ('selector', 'Quantile'): dict(window=8),
    ('selector', 'CurriculumQuantile'): dict(),
    ('codec', 'Pose25D'): dict(input_size=(64, 64)),
    ('codec', 'Heatmap'): dict(input_size=(64, 64)),
    ('labeler', 'AveragedLabels'): dict(codec=Pose25D((64, 64))),
    ('labeler', 'BankedLabels'): dict(),
    ('labeler', 'EquivariantHeatmapLabeler'): dict(codec=Heatmap((64, 64))),
    ('labeler', 'SemiHandLabels'): dict(codec=Pose25D((64, 64))),
    ('metric', 'EPE'): dict(),
    ('metric', 'AUC'): dict(),
    ('metric', 'PCK'): dict(),
    ('hook', 'SafeCheckpointHook'): dict(interval=1),
    ('hook', 'EpochSeedHook'): dict(),
    ('hook', 'FiniteLossHook'): dict(),
    ('hook', 'PseudoLabelHook'): dict(),
    ('hook', 'CircleRadiiHook'): dict(),
    ('hook', 'HandVisualizationHook'): dict(),
}
# Built with arguments that no config holds: an optimiser, a model, a list of samples.
WITHOUT_CONFIG = {
    ('optim_wrapper', 'BF16OptimWrapper'),
    ('model_wrapper', 'HandDataParallel'),
    ('loop', 'FixedEpochTrainLoop'),
    ('loop', 'StreamTrainLoop'),
    ('optimizer wrapper constructor', 'PartsOptimWrapperConstructor'),
    ('parameter scheduler', 'InverseDecayLR'),
    ('function', 'collate_hand_batch'),
}


def registered() -> list[tuple[str, str, Any]]:
    """Registry, name and class of everything that mmdualhand itself registers."""
    found = []
    for kind, table in REGISTRIES.items():
        table.import_from_location()
        own = {k: v for k, v in table._module_dict.items() if v.__module__.startswith('mmdualhand.')}
        found += [(kind, name, value) for name, value in sorted(own.items())]
    return found


ALL = registered()


def of_kind(*kinds: str) -> list[str]:
    return [name for kind, name, _ in ALL if kind in kinds and (kind, name) in MINIMAL]


def build(kind: str, name: str, **more: Any) -> Any:
    torch.manual_seed(0)
    return REGISTRIES[kind].build(dict(type=name, **(MINIMAL[kind, name] or {}), **more))


def losses() -> list[str]:
    return [n for k, n, c in ALL if k == 'model' and c.__module__.startswith('mmdualhand.models.losses.')]


def test_the_table_is_complete_and_holds_nothing_else() -> None:
    names = {(kind, name) for kind, name, _ in ALL}
    table = set(MINIMAL) | WITHOUT_CONFIG
    assert not names - table, f'add a minimal config to MINIMAL: {sorted(names - table)}'
    assert not table - names, f'no longer registered: {sorted(table - names)}'


@pytest.mark.parametrize(('kind', 'name', 'value'), ALL, ids=[f'{kind}-{name}' for kind, name, _ in ALL])
def test_arguments_are_documented(kind: str, name: str, value: Any) -> None:
    assert (value.__doc__ or '').strip(), f'{name} has no docstring'
    if not inspect.isclass(value) or '__init__' not in vars(value):
        return
    bases = [base for base in value.__mro__ if base.__module__.startswith('mmdualhand.')]
    text = ' '.join(base.__doc__ or '' for base in bases)
    named = [p.name for p in inspect.signature(value).parameters.values() if p.kind is not p.VAR_KEYWORD]
    missing = [argument for argument in named if argument not in text]
    assert not missing, f'arguments of {name} that its docstring does not name: {missing}'


@pytest.mark.parametrize(('kind', 'name'), [key for key, value in MINIMAL.items() if value is not None])
def test_builds_with_and_without_scope(kind: str, name: str) -> None:
    built = build(kind, name)
    scoped = REGISTRIES[kind].build(dict(type=f'mmdualhand.{name}', **MINIMAL[kind, name]))
    assert type(built) is type(scoped) is REGISTRIES[kind].get(name)


def test_a_class_under_two_names_is_one_class() -> None:
    table = registry.MODELS
    assert table.get('MultiModal2.5DHead') is table.get('MultiModal25DHead')


WITHOUT_PARAMETERS = ('AffinePerturbation', 'DomainMixup', 'GradientScale', 'HeatmapPseudoTarget')


def all_finite(module: nn.Module) -> bool:
    gradients = [p.grad for p in module.parameters() if p.requires_grad]
    return all(g is not None and bool(torch.isfinite(g).all()) for g in gradients)


def exercise(name: str, module: Any) -> Tensor:
    """One differentiable scalar that every parameter of a network part takes part in."""
    if name in ('DualEncoder', 'DualResNet'):
        out = module(torch.rand(4, 3, 64, 64), torch.rand(4, 1, 64, 64), views=2)
        return torch.stack([x.square().mean() for x in out.values()]).sum()
    if name == 'DepthAttention':
        return module(torch.rand(2, 3, 4, 4, requires_grad=True)).sum()
    if name == 'RefineCascade':
        return module([torch.rand(4, 6, 4, 4)]).sum()
    if name == 'RefineHeatmapHead':
        return sum(x.sum() for x in module.maps(torch.rand(4, 6, 4, 4)))
    out = module(torch.rand(4, 6, 4, 4))
    return out[:, 0].sum() if name == 'ProjectionHead' else sum(x.sum() for x in out if x is not None)


@pytest.mark.parametrize('name', of_kind('model'))
def test_model(name: str) -> None:
    module = build('model', name)
    assert isinstance(module, nn.Module)
    if name in ('DualModalityEstimator', 'HeatmapEstimator'):
        check_estimator(module)
    elif name == 'RegDAEstimator':
        check_three_steps(module)
    elif name == 'SelfTrainingEstimator':
        check_two_streams(module)
    elif name == 'HeatmapSelfTrainingEstimator':
        check_heatmap_streams(module)
    elif all(hasattr(module, part) for part in ('stem', 'stages', 'stage_channels')):
        for in_channels in (3, 1):
            check_encoder(build('model', name, in_channels=in_channels), in_channels)
    elif name in ('HandDataPreprocessor', 'StreamDataPreprocessor', *WITHOUT_PARAMETERS):
        assert not list(module.parameters())
    elif name not in losses():
        exercise(name, module.train()).backward()
        assert all_finite(module)


def check_two_streams(module: Any) -> None:
    """A training step on labelled and unlabelled hands reaches every parameter; testing is as in stage 1."""
    streams = {'source': tiny_batch(3, 64), 'target': tiny_batch(3, 64, depth=False)}
    streams['target']['targets'].pop('pose25d')
    module.labeler = registry.LABELERS.build(dict(type='AveragedLabels', codec=module.codec))
    losses = module.train()(**module.data_preprocessor(streams, True), mode='loss')
    torch.stack([value for key, value in losses.items() if 'loss' in key]).sum().backward()
    assert all_finite(module)
    batch = module.data_preprocessor(tiny_batch(2, 64, depth=False))
    (first, _) = module.eval()(**batch, mode='predict')
    assert first.pred_instances.keypoints_3d.shape == (1, 21, 3)


def check_three_steps(module: Any) -> None:
    """The losses of an iteration reach every parameter, and the network passes as one of 2D keypoints."""
    streams = {'source': tiny_batch(3, 64, depth=False), 'target': tiny_batch(3, 64, depth=False)}
    streams['target']['targets'].pop('pose25d')
    losses = module.train()(**module.data_preprocessor(streams, True), mode='loss')
    torch.stack(list(losses.values())).sum().backward()
    assert len(losses) == 4 and all_finite(module)
    batch = module.data_preprocessor(tiny_batch(2, 64, depth=False))
    (first, _) = module.eval()(**batch, mode='predict')
    assert first.pred_instances.keypoints.shape == (1, 21, 2)


def check_heatmap_streams(module: Any) -> None:
    """A training step reaches every parameter but those of the teacher, which predicts 2D keypoints."""
    streams = {'source': tiny_batch(3, 64), 'target': tiny_batch(3, 64, depth=False)}
    facts = streams['target']['targets']
    facts.update(pseudo_pose25d=facts.pop('pose25d'), pseudo_weight=torch.ones(3, 21))
    facts.update(pseudo_confidence=torch.zeros(3, 21))
    module.labeler = registry.LABELERS.build(dict(type='BankedLabels'))
    losses = module.train()(**module.data_preprocessor(streams, True), mode='loss')
    torch.stack([value for key, value in losses.items() if 'loss' in key]).sum().backward()
    assert all_finite(module)
    batch = module.data_preprocessor(tiny_batch(2, 64, depth=False))
    (first, _) = module.eval()(**batch, mode='predict')
    assert first.pred_instances.keypoints.shape == (1, 21, 2)


def loss_inputs(name: str) -> tuple[list[Tensor], Callable[..., Any]]:
    """Differentiable inputs of a loss, and how it is called with them."""
    rng = torch.Generator().manual_seed(1)

    def leaf(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=rng).requires_grad_()

    if name == 'NTXent':
        return [leaf(3, 8), leaf(3, 8)], lambda loss, a, b: loss(a, b)
    if name == 'PoseDist':
        return [leaf(2, 21, 3), leaf(2, 21, 3)], lambda loss, a, b: loss(a, b)
    if name == 'MultiModalL1':
        maps = [leaf(2, 1, 4, 4) for _ in range(4)]
        return maps, lambda loss, a, b, c, d: loss(dict(mask=a, depth_map=b), dict(mask=c, depth_map=d))
    if name in ('KeypointKLDivLoss', 'KeypointMSELoss', 'KeypointCurriculumMSELoss'):
        weight = torch.tensor([[1.0, 0.0, 0.5], [1.0, 1.0, 1.0]])
        return [leaf(2, 3, 4, 4), leaf(2, 3, 4, 4)], lambda loss, a, b: loss(a, b, weight)
    if name == 'RefinementConsistency':
        return [leaf(2, 3, 4, 4), leaf(2, 3, 4, 4)], lambda loss, a, b: loss(a, b, a, b)
    if name == 'FeatureAlign':
        return [leaf(2, 3, 4, 4), leaf(2, 5, 2, 2)], lambda loss, a, b: loss(
            [a, b], [a.detach() + 0.25, b.detach() - 0.5]
        )
    if name in ('ViewConsistencyLoss', 'SilhouetteCircleLoss'):

        def of_views(loss: Any, pose: Tensor, mask: Tensor, other: Tensor, far: Tensor) -> Any:
            near, moved = (MultiModalPrediction(30 + p, m, m) for p, m in ((pose, mask), (other, far)))
            return loss(near, moved, identity_warp(2))

        if name == 'ViewConsistencyLoss':
            return [leaf(2, 21, 3), leaf(2, 1, 4, 4), leaf(2, 21, 3), leaf(2, 1, 4, 4)], of_views
        mask = torch.rand(2, 1, 8, 8, generator=rng)  # a constant of the loss
        return [leaf(2, 21, 3)], lambda loss, pose: of_views(loss, pose, mask, pose, mask)
    pytest.fail(f'say in loss_inputs how {name} is called')


@pytest.mark.parametrize('name', losses())
def test_loss(name: str) -> None:
    loss = build('model', name)
    inputs, call = loss_inputs(name)
    value = call(loss, *inputs)
    terms = value if isinstance(value, dict) else {'loss': value}
    assert all(key.startswith('loss') and term.shape == () for key, term in terms.items())
    total = torch.stack(list(terms.values())).sum()
    assert bool(torch.isfinite(total))
    if name == 'FeatureAlign':
        assert total.item() == pytest.approx(0.75, abs=1e-6)
    total.backward()
    assert all(x.grad is not None and bool(torch.isfinite(x.grad).all()) for x in inputs)
    assert max(x.grad.abs().max().item() for x in inputs) > 0
    # Where pred and target are equal, gradients are finite too (zeros under roots, norms of nothing).
    equal = [x.detach().clone().requires_grad_() for x in inputs[: len(inputs) // 2]] * 2
    if name not in ('FeatureAlign', 'SilhouetteCircleLoss'):  # these do not compare their inputs
        again = call(loss, *equal)
        torch.stack(list(again.values()) if isinstance(again, dict) else [again]).sum().backward()
        assert all(bool(torch.isfinite(x.grad).all()) for x in equal)
        if name not in ('NTXent', 'KeypointKLDivLoss'):  # these do not compare like with like
            assert torch.stack([x.grad.abs().max() for x in equal]).max() == 0


@pytest.mark.parametrize('name', of_kind('dataset'))
def test_dataset(name: str, tmp_path: Path) -> None:
    writers: dict[str, Callable[[Path], Any]] = {
        'RHDDataset': lambda root: write_rhd(root, 5, image_size=200),
        'GeRealDataset': write_ge_real,
        'STBDataset': write_stb,
        'FreiHANDDataset': write_freihand,
        'H3DDataset': write_h3d,
        'MVHandDataset': lambda root: write_mvhand(root, sequences=['7-14-1-2']),
        'CocoHandDataset': write_rhd_coco,
    }
    options: dict[str, dict[str, Any]] = {
        # RHD annotates both hands everywhere; the selection keeps those that are in the picture.
        'RHDDataset': dict(selection=dict(min_visible=17, min_crop_side=20.0)),
        'STBDataset': dict(sequences=['B2Random'], modalities=('rgb', 'depth')),
        'FreiHANDDataset': dict(versions=('gs',), modalities=('rgb', 'mask')),
        'MVHandDataset': dict(sequences=['7-14-1-2'], modalities=('rgb', 'depth', 'mask')),
        'CocoHandDataset': dict(ann_file='rhd_test.json', source='rhd'),
    }
    if name == 'CocoHandDataset':
        require_xtcocotools()
    root = tmp_path / name
    writers[name](root)
    dataset = build('dataset', name, data_root=str(root), **options.get(name, {}))
    check_dataset(dataset)
    assert dataset.metainfo['embedded'] is (name == 'RHDDataset')


@pytest.mark.parametrize('name', of_kind('transform'))
def test_transform(name: str) -> None:
    transform = build('transform', name)
    assert isinstance(transform, BaseTransform)
    copied = pickle.loads(pickle.dumps(transform))
    assert type(copied) is type(transform)
    text = (type(transform).__doc__ or '') + (type(transform).transform.__doc__ or '')
    assert any(word in text for word in ('Adds', 'adds', 'Changes', 'Returns')), f'{name}: which keys?'


def check_maps_of_keypoints(codec: Any) -> None:
    """What is encoded decodes to within half a cell; a map of 16 pixels has cells of 4 px."""
    uv = tiny_sample(1, 64)['targets']['pose25d'][None, :, :2]
    maps, weight = codec.encode(uv)
    found, score = codec.decode(maps)
    assert maps.shape == (1, 21, *codec.heatmap_size[::-1]) and bool((weight == 1).all())
    assert (found - uv).abs().max() <= 2.0 + 1e-4 and bool(((score > 0) & (score <= 1)).all())


@pytest.mark.parametrize('name', of_kind('codec'))
def test_codec(name: str) -> None:
    """Encode, lift and project are inverse; decoding a sharp map finds its cell."""
    codec = build('codec', name)
    if name == 'Heatmap':
        check_maps_of_keypoints(codec)
        return
    targets = tiny_sample(1, 64)['targets']
    camera, root, length = (targets[key][None].double() for key in ('camera', 'root_depth', 'ref_length'))
    pose = targets['pose25d'][None].double()
    xyz = codec.lift(pose, camera, root, length)
    assert torch.allclose(codec.project(xyz, camera, root, length), pose, atol=1e-6)
    assert torch.allclose(codec.root_depth(xyz), root, atol=1e-3)
    maps = torch.zeros(1, 21, 32, 32, requires_grad=True)
    sharp = maps + 0.0
    sharp[:, :, 5, 20] = 10.0
    decoded = codec.decode(sharp, torch.full_like(sharp, 0.5))
    assert torch.allclose(decoded[0, 0], torch.tensor([40.5, 10.5, 0.5]), atol=1e-3)
    decoded.sum().backward()
    assert bool(torch.isfinite(maps.grad).all())


@pytest.mark.parametrize('name', of_kind('selector'))
def test_selector(name: str) -> None:
    """Weights in 0..1 that fall with C, none for what is not finite, state in the state dict."""
    selector = build('selector', name).train()
    values = torch.tensor([5.0, 0.1, torch.nan, 1.0, torch.inf, 0.2])
    for confidence in (values, values[:, None].expand(6, 21)):
        weight = selector(confidence, 0.5)
        assert weight.shape == confidence.shape and weight.dtype == torch.float32
        column = weight if weight.ndim == 1 else weight[:, 0]
        assert column[2] == 0 == column[4] and 0 < column[1] <= 1
        assert column[1] >= column[5] >= column[3] >= column[0] >= 0
    copied = build('selector', name)
    copied.load_state_dict(selector.state_dict())
    assert torch.equal(copied(values, 0.7), selector(values, 0.7))
    assert selector.form in ('variance', 'semihand') and isinstance(selector.per_joint, bool)


@pytest.mark.parametrize('name', of_kind('labeler'))
def test_labeler(name: str) -> None:
    """Labels without gradient, finite also of broken poses; monitor values are scalars without 'loss'."""
    labeler = build('labeler', name)
    targets = tiny_batch(3, 64)['targets']
    pose = targets.pop('pose25d').clone().requires_grad_()
    targets.update(pseudo_pose25d=pose.detach(), pseudo_weight=torch.ones(3), pseudo_confidence=torch.ones(3))
    targets['pred_scores'] = torch.rand(3, 21)
    broken = pose.clone()
    broken[1, 3] = torch.nan
    labels = labeler({'rgb': broken, 'fused': pose}, targets, 0.5)
    assert labels.pose25d.shape == (3, 21, 3) and bool(labels.pose25d.isfinite().all())
    assert labels.weight.shape == labels.confidence.shape and len(labels.weight) == 3
    assert not (labels.pose25d.requires_grad or labels.weight.requires_grad)
    assert all(value.shape == () and 'loss' not in key for key, value in labels.monitor.items())


def measured(name: str, offset: float) -> float:
    """The metric of one hand whose prediction is ``offset`` (mm, or grid pixels) off in x."""
    metric = build('metric', name)
    rng = np.random.default_rng(2)
    joints, grid = random_hand(rng)[None], rng.uniform(5, 55, (1, 21, 3))
    away = np.zeros(21) + offset
    away[::2] *= -1
    moved = np.stack([away, 0 * away, 0 * away], axis=-1)
    sample = HandDataSample(metainfo=dict(sample_id='a', crop_rule='c'))
    sample.gt_instances = InstanceData(keypoints_3d=joints, pose25d=grid)
    sample.pred_instances = InstanceData(keypoints_3d=joints + moved, pose25d=grid + moved)
    metric.process(None, [sample.to_dict()])
    values = metric.evaluate(1)
    assert all(isinstance(value, float) and np.isfinite(value) for value in values.values())
    return next(value for key, value in values.items() if key.startswith(name))


@pytest.mark.parametrize('name', of_kind('metric'))
def test_metric_declares_its_direction(name: str) -> None:
    rule = registry.METRICS.get(name).rule
    assert rule in ('less', 'greater')
    perfect, poor = measured(name, 0.0), measured(name, 35.0)
    assert (perfect < poor) if rule == 'less' else (perfect > poor)
    assert perfect == pytest.approx(0.0 if rule == 'less' else 1.0, abs=1e-6)
    expected = dict(EPE=35.0, AUC=0.5, PCK=0.0)
    assert poor == pytest.approx(expected[name], abs=0.02), f'give the closed-form value of {name}'


@pytest.mark.parametrize('name', of_kind('hook'))
def test_hook(name: str) -> None:
    hook = build('hook', name)
    assert isinstance(hook, Hook)
    bases = [base for base in type(hook).__mro__ if base.__module__.startswith('mmdualhand.')]
    points = {m for base in bases for m in vars(base) if m.startswith(('before_', 'after_'))}
    assert points and points <= set(dir(Hook)), f'{name} hooks into {points}'


def test_wrapper_and_collate_function() -> None:
    weight = nn.Parameter(torch.ones(1))
    wrapper = registry.OPTIM_WRAPPERS.build(
        dict(type='BF16OptimWrapper', optimizer=torch.optim.SGD([weight], lr=0.5))
    )
    wrapper.update_params(3 * weight.sum())
    assert weight.item() == pytest.approx(1 - 0.5 * 3)
    collate = registry.COLLATE_FUNCTIONS.get('collate_hand_batch')
    batch = collate([tiny_sample(0), tiny_sample(1)])
    assert tuple(batch['inputs']['img'].shape) == (2, 3, 64, 64)
    assert batch['targets']['mirrored'].tolist() == [False, True]
