"""Decoder: maps to poses, targets at its resolution."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmdualhand.models.branch_norm import Segment, batch_layout
from mmdualhand.models.heads import MultiModal25DHead, ProjectionHead, resize_map_targets
from mmdualhand.registry import MODELS


def head() -> MultiModal25DHead:
    torch.manual_seed(0)
    return MODELS.build(dict(type='MultiModal2.5DHead', in_channels=32, deconv_channels=(16, 16, 16)))


def test_both_names_build_the_same_class():
    other = MODELS.build(dict(type='mmdualhand.MultiModal25DHead', in_channels=8))
    assert type(head()) is type(other) is MultiModal25DHead


def test_fresh_head_predicts_the_grid_centre():
    net = head().eval()
    with torch.no_grad():
        out = net(torch.zeros(2, 32, 4, 4), with_scores=True)
    assert tuple(out.mask.shape) == (2, 1, 32, 32)
    assert torch.allclose(out.pose25d[..., :2], torch.full((2, 21, 2), 31.5), atol=1e-4)
    assert torch.allclose(out.pose25d[..., 2], torch.zeros(2, 21))
    assert torch.allclose(out.mask, torch.full_like(out.mask, 0.5))
    # Uniform maps of 32 cells: variance 2 * 1023 / 12 / 1024 of the squared side.
    wanted = 1 / (1 + 1023 / 6 / 1024 / 0.05**2)
    torch.testing.assert_close(out.scores, torch.full((2, 21), wanted), rtol=1e-3, atol=0)


def test_a_peak_is_decoded_where_it_is():
    net = head().eval()
    maps = torch.zeros(1, 44, 64, 64)
    maps[0, 3, 10, 50] = 5.0
    maps[0, 21 + 3] = -0.75
    net.final = nn.Identity()
    net.deconv = nn.Identity()
    with torch.no_grad():
        out = net(maps)
    assert torch.allclose(out.pose25d[0, 3], torch.tensor([50.0, 10.0, -0.75]), atol=1e-3)


def test_layers_and_initialisation_are_those_of_simple_baseline():
    net = MODELS.build(dict(type='MultiModal2.5DHead', in_channels=2048))
    deconvs = [m for m in net.deconv if isinstance(m, nn.ConvTranspose2d)]
    assert [(m.in_channels, m.out_channels, m.kernel_size[0], m.bias) for m in deconvs] == [
        (2048, 256, 4, None),
        (256, 256, 4, None),
        (256, 256, 4, None),
    ]
    assert float(deconvs[0].weight.detach().std()) == pytest.approx(0.001, rel=0.01)
    assert net.final.out_channels == 44


def test_loss_is_zero_at_the_target_and_weighted_elsewhere():
    net = head().eval()
    with torch.no_grad():
        pred = net(torch.randn(2, 32, 4, 4))
    maps = dict(mask=pred.mask, depth_map=pred.depth_map)
    assert all(float(v) == 0 for v in net.loss(pred, pred.pose25d, maps).values())
    off = net.loss(pred, pred.pose25d + torch.tensor([3.0, 4.0, 0.0]), maps)
    assert float(off['loss_pose']) == pytest.approx(25.0, rel=1e-4)


def test_the_distance_of_poses_can_be_a_sum_over_joints():
    """The switch is reached from the config of a head: 21 joints of 2.5 each are 52.5."""
    loss_pose = dict(type='PoseDist', depth_weight=50.0, reduction='joint_sum')
    net = MODELS.build(
        dict(type='MultiModal2.5DHead', in_channels=8, deconv_channels=(8, 8, 8), loss_pose=loss_pose)
    )
    with torch.no_grad():
        pred = net.eval()(torch.zeros(1, 8, 2, 2))
    maps = dict(mask=pred.mask, depth_map=pred.depth_map)
    off = net.loss(pred, pred.pose25d + torch.tensor([1.0, 1.0, 0.1]), maps)
    assert float(off['loss_pose']) == pytest.approx(52.5, rel=1e-4)
    assert float(off['loss_mask']) == float(off['loss_depth_map']) == 0


def test_map_targets_by_hand():
    mask = torch.zeros(1, 1, 4, 4)
    mask[0, 0, :2, :2] = 1
    mask[0, 0, 2, 2] = 1
    depth = torch.ones(1, 1, 4, 4)
    depth[0, 0, :2, :2] = torch.tensor([[0.2, 0.4], [0.2, 0.4]])
    depth[0, 0, 2, 2] = 0.1
    out = resize_map_targets(mask, depth, (2, 2))
    assert out['mask'][0, 0].tolist() == [[1.0, 0.0], [0.0, 0.0]]
    assert torch.allclose(out['depth_map'][0, 0], torch.tensor([[0.3, 1.0], [1.0, 1.0]]))


def test_map_targets_average_hand_pixels_only():
    mask = torch.tensor([[1.0, 1.0], [1.0, 0.0]]).view(1, 1, 2, 2)
    depth = torch.tensor([[0.3, 0.3], [0.6, 1.0]]).view(1, 1, 2, 2)
    out = resize_map_targets(mask, depth, (1, 1))
    assert float(out['depth_map']) == pytest.approx(0.4)


def test_projection_is_normalised_and_grouped():
    torch.manual_seed(0)
    net = ProjectionHead(8, 16, 4).train()
    features = torch.randn(6, 8, 3, 3)
    with batch_layout([Segment('rgb', 3), Segment('fused', 3)]):
        z = net(features)
    assert torch.allclose(z.norm(dim=1), torch.ones(6), atol=1e-6)
    assert torch.allclose(z[:3], net(features[:3]), atol=1e-6)
