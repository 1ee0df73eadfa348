"""A network of the RGB branch alone as the start of one with all branches."""

from __future__ import annotations

import torch
from test_dual_modality import batch, build

from mmdualhand.engine.weights import match_weights
from mmdualhand.models.estimators.rgb_start import fill_from_rgb
from mmdualhand.registry import MODELS


def rgb_network():
    torch.manual_seed(5)
    network = build(branches=('rgb',), contrast=[])
    inputs, _ = batch(views=1)
    network.train()
    with torch.no_grad():  # running statistics that are not the first ones
        network.extract({'rgb': inputs['rgb']})
    return network.eval()


def started(**kwargs):
    network, whole = rgb_network(), build(**kwargs)
    state = whole.complete_start(network.state_dict())
    matched = match_weights(whole, state, source='rgb', optional=whole.optional_parts)
    whole.load_state_dict({**whole.state_dict(), **matched})
    return network, whole.eval()


def test_the_rgb_branch_predicts_what_the_rgb_network_does():
    network, whole = started()
    inputs, _ = batch(views=1)
    with torch.no_grad():
        one, other = (m.extract({'rgb': inputs['rgb']})['rgb'] for m in (network, whole))
    torch.testing.assert_close(one.pose25d, other.pose25d, rtol=0, atol=0)


def test_the_depth_encoder_sees_a_map_as_the_rgb_encoder_sees_it_in_three_channels():
    network, whole = started()
    depth = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        stem = whole.backbone.depth_encoder.stem(depth)
        expected = network.backbone.rgb_encoder.stem(depth.expand(2, 3, 64, 64))
    torch.testing.assert_close(stem, expected, rtol=1e-4, atol=1e-5)


def test_every_branch_begins_with_the_statistics_of_rgb():
    network, whole = started()
    state, own = network.state_dict(), whole.state_dict()
    fused = [key for key in own if key.endswith(('running_mean_fused', 'running_var_depth'))]
    assert fused
    for key in fused:
        rgb = key.removesuffix('_fused').removesuffix('_depth')
        if rgb in state:
            torch.testing.assert_close(own[key], state[rgb], rtol=0, atol=0)


def test_a_whole_network_is_taken_as_it_is():
    whole = build()
    state = whole.state_dict()
    filled = fill_from_rgb(state, whole.state_dict())
    assert filled.keys() == state.keys()
    assert all(filled[key] is state[key] for key in state)


def test_an_rgb_network_stays_one():
    network = rgb_network()
    assert fill_from_rgb(network.state_dict(), network.state_dict()).keys() == network.state_dict().keys()


def test_stage_two_takes_no_rgb_network_for_a_whole_one():
    config = dict(
        type='SelfTrainingEstimator',
        backbone=dict(type='DualResNet', depth=18, base_channels=8),
        head=dict(
            type='MultiModal2.5DHead',
            deconv_channels=(16, 16, 16),
            codec=dict(type='Pose25D', input_size=(64, 64)),
        ),
    )
    second, state = MODELS.build(config), rgb_network().state_dict()
    assert second.complete_start(state).keys() == state.keys()
