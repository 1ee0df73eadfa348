"""The z-buffer: pictures worked out by hand, and both back ends against each other."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.errors import MissingPackageError
from mmdualhand.synthesis import raster
from mmdualhand.synthesis.raster import rasterise

BACKENDS = [
    'numpy',
    pytest.param('numba', marks=pytest.mark.skipif(raster.numba is None, reason='numba is not installed')),
]
# A right triangle that covers pixels with u + v <= 3; front-facing (clockwise on the screen, y down).
UV = np.array([[0.0, 0.0], [0.0, 3.0], [3.0, 0.0]])
FRONT = np.array([[0, 1, 2]])


@pytest.mark.parametrize('backend', BACKENDS)
def test_coverage_by_hand(backend: str) -> None:
    result = rasterise(UV, np.full(3, 500.0), FRONT, 5, 4, backend)
    expected = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], bool)
    np.testing.assert_array_equal(result.triangle >= 0, expected)
    np.testing.assert_array_equal(result.depth, np.where(expected, np.float32(500), 0))
    assert result.depth.dtype == np.float32 and result.triangle.dtype == np.int32


@pytest.mark.parametrize('backend', BACKENDS)
def test_depth_and_weights_are_those_of_the_plane(backend: str) -> None:
    """Corners at 200, 400 and 400 mm: half-way along an edge 1/z is the mean, so z = 800/3."""
    result = rasterise(UV * 2, np.array([200.0, 400.0, 400.0]), FRONT, 8, 8, backend)
    assert result.depth[3, 0] == pytest.approx(800 / 3)
    # 1/z weights .5/200 and .5/400 over their sum: 2/3 and 1/3
    np.testing.assert_allclose(result.barycentric[3, 0], [2 / 3, 1 / 3], rtol=1e-6)
    values = result.interpolate(np.array([[0.0], [3.0], [30.0]]), FRONT)
    place = np.flatnonzero((np.argwhere(result.triangle >= 0) == [3, 0]).all(1))
    np.testing.assert_allclose(values[place], [[1.0]], atol=1e-5)


@pytest.mark.parametrize('backend', BACKENDS)
def test_the_nearer_triangle_wins_and_the_first_of_equals(backend: str) -> None:
    uv, z = np.tile(UV, (3, 1)), np.repeat([600.0, 500.0, 500.0], 3)
    triangles = np.arange(9).reshape(3, 3)
    result = rasterise(uv, z, triangles, 4, 4, backend)
    assert set(result.triangle[result.triangle >= 0]) == {1}
    assert result.depth[0, 0] == 500.0


@pytest.mark.parametrize('backend', BACKENDS)
def test_back_faces_near_and_broken_corners_are_left_out(backend: str) -> None:
    z = np.full(3, 500.0)
    assert (rasterise(UV, z, FRONT[:, ::-1], 4, 4, backend).triangle == -1).all()
    assert (rasterise(UV, z, FRONT[:, ::-1], 4, 4, backend, cull=False).triangle >= 0).sum() == 10
    assert (rasterise(UV, np.array([500.0, 0.5, 500.0]), FRONT, 4, 4, backend).depth == 0).all()
    assert (rasterise(np.where(UV > 2, np.nan, UV), z, FRONT, 4, 4, backend).depth == 0).all()
    assert (rasterise(UV + 100, z, FRONT, 4, 4, backend).depth == 0).all()


@pytest.mark.parametrize('backend', BACKENDS)
def test_no_pixel_falls_between_neighbours(backend: str) -> None:
    """A fan about a pixel centre, its spokes through many others; weights in thirds and sevenths."""
    for shift in (0.0, 1.0 / 3.0, 1.0 / 7.0):
        ring = np.array(
            [[-21.0, -7], [-21, 14], [-7, 21], [14, 21], [21, 7], [21, -14], [7, -21], [-14, -21]]
        )
        uv = np.concatenate([[[0.0, 0.0]], ring]) * (1.0 + shift) + 30.0
        fan = np.array([[0, 1 + k, 1 + (k + 1) % 8] for k in range(8)])
        result = rasterise(uv, np.linspace(400, 500, 9), fan, 61, 61, backend)
        covered = result.triangle[20:41, 20:41] >= 0
        assert covered.all() and len(np.unique(result.triangle)) == 9


def test_a_large_triangle_is_drawn_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    uv = np.array([[-50.0, -50.0], [-50.0, 400.0], [400.0, -50.0], [3.0, 3.0], [3.0, 9.0], [9.0, 3.0]])
    z, triangles = np.array([700.0] * 3 + [600.0] * 3), np.array([[0, 1, 2], [3, 4, 5]])
    whole = rasterise(uv, z, triangles, 64, 48, 'numpy')
    monkeypatch.setattr(raster, '_PIXELS_AT_ONCE', 100)
    pieces = rasterise(uv, z, triangles, 64, 48, 'numpy')
    assert (whole.triangle >= 0).all() and (whole.triangle == 1).sum() == 28
    np.testing.assert_array_equal(whole.triangle, pieces.triangle)
    np.testing.assert_array_equal(whole.depth, pieces.depth)


@pytest.mark.skipif(raster.numba is None, reason='numba is not installed')
@pytest.mark.parametrize('seed', [0, 1])
def test_numba_equals_numpy(seed: int) -> None:
    """Thousands of random triangles, some sharing corners on pixel centres, and equal depths."""
    rng = np.random.default_rng(seed)
    uv = rng.uniform(-10, 90, (3000, 2))
    uv[::3] = np.rint(uv[::3])
    z = np.where(rng.random(3000) < 0.2, 500.0, rng.uniform(-100, 900, 3000))
    triangles = rng.integers(0, 3000, (4000, 3))
    near = uv[triangles[:, :1]] + rng.normal(0, 3, (4000, 3, 2))
    corners = np.arange(12000).reshape(-1, 3)
    for points, depth, faces in (
        (uv, z, triangles[:50]),
        (near.reshape(-1, 2), np.repeat(z[triangles[:, 0]], 3), corners),
    ):
        first = rasterise(points, depth, faces, 80, 70, 'numpy', cull=False)
        second = rasterise(points, depth, faces, 80, 70, 'numba', cull=False)
        assert (first.triangle >= 0).sum() > 1000
        np.testing.assert_array_equal(first.triangle, second.triangle)
        np.testing.assert_array_equal(first.depth, second.depth)
        np.testing.assert_array_equal(first.barycentric, second.barycentric)


def test_wrong_arguments_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    z = np.full(3, 500.0)
    with pytest.raises(ValueError, match=r'must be \(V, 2\), \(V,\), \(T, 3\)'):
        rasterise(UV, z[:2], FRONT, 4, 4)
    with pytest.raises(ValueError, match='at least one pixel, got 0x4'):
        rasterise(UV, z, FRONT, 0, 4)
    with pytest.raises(ValueError, match="got 'cuda'"):
        rasterise(UV, z, FRONT, 4, 4, 'cuda')  # type: ignore[arg-type]
    monkeypatch.setattr(raster, 'numba', None)
    with pytest.raises(MissingPackageError, match='pip install numba'):
        rasterise(UV, z, FRONT, 4, 4, 'numba')
    assert (rasterise(UV, z, FRONT, 4, 4).depth > 0).sum() == 10
