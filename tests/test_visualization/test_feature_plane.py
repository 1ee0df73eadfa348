"""Principal components and cosines by hand, t-SNE where scikit-learn is."""

from __future__ import annotations

import builtins
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdualhand.errors import ConfigError, MissingPackageError
from mmdualhand.visualization.feature_plane import (
    draw_planes,
    neighbour_plane,
    pair_similarity,
    principal_plane,
)


def test_components_of_a_known_ellipse() -> None:
    along, across = np.array([3.0, 4.0, 0.0]) / 5, np.array([0.0, 0.0, 1.0])
    features = np.array([10.0, 20.0, 30.0]) + np.stack([4 * along, -4 * along, 3 * across, -3 * across])
    plane = principal_plane(features)
    np.testing.assert_allclose(plane.points, [[4, 0], [-4, 0], [0, 3], [0, -3]], atol=1e-9)
    assert plane.explained == pytest.approx((16 / 25, 9 / 25))


def test_a_plane_needs_features() -> None:
    for wrong in (np.zeros((2, 4)), np.zeros((5, 1)), np.full((5, 3), np.nan)):
        with pytest.raises(ConfigError, match='at least 3'):
            principal_plane(wrong)
    assert principal_plane(np.ones((4, 3))).explained == (0.0, 0.0)


def test_cosines_by_hand() -> None:
    a = np.array([[2.0, 0.0], [0.0, 3.0]])
    b = np.array([[1.0, 0.0], [1.0, 1.0]])
    same, other = pair_similarity(a, b)
    assert same == pytest.approx((1 + np.sqrt(0.5)) / 2) and other == pytest.approx(np.sqrt(0.5) / 2)
    assert np.isnan(pair_similarity(a[:1], b[:1])[1])


def test_picture_of_planes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    panels = {name: {branch: rng.normal(size=(9, 2)) for branch in ('rgb', 'fused')} for name in 'ab'}
    draw_planes(panels, tmp_path / 'new' / 'two.png', axis_names={'a': ('x', 'y')})
    draw_planes({'a': panels['a']}, tmp_path / 'one.png', links=False)
    two, one = (cv2.imread(str(tmp_path / name)) for name in ('new/two.png', 'one.png'))
    assert two.shape[1] > 1.8 * one.shape[1]
    blue = (np.abs(one[..., ::-1].astype(int) - (0x2F, 0x74, 0xC0)) < 60).all(axis=-1)
    assert blue.sum() > 200


def test_without_scikit_learn_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: object, **kwargs: object) -> object:
        if name.startswith('sklearn'):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', missing)
    with pytest.raises(MissingPackageError, match='pip install'):
        neighbour_plane(np.zeros((9, 3)))


def test_neighbours_stay_neighbours() -> None:
    pytest.importorskip('sklearn', reason='t-SNE is an optional extra: pip install "mmdualhand[pictures]"')
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(size=(15, 8)), rng.normal(size=(15, 8)) + 20])
    points = neighbour_plane(features, perplexity=500).points
    centres = points[:15].mean(axis=0), points[15:].mean(axis=0)
    spread = np.linalg.norm(points[:15] - centres[0], axis=1).mean()
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * spread
    with pytest.raises(ConfigError, match='at least 6'):
        neighbour_plane(features[:3])
