"""ImageNet weights: what matches, what is refused and with which words."""

from __future__ import annotations

import pickle

import pytest
import torch

from mmdualhand.errors import ConfigError, MissingFileError, UnsafeFileError
from mmdualhand.models.backbones import DualResNet, ResNetEncoder
from mmdualhand.models.backbones import pretrained as module


def published(path, **changes):
    """A torchvision-named ResNet-18 state dict with a classifier."""
    torch.manual_seed(3)
    net = ResNetEncoder(18)
    state = net.state_dict()
    for value in state.values():
        if value.is_floating_point():
            value.uniform_(0.5, 1.5)
    state.update({'fc.weight': torch.zeros(1000, 512), 'fc.bias': torch.zeros(1000), **changes})
    torch.save(state, path)
    return state


def build(checkpoint) -> DualResNet:
    return DualResNet(depth=18, init_cfg=dict(type='Pretrained', checkpoint=str(checkpoint)))


def test_every_key_but_fc_is_matched(tmp_path):
    state = published(tmp_path / 'resnet18.pth')
    net = build(tmp_path / 'resnet18.pth')
    net.init_weights()
    rgb, depth = net.rgb_encoder.state_dict(), net.depth_encoder.state_dict()
    for key, value in state.items():
        if key.startswith('fc.'):
            continue
        assert torch.equal(rgb[key], value), key
        if key != 'conv1.weight':
            assert torch.equal(depth[key], value), key
    assert torch.allclose(depth['conv1.weight'][:, 0], state['conv1.weight'].sum(1))
    assert torch.equal(rgb['bn1.running_mean_fused'], state['bn1.running_mean'])


def test_old_files_without_batch_counters_load(tmp_path):
    state = published(tmp_path / 'a.pth')
    torch.save({k: v for k, v in state.items() if 'num_batches' not in k}, tmp_path / 'b.pth')
    net = build(tmp_path / 'b.pth')
    net.init_weights()
    assert torch.equal(net.rgb_encoder.conv1.weight, state['conv1.weight'])


def test_wrong_network_is_refused_and_nothing_is_loaded(tmp_path):
    published(tmp_path / 'a.pth', **{'layer5.conv.weight': torch.zeros(1)})
    net = build(tmp_path / 'a.pth')
    before = net.rgb_encoder.conv1.weight.clone()
    with pytest.raises(ConfigError, match='1 unexpected .*layer5'):
        net.init_weights()
    assert torch.equal(net.rgb_encoder.conv1.weight, before)


def test_missing_path_names_the_ways_out(tmp_path):
    with pytest.raises(MissingFileError, match='init_cfg=None'):
        build(tmp_path / 'none.pth').init_weights()


def test_no_network_names_address_path_and_none(monkeypatch):
    def offline(*args, **kwargs):
        raise OSError('no route')

    monkeypatch.setattr(module.torch.hub, 'load_state_dict_from_url', offline)
    with pytest.raises(MissingFileError) as caught:
        build('https://example.org/resnet18.pth').init_weights()
    message = str(caught.value)
    assert 'https://example.org/resnet18.pth' in message
    assert 'init_cfg.checkpoint=PATH' in message and 'init_cfg=None' in message and '\n' not in message


def test_foreign_pickle_is_refused(tmp_path):
    (tmp_path / 'a.pth').write_bytes(pickle.dumps(print))
    with pytest.raises(UnsafeFileError, match=r'a\.pth'):
        build(tmp_path / 'a.pth').init_weights()


def test_other_init_types_are_refused():
    with pytest.raises(ConfigError, match='init_cfg'):
        DualResNet(depth=18, base_channels=8, init_cfg=dict(type='Kaiming')).init_weights()
