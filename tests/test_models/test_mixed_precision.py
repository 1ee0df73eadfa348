"""What stays in float32 while the networks run in bfloat16."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmdualhand import compat
from mmdualhand.codecs import full_precision
from mmdualhand.engine import precision_on
from mmdualhand.models.branch_norm import Segment, batch_layout
from mmdualhand.models.heads import MultiModal25DHead, ProjectionHead
from mmdualhand.models.losses import NTXent
from mmdualhand.registry import OPTIM_WRAPPERS


@pytest.fixture
def autocast():
    with torch.autocast('cpu', dtype=torch.bfloat16):
        yield


def test_full_precision_switches_autocast_off_and_on_again(autocast):
    a = torch.rand(4, 4)
    with full_precision(a.device):
        assert (a @ a).dtype == torch.float32
    assert (a @ a).dtype == torch.bfloat16
    with full_precision(torch.device('meta')):  # a device without autocast is left alone
        assert torch.empty(2, 2, device='meta').dtype == torch.float32


def test_contrastive_loss_is_exact(autocast):
    torch.manual_seed(0)
    z, z_pos = torch.randn(16, 32), torch.randn(16, 32)
    loss = NTXent(temperature=0.1)
    low = loss(z, z_pos)
    with torch.autocast('cpu', enabled=False):
        expected = loss(z, z_pos)
    assert low.dtype == torch.float32 and torch.equal(low, expected)


def test_embeddings_are_float32_of_unit_length(autocast):
    torch.manual_seed(0)
    net = ProjectionHead(8, 16, 4).eval()
    with torch.no_grad(), batch_layout([Segment('rgb', 6)]):
        z = net(torch.randn(6, 8, 3, 3))
    assert z.dtype == torch.float32
    assert torch.allclose(z.norm(dim=1), torch.ones(6), atol=1e-6)


def test_maps_and_poses_are_float32(autocast):
    net = MultiModal25DHead(32, deconv_channels=(16, 16, 16)).eval()
    with torch.no_grad():
        out = net(torch.randn(2, 32, 4, 4), with_scores=True)
    assert {part.dtype for part in out if part is not None} == {torch.float32}


@pytest.mark.parametrize(('native', 'emulate'), [(True, False), (False, True), (True, True)])
def test_the_optimiser_wrapper_runs_the_forward_pass_in_bfloat16(monkeypatch, native, emulate):
    monkeypatch.setattr('mmdualhand.engine.bf16_optim_wrapper.cpu_has_bf16', lambda: native)
    net = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    wrapper = OPTIM_WRAPPERS.build(dict(type='BF16OptimWrapper', optimizer=optimizer, emulate=emulate))
    x = torch.ones(1, 4)
    with wrapper.optim_context(net):
        assert net(x).dtype == torch.bfloat16
        loss = net(x).float().sum()
    assert net(x).dtype == torch.float32
    before = net.weight.detach().clone()
    wrapper.update_params(loss)
    assert net.weight.dtype == torch.float32
    assert torch.allclose(before - net.weight, torch.ones(2, 4))


def test_where_bfloat16_is_emulated_the_wrapper_stays_in_float32_and_says_so_once(monkeypatch, caplog):
    monkeypatch.setattr('mmdualhand.engine.bf16_optim_wrapper.cpu_has_bf16', lambda: False)
    net = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    wrapper = OPTIM_WRAPPERS.build(dict(type='BF16OptimWrapper', optimizer=optimizer))
    said = []
    monkeypatch.setattr(
        'mmdualhand.engine.bf16_optim_wrapper.print_log', lambda text, **options: said.append(text)
    )
    for _ in range(2):
        with wrapper.optim_context(net):
            assert net(torch.ones(1, 4)).dtype == torch.float32
    (text,) = said
    assert 'training in float32 instead' in text and 'optim_wrapper.emulate=True' in text


@pytest.mark.parametrize(
    ('native', 'device', 'emulate', 'expected'),
    [
        (False, 'cpu', False, 'fp32'),
        (False, 'cpu', True, 'bf16'),
        (False, 'cuda', False, 'bf16'),
        (True, 'cpu', False, 'bf16'),
    ],
)
def test_precision_on_a_device(monkeypatch, native, device, emulate, expected):
    monkeypatch.setattr('mmdualhand.engine.bf16_optim_wrapper.cpu_has_bf16', lambda: native)
    assert precision_on(device, emulate) == expected


@pytest.mark.parametrize(
    ('machine', 'capabilities', 'onednn', 'expected'),
    [
        ('x86_64', dict(avx2=True, avx512_bf16=False, amx_bf16=False), True, False),
        ('x86_64', dict(avx512_bf16=True), False, True),
        ('AMD64', dict(amx_bf16=True), False, True),
        ('aarch64', dict(avx512_bf16=True), False, False),
        ('aarch64', {}, True, True),
    ],
)
def test_which_processors_have_bfloat16(monkeypatch, machine, capabilities, onednn, expected):
    monkeypatch.setattr('platform.machine', lambda: machine)
    monkeypatch.setattr('torch.cpu.get_capabilities', lambda: capabilities)
    monkeypatch.setattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported', lambda: onednn)
    assert compat.cpu_has_bf16.__wrapped__() is expected
