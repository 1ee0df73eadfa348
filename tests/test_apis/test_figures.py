"""Figures of checkpoints: what a look holds, which pictures are chosen, what is on them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from mmdualhand.apis.figures import (
    Look,
    NamedNetwork,
    attention_figure,
    compare_figure,
    failure_figure,
    feature_figure,
    load_networks,
    look_twice,
    pck_figure,
    pick_rows,
)
from mmdualhand.apis.figures import failures as figures
from mmdualhand.apis.figures.attention import _limits
from mmdualhand.apis.figures.cells import SIDE, pose_cell
from mmdualhand.apis.figures.failures import Failure, inconsistent, self_occluded
from mmdualhand.apis.figures.features import collect_features
from mmdualhand.apis.figures.looks import default_names
from mmdualhand.engine.labels.batches import clean_batches
from mmdualhand.errors import ConfigError
from mmdualhand.models import DepthAttention
from mmdualhand.models.estimators.predicted_depth import depth_input
from mmdualhand.structures import HandDataSample
from mmdualhand.visualization import first_field
from mmdualhand.visualization.figure_grid import GAP, MARGIN
from tests.fixtures.report_networks import write_checkpoint

NAN = float('nan')


@pytest.fixture(scope='module')
def networks(stb_comparison) -> list[NamedNetwork]:
    return load_networks([stb_comparison.before, stb_comparison.after], stb_comparison.config, ['old', 'new'])


@pytest.fixture(scope='module')
def looks(networks) -> list[list[Look]]:
    return [look_twice(one.network, [0, 2]) for one in networks]


def test_names_are_folders_unless_they_are_equal(stb_comparison) -> None:
    paths = ['runs/a/epoch_1.pth', 'runs/b/epoch_1.pth', 'other/b/last.pth']
    assert default_names(paths) == ['a', 'b/epoch_1', 'b/last']
    with pytest.raises(ConfigError, match='as many as checkpoints'):
        load_networks(paths, stb_comparison.config, ['one'])
    with pytest.raises(ConfigError, match='not all different'):
        load_networks(paths, stb_comparison.config, ['one', 'one', 'two'])


def test_a_look_is_both_passes_with_the_predicted_depth_map(networks, looks) -> None:
    model, dataset = networks[0].network.model, networks[0].network.dataset
    batch = next(iter(clean_batches(dataset, [2], 1)))
    rgb = model.data_preprocessor(batch, training=False)['inputs']['rgb']
    with torch.no_grad():
        depth = depth_input(model.extract({'rgb': rgb})['rgb'], rgb.shape[-2:])
        both = model.extract({'rgb': rgb, 'depth': depth})
        features = model.backbone.encode(rgb, depth, keep_stages=True)
    look = looks[0][1]
    assert set(look.poses) == {'rgb', 'depth', 'fused'} and len(look.attention['depth']) == 5
    for branch, pose in look.poses.items():
        np.testing.assert_allclose(pose, both[branch].pose25d[0], atol=1e-3)
    predicted = first_field(look.sample, 'pred_instances', 'pose25d')
    np.testing.assert_allclose(look.poses['rgb'], predicted, atol=1e-3)
    for stage, weights in enumerate(look.attention['rgb']):
        expected = DepthAttention().weights(features.stages['rgb'][stage])[0, 0]
        np.testing.assert_allclose(weights, expected, atol=1e-4)
        assert weights.mean() == pytest.approx(1.0, abs=1e-4)
    stem = first_field(look.sample, 'pred_attention', 'weights')
    np.testing.assert_allclose(look.attention['depth'][0], np.squeeze(stem), atol=1e-4)


def test_error_in_shares_of_the_crop(looks) -> None:
    look = looks[0][0]
    true, found = (first_field(look.sample, key, 'keypoints') for key in ('gt_instances', 'pred_instances'))
    matrix = np.asarray(look.sample.metainfo['crop_matrix'])[:2, :2]
    moved = np.linalg.norm((true - found) @ matrix.T, axis=-1) / 64
    np.testing.assert_allclose(look.crop_share, moved, rtol=1e-5)
    assert Look(HandDataSample()).crop_share is None


def network_of(errors: list[float]) -> NamedNetwork:
    stub = SimpleNamespace(errors=lambda: np.array(errors), dataset=range(len(errors)))
    return NamedNetwork('stub', stub)


def test_chosen_pictures_by_hand() -> None:
    first, last = network_of([10.0, 50.0, NAN, 30.0, 20.0]), network_of([12.0, 20.0, 5.0, 29.0, 40.0])
    both = [first, last]
    assert pick_rows(both, 'spread', 2)[0] == [1, 3] and pick_rows(both, 'spread', 9)[0] == [0, 1, 2, 3, 4]
    assert pick_rows(both, 'quantiles', 2)[0] == [4, 3]  # ranks 0.25 and 0.75 of 10 20 30 50: 20 and 30
    assert pick_rows(both, 'worst', 2)[0] == [4, 3]
    rows, words = pick_rows(both, 'gain', 2)
    assert rows == [1, 3] and 'falls most' in words
    assert pick_rows(both, 'gain', 1, samples=[4, 0]) == ([4, 0], 'chosen by hand')
    with pytest.raises(ConfigError, match='0 to 4'):
        pick_rows(both, 'spread', 1, samples=[5])
    with pytest.raises(ConfigError, match='pick must be one of'):
        pick_rows(both, 'best', 1)
    with pytest.raises(ConfigError, match='no test picture'):
        pick_rows([network_of([NAN])], 'worst', 1)
    with pytest.raises(ConfigError, match='--count'):
        pick_rows(both, 'spread', 0)


def cell(figure: np.ndarray, row: int, column: int, top: int, left: int) -> np.ndarray:
    return figure[top + row * (SIDE + GAP) :, left + column * (SIDE + GAP) :][:SIDE, :SIDE]


def test_attention_has_a_row_a_network(networks) -> None:
    columns = ('picture', 'depth-attention', 'rgb-attention')
    figure = attention_figure(networks, [1], columns=columns, chosen='x')
    top, left = MARGIN + 48, MARGIN + 24
    rows = [[cell(figure, row, column, top, left) for column in range(3)] for row in (0, 1)]
    assert np.array_equal(rows[0][0], rows[1][0])  # the same picture
    assert (rows[0][1] != rows[1][1]).any() and (rows[0][1] != rows[0][2]).any()
    wider = attention_figure(networks, [1])
    assert wider.shape[1] - figure.shape[1] == 3 * (SIDE + GAP)
    with pytest.raises(ConfigError, match="did you mean 'depth-attention'"):
        attention_figure(networks, [0], columns=('depth-attentoin',))
    with pytest.raises(ConfigError, match='--stage must be one of stem, layer1'):
        attention_figure(networks, [0], stage='layer9')


def test_colours_do_not_depend_on_the_border_of_a_map() -> None:
    weights = np.full((40, 40), 1.0)
    weights[0] = 50.0
    weights[10:20, 10:20] = 2.0
    look = Look(HandDataSample(), attention={'depth': [weights], 'rgb': [weights]})
    assert _limits([look], 'depth', 0) == (1.0, 2.0)
    flat = Look(HandDataSample(), attention={'depth': [np.ones((40, 40))]})
    assert _limits([flat], 'depth', 0) is None and _limits([Look(HandDataSample())], 'depth', 0) is None


def test_networks_without_depth_have_no_attention(stb_comparison, tmp_path) -> None:
    rgb = write_checkpoint(tmp_path / 'rgb.pth', 3, branches=('rgb',))
    plain = load_networks([rgb], stb_comparison.config)
    with pytest.raises(ConfigError, match='has a depth encoder'):
        attention_figure(plain, [0])
    look = look_twice(plain[0].network, [0])[0]
    assert set(look.poses) == {'rgb'} and not look.attention
    figure, failures = failure_figure(plain[0], [0, 1], 1)
    assert 0.0 <= failures[0].disagreement <= 1.0 and figure.shape[1] > 6 * SIDE
    features, kind = collect_features(plain[0].network, [0, 1])
    assert kind == 'latent' and set(features) == {'rgb'}


def test_comparison_has_a_column_a_network(networks) -> None:
    figure = compare_figure(networks, [0, 1], chosen='x')
    assert figure.shape[1] == 2 * MARGIN + 4 * (SIDE + GAP) - GAP
    plain = compare_figure(networks, [0, 1], view=None, chosen='x')
    assert figure.shape[0] - plain.shape[0] == 2 * (SIDE + GAP)
    top = MARGIN + 48
    poses = [cell(figure, 0, column, top, MARGIN) for column in range(4)]
    assert all((one != other).any() for place, one in enumerate(poses) for other in poses[place + 1 :])
    with pytest.raises(ConfigError, match='--view'):
        compare_figure(networks, [0], view='back')


def test_needles_mark_joints_that_are_far_off(looks) -> None:
    look = looks[0][0]
    assert (look.crop_share > 0.05).any()  # an untrained network
    marked, plain = (pose_cell(look, mark=mark).picture for mark in (True, False))
    changed = (marked != plain).any(axis=-1)
    red = (marked[changed][:, 0] > 200) & (marked[changed][:, 1] < 90)
    assert changed.any() and red.mean() > 0.2
    look.sample.pred_instances.keypoints = look.sample.gt_instances.keypoints.copy()
    assert np.array_equal(pose_cell(look, mark=True).picture, pose_cell(look).picture)


def test_failures_by_hand() -> None:
    numbers = [(0.1, 0.3, 0.2), (0.4, 0.1, 0.9), (NAN, 0.2, 0.5), (0.2, 0.0, NAN)]
    failures = [Failure(Look(HandDataSample()), *one) for one in numbers]
    assert inconsistent(failures, 2) == [failures[1], failures[3]]
    assert self_occluded(failures, 3) == [failures[2], failures[0]]  # by error, of those that hide much
    unlabelled = [Failure(Look(HandDataSample()), 0.0, hidden, NAN) for hidden in (0.2, 0.5, 0.1)]
    assert self_occluded(unlabelled, 3) == [unlabelled[1], unlabelled[0]]


def test_a_failure_is_shown_once(networks, monkeypatch) -> None:
    looks = [Look(HandDataSample()) for _ in range(3)]
    numbers = [(0.4, 0.3, 0.9), (0.1, 0.2, 0.5), (0.2, 0.0, 0.1)]
    measured = dict(zip(map(id, looks), numbers, strict=True))
    monkeypatch.setattr(figures, 'look_twice', lambda network, rows: looks)
    monkeypatch.setattr(figures, 'measure', lambda look: Failure(look, *measured[id(look)]))
    monkeypatch.setattr(figures, '_row', id)
    monkeypatch.setattr(figures, 'figure_grid', lambda blocks, columns, note: [b.rows[0] for b in blocks])
    shown, _ = failure_figure(networks[0], [0, 1, 2], 1)
    assert shown == [id(looks[0]), id(looks[1])]


def test_features_of_all_branches(networks, tmp_path: Path) -> None:
    found = feature_figure(networks[:1], [0, 1, 2, 3], tmp_path / 'features.png')
    assert cv2.imread(str(tmp_path / 'features.png')).shape[0] > 200
    assert found[0]['name'] == 'old' and set(found[0]['cosines']) == {'rgb-depth', 'rgb-fused', 'depth-fused'}
    features, kind = collect_features(networks[0].network, [0, 1, 2, 3])
    assert kind == found[0]['features'] == 'latent'
    expected = np.mean([a @ b for a, b in zip(features['rgb'], features['fused'], strict=True)])
    assert found[0]['cosines']['rgb-fused']['same'] == pytest.approx(expected, abs=1e-5)
    with pytest.raises(ConfigError, match='--method'):
        feature_figure(networks, [0, 1, 2], tmp_path / 'x.png', method='umap')


def test_embeddings_are_those_of_the_loss(stb_comparison, tmp_path: Path) -> None:
    pairs = (('rgb', 'fused'), ('depth', 'depth+'))
    path = write_checkpoint(tmp_path / 'contrast.pth', 5, contrast=pairs)
    network = load_networks([path], stb_comparison.config)[0].network
    features, kind = collect_features(network, [0, 1])
    assert kind == 'embedding' and all(one.shape == (2, 128) for one in features.values())
    for one in features.values():
        np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1.0, atol=1e-5)


def test_curves_of_networks(networks, tmp_path: Path) -> None:
    found = pck_figure(networks, tmp_path / 'new' / 'curves.png', 'STB')
    assert [one['name'] for one in found] == ['old', 'new'] and (tmp_path / 'new' / 'curves.png').is_file()
    for one, network in zip(found, networks, strict=True):
        assert one['metrics']['EPE'] == pytest.approx(np.mean(network.network.errors()), rel=1e-3)
        assert one['curve3d']['pck'] == sorted(one['curve3d']['pck'])
