"""PeCLR: motions undone in the projection, and the second view of stage 1."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmdualhand.errors import ConfigError
from mmdualhand.models import AffinePerturbation, Warp
from mmdualhand.models.backbones.dual_encoder import DualFeatures
from mmdualhand.models.estimators.second_view import SecondView
from mmdualhand.models.losses import NTXent
from mmdualhand.models.perturbation import rotation_matrix
from mmdualhand.models.projection_warp import rotate_about_mean, translate_by_extent, unwarp_projection
from mmdualhand.registry import MODELS
from mmdualhand.testing import tiny_batch

RECTANGLE = torch.tensor([[[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0]]])


def test_points_turn_as_opencv_turns_them():
    turned = rotate_about_mean(RECTANGLE, torch.tensor([90.0]))
    wanted = torch.tensor([[[0.5, 1.5], [0.5, -0.5], [1.5, -0.5], [1.5, 1.5]]])
    assert torch.allclose(turned, wanted, atol=1e-6)
    matrix = cv2.getRotationMatrix2D((1.0, 2.0), 30.0, 1.0)
    assert rotation_matrix(torch.tensor([30.0]))[0].numpy() == pytest.approx(matrix[:, :2], abs=1e-6)


def test_a_shift_is_a_share_of_the_extent():
    moved = translate_by_extent(RECTANGLE, torch.tensor([[0.25, -0.5]]))
    assert torch.allclose(moved - RECTANGLE, torch.tensor([0.5, -0.5]).expand(1, 4, 2))


def equivariant(points, warp):
    """What an encoder that follows every motion says of moved images: points mirrored, turned, shifted."""
    mirror = torch.stack([1 - 2 * warp.flip.float(), torch.ones(len(points))], -1)[:, None]
    middle = points.mean(1, keepdim=True)
    moved = rotate_about_mean((points - middle) * mirror + middle, warp.angle)
    return translate_by_extent(moved, warp.shift).flatten(1)


@pytest.mark.parametrize(
    'settings',
    [
        dict(rotation=45.0),
        dict(shift=0.12),
        dict(rotation=180.0, shift=0.12),
        dict(rotation=45.0, flip=0.5),
        dict(quarter_turns=True, shift=0.3),
    ],
)
def test_an_equivariant_encoder_has_cosine_one(settings):
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(16, 64, 2, generator=generator) + torch.tensor([0.7, -0.3])
    warp = AffinePerturbation(**settings).sample(16, generator=generator)
    z = points.flatten(1)
    moved = equivariant(points, warp)
    assert float(F.cosine_similarity(moved, z).min()) < 0.95
    assert torch.allclose(F.cosine_similarity(unwarp_projection(moved, warp), z), torch.ones(16), atol=1e-5)


SIDE = 96


def coloured_spots(rows, generator):
    """Images with a red, a green and a blue spot, with their middle in the middle as in a crop of a hand."""
    uv = 14 * torch.randn(rows, 3, 2, generator=generator).clamp(-1, 1)
    uv = uv - uv.mean(1, keepdim=True) + (SIDE - 1) / 2
    cells = torch.arange(SIDE)
    du, dv = (cells - uv[..., axis, None] for axis in (0, 1))
    return torch.exp(-(dv[..., :, None] ** 2 + du[..., None, :] ** 2) / 18)


def read_spots(images):
    """Centres of gravity of the colours, as an encoder might put them into a projection.

    The layout is in pixels and where it lies in shares of the image, times its own extent: PeCLR takes a
    shift back in this unit, so that a read-out in plain pixels would be equivariant to turns alone.
    """
    cells = torch.arange(SIDE, dtype=images.dtype)
    mass = images.sum((-2, -1))
    uv = torch.stack([(images.sum(axis) * cells).sum(-1) / mass for axis in (-2, -1)], dim=-1)
    middle, extent = uv.mean(1, keepdim=True), uv.amax(1) - uv.amin(1)
    return (uv - middle + (middle - (SIDE - 1) / 2) / SIDE * extent[:, None]).flatten(1)


@pytest.mark.parametrize(
    'settings',
    [dict(rotation=180.0), dict(shift=0.15), dict(rotation=45.0, shift=0.12), dict(rotation=45.0, flip=0.5)],
    ids=lambda settings: '-'.join(settings),
)
def test_points_read_off_moved_images_come_back(settings):
    """The motion is that of the images themselves; no function that is undone here has moved the points."""
    generator = torch.Generator().manual_seed(7)
    images = coloured_spots(16, generator)
    torch.manual_seed(8)
    view = SecondView(settings)
    moved, warp = view.move(dict(rgb=images.repeat(2, 1, 1, 1)))
    plain, found = (read_spots(half) for half in moved['rgb'].chunk(2))
    undone = view.undo({'rgb': plain, 'rgb+': found}, warp)
    assert torch.equal(undone['rgb'], plain)
    assert torch.allclose(undone['rgb+'], F.normalize(plain, dim=1), atol=2e-4)
    assert float(F.cosine_similarity(undone['rgb+'], plain).min()) > 1 - 1e-5
    # Left as they are, or moved on by the same motion, they are not those of the plain view.
    backwards = warp._replace(angle=-warp.angle, shift=-warp.shift)
    for wrong in (found, unwarp_projection(found, backwards)):
        assert float(F.cosine_similarity(wrong, plain).min()) < 0.99


def peclr_loss(views, angles, shifts, tau=0.5):
    """PeCLR's loss of two views (B, 2m) that were both moved, row by row in NumPy."""
    rows = []
    for z, angle_of, shift_of in zip(views, angles, shifts, strict=True):
        for row, angle, shift in zip(z, angle_of, shift_of, strict=True):
            points = (row / np.linalg.norm(row)).reshape(-1, 2)
            points = points - shift * (points.max(0) - points.min(0))
            turn = cv2.getRotationMatrix2D(tuple(points.mean(0)), -angle, 1.0)
            points = points @ turn[:, :2].T + turn[:, 2]
            rows.append(points.ravel() / np.linalg.norm(points))
    count, total = len(rows), 0.0
    for i in range(count):
        partner = (i + count // 2) % count
        others = sum(np.exp(rows[i] @ rows[k] / tau) for k in range(count) if k != i)
        total -= np.log(np.exp(rows[i] @ rows[partner] / tau) / others)
    return total / count


def test_the_loss_is_that_of_peclr_written_out_in_numpy():
    """There both views are moved; the motions matter, as the views are alike before they are undone."""
    rng = np.random.default_rng(1)
    views = rng.normal(0.3, 1.0, (1, 5, 16)) + rng.normal(0.0, 0.3, (2, 5, 16))
    angles, shifts = rng.uniform(-180, 180, (2, 5)), rng.uniform(-0.4, 0.4, (2, 5, 2))
    none = torch.zeros(5) > 0
    undone = [
        unwarp_projection(torch.tensor(z), Warp(torch.tensor(a), torch.tensor(s), torch.ones(5), none))
        for z, a, s in zip(views, angles, shifts, strict=True)
    ]
    loss = NTXent(temperature=0.5, symmetric=True, include_positive=True, reduction='mean')
    wanted = peclr_loss(views, angles, shifts)
    assert float(loss(*undone)) == pytest.approx(wanted, rel=1e-5)
    assert peclr_loss(views, 0 * angles, 0 * shifts) < wanted - 0.5


def test_the_mean_that_points_turn_about_has_no_gradient():
    """Turned by 90 degrees (x, y) is (y, -x) about the mean: what the sum of both says of x and y."""
    points = RECTANGLE.clone().requires_grad_()
    rotate_about_mean(points, torch.tensor([90.0])).sum().backward()
    assert torch.allclose(points.grad, torch.tensor([-1.0, 1.0]).expand(1, 4, 2))


def test_without_motion_it_is_the_normalisation():
    z = torch.randn(3, 8)
    still = Warp(torch.zeros(3), torch.zeros(3, 2), torch.ones(3), torch.zeros(3) > 0)
    assert torch.allclose(unwarp_projection(z, still), F.normalize(z, dim=1), atol=1e-6)


def test_an_odd_projection_is_refused():
    with pytest.raises(ConfigError, match='out_channels'):
        unwarp_projection(torch.randn(2, 7), AffinePerturbation().sample(2))


def build(**changes):
    torch.manual_seed(0)
    texture = dict(plain=dict(rgb=dict(brightness=0.1)), augmented=dict(rgb=dict(brightness=0.1)))
    config = dict(
        type='DualModalityEstimator',
        branches=('rgb',),
        backbone=dict(type='DualResNet', depth=18, base_channels=4),
        head=dict(
            type='MultiModal2.5DHead',
            deconv_channels=(8, 8, 8),
            codec=dict(type='Pose25D', input_size=(64, 64)),
        ),
        contrast=[('rgb', 'rgb+')],
        contrast_weight=1.0,
        loss_contrast=dict(type='NTXent', symmetric=True, include_positive=True),
        projector=dict(type='ProjectionHead', hidden_channels=8, out_channels=8, last_bias=False),
        data_preprocessor=dict(type='HandDataPreprocessor', texture=texture),
    )
    return MODELS.build({**config, **changes}).train()


class Points(torch.nn.Module):
    """Stands for the projection: gives the points that it is given."""

    branches = ('rgb',)

    def forward(self, x):
        return x.flatten(1)


def test_the_loss_compares_the_plain_projection_with_the_moved_one_put_back():
    model = build(view_perturbation=dict(quarter_turns=True, shift=0.2))
    data = model.data_preprocessor(tiny_batch(3, 64), True)
    inputs, warp = model.second_view.move(data['inputs'])
    assert torch.equal(inputs['rgb'][:3], data['inputs']['rgb'][:3])
    assert (inputs['rgb'][3:] != data['inputs']['rgb'][3:]).any()
    model.projectors['rgb'] = Points()
    still = torch.randn(3, 8, generator=torch.Generator().manual_seed(3))
    moved = equivariant(still.view(3, 4, 2), warp)
    features = torch.cat([still, moved])[:, :, None, None]
    found = model._contrastive(DualFeatures({'rgb': features}), 2, warp)
    assert float(found) == pytest.approx(float(model.loss_contrast(still, still)), abs=1e-4)
    assert float(model._contrastive(DualFeatures({'rgb': features}), 2)) > float(found) + 0.05


def test_labels_are_those_of_the_plain_view():
    """The supervised losses do not see the motion: with and without it they are the same numbers."""
    batch = tiny_batch(3, 64)
    values = []
    for perturbation in (None, dict(rotation=45.0, shift=0.1, scale=(0.8, 1.2))):
        model = build(view_perturbation=perturbation, bn_groups='separate')
        torch.manual_seed(1)
        data = model.data_preprocessor(batch, True)
        values.append(model(data['inputs'], data['targets'], mode='loss'))
    for name in ('loss_pose_rgb', 'loss_mask_rgb', 'loss_depth_map_rgb'):
        assert torch.equal(values[0][name], values[1][name]), name
    assert float(values[0]['loss_contrast']) != float(values[1]['loss_contrast'])
    sum(values[1].values()).backward()
    assert model.projectors['rgb'].layers[3].bias is None
    assert all(p.grad is not None for p in model.parameters())


def test_a_motion_needs_an_augmented_view():
    with pytest.raises(ConfigError, match='view_perturbation'):
        build(contrast=[], view_perturbation=dict(rotation=45.0))
