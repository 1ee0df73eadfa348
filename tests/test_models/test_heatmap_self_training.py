"""CC-SSL and AnimalDA: what each term of a step is, which network it moves, and what predicts."""

from __future__ import annotations

import copy

import pytest
import torch

from mmdualhand.errors import ConfigError
from mmdualhand.models import HeatmapSelfTrainingEstimator, PseudoLabels
from mmdualhand.models.losses.keypoint_mse import joint_mse
from mmdualhand.models.perturbation import Warp
from mmdualhand.registry import MODELS
from mmdualhand.testing import tiny_batch

SIZE, ROWS = 64, 3
CODEC = dict(type='Heatmap', input_size=SIZE, heatmap_size=16, sigma=1.0)
REFINED = dict(
    type='RefineHeatmapHead', num_branches=2, deconv_channels=(8, 8, 8), hidden_channels=4, codec=CODEC
)
ANIMAL = dict(
    head=REFINED,
    loss_label=dict(type='KeypointCurriculumMSELoss', top_k=10),
    consistency=dict(type='RefinementConsistency', inner_weight=2.0, outer_weight=3.0),
    perturbation=dict(rotation=45.0),
    teacher=dict(momentum=0.999, warm_up=True),
    discriminator=dict(type='DomainDiscriminatorHead', channels=(4, 4), reversal=1.0),
)


def build(**more):
    torch.manual_seed(0)
    config = dict(
        type='HeatmapSelfTrainingEstimator',
        backbone=dict(type='DualResNet', depth=18, base_channels=4, branches=('rgb',)),
        head=dict(type='HeatmapHead', deconv_channels=(8, 8, 8), codec=CODEC),
        data_preprocessor=dict(
            type='StreamDataPreprocessor', clean_view=True, streams=dict(source=dict(), target=dict())
        ),
    )
    model = MODELS.build({**config, **more})
    kinds = torch.nn.Conv2d | torch.nn.ConvTranspose2d
    for part in [m for m in model.head.modules() if isinstance(m, kinds)]:
        torch.nn.init.normal_(part.weight, std=0.1)  # heat maps that are not flat
    return model.train()


def streams(model):
    return model.data_preprocessor(
        {'source': tiny_batch(ROWS, SIZE, seed=1), 'target': tiny_batch(ROWS, SIZE, seed=2)}, training=True
    )


def labels_at(uv, weight):
    """A labeler that says the same of every image."""

    def label(poses, facts):
        rows = poses['rgb'].shape[0]
        assert poses['rgb'].shape == (rows, 21, 3)
        pose = torch.tensor([*uv, 0.0]).expand(rows, 21, 3)
        return PseudoLabels(pose, weight, 1 - weight, {'accepted': weight.mean()})

    return label


def test_cc_ssl_is_the_source_and_ten_times_the_pseudo_labels():
    model = build()
    weight = torch.ones(ROWS, 21)
    weight[0] = 0
    model.labeler = labels_at((20.0, 41.0), weight)
    data = streams(model)
    losses = model(**data, mode='loss')
    assert set(losses) == {'loss_heatmap', 'loss_label', 'accepted'}
    (maps,) = model.head.maps(model.features(data['target']['inputs']['rgb']))
    target, counts = model.codec.encode(torch.tensor([20.0, 41.0]).expand(ROWS, 21, 2), weight)
    assert float(losses['loss_label']) == pytest.approx(10 * float(joint_mse(maps, target, counts).mean()))
    supervised = model.loss(data['source']['inputs'], data['source']['targets'])
    assert float(losses['loss_heatmap']) == pytest.approx(float(supervised['loss_heatmap']))
    assert float(losses['accepted']) == pytest.approx(2 / 3)


