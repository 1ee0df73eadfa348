"""The turning view: its axes, and what lies over what."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.visualization import VIEW_AXES, draw_skeleton_orbit, view_axes
from tests.fixtures.hand_results import open_hand


@pytest.mark.parametrize(('angles', 'view'), [((0, 0), 'front'), ((90, 0), 'side'), ((0, 90), 'top')])
def test_axes_are_those_of_the_named_views(angles: tuple[float, float], view: str) -> None:
    np.testing.assert_allclose(view_axes(*angles), VIEW_AXES[view], atol=1e-12)


def test_axes_by_hand() -> None:
    # half way to the right and a third up: a point straight ahead of the camera goes right and up
    right, down, away = view_axes(30.0, 60.0) @ [0.0, 0.0, 1.0]
    assert (right, down, away) == pytest.approx((0.5, -0.75, np.sqrt(3) / 4))
    axes = view_axes(-130.0, 20.0)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)


def one_bone(start: tuple[float, float, float], end: tuple[float, float, float], joint: int) -> np.ndarray:
    pose = np.full((21, 3), np.nan)
    pose[9], pose[joint], pose[joint + 1] = 0.0, start, end
    return pose


def test_near_bones_cover_far_ones_from_both_sides() -> None:
    index = one_bone((-40, -20, -30), (40, -20, -30), 5)
    ring = one_bone((-40, -20, 30), (40, -20, 30), 13)
    both = np.where(np.isfinite(index), index, ring)
    front = draw_skeleton_orbit(both, 201, 0.0, 0.0, extent_mm=80.0)
    back = draw_skeleton_orbit(both, 201, 180.0, 0.0, extent_mm=80.0)
    row = round(100 - 0.03 * 201 - 20 * 0.41 * 201 / 80)
    assert front[row, 100, 0] > front[row, 100, 2] + 60  # yellow, the index finger
    assert back[row, 100, 2] > back[row, 100, 0] + 60  # blue, the ring finger


def test_scale_is_that_of_the_extent() -> None:
    pose = one_bone((0, 0, 0), (50, 0, 0), 5)
    drawn = draw_skeleton_orbit(pose, 201, 0.0, 0.0, extent_mm=100.0)
    row = round(100 - 0.03 * 201)
    coloured = np.flatnonzero(np.ptp(drawn[row].astype(int), axis=-1) > 60)
    assert coloured.max() == pytest.approx(100 + 50 * 0.41 * 201 / 100, abs=5)


def test_nothing_finite_leaves_the_floor() -> None:
    empty = draw_skeleton_orbit(np.full((21, 3), np.nan), 64, extent_mm=100.0)
    assert np.ptp(empty.astype(int), axis=-1).max() < 12 and (empty < 250).any()
    assert (draw_skeleton_orbit(open_hand(), 64, extent_mm=100.0) != empty).any()


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match='size'):
        draw_skeleton_orbit(open_hand(), 0)
    with pytest.raises(ValueError, match='extent_mm'):
        draw_skeleton_orbit(open_hand(), 64, extent_mm=-1.0)
    with pytest.raises(ValueError, match='keypoints_3d'):
        draw_skeleton_orbit(np.zeros((21, 2)), 64)
