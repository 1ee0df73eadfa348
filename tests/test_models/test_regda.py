"""RegDA: three steps, each of which moves what it should and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor

from mmdualhand.engine import PartsOptimWrapperConstructor
from mmdualhand.errors import ConfigError
from mmdualhand.models.estimators.regda import PARTS
from mmdualhand.registry import MODELS
from mmdualhand.testing import tiny_batch

HEAD = dict(
    type='HeatmapHead',
    deconv_channels=(8, 8, 8),
    conv_channels=(8,),
    loss=dict(type='KeypointKLDivLoss'),
    codec=dict(type='Heatmap', input_size=(64, 64), score='mass'),
)
BACKBONE = dict(type='DualResNet', depth=18, base_channels=4, branches=('rgb',))
SGD = dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True)
OPTIM = dict(
    optimizer=SGD,
    parts=dict(
        feature=dict(modules=('backbone', 'head.deconv'), lr_mult=0.1),
        head=dict(modules=('head',)),
        head_adv=dict(modules=('head_adv',)),
    ),
)


@pytest.fixture(autouse=True)
def at_step_1000() -> MessageHub:
    """A run of 15,000 steps of which 1,000 are done: the gradient from h' is scaled by 0.0462."""
    hub = MessageHub.get_instance('regda')
    MessageHub._instance_dict.move_to_end('regda')
    hub.update_info_dict({'iter': 1000, 'max_iters': 15000, 'epoch': 2, 'max_epochs': 30})
    return hub


def build(**changes: Any) -> Any:
    torch.manual_seed(0)
    streams = dict(type='StreamDataPreprocessor', streams=dict(source=dict(), target=dict()))
    config = dict(type='RegDAEstimator', backbone=BACKBONE, head=HEAD, data_preprocessor=streams)
    return MODELS.build({**config, **changes}).train()


def two_streams() -> dict[str, Any]:
    data = dict(source=tiny_batch(3, 64, depth=False), target=tiny_batch(3, 64, depth=False, seed=2))
    for key in ('pose25d', 'visible'):
        del data['target']['targets'][key]
    return data


def weights(model: Any) -> dict[str, dict[str, Tensor]]:
    """Copies of the parameters of f, h and h'."""
    found: dict[str, dict[str, Tensor]] = {part: {} for part in PARTS}
    for name, parameter in model.named_parameters():
        feature = name.startswith(('backbone.', 'head.deconv.'))
        found['feature' if feature else name.split('.')[0]][name] = parameter.detach().clone()
    return found


def moved(before: dict[str, dict[str, Tensor]], after: dict[str, dict[str, Tensor]]) -> set[str]:
    return {
        part
        for part in PARTS
        if any(not torch.equal(before[part][name], after[part][name]) for name in before[part])
    }


class Steps(list):
    """Parts that every step of an iteration moved, noted after each."""

    def watch(self, model: Any, wrappers: OptimWrapperDict) -> None:
        """Look before every forward pass but the first, and at the end."""
        self.last = weights(model)
        zero_grad = wrappers.zero_grad
        self.model = model

        def note(**kwargs: Any) -> None:
            self.note()
            zero_grad(**kwargs)

        wrappers.zero_grad = note

    def note(self) -> None:
        now = weights(self.model)
        self.append(moved(self.last, now))
        self.last = now


def test_the_parts_are_the_whole_network():
    model = build()
    wrappers = PartsOptimWrapperConstructor(OPTIM)(model)
    sizes = {name: sum(p.numel() for p in w.param_groups[0]['params']) for name, w in wrappers.items()}
    assert sizes == {part: sum(x.numel() for x in one.values()) for part, one in weights(model).items()}
    assert sizes['head'] == sizes['head_adv'] == 8 * 8 * 9 + 8 + 16 + 8 * 21 + 21
    assert {n: w.param_groups[0]['lr'] for n, w in wrappers.items()} == pytest.approx(
        dict(feature=0.01, head=0.1, head_adv=0.1)
    )


def test_each_step_moves_its_parts_alone():
    model, steps = build(), Steps()
    wrappers = PartsOptimWrapperConstructor(OPTIM)(model)
    steps.watch(model, wrappers)
    for _ in range(3):
        model.train_step(two_streams(), wrappers)
    steps.note()
    assert steps == [set(), *[set(PARTS), {'head_adv'}, {'feature'}] * 3]
    counts = {m.num_batches_tracked.item() for m in model.modules() if hasattr(m, 'num_batches_tracked')}
    assert counts == {9}


