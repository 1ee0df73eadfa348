"""Losses against golden values and slow, obvious versions."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
import torch.nn.functional as F

from mmdualhand.models.losses import FeatureAlign, MultiModalL1, NTXent, PoseDist
from mmdualhand.registry import MODELS

PRINTED = dict(symmetric=False, include_positive=False, reduction='sum')
SIMCLR = dict(symmetric=True, include_positive=True, reduction='mean')
FORMS = [
    dict(symmetric=symmetric, include_positive=positive, reduction=reduction)
    for symmetric, positive, reduction in product((False, True), (False, True), ('mean', 'sum'))
]


def manual_printed(z: torch.Tensor, z_pos: torch.Tensor, tau: float) -> float:
    """Eq. 3 term by term."""
    z, z_pos = F.normalize(z, dim=1), F.normalize(z_pos, dim=1)
    total = 0.0
    for i in range(len(z)):
        numerator = math.exp(float(z[i] @ z_pos[i]) / tau)
        denominator = sum(
            math.exp(float(z[i] @ z[k]) / tau) + math.exp(float(z[i] @ z_pos[k]) / tau)
            for k in range(len(z))
            if k != i
        )
        total -= math.log(numerator / denominator)
    return total


def simclr(z: torch.Tensor, z_pos: torch.Tensor, tau: float) -> torch.Tensor:
    """Each of 2B rows classifies its partner among the other 2B - 1: the text of SimCLR, word by word."""
    rows = F.normalize(torch.cat([z, z_pos]), dim=1)
    logits = (rows @ rows.T / tau).masked_fill(torch.eye(len(rows)).bool(), -math.inf)
    return F.cross_entropy(logits, torch.arange(len(rows)).roll(len(z)))


def test_identity_golden_values():
    z = torch.eye(2)
    assert float(NTXent(**PRINTED)(z, z)) == pytest.approx(2 * (math.log(2) - 2), abs=1e-6)
    both = NTXent(include_positive=True, reduction='sum')(z, z)
    assert float(both) == pytest.approx(2 * math.log(1 + 2 * math.exp(-2)), abs=1e-6)
    assert float(both) == pytest.approx(0.479090, abs=1e-6)


@pytest.mark.parametrize(
    ('batch', 'equal', 'orthonormal'),
    [
        (2, (1.0986, 1.3863), (0.2395, -2.6137)),
        (3, (1.6094, 4.1589), (0.4327, -1.8411)),
        (4, (1.9459, 7.1670), (0.5944, -0.8330)),
    ],
)
def test_closed_form_table(batch, equal, orthonormal):
    same, basis = torch.ones(batch, 8), torch.eye(batch, 8)
    for z, (simclr, printed) in ((same, equal), (basis, orthonormal)):
        assert float(NTXent(**SIMCLR)(z, z)) == pytest.approx(simclr, abs=1e-4)
        assert float(NTXent(**PRINTED)(z, z)) == pytest.approx(printed, abs=1e-4)


@pytest.mark.parametrize('tau', [0.1, 0.5])
def test_matches_term_by_term_sum(tau):
    torch.manual_seed(0)
    z, z_pos = torch.randn(6, 16), torch.randn(6, 16)
    loss = NTXent(temperature=tau, **PRINTED)
    assert float(loss(z, z_pos)) == pytest.approx(manual_printed(z, z_pos, tau), rel=1e-5)
    assert float(loss(3 * z, 0.2 * z_pos)) == pytest.approx(float(loss(z, z_pos)), rel=1e-5)
    mean = NTXent(temperature=tau)(z, z_pos)
    assert float(mean) == pytest.approx(manual_printed(z, z_pos, tau) / 6, rel=1e-5)


def test_symmetric_is_the_average_of_both_directions():
    torch.manual_seed(1)
    z, z_pos = torch.randn(5, 8), torch.randn(5, 8)
    one, other = NTXent()(z, z_pos), NTXent()(z_pos, z)
    assert not torch.isclose(one, other)
    assert torch.isclose(NTXent(symmetric=True)(z, z_pos), (one + other) / 2)


@pytest.mark.parametrize('tau', [0.1, 0.5])
@pytest.mark.parametrize('batch', [2, 7])
def test_simclr_is_the_cross_entropy_over_all_pairs(batch, tau):
    """Unequal pairs: where z is z+, a wrong half of the similarities is not seen."""
    generator = torch.Generator().manual_seed(batch)
    views = [torch.randn(batch, 6, generator=generator, dtype=torch.float64) for _ in range(2)]
    ours = [view.float().requires_grad_() for view in views]
    slow = [view.requires_grad_() for view in views]
    found, wanted = NTXent(temperature=tau, **SIMCLR)(*ours), simclr(*slow, tau)
    assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
    found.backward()
    wanted.backward()
    for fast, exact in zip(ours, slow, strict=True):
        assert torch.allclose(fast.grad.double(), exact.grad, rtol=1e-4, atol=1e-6)
    # It is a mean over anchors: the sum is that of B anchors, as both directions are averaged.
    total = NTXent(temperature=tau, **{**SIMCLR, 'reduction': 'sum'})(*ours)
    assert float(total.detach()) == pytest.approx(batch * float(wanted.detach()), rel=1e-5)


@pytest.mark.parametrize('form', FORMS, ids=lambda form: '-'.join(map(str, form.values())))
def test_only_a_symmetric_form_is_the_same_with_the_views_swapped(form):
    """The printed form has z alone as anchors, so it is not."""
    torch.manual_seed(3)
    z, z_pos = torch.randn(5, 8), torch.randn(5, 8)
    one, other = (float(NTXent(**form)(*pair)) for pair in ((z, z_pos), (z_pos, z)))
    assert (one == pytest.approx(other, rel=1e-5)) == form['symmetric']


@pytest.mark.parametrize('form', FORMS, ids=lambda form: '-'.join(map(str, form.values())))
def test_a_batch_of_one_gives_zero_with_gradient_in_every_form(form):
    """Without negatives the printed form would be minus infinity."""
    z, z_pos = torch.randn(1, 8, requires_grad=True), torch.randn(1, 8, requires_grad=True)
    loss = NTXent(**form)(z, z_pos)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert all(view.grad is not None and not view.grad.any() for view in (z, z_pos))


def test_nt_xent_gradient():
    torch.manual_seed(2)
    z = torch.randn(4, 5, dtype=torch.float32, requires_grad=True)
    z_pos = torch.randn(4, 5)
    NTXent(**PRINTED)(z, z_pos).backward()
    step = 1e-3
    for row, column in ((0, 0), (2, 3)):
        shifted = [z.detach().clone() for _ in range(2)]
        shifted[0][row, column] += step
        shifted[1][row, column] -= step
        slope = (manual_printed(shifted[0], z_pos, 0.5) - manual_printed(shifted[1], z_pos, 0.5)) / (2 * step)
        assert float(z.grad[row, column]) == pytest.approx(slope, abs=2e-3)


@pytest.mark.parametrize('kwargs', [dict(temperature=0.0), dict(reduction='none')])
def test_nt_xent_refuses_bad_arguments(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        NTXent(**kwargs)
    with pytest.raises(ValueError, match='z_pos'):
        NTXent()(torch.zeros(2, 3), torch.zeros(3, 3))


def test_pose_dist_golden_values():
    loss = MODELS.build(dict(type='PoseDist', depth_weight=50.0))
    p, q = torch.zeros(1, 21, 3), torch.zeros(1, 21, 3)
    q[0, 4, :2] = torch.tensor([3.0, 4.0])
    assert float(loss(p, q)) == pytest.approx(25 / 21)
    q = torch.zeros(1, 21, 3)
    q[0, 7, 2] = 0.2
    assert float(loss(p, q)) == pytest.approx(50 * 0.04 / 21)
    everywhere = torch.tensor([1.0, 1.0, 0.1]).expand(2, 21, 3)
    assert float(loss(torch.zeros(2, 21, 3), everywhere)) == pytest.approx(2.5)


def test_pose_dist_can_be_a_sum_over_joints():
    """Off by (1, 1) px and 0.1 in depth everywhere: 2.5 a joint, 52.5 a hand, whatever the batch."""
    pred, target = torch.zeros(3, 21, 3), torch.tensor([1.0, 1.0, 0.1]).expand(3, 21, 3)
    assert float(PoseDist(50.0)(pred, target)) == pytest.approx(2.5)
    summed = PoseDist(50.0, reduction='joint_sum')
    assert float(summed(pred, target)) == pytest.approx(52.5)
    half = torch.zeros(3, 21)
    half[0, :4] = 0.5
    assert float(summed(pred, target, half)) == pytest.approx(4 * 0.5 * 2.5 / 3)


@pytest.mark.parametrize('settings', [dict(reduction='sum'), dict(norm='l2')])
def test_pose_dist_names_the_argument_that_it_does_not_know(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name} must be one of .*, got '{settings[name]}'"):
        PoseDist(**settings)


def test_pose_dist_weights_divide_by_the_batch():
    loss = PoseDist(depth_weight=50.0)
    p = torch.ones(4, 21, 3)
    weight = torch.tensor([1.0, 0.0, 0.0, 0.0])
    assert float(loss(p, torch.zeros_like(p), weight)) == pytest.approx(52 / 4)
    none = PoseDist(depth_weight=50.0, reduction='none')(p, torch.zeros_like(p))
    assert none.tolist() == pytest.approx([52.0] * 4)


def test_pose_dist_l1_form():
    value = PoseDist(depth_weight=49.0, norm='l1')(torch.full((1, 21, 3), 2.0), torch.zeros(1, 21, 3))
    assert float(value) == pytest.approx(2 + 2 + 7 * 2)


def test_multimodal_l1_golden_values():
    loss = MODELS.build(dict(type='MultiModalL1', mask_weight=100.0, depth_map_weight=50.0))
    target = dict(mask=torch.zeros(2, 1, 4, 4), depth_map=torch.full((2, 1, 4, 4), 0.5))
    pred = dict(mask=target['mask'] + 0.25, depth_map=target['depth_map'] - 0.02)
    values = loss(pred, target)
    assert float(values['loss_mask']) == pytest.approx(25.0)
    assert float(values['loss_depth_map']) == pytest.approx(1.0)
    summed = MultiModalL1(reduction='sum')(pred, target)
    assert float(summed['loss_mask']) == pytest.approx(100 * 0.25 * 16)
    with pytest.raises(KeyError, match='depth_map'):
        loss(dict(mask=pred['mask']), target)


def test_feature_align_value_and_gradient():
    depth = [torch.randn(2, 3, 4, 4, requires_grad=True), torch.randn(2, 6, 2, 2, requires_grad=True)]
    rgb = [(d.detach() + 0.5).requires_grad_() for d in depth]
    loss = FeatureAlign(stages=('stem', 'layer1'), weight=2.0)(rgb, depth)
    assert float(loss) == pytest.approx(2.0 * (0.5 + 0.5), abs=1e-5)
    loss.backward()
    assert torch.allclose(rgb[0].grad, torch.full_like(rgb[0], 2.0 / rgb[0].numel()))
    assert depth[0].grad is None
