"""The hand of circles: centres, distances, energy, and radii that are fitted to masks."""

from __future__ import annotations

import pytest
import torch

from mmdualhand.errors import ConfigError
from mmdualhand.models import MultiModalPrediction, SilhouetteCircleLoss
from mmdualhand.models.hand_circles import (
    NUM_CIRCLES,
    CircleRadii,
    circle_distance,
    circle_weights,
    pixel_places,
    silhouette_terms,
)
from mmdualhand.testing import tiny_batch

CENTRES, RADII = torch.tensor([[[0.0, 0.0], [10.0, 0.0]]]), torch.tensor([[1.0, 2.0]])


@pytest.mark.parametrize(
    ('place', 'mask', 'distance'),
    [((3, 0), 1, 2), ((0, 0), 0, 1), ((0.5, 0), 1, 0), ((7, 0), 1, 1), ((9, 0), 0, 1), ((3, 0), 0, 0)],
)
def test_distances_of_two_circles(place, mask, distance):
    signed = circle_distance(torch.tensor([place]).float(), CENTRES, RADII)
    _, found = silhouette_terms(signed, torch.tensor([[float(mask)]]), 0.5)
    assert float(found) == pytest.approx(distance, abs=1e-3)


def test_the_drawing_is_one_inside_and_one_half_on_the_edge():
    places = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0]])
    drawn, _ = silhouette_terms(circle_distance(places, CENTRES, RADII), torch.zeros(1, 3), 0.1)
    assert drawn[0].tolist() == pytest.approx([1.0, 0.5, 0.0], abs=1e-3)


def test_centres_cut_bones_into_thirds():
    weights = circle_weights()
    assert weights.shape == (NUM_CIRCLES, 21) and torch.allclose(weights.sum(1), torch.ones(55))
    line = torch.arange(21.0)[:, None].expand(21, 2)  # every finger a line: joint k at (k, k)
    places = (weights @ line)[:, 0]
    assert places[:11].tolist() == pytest.approx(
        [1, 4 / 3, 5 / 3, 2, 7 / 3, 8 / 3, 3, 10 / 3, 11 / 3, 1 / 3, 2 / 3]
    )
    tips = [4, 8, 12, 16, 20]
    assert not ((weights[:, tips] > 0.99).any()) and (weights[:, 0] > 0).sum() == 10


def test_pixels_of_a_coarse_map_lie_on_the_64_grid():
    places = pixel_places(16, 16, torch.zeros(1))
    assert places[0].tolist() == [1.5, 1.5] and places[17].tolist() == [5.5, 5.5]


def disc(centre, radius, size=64):
    cells = torch.arange(size).float()
    away = (cells[None] - centre[0]) ** 2 + (cells[:, None] - centre[1]) ** 2
    return (away <= radius**2).float()[None, None]


def test_energy_of_one_disc_vanishes_at_its_place_and_pulls_back_to_it():
    """All joints in one point: the circles are one disc of radius 8."""
    loss = SilhouetteCircleLoss(temperature=0.05)
    mask, radii = disc((30.0, 33.0), 8.0), torch.full((1, 55), 8.25)
    at = torch.tensor([30.0, 33.0]).expand(1, 21, 2)
    assert float(loss.energy(at, mask, radii)) < 0.01
    away = (at + torch.tensor([3.0, 0.0])).requires_grad_()
    value = loss.energy(away, mask, radii)
    value.backward()
    assert float(value) > 0.05
    pull = away.grad.sum((0, 1))
    assert float(pull[0]) > 0.01 and abs(float(pull[1])) < 0.1 * float(pull[0])


def test_radii_follow_the_size_of_the_hand_and_not_its_place():
    torch.manual_seed(0)
    network = CircleRadii(16).eval()
    uv = torch.rand(3, 21, 2) * 40
    radii = network(uv)
    assert (radii > 0).all()
    assert torch.allclose(network(2 * uv + 5), 2 * radii, rtol=1e-3)


def labelled(rows=24):
    targets = tiny_batch(rows, 64)
    mask = targets['inputs']['mask'].float().clamp(0, 1)
    return targets['targets']['pose25d'][..., :2], torch.nn.functional.max_pool2d(mask, 2)


def test_fitting_lowers_the_energy_and_freezes():
    torch.manual_seed(0)
    loss = SilhouetteCircleLoss()
    uv, mask = labelled()
    before = float(loss.energy(uv, mask, loss.radii(uv)))
    energies = loss.fit(uv, mask, steps=40, batch_size=12, lr=1e-2)
    after = float(loss.energy(uv, mask, loss.radii(uv)))
    assert after < 0.7 * before and energies[-1] < energies[0]
    assert bool(loss.fitted) and not any(p.requires_grad for p in loss.parameters())
    assert not loss.train().radii.training
    other = SilhouetteCircleLoss()
    other.load_state_dict(loss.state_dict())
    assert bool(other.fitted) and torch.equal(other.radii(uv), loss.radii(uv))


def test_the_loss_moves_joints_alone():
    loss = SilhouetteCircleLoss()
    pose = (torch.rand(2, 21, 3) * 20 + 20).requires_grad_()
    mask = torch.rand(2, 1, 16, 16, requires_grad=True)
    loss(MultiModalPrediction(pose, mask, mask))['loss_silhouette'].backward()
    assert mask.grad is None and float(pose.grad[..., :2].abs().sum()) > 0
    assert float(pose.grad[..., 2].abs().sum()) == 0


def test_settings_without_meaning():
    for settings in (dict(temperature=0.0), dict(render_weight=-1.0)):
        with pytest.raises(ConfigError, match='SilhouetteCircleLoss'):
            SilhouetteCircleLoss(**settings)
