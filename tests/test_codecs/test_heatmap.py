"""The heat map codec against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from mmdualhand.codecs import Heatmap, argmax_cells, gaussian_maps
from mmdualhand.errors import ConfigError


def one(x: float, y: float) -> torch.Tensor:
    return torch.tensor([[[x, y]]])


@pytest.mark.parametrize(
    ('point', 'sigma', 'mass'),
    [((30.0, 30.0), 2.0, 25.0813), ((0.0, 0.0), 2.0, 9.0244), ((30.0, 30.0), 1.0, 6.27978)],
)
def test_mass_of_a_window_of_three_sigma(point, sigma, mass):
    maps, weight = Heatmap(sigma=sigma).encode(one(*point))
    assert maps.shape == (1, 1, 64, 64) and maps.max() == 1
    assert maps.sum().item() == pytest.approx(mass, abs=1e-4)
    assert weight.tolist() == [[1.0]]


def test_values_about_the_centre():
    maps, _ = Heatmap(sigma=2.0).encode(one(20.0, 40.0))
    assert maps[0, 0, 40, 20] == 1
    assert maps[0, 0, 40, 24].item() == pytest.approx(math.exp(-2), abs=1e-7)
    assert maps[0, 0, 46, 26].item() == pytest.approx(math.exp(-9), abs=1e-9)
    assert maps[0, 0, 47, 20] == 0 == maps[0, 0, 40, 13]


def test_centres_where_the_joint_is_or_at_the_nearest_pixel():
    exact, _ = Heatmap().encode(one(20.4, 30.0))
    rounded, _ = Heatmap(round_centers=True).encode(one(20.4, 30.0))
    assert rounded[0, 0, 30, 20] == 1
    assert exact[0, 0, 30, 20].item() == pytest.approx(math.exp(-(0.4**2) / 8), abs=1e-6)
    assert torch.equal(rounded, Heatmap().encode(one(20.0, 30.0))[0])


def test_joints_that_are_not_there_have_no_map_and_no_weight():
    uv = torch.tensor([[[-0.4, 5.0], [-0.6, 5.0], [63.4, 5.0], [63.6, 5.0], [torch.nan, 5.0], [5.0, 5.0]]])
    given = torch.tensor([[1.0, 1.0, 0.5, 1.0, 1.0, 0.0]])
    maps, weight = Heatmap().encode(uv, given)
    assert weight.tolist() == [[1.0, 0.0, 0.5, 0.0, 0.0, 0.0]]
    assert (maps.flatten(2).sum(-1) > 0).tolist() == [[True, False, True, False, False, False]]
    assert bool(maps.isfinite().all())


def test_maps_of_another_size_cover_the_same_part_of_the_crop():
    small = Heatmap(input_size=96)
    assert small.heatmap_size == (24, 24) and small.grid_size == (64, 64)
    assert Heatmap(input_size=(128, 256)).heatmap_size == (32, 64)
    # 64-grid pixel 31.5 is the middle of the crop, so the middle of the map: 11.5
    maps, _ = small.encode(one(31.5, 31.5))
    cells = [maps[0, 0, y, x].item() for y in (11, 12) for x in (11, 12)]
    assert cells == pytest.approx([math.exp(-0.5 / (2 * 0.75**2))] * 4, abs=1e-6)
    # the middle of map pixel (5, 8) is (5.5, 8.5) / 24 of the crop
    point = one(5.5 * 64 / 24 - 0.5, 8.5 * 64 / 24 - 0.5)
    maps, _ = small.encode(point)
    assert maps[0, 0, 8, 5].item() == pytest.approx(1.0, abs=1e-6)
    assert torch.allclose(small.decode(maps)[0], point)


@pytest.mark.parametrize(('size', 'cell', 'uv'), [(64, (20, 5), (20.0, 5.0)), (32, (20, 5), (40.5, 10.5))])
def test_decode_finds_the_largest_cell(size, cell, uv):
    maps = torch.zeros(1, 1, size, size)
    maps[0, 0, cell[1], cell[0]] = 0.7
    found, score = Heatmap().decode(maps)
    assert found[0, 0].tolist() == pytest.approx(uv)
    assert score.item() == pytest.approx(0.7)


def test_quarter_shift_goes_to_the_larger_neighbour():
    codec = Heatmap(quarter_shift=True)
    maps, _ = codec.encode(torch.tensor([[[20.3, 30.0], [20.0, 29.6], [0.4, 63.0], [10.0, 10.0]]]))
    found, _ = codec.decode(maps)
    expected = torch.tensor([[[20.25, 30.0], [20.0, 29.75], [0.0, 63.0], [10.0, 10.0]]])
    assert torch.allclose(found, expected)


def test_scores():
    maps = torch.zeros(1, 2, 64, 64)
    maps[0, 0, 10, 10] = 50.0
    _, mass = Heatmap(score='mass').decode(maps)
    # all of the softmax in one cell; none of it anywhere: nine of 4096 cells, four in the corner
    assert mass[0].tolist() == pytest.approx([1.0, 4 / 4096], abs=1e-5)
    _, peak = Heatmap(score='peak').decode(maps - 0.5)
    assert peak[0].tolist() == [1.0, 0.0]


def test_argmax_and_gaussians_agree():
    cells = torch.tensor([[[3.0, 60.0], [17.0, 0.0]]])
    found, value = argmax_cells(gaussian_maps(cells, (64, 64), 2.0))
    assert torch.equal(found, cells) and torch.equal(value, torch.ones(1, 2))


@pytest.mark.parametrize('wrong', [dict(sigma=0.0), dict(score='best')])
def test_settings_without_meaning(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Heatmap(**wrong)


def test_shapes_are_checked():
    with pytest.raises(ValueError, match='uv'):
        Heatmap().encode(torch.zeros(3, 2))
    with pytest.raises(ValueError, match='weight'):
        Heatmap().encode(torch.zeros(3, 4, 2), torch.ones(3))
    with pytest.raises(ValueError, match='heatmaps'):
        Heatmap().decode(torch.zeros(3, 4, 2))
