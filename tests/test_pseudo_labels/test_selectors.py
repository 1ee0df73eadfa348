"""What each selector accepts, by hand; its state; that it never waits for the device."""

from __future__ import annotations

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mmdualhand.errors import ConfigError
from mmdualhand.pseudo_labels import PerJointWeight, Quantile, Selector, SemiHandSelection, VarianceThreshold
from mmdualhand.registry import SELECTORS

TENTHS = torch.arange(1, 11) / 10
CONFIGS = [
    dict(type='VarianceThreshold', anneal=dict(start=6.0, until=0.5, form='cosine')),
    dict(type='SemiHandSelection'),
    dict(type='PerJointWeight', min_joints=3),
    dict(type='Quantile', window=5),
    dict(type='Quantile', keep=0.3, window=500, ties='drop'),
]


def test_threshold_of_equation_nine():
    gate = VarianceThreshold()
    values = torch.tensor([0.0, 1.4, 1.5, 1.51, torch.inf, torch.nan])
    assert gate(values).tolist() == [1, 1, 1, 0, 0, 0]
    assert gate(values.view(2, 3)).tolist() == [[1, 1, 1], [0, 0, 0]]
    assert VarianceThreshold(epsilon=-1.0)(values).sum() == 0
    assert VarianceThreshold(epsilon=torch.inf)(values).tolist() == [1, 1, 1, 1, 0, 0]
    assert gate.form == 'variance' and not gate.per_joint


def test_annealed_threshold_ends_at_epsilon():
    gate = VarianceThreshold(epsilon=1.5, anneal=dict(start=5.5, until=0.5))
    values = torch.tensor([1.5, 3.5, 5.5, 6.0])
    accepted = {progress: int(gate(values, progress).sum()) for progress in (0.0, 0.25, 0.26, 0.5, 1.0)}
    assert accepted == {0.0: 3, 0.25: 2, 0.26: 1, 0.5: 1, 1.0: 1}


def test_semihand_gate():
    gate = SemiHandSelection(correction_weight=0.5)
    assert gate(torch.tensor([1.5, 1.6])).tolist() == [1.0, 0.0]
    assert gate.form == 'semihand' and gate.correction_weight == 0.5


def test_soft_weights_of_joints():
    values = torch.full((2, 21), 3.0)
    values[0, :2] = torch.tensor([0.0, 1.5])
    weight = PerJointWeight(epsilon=1.5, power=2.0)(values)
    assert weight[0, :3].tolist() == pytest.approx([1.0, 0.5, 0.2])
    assert weight[1].tolist() == pytest.approx([0.2] * 21)
    assert PerJointWeight(power=1.0)(values)[1, 0].item() == pytest.approx(1 / 3)
    few = PerJointWeight(min_joints=2)(values)
    assert torch.equal(few[0], weight[0]) and few[1].sum() == 0
    assert PerJointWeight(min_joints=3)(values).sum() == 0
    assert PerJointWeight()(values).dtype == torch.float32 and PerJointWeight().per_joint


@pytest.mark.parametrize(('keep', 'count'), [(0.0, 0), (0.1, 1), (0.25, 3), (0.6, 6), (0.7, 7), (1.0, 10)])
@pytest.mark.parametrize('ties', ['keep', 'drop'])
def test_quantile_keeps_the_best_share(keep, count, ties):
    values = TENTHS[torch.randperm(10, generator=torch.Generator().manual_seed(0))]
    weight = Quantile(keep=keep, window=10, ties=ties)(values)
    assert sorted(values[weight > 0].tolist()) == TENTHS[:count].tolist()


def test_curriculum_of_cc_ssl():
    """Epochs 0, 10, .. 50 of 60 keep 2, 4, 6, 8, 8 and 8 of ten (measured with the original code)."""
    points = [(0, 0.2), (1 / 6, 0.4), (1 / 3, 0.6), (1 / 2, 0.8)]
    gate = Quantile(window=10, schedule=dict(points=points, form='step'), ties='drop')
    assert [int(gate(TENTHS, epoch / 60).sum()) for epoch in range(0, 60, 10)] == [2, 4, 6, 8, 8, 8]


def test_equal_values():
    equal = torch.full((4,), 2.0)
    assert Quantile(keep=0.5, window=4)(equal).tolist() == [1, 1, 1, 1]
    assert Quantile(keep=0.5, window=4, ties='drop')(equal).tolist() == [0, 0, 0, 0]


def test_window_forgets_the_oldest():
    gate = Quantile(keep=0.5, window=4)
    assert gate(torch.tensor([1.0, 9.0])).tolist() == [1, 0]
    assert gate(torch.tensor([3.0, 8.0])).tolist() == [1, 0]  # of 1, 9, 3, 8 the best two
    assert gate(torch.tensor([7.0, 6.0])).tolist() == [0, 1]  # of 3, 8, 7, 6: threshold 6
    assert gate(torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0])).tolist() == [0, 0, 0, 1, 1]  # of 4, 3, 2, 1
    assert sorted(gate.values.tolist()) == [1.0, 2.0, 3.0, 4.0]