def test_without_a_gradient_f_still_moves_by_momentum_and_decay(at_step_1000):
    at_step_1000.update_info('iter', 0)  # the warm start is 0
    model, steps = build(), Steps()
    wrappers = PartsOptimWrapperConstructor(OPTIM)(model)
    model.train_step(two_streams(), wrappers)
    gradients = [p.grad for p in wrappers['feature'].param_groups[0]['params']]
    assert all(g is not None and g.abs().max() == 0 for g in gradients)
    steps.watch(model, wrappers)
    wrappers['feature'].step()
    steps.note()
    assert steps == [{'feature'}]


def test_losses_are_those_of_the_three_steps():
    model = build(margin=4.0, trade_off=0.5)
    data = model.data_preprocessor(two_streams(), True)
    source, target = data['source'], data['target']
    losses = model(**data, mode='loss')
    assert list(losses) == ['loss_heatmap', 'loss_disparity', 'loss_false', 'loss_truth']
    with torch.no_grad():
        h, adversarial = model.head.classify, model.head_adv.classify
        features = model.head.upsample(model.features(source['inputs']['rgb']))
        label, weight = model.encode(source['targets'])
        main = h(features)
        expected = [model.head.loss_maps(main, label, weight)]
        truth = model.pseudo_target.truth(main)
        expected.append(4.0 * 0.5 * model.loss_disparity(adversarial(features), truth, weight))
        features = model.head.upsample(model.features(target['inputs']['rgb']))
        for made in model.pseudo_target(h(features))[::-1]:
            expected.append(0.5 * model.loss_disparity(adversarial(features), made))
    assert [x.item() for x in losses.values()] == pytest.approx([x.item() for x in expected], rel=1e-4)
    assert model.loss_disparity.epsilon == 1e-7 and model.head.loss_maps.epsilon == 0


def test_the_gradient_from_the_adversarial_head_is_scaled():
    def gradient(scale: float) -> Tensor:
        model = build(gradient_scale=dict(type='GradientScale', schedule=scale))
        data = model.data_preprocessor(two_streams(), True)
        model.loss_of_truth(data['target'])['loss_truth'].backward()
        assert model.head_adv.final.weight.grad.abs().max() > 0
        assert model.head.final.weight.grad is None
        return model.head.deconv[0].weight.grad

    assert torch.allclose(gradient(0.25), 0.25 * gradient(1.0), rtol=1e-3, atol=1e-9)
    default = build().gradient_scale
    assert default.sign == 1 and default.schedule() == pytest.approx(0.046212, abs=1e-6)


def test_the_disparity_of_the_source_teaches_no_h():
    model = build()
    data = model.data_preprocessor(two_streams(), True)
    model.losses_on_source(data['source'])['loss_disparity'].backward()
    assert model.head.final.weight.grad is None and model.head.conv[0].weight.grad is None
    model = build()
    model.loss_of_false(data['target'])['loss_false'].backward()
    with_gradient = {name.split('.')[0] for name, p in model.named_parameters() if p.grad is not None}
    assert with_gradient == {'head_adv'}


def test_both_heads_start_anew_and_the_rest_comes_from_stage_one():
    first = MODELS.build(dict(type='HeatmapEstimator', backbone=BACKBONE, head=dict(HEAD, conv_channels=())))
    model = build()
    kept = model.complete_start(first.state_dict())
    own = model.state_dict()
    assert set(own) - set(kept) == {k for k in own if k.startswith(model.optional_parts)}
    assert all(key.startswith(('backbone.', 'head.deconv.')) for key in kept)
    assert model.complete_start(own).keys() == own.keys()  # its own checkpoints come whole


def test_the_main_head_predicts():
    model = build().eval()
    batch = model.data_preprocessor(tiny_batch(2, 64, depth=False), False)
    before = model.extract(batch['inputs'])['rgb'].uv
    with torch.no_grad():
        model.head_adv.final.bias.normal_(std=10.0)
    assert torch.equal(model.extract(batch['inputs'])['rgb'].uv, before)
    assert model(**batch, mode='predict')[0].pred_instances.keypoints.shape == (1, 21, 2)


def test_what_is_missing_is_named():
    model = build()
    data = model.data_preprocessor(two_streams(), True)
    with pytest.raises(ConfigError, match='two streams'):
        model(**model.data_preprocessor({'source': two_streams()['source']}, True), mode='loss')
    with pytest.raises(ConfigError, match='PartsOptimWrapperConstructor'):
        model.train_step(two_streams(), OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)))
    with pytest.raises(ConfigError, match='pose25d'):
        model(source=data['target'], target=data['target'], mode='loss')
    with pytest.raises(ConfigError, match='margin'):
        build(margin=-1.0)
    stages = dict(type='HeatmapHead', deconv_channels=(), num_stages=2)
    with pytest.raises(ConfigError, match='one stage'):
        build(backbone=dict(type='HourglassNet', num_stacks=2, channels=8), head=stages)
