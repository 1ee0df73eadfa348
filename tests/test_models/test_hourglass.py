"""The stacked hourglass network."""

from __future__ import annotations

import pytest
import torch

from mmdualhand.errors import ConfigError
from mmdualhand.models import DualEncoder, HourglassNet
from mmdualhand.models.backbones.hourglass import Hourglass, PreActivationBottleneck


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def block(cin: int, cout: int) -> int:
    """Weights and biases of three convolutions, of three batch norms, and of a shortcut where needed."""
    middle = cout // 2
    convolutions = cin * middle + middle + 9 * middle**2 + middle + middle * cout + cout
    return convolutions + 2 * (cin + 2 * middle) + (cin * cout + cout if cin != cout else 0)


@pytest.mark.parametrize('stacks', [1, 2])
def test_parameters_in_closed_form(stacks):
    inner = block(256, 256)
    stem = 3 * 64 * 49 + 64 + 128 + block(64, 128) + block(128, 256) + inner
    hourglass = (4 * 3 + 1) * inner
    output = inner + 256 * 256 + 256 + 512
    remap = 256 * 256 + 256
    expected = stem + stacks * (hourglass + output) + (stacks - 1) * remap
    assert parameters(HourglassNet(num_stacks=stacks)) == expected


def test_parameters_of_the_published_network():
    """8 stacks for 16 joints are known as 25.59 M: score maps, and their way back, are the head's here."""
    scores = 8 * (256 * 16 + 16) + 7 * (16 * 256 + 256)
    assert parameters(HourglassNet(num_stacks=8)) + scores == 25_594_624


def test_a_block_and_an_hourglass_keep_what_they_should():
    torch.manual_seed(0)
    assert PreActivationBottleneck(8, 16)(torch.randn(2, 8, 5, 5)).shape == (2, 16, 5, 5)
    shape = (2, 8, 17, 20)  # odd sides come back to the size of the skip
    assert Hourglass(8, depth=3)(torch.randn(shape)).shape == shape


@pytest.mark.parametrize(('stride', 'side'), [(4, 16), (2, 32), (1, 64)])
def test_one_feature_map_a_stack(stride, side):
    torch.manual_seed(0)
    net = HourglassNet(num_stacks=2, channels=16, stem_stride=stride).eval()
    found = net(torch.randn(1, 3, 64, 64))
    assert [tuple(x.shape) for x in found] == [(1, 16, side, side)] * 2
    assert min(x.min().item() for x in found) >= 0
    assert net.num_stacks == 2 and net.out_channels == 16


def test_the_second_stack_sees_the_first():
    torch.manual_seed(0)
    net = HourglassNet(num_stacks=2, channels=16).eval()
    x = torch.randn(1, 3, 64, 64)
    before = net(x)
    with torch.no_grad():
        net.remaps[0].weight.add_(0.1)
    after = net(x)
    assert torch.equal(before[0], after[0]) and not torch.allclose(before[1], after[1])


def test_as_an_encoder_it_gives_the_last_stack():
    torch.manual_seed(0)
    net = HourglassNet(num_stacks=2, channels=16)
    x = torch.randn(2, 3, 64, 64)
    dual = DualEncoder(rgb_encoder=net, branches=('rgb',)).eval()
    assert torch.equal(dual(x)['rgb'], net.eval()(x)[-1])
    assert dual.out_channels == 16


@pytest.mark.parametrize(
    'wrong', [dict(num_stacks=0), dict(channels=12), dict(stem_stride=3), dict(depth=0), dict(num_blocks=0)]
)
def test_settings_without_meaning(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        HourglassNet(**wrong)


def test_maps_too_small_for_four_levels():
    with pytest.raises(ConfigError, match='16 pixels'):
        HourglassNet(num_stacks=1, channels=8)(torch.randn(2, 3, 32, 32))
