"""Labels of moved views: they stand where the hand is, and are sure where all views agree."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from mmdualhand.codecs import Heatmap, Pose25D
from mmdualhand.errors import ConfigError
from mmdualhand.pseudo_labels import EquivariantHeatmapLabeler

SIDE = 128
CODEC = Heatmap(SIDE, 64, sigma=1.0)


def blobs(centers, sigma=3.0):
    """Image with one Gaussian blob a colour, ``(1, 3, SIDE, SIDE)``; centres are px of the image."""
    axis = torch.arange(SIDE, dtype=torch.float32)
    rows = [
        torch.exp(-((axis[None] - u) ** 2 + (axis[:, None] - v) ** 2) / (2 * sigma**2)) for u, v in centers
    ]
    return torch.stack(rows)[None]


class PoolingModel:
    """Its heat maps are the picture itself in a coarser grid, seven joints a colour."""

    def look(self, rgb):
        return {'rgb': SimpleNamespace(heatmaps=F.avg_pool2d(rgb, 2).repeat(1, 7, 1, 1))}


class StubbornModel:
    """Sees the hand in one place whatever the picture."""

    def look(self, rgb):
        maps, _ = CODEC.encode(torch.tensor([[[44.0, 20.0]]]).expand(len(rgb), 21, 2))
        return {'rgb': SimpleNamespace(heatmaps=maps)}


CENTERS = [(40.0, 70.5), (90.25, 51.0), (63.5, 63.5)]


@pytest.mark.parametrize('options', [dict(num_views=1), dict(), dict(num_views=12, seed=3), dict(flip=True)])
def test_keypoints_of_an_equivariant_network_are_within_a_cell(options):
    labeler = EquivariantHeatmapLabeler(CODEC, **options)
    poses, facts = labeler.look(PoolingModel(), blobs(CENTERS))
    expected = (torch.tensor(CENTERS) + 0.5) / 2 - 0.5
    error = (poses['rgb'][0, :3, :2] - expected).norm(dim=-1)
    assert error.max() < 0.6, error  # the original's own alignment is off by up to 0.9
    peak = F.avg_pool2d(blobs(CENTERS), 2).amax((2, 3))[0]
    assert torch.allclose(facts['pred_scores'][0, :3], peak, atol=0.08)
    assert torch.equal(poses['rgb'][..., 2], torch.zeros(1, 21))


def test_confidence_is_the_share_of_views_that_agree():
    """Four of five views see the same cell of the moved image elsewhere, once it is moved back."""
    one = EquivariantHeatmapLabeler(CODEC, num_views=1).look(StubbornModel(), blobs(CENTERS))[1]
    five = EquivariantHeatmapLabeler(CODEC).look(StubbornModel(), blobs(CENTERS))[1]
    assert one['pred_scores'].tolist() == [[1.0] * 21]
    assert 0.2 - 1e-6 <= float(five['pred_scores'].min()) and float(five['pred_scores'].max()) < 0.5


def test_views_are_those_of_the_paper():
    labeler = EquivariantHeatmapLabeler(CODEC, num_views=400)
    assert (labeler.angles[0], labeler.scales[0]) == (0.0, 1.0)
    angles, scales = torch.tensor(labeler.angles[1:]), torch.tensor(labeler.scales[1:])
    assert angles.abs().max() == 60 and float(angles.std()) == pytest.approx(28, abs=3)
    assert (scales.min(), scales.max()) == (0.75, 1.25) and float((scales == 0.75).float().mean()) > 0.1


def test_labels_do_not_depend_on_the_batch_or_the_call():
    rgb = torch.rand(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    labeler = EquivariantHeatmapLabeler(CODEC)
    together, _ = labeler.look(PoolingModel(), rgb)
    torch.manual_seed(7)
    alone = [EquivariantHeatmapLabeler(CODEC).look(PoolingModel(), row[None])[0]['rgb'] for row in rgb]
    assert torch.equal(together['rgb'], torch.cat(alone))


def test_labels_and_their_weights():
    labeler = EquivariantHeatmapLabeler(CODEC, selector=dict(type='CurriculumQuantile', schedule=[(0, 0.4)]))
    pose = torch.rand(2, 21, 3)
    pose[1, 4] = torch.nan
    scores = torch.linspace(0.1, 0.94, 42).view(2, 21)
    labels = labeler.eval()({'rgb': pose}, {'pred_scores': scores}, 0.9)
    assert torch.allclose(labels.confidence[0], 1 - scores[0])
    assert torch.isinf(labels.confidence[1, 4]) and labels.weight[1, 4] == 0
    assert torch.equal(labels.pose25d[1, 4], torch.zeros(3)) and torch.equal(labels.pose25d[0], pose[0])
    every = labeler.selector.of_dataset(1 - scores)
    assert every.flatten().tolist() == [0.0] * 25 + [1.0] * 17  # 42 - floor(0.6 * 43)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(num_views=0), 'num_views'),
        (dict(scale=1.0), 'scale'),
        (dict(selector=dict(type='Quantile')), 'per_joint'),
        (dict(codec=Pose25D(SIDE)), 'Heatmap'),
        (dict(temporal=dict(ratio=0.0)), 'ratio'),
    ],
)
def test_settings_without_meaning(options, message):
    with pytest.raises(ConfigError, match=message):
        EquivariantHeatmapLabeler(**{'codec': CODEC, **options})


def test_needs_a_look_of_its_own():
    with pytest.raises(ConfigError, match='epoch'):
        EquivariantHeatmapLabeler(CODEC)({'rgb': torch.zeros(1, 21, 3)}, {})
