"""Motions of the image plane: signs, exactness, inverses, and the mixture of SemiHand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mmdualhand.errors import ConfigError
from mmdualhand.models import AffinePerturbation, Warp
from mmdualhand.models.perturbation import (
    identity_warp,
    unwarp_images,
    unwarp_points,
    unwarp_pose25d,
    warp_images,
    warp_matrix,
    warp_points,
    warp_pose25d,
)

SIZE = (64, 48)


def motion(angle=0.0, shift=(0.0, 0.0), scale=1.0, flip=False, rows=1):
    one = torch.ones(rows)
    return Warp(angle * one, torch.tensor(shift).repeat(rows, 1), scale * one, (one > 0) & flip)


def blobs(uv, size=64, sigma=2.0):
    """``(1, K, size, size)`` Gaussians at uv ``(1, K, 2)``."""
    cells = torch.arange(size, dtype=torch.float64)
    du, dv = cells - uv[..., 0].double()[..., None], cells - uv[..., 1].double()[..., None]
    return torch.exp(-(dv[..., :, None] ** 2 + du[..., None, :] ** 2) / (2 * sigma**2)).float()


def centroid(maps):
    mass = maps.sum((-2, -1))
    cells = torch.arange(maps.shape[-1], dtype=maps.dtype)
    return torch.stack([(maps.sum(-2) * cells).sum(-1), (maps.sum(-1) * cells).sum(-1)], -1) / mass[..., None]


def test_a_positive_angle_turns_counter_clockwise_as_opencv_does():
    right = torch.tensor([[[63.0, 23.5]]])  # from the centre (31.5, 23.5) to the right
    assert torch.allclose(warp_points(right, motion(90.0), SIZE), torch.tensor([[[31.5, -8.0]]]))
    for angle in (30.0, -75.0):
        wanted = cv2.getRotationMatrix2D((31.5, 23.5), angle, 1.0)
        assert warp_matrix(motion(angle), SIZE)[0, :2].numpy() == pytest.approx(wanted, abs=1e-6)


def test_mirror_then_turn_then_shift():
    """u = 10 is mirrored to 53; (21.5, 0) from the centre turned by 90 is (0, -21.5); then 8 px right."""
    moved = warp_points(torch.tensor([[[10.0, 31.5]]]), motion(90.0, (0.125, 0.0), flip=True), 64)
    assert torch.allclose(moved, torch.tensor([[[39.5, 10.0]]]))


CASES = [*((angle, (0, 0)) for angle in (2.0, -2.0, 90.0, 180.0, 270.0)), (0.0, (5 / 64, -3 / 64))]


@pytest.mark.parametrize(('angle', 'shift'), [*CASES, (33.0, (0.1, 0.2))])
@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('scale', [1.0, 0.8])
def test_points_come_back(angle, shift, flip, scale):
    warp = motion(angle, shift, scale, flip)
    uv = torch.rand(1, 21, 2, dtype=torch.float64) * 64
    moved = warp_points(uv, warp, 64)
    assert (moved - uv).abs().max() > 1
    assert torch.allclose(unwarp_points(moved, warp, 64), uv, atol=1e-10)
    assert torch.allclose(warp_points(unwarp_points(uv, warp, 64), warp, 64), uv, atol=1e-10)


def test_quarter_turns_whole_shifts_and_mirrors_permute_pixels():
    x = torch.rand(6, 3, 64, 64)
    warps = [motion(90.0 * k) for k in range(4)] + [motion(flip=True), motion(shift=(5 / 64, -3 / 64))]
    warp = Warp(*(torch.cat(parts) for parts in zip(*warps, strict=True)))
    moved = warp_images(x, warp, fill=7.0)
    for k in range(4):
        assert torch.equal(moved[k], torch.rot90(x[k], k, (1, 2)))
    assert torch.equal(moved[4], x[4].flip(2))
    assert torch.equal(moved[5, :, :61, 5:], x[5, :, 3:, :59])
    assert (moved[5, :, :, :5] == 7).all() and (moved[5, :, 61:] == 7).all()
    assert torch.equal(unwarp_images(moved, warp)[:5], x[:5])


def test_identity_is_the_array_itself_on_any_size():
    x = torch.rand(2, 1, 5, 9)
    assert torch.equal(warp_images(x, identity_warp(2)), x)


@pytest.mark.parametrize(('angle', 'shift'), [*CASES, (30.0, (0.05, 0.03)), (-17.0, (0, 0))])
@pytest.mark.parametrize('flip', [False, True])
def test_peaks_of_maps_move_with_the_points(angle, shift, flip):
    warp = motion(angle, shift, flip=flip)
    uv = torch.tensor([[[24.3, 30.7], [40.0, 35.2], [31.5, 20.1]]])
    moved = warp_images(blobs(uv), warp)
    wanted = warp_points(uv, warp, 64)
    assert (centroid(moved) - wanted).abs().max() < 0.02
    assert (centroid(unwarp_images(moved, warp)) - uv).abs().max() < 0.1


def test_images_have_gradients_through_both_ways_of_sampling():
    x = torch.rand(2, 1, 8, 8, requires_grad=True)
    warp = Warp(torch.tensor([90.0, 10.0]), torch.zeros(2, 2), torch.ones(2), torch.zeros(2) > 0)
    warp_images(x, warp)[:, :, 2:6, 2:6].sum().backward()
    assert x.grad[0].sum() == 16 and x.grad[1].sum() == pytest.approx(16, abs=0.5)
    assert (x.grad[1, 0, 3:5, 3:5] > 0.5).all()


def test_depths_of_a_pose_stay_and_a_change_of_size_must_be_wanted():
    pose = torch.rand(2, 21, 3) * 40
    warp = motion(20.0, (0.1, 0.0), rows=2)
    moved = warp_pose25d(pose, warp)
    assert torch.equal(moved[..., 2], pose[..., 2])
    assert torch.allclose(moved[..., :2], warp_points(pose[..., :2], warp, 64))
    assert torch.allclose(unwarp_pose25d(moved, warp), pose, atol=1e-4)
    bigger = motion(scale=1.1, rows=2)
    with pytest.raises(ValueError, match='size of the hand'):
        warp_pose25d(pose, bigger)
    assert torch.equal(warp_pose25d(pose, bigger, rescaled=True)[..., 2], pose[..., 2])


def test_the_mixture_moves_every_row_in_one_way_and_uses_all():
    draw = AffinePerturbation(shift=5 / 64, rotation=2.0, quarter_turns=True, choose_one=True)
    warp = draw.sample(600, generator=torch.Generator().manual_seed(0))
    shifted = warp.shift.abs().amax(1) > 0
    quarter = warp.angle.abs() > 2
    turned = (warp.angle != 0) & ~quarter
    assert (shifted.int() + quarter.int() + turned.int() == 1).all()
    assert all(150 < int(kind.sum()) < 250 for kind in (shifted, quarter, turned))
    assert set(warp.angle[quarter].tolist()) == {90.0, 180.0, 270.0}
    assert 4.5 < float(warp.shift.abs().max()) * 64 <= 5
    assert (warp.scale == 1).all() and not warp.flip.any()


def test_ranges_of_independent_draws():
    draw = AffinePerturbation(rotation=45.0, shift=0.1, scale=(0.8, 1.2), quarter_turns=True, flip=0.25)
    warp = draw.sample(4000, generator=torch.Generator().manual_seed(1))
    rest = (warp.angle + 45) % 90 - 45
    assert float(rest.abs().max()) <= 45 and 40 < np.std(warp.angle.numpy() / 2.5) < 46
    assert 0.79 < float(warp.scale.min()) < 0.82 and 1.18 < float(warp.scale.max()) < 1.21
    assert float(warp.flip.float().mean()) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    'settings',
    [
        dict(rotation=-1.0),
        dict(shift=1.5),
        dict(flip=2.0),
        dict(scale=(0.0, 1.0)),
        dict(scale=(1.2, 0.8)),
        dict(choose_one=True),
        dict(choose_one=True, shift=0.1, scale=(0.9, 1.1)),
    ],
)
def test_settings_without_meaning(settings):
    with pytest.raises(ConfigError, match='AffinePerturbation'):
        AffinePerturbation(**settings)
