"""Eq. 1 and its corner cases."""

from __future__ import annotations

import pytest
import torch

from mmdualhand.models.necks import DepthAttention
from mmdualhand.registry import MODELS


def eq1(f: torch.Tensor) -> torch.Tensor:
    """Eq. 1 as printed."""
    mean = f.mean((2, 3), keepdim=True)
    inner = (mean * f).sum(1, keepdim=True)
    return inner / inner.sum((2, 3), keepdim=True) * (f.shape[2] * f.shape[3])


def test_closed_form_is_eq1():
    torch.manual_seed(0)
    f = torch.rand(3, 8, 5, 7, dtype=torch.float64)
    w = MODELS.build(dict(type='DepthAttention')).weights(f)
    assert torch.allclose(w, eq1(f), atol=1e-12)
    assert torch.allclose(w.mean((2, 3)), torch.ones(3, 1, dtype=torch.float64), atol=1e-12)


def test_hand_worked_single_channel():
    f = torch.tensor([[[[1.0, 0.0], [0.0, 3.0]]]])
    assert torch.equal(DepthAttention().weights(f), f)


@pytest.mark.parametrize('scale', [1e-3, 1.0, 1e4])
def test_mean_is_one_at_any_scale(scale):
    torch.manual_seed(1)
    w = DepthAttention().weights(torch.rand(2, 4, 6, 6) * scale)
    assert torch.allclose(w.mean((2, 3)), torch.ones(2, 1), atol=1e-5)


def test_constant_and_zero_features_give_one():
    assert torch.allclose(DepthAttention().weights(torch.full((1, 3, 4, 4), 0.7)), torch.ones(1, 1, 4, 4))
    zero = torch.zeros(1, 3, 4, 4, requires_grad=True)
    w = DepthAttention().weights(zero)
    assert torch.equal(w, torch.ones(1, 1, 4, 4))
    (w * torch.randn_like(w)).sum().backward()
    assert torch.isfinite(zero.grad).all()


def test_zero_sample_inside_a_batch_keeps_gradients_finite():
    f = torch.rand(2, 3, 4, 4)
    f[1] = 0
    f.requires_grad_()
    DepthAttention()(f).square().sum().backward()
    assert torch.isfinite(f.grad).all() and f.grad[0].abs().sum() > 0


def test_gradcheck():
    torch.manual_seed(2)
    f = torch.rand(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(DepthAttention().weights, (f,))


def test_half_precision_features_get_float32_weights():
    w = DepthAttention().weights(torch.rand(1, 64, 8, 8).bfloat16())
    assert w.dtype == torch.float32
    assert torch.allclose(w.mean(), torch.tensor(1.0), atol=1e-5)


def test_forward_weights_another_map():
    f, g = torch.rand(1, 2, 3, 3), torch.rand(1, 5, 3, 3)
    attention = DepthAttention()
    assert torch.equal(attention(f, g), g * attention.weights(f))
    with pytest.raises(ValueError, match='features'):
        attention.weights(torch.zeros(2, 3))