def test_without_labels_the_gradient_is_the_supervised_one():
    model = build()
    data = streams(model)
    other = copy.deepcopy(model)
    sum(model(**data, mode='loss').values()).backward()
    other.loss(data['source']['inputs'], data['source']['targets'])['loss_heatmap'].backward()
    for (name, one), two in zip(model.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(one.grad, two.grad), name


def test_labels_outside_of_the_crop_or_of_weight_zero_teach_nothing():
    for uv, weight in (((20.0, 41.0), 0.0), ((-9.0, 10.0), 1.0), ((30.0, 70.0), 1.0)):
        model = build()
        model.labeler = labels_at(uv, torch.full((ROWS, 21), weight))
        assert float(model(**streams(model), mode='loss')['loss_label']) == 0


def test_every_stack_of_an_hourglass_learns_the_labels():
    options = dict(
        backbone=dict(type='HourglassNet', num_stacks=2, channels=16, depth=2),
        head=dict(type='HeatmapHead', num_stages=2, deconv_channels=(), codec=CODEC),
    )
    model = build(**options)
    model.labeler = labels_at((20.0, 41.0), torch.ones(ROWS, 21))
    data = streams(model)
    loss = model(**data, mode='loss')['loss_label']
    target, counts = model.codec.encode(torch.tensor([20.0, 41.0]).expand(ROWS, 21, 2))
    maps = model.head.maps(model.features(data['target']['inputs']['rgb']))
    each = [float(joint_mse(one, target, counts).mean()) for one in maps]
    assert len(each) == 2 and float(loss) == pytest.approx(10 * sum(each), rel=1e-4)
    with pytest.raises(ConfigError, match='statistics'):
        build(statistics='target', **options)


def animal(**more):
    model = build(**{**ANIMAL, **more})
    model.labeler = labels_at((20.0, 41.0), torch.ones(ROWS, 21))
    return model


def test_terms_of_animal_da():
    """Each term by hand, with no rotation and no mixup."""
    model = animal(perturbation={})
    data = streams(model)
    losses = model(**data, mode='loss')
    rgb = data['target']['inputs']['rgb']
    seen = model.head.outputs(model.features(rgb))
    aim = model.look(data['target']['inputs']['clean'])['rgb'].heatmaps
    target, counts = model.codec.encode(torch.tensor([20.0, 41.0]).expand(ROWS, 21, 2))
    expected = {
        'loss_outer': 3 * joint_mse(seen.refined[1], aim).mean(),
        'loss_agreement': 0.01 * joint_mse(seen.refined[0], seen.refined[1]).mean(),
        'loss_label': 10
        * sum(model.loss_label(one, target, counts) for one in (seen.coarse, seen.refined[0])),
    }
    for name, value in expected.items():
        assert float(losses[name]) == pytest.approx(float(value), rel=1e-3), name
    others = {'loss_heatmap', 'loss_inner', 'loss_domain', 'domain_accuracy', 'accepted'}
    assert set(losses) == {*expected, *others}
    assert 0.6 < float(losses['loss_domain']) / 5e-4 < 0.8, 'about ln 2 at the start'


def test_every_parameter_learns_but_the_teacher():
    model = animal(mixup=dict(type='DomainMixup'))
    losses = model(**streams(model), mode='loss')
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert without and all(name.startswith('teacher.') for name in without)
    assert not any(p.requires_grad for p in model.teacher.parameters())


def test_teacher_maps_are_turned_with_the_image_of_the_student():
    """A teacher that sees what the student sees agrees with it once both are turned."""
    model = animal()
    data = streams(model)['target']['inputs']
    ones = torch.ones(ROWS)
    quarter = Warp(90.0 * ones, torch.zeros(ROWS, 2), ones, ones > 1)
    model.perturbation.sample = lambda batch, device: quarter
    seen, aims = [], []
    model.features = lambda rgb: seen.append(rgb) or HeatmapSelfTrainingEstimator.features(model, rgb)
    model.consistency.forward = lambda coarse, first, second, teacher: aims.append(teacher) or {}
    model._target_pass(data, {})
    assert torch.equal(seen[0], torch.rot90(data['rgb'], 1, (2, 3)))
    upright = model.look(data['clean'])['rgb'].heatmaps
    assert torch.allclose(aims[0], torch.rot90(upright, 1, (2, 3)), atol=1e-6)


def test_teacher_is_the_running_mean_of_the_student_and_predicts():
    model = animal()
    data = streams(model)
    start = model.head.coarse.bias.detach().clone()
    model(**data, mode='loss')
    for step in (1.0, 2.0):
        torch.nn.init.constant_(model.head.coarse.bias, step)
        model(**data, mode='loss')
    mean = (start + 1.0 + 2.0) / 3
    assert torch.allclose(model.teacher.parts['head'].coarse.bias, mean, atol=1e-6)
    torch.nn.init.constant_(model.head.branches[0][-1].bias, 50.0)
    by_teacher = model.look(data['target']['inputs']['rgb'])['rgb'].heatmaps
    student = copy.deepcopy(model)
    student.test_network = 'student'
    by_student = student.look(data['target']['inputs']['rgb'])['rgb'].heatmaps
    assert by_teacher.max() < 40 < by_student.min()
    assert model.training and model.head.training


def test_statistics_of_the_target_alone():
    """The source, and images mixed with it, leave the running statistics alone."""
    both, alone = (animal(statistics=s, mixup=dict(type='DomainMixup')) for s in ('both', 'target'))
    counts = []
    for model in (both, alone):
        model(**streams(model), mode='loss')
        counts.append(int(model.backbone.rgb_encoder.bn1.num_batches_tracked))
    assert counts == [3, 1]


def test_start_from_stage_one():
    torch.manual_seed(1)
    first = MODELS.build(
        dict(
            type='HeatmapEstimator',
            backbone=dict(type='DualResNet', depth=18, base_channels=4, branches=('rgb',)),
            head={**REFINED, 'num_branches': 1},
        )
    )
    model = animal()
    state = model.complete_start(first.state_dict())
    model.load_state_dict(state, strict=False)
    rgb = streams(model)['target']['inputs']['rgb']
    aim = first.eval().predict_branches({'rgb': rgb})['rgb'].heatmaps
    assert torch.equal(model.look(rgb)['rgb'].heatmaps, aim), 'the teacher starts as the student'
    found = model.eval().head.outputs(model.features(rgb)).refined
    assert torch.equal(found[0], aim) and torch.equal(found[1], aim)


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (dict(teacher=None), 'both'),
        (dict(consistency=None), 'both'),
        (dict(head={**REFINED, 'num_branches': 1}), 'num_branches=2'),
        (dict(consistency=None, teacher=None, perturbation=None), 'num_branches=1'),
        (dict(statistics='source'), 'statistics'),
        (dict(test_network='mean'), 'test_network'),
        (dict(label_weight=dict(form='cosine')), 'form'),
    ],
)
def test_parts_that_do_not_fit(wrong, message):
    with pytest.raises(ConfigError, match=message):
        build(**{**ANIMAL, **wrong})


def test_parts_that_a_plain_network_cannot_have():
    for wrong in ('discriminator', 'perturbation', 'consistency'):
        with pytest.raises(ConfigError):
            build(**{wrong: ANIMAL[wrong]})
    with pytest.raises(ConfigError, match='two streams'):
        build()(mode='loss')
    model = animal(data_preprocessor=dict(type='StreamDataPreprocessor', streams=dict(source={}, target={})))
    with pytest.raises(ConfigError, match='clean_view'):
        model(**streams(model), mode='loss')