def test_what_is_not_finite_is_never_kept_but_counts():
    gate = Quantile(keep=0.5, window=8)
    assert gate(torch.tensor([torch.nan, 2.0, torch.inf, 1.0])).tolist() == [0, 1, 0, 1]
    assert Quantile(keep=1.0, window=4)(torch.tensor([torch.inf, 1.0, 1.0, 1.0])).tolist() == [0, 1, 1, 1]


def test_joints_share_one_window():
    gate = Quantile(keep=0.5, window=42, per_joint=True)
    values = torch.arange(42.0).view(2, 21)
    assert torch.equal(gate(values), (values < 21).float()) and gate.per_joint


def test_eval_mode_looks_without_remembering():
    gate = Quantile(keep=0.5, window=4)
    gate(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    before = gate.state_dict()['values'].clone()
    assert gate.eval()(torch.tensor([0.0, 2.0, 3.0])).tolist() == [1, 1, 0]
    assert torch.equal(gate.values, before)
    assert Quantile().eval()(torch.tensor([0.0])).tolist() == [0.0]


def test_a_resumed_window_goes_on_where_it_was(tmp_path):
    batches = torch.rand(9, 6, generator=torch.Generator().manual_seed(2))
    through = torch.nn.ModuleDict({'gate': Quantile(keep=0.4, window=16)})
    weights = [through['gate'](batch) for batch in batches[:5]]
    torch.save(through.state_dict(), tmp_path / 'state.pth')
    weights += [through['gate'](batch) for batch in batches[5:]]
    resumed = torch.nn.ModuleDict({'gate': Quantile(keep=0.4, window=16)})
    resumed.load_state_dict(torch.load(tmp_path / 'state.pth', weights_only=True))
    for batch, expected in zip(batches[5:], weights[5:], strict=True):
        assert torch.equal(resumed['gate'](batch), expected)
    assert all(torch.equal(a, b) for a, b in zip(resumed.buffers(), through.buffers(), strict=True))


class NoWaiting(TorchDispatchMode):
    """Fails where a tensor's values would have to come to the host."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func)
        assert not any(word in name for word in ('_local_scalar_dense', 'nonzero', 'masked_select')), name
        if name.startswith('aten.index'):
            assert not any(x.dtype == torch.bool for x in args[1] if x is not None), 'index by a mask'
        return func(*args, **(kwargs or {}))


def test_waiting_would_be_noticed():
    for wait in (torch.Tensor.item, torch.Tensor.nonzero, bool, lambda x: x[x > 0]):
        with NoWaiting(), pytest.raises(AssertionError):
            wait(torch.ones(1))


@pytest.mark.parametrize('config', CONFIGS, ids=lambda config: config['type'])
@pytest.mark.parametrize('shape', [(6,), (6, 21)])
def test_nothing_waits_for_the_device(config, shape):
    gate: Selector = SELECTORS.build(config)
    values = torch.rand(shape, dtype=torch.float64, requires_grad=True)
    with NoWaiting():
        weight = gate(values, 0.3)
        gate.eval()(values, 0.9)
    assert weight.shape == shape and weight.dtype == torch.float32 and not weight.requires_grad
    assert bool(((weight >= 0) & (weight <= 1)).all())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize('config', CONFIGS, ids=lambda config: config['type'])
def test_nothing_waits_for_a_gpu(config):
    gate = SELECTORS.build(config).cuda()
    values = torch.rand(6, 21, device='cuda')
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode('error')
    try:
        weight = gate(values, 0.3)
    finally:
        torch.cuda.set_sync_debug_mode('default')
    assert torch.equal(weight.cpu(), SELECTORS.build(config)(values.cpu(), 0.3))


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (dict(type='Quantile', keep=1.2), 'keeps a share within'),
        (dict(type='Quantile', window=0), 'window of Quantile must be at least 1'),
        (dict(type='Quantile', ties='maybe'), "must be 'keep' or 'drop'"),
        (dict(type='Quantile', schedule=[(0, 0.2), (1, 2.0)]), 'keeps a share within'),
        (dict(type='PerJointWeight', epsilon=0.0), 'epsilon and power above 0'),
        (dict(type='VarianceThreshold', anneal=dict(until=0.5)), r'anneal must be dict\(start='),
        (dict(type='VarianceThreshold', anneal=dict(start=2, stop=1)), r'anneal must be dict\(start='),
    ],
)
def test_selectors_without_meaning(config, message):
    with pytest.raises(ConfigError, match=message):
        SELECTORS.build(config)


def test_wrong_shape():
    with pytest.raises(ValueError, match=r'\(B,\) or \(B, 21\), got \(2, 3, 4\)'):
        VarianceThreshold()(torch.zeros(2, 3, 4))
