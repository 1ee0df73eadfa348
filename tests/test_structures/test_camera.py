"""Pinhole camera: hand-worked pixels, exact inverse, skewed intrinsics."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.structures import Camera

K = np.array([[300.0, 0, 160], [0, 310, 120], [0, 0, 1]])


def test_projects_by_hand() -> None:
    # u = 300 * 50 / 500 + 160, v = 310 * -100 / 500 + 120
    np.testing.assert_allclose(Camera(K).project(np.array([50.0, -100, 500])), [190, 58])


def test_back_projects_by_hand_and_exactly() -> None:
    camera = Camera(K)
    np.testing.assert_allclose(camera.back_project(np.array([190.0, 58]), 500.0), [50, -100, 500])
    points = np.random.default_rng(0).uniform((-100, -100, 300), (100, 100, 900), (4, 21, 3))
    np.testing.assert_allclose(
        camera.back_project(camera.project(points), points[..., 2]), points, rtol=0, atol=1e-10
    )


def test_a_warped_camera_projects_to_the_warped_pixels_also_when_skewed() -> None:
    angle = np.deg2rad(90.0)
    turn = np.array([[np.cos(angle), np.sin(angle), 3], [-np.sin(angle), np.cos(angle), 400], [0, 0, 1]])
    camera = Camera(K).warped(turn)
    assert abs(camera.K[0, 0]) < 1e-12  # a quarter turn leaves no focal length on the diagonal
    # (190, 58) -> (58 + 3, -190 + 400)
    np.testing.assert_allclose(camera.project(np.array([50.0, -100, 500])), [61, 210])
    np.testing.assert_allclose(camera.back_project(np.array([61.0, 210]), 500.0), [50, -100, 500], atol=1e-9)


@pytest.mark.parametrize(
    ('matrix', 'message'),
    [
        (np.eye(2), 'shape'),
        (np.diag([np.nan, 1, 1]), 'finite'),
        (np.diag([1.0, 1, 2]), 'third row'),
        (np.diag([0.0, 1, 1]), 'inverted'),
    ],
)
def test_broken_intrinsics_are_refused(matrix: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Camera(matrix)


def test_points_of_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match='xyz'):
        Camera(K).project(np.zeros((21, 2)))
    with pytest.raises(ValueError, match='uv'):
        Camera(K).back_project(np.zeros((21, 3)), 1.0)
