"""The stage-interleaved forward against six obvious calls."""

from __future__ import annotations

import pytest
import torch

from mmdualhand.models.backbones import DualEncoder, DualResNet, ResNetEncoder
from mmdualhand.models.branch_norm import BranchBatchNorm
from mmdualhand.models.necks import DepthAttention
from mmdualhand.registry import MODELS


def small(**kwargs) -> DualResNet:
    torch.manual_seed(0)
    return MODELS.build(dict(type='DualResNet', depth=18, base_channels=8, **kwargs))


def inputs(rows: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(rows, 3, 64, 64), torch.rand(rows, 1, 64, 64)


def naive(net: DualResNet, rgb: torch.Tensor, depth: torch.Tensor) -> dict[str, torch.Tensor]:
    """Eval-mode reference: one call a branch, nothing shared."""
    attention = DepthAttention()
    d, f = net.depth_encoder.stem(depth), net.rgb_encoder.stem(rgb)
    w = attention.weights(d)
    d, f = d * w, f * w
    for depth_stage, rgb_stage in zip(net.depth_encoder.stages, net.rgb_encoder.stages, strict=True):
        d, f = depth_stage(d), rgb_stage(f)
        w = attention.weights(d)
        d, f = d * w, f * w
    return dict(rgb=net.rgb_encoder(rgb), depth=d, fused=f)


def test_equals_separate_passes():
    net = small().eval()
    rgb, depth = inputs()
    with torch.no_grad():
        got, expected = net(rgb, depth), naive(net, rgb, depth)
    assert list(got) == ['rgb', 'depth', 'fused']
    for branch, value in expected.items():
        assert torch.allclose(got[branch], value, atol=1e-6), branch


def test_rgb_alone_needs_no_depth_and_is_the_same():
    net = small().eval()
    rgb, depth = inputs()
    with torch.no_grad():
        assert torch.equal(net(rgb)['rgb'], net(rgb, depth)['rgb'])
        assert list(net(rgb)) == ['rgb']


def test_flat_attention_reproduces_the_rgb_features():
    net = small().eval()
    rgb, depth = inputs()
    net.attention.weights = lambda f: torch.ones_like(f[:, :1])
    with torch.no_grad():
        out = net(rgb, depth)
    assert torch.allclose(out['fused'], out['rgb'], atol=1e-6)


@pytest.mark.parametrize('groups', ['per_branch', 'joint', 'separate'])
def test_train_mode_runs_and_all_parameters_get_gradients(groups):
    net = small(bn_groups=groups).train()
    rgb, depth = inputs(4)
    out = net.encode(rgb, depth, views=2)
    sum(x.square().mean() for x in out.final.values()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())
    assert len(out.attention) == 5
    assert [tuple(w.shape) for w in out.attention] == [(4, 1, s, s) for s in (32, 16, 8, 4, 2)]


def test_per_branch_statistics_are_those_of_separate_calls():
    rgb, depth = inputs(4)
    together, alone = small().train(), small().train()
    got = together.encode(rgb, depth, views=2).final['rgb']
    expected = alone.encode(rgb).final['rgb']
    assert torch.allclose(got, expected, atol=1e-5)
    one = together.rgb_encoder.layer4[1].bn2
    other = alone.rgb_encoder.layer4[1].bn2
    assert torch.allclose(one.running_mean, other.running_mean, atol=1e-6)
    assert not torch.allclose(one.running_mean, one.running_mean_fused, atol=1e-6)


def test_branches_decide_what_is_built():
    assert small(branches=('rgb',)).depth_encoder is None
    two = small(branches=('rgb', 'depth')).eval()
    rgb, depth = inputs()
    with torch.no_grad():
        assert list(two(rgb, depth)) == ['rgb', 'depth']
    norms = [m for m in two.rgb_encoder.modules() if isinstance(m, BranchBatchNorm)]
    assert all(m.branches == ('rgb',) for m in norms)
    with pytest.raises(ValueError, match='branches'):
        small(branches=('depth',))


def test_any_staged_encoder_fits():
    net = DualEncoder(
        ResNetEncoder(18, 3, 8), dict(type='ResNetEncoder', depth=34, in_channels=1, base_channels=8)
    ).eval()
    with torch.no_grad():
        out = net(*inputs())
    assert tuple(out['fused'].shape) == (2, 64, 2, 2)
    with pytest.raises(TypeError, match='stem'):
        DualEncoder(torch.nn.Identity(), branches=('rgb',))
    with pytest.raises(ValueError, match='depth must be one of'):
        ResNetEncoder(20)


def test_stage_features_are_taken_before_attention():
    net = small().eval()
    rgb, depth = inputs()
    with torch.no_grad():
        out = net.encode(rgb, depth, keep_stages=True)
        assert torch.equal(out.stages['depth'][0], net.depth_encoder.stem(depth))
        assert torch.equal(out.stages['rgb'][-1], out.final['rgb'])
    assert [len(out.stages[b]) for b in ('rgb', 'depth')] == [5, 5]
    assert net.stage_index('layer2') == 2


def test_parameter_count_of_the_published_network():
    with torch.device('meta'):
        net = ResNetEncoder(101)
    assert sum(p.numel() for p in net.parameters()) == 42_500_160


def test_a_subclass_joins_the_encoders_in_another_way():
    """Without attention the fused branch sees what the rgb branch sees; depth still attends to its own."""

    class FusedAsItIs(DualResNet):
        def attend(self, depth, stage, fused, views, out):
            attended, _ = super().attend(depth, stage, fused, views, out)
            return attended, fused

    torch.manual_seed(0)
    usual = DualResNet(depth=18, base_channels=8).train()
    other = FusedAsItIs(depth=18, base_channels=8).train()
    other.load_state_dict(usual.state_dict())
    rgb, depth = torch.rand(2, 3, 64, 64), torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        before, after = usual(rgb, depth), other(rgb, depth)
    torch.testing.assert_close(after['fused'], after['rgb'])
    torch.testing.assert_close(after['depth'], before['depth'])
    assert not torch.allclose(before['fused'], before['rgb'], atol=1e-2)
