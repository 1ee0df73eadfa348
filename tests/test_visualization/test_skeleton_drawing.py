"""2D and 3D skeletons: pure finger colours on known lines, nothing anywhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mmdualhand.structures import BONES
from mmdualhand.visualization import (
    FINGER_COLOURS,
    JOINT_COLOURS,
    REFERENCE_COLOUR,
    VIEW_AXES,
    WRIST_COLOUR,
    draw_skeleton_2d,
    draw_skeleton_3d,
    skeleton_extent,
)


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)


def joints_2d(**places: tuple[float, float]) -> np.ndarray:
    """All joints absent but those given, as ``j5=(u, v)``."""
    points = np.full((21, 2), np.nan)
    for name, place in places.items():
        points[int(name[1:])] = place
    return points


def joints_3d(**places: tuple[float, float, float]) -> np.ndarray:
    """The root at (7, 8, 600) mm, the others absent but those given, relative to it."""
    points = np.full((21, 3), np.nan)
    points[9] = 0.0
    for name, place in places.items():
        points[int(name[1:])] = place
    return points + np.array([7.0, 8.0, 600.0])


def test_one_colour_a_finger_and_grey_for_the_wrist() -> None:
    assert JOINT_COLOURS[0] == WRIST_COLOUR
    assert [JOINT_COLOURS[tip] for tip in (4, 8, 12, 16, 20)] == list(FINGER_COLOURS.values())
    assert list(FINGER_COLOURS) == ['thumb', 'index', 'middle', 'ring', 'pinky']
    assert all(JOINT_COLOURS[child] == JOINT_COLOURS[parent] for parent, child in BONES if parent)
    assert len(set(JOINT_COLOURS)) == 6


def test_bone_is_the_fingers_colour_on_its_line_and_the_photo_is_untouched_elsewhere(
    photo: np.ndarray,
) -> None:
    before = photo.copy()
    drawn = draw_skeleton_2d(photo, joints_2d(j5=(10, 20), j6=(60, 20)))
    assert np.array_equal(photo, before)
    assert (drawn[20, 15:56] == FINGER_COLOURS['index']).all()
    away = np.ones((64, 80), bool)
    away[15:26, 5:66] = False
    assert np.array_equal(drawn[away], photo[away])


def test_diagonal_bone_takes_the_colour_of_its_child(photo: np.ndarray) -> None:
    drawn = draw_skeleton_2d(photo, joints_2d(j0=(10, 10), j17=(50, 50)))
    on_line = np.arange(15, 46)
    assert (drawn[on_line, on_line] == FINGER_COLOURS['pinky']).all()


def test_thickness_grows_with_the_picture_and_can_be_given() -> None:
    def painted(size: int, thickness: int | None = None) -> int:
        black = np.zeros((size, size, 3), np.uint8)
        points = joints_2d(j5=(0.1 * size, size // 2), j6=(0.9 * size, size // 2))
        drawn = draw_skeleton_2d(black, points, thickness=thickness)
        return int((drawn[:, size // 2] == FINGER_COLOURS['index']).all(axis=-1).sum())

    # OpenCV's core of a line of thickness 2, 2, 4 and 8 (64, 256, 512 and 1024 pixels / 128, at least 2)
    assert [painted(size) for size in (64, 256, 512, 1024)] == [3, 3, 5, 9]
    assert painted(64, thickness=8) == 9


def test_lines_follow_fractions_of_a_pixel() -> None:
    def centre(row: float) -> float:
        black = np.zeros((64, 64, 3), np.uint8)
        drawn = draw_skeleton_2d(black, joints_2d(j5=(5, row), j6=(60, row)))
        ink = drawn[:, 32, 0].astype(float)
        return float((ink * np.arange(64)).sum() / ink.sum())

    assert centre(20.0) == pytest.approx(20.0, abs=0.05)
    assert centre(20.5) == pytest.approx(20.5, abs=0.25)


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf, 1e12])
def test_points_without_a_place_are_skipped_with_their_bones(photo: np.ndarray, bad: float) -> None:
    points = joints_2d(j5=(10, 20), j6=(60, 20))
    whole = draw_skeleton_2d(photo, points)
    points[7] = (bad, 20)
    assert np.array_equal(draw_skeleton_2d(photo, points), whole)
    points[:] = bad
    assert np.array_equal(draw_skeleton_2d(photo, points), photo)


def test_bone_to_a_joint_outside_ends_at_the_edge(photo: np.ndarray) -> None:
    drawn = draw_skeleton_2d(photo, joints_2d(j5=(40, 20), j6=(5000, 20)))
    assert (drawn[20, 45:] == FINGER_COLOURS['index']).all()
    outside = draw_skeleton_2d(photo, joints_2d(j5=(-40, 20), j6=(-90, 20)))
    assert np.array_equal(outside, photo)


def test_invisible_and_unsure_joints_are_left_out(photo: np.ndarray) -> None:
    points = joints_2d(j5=(10, 20), j6=(60, 20), j13=(10, 50), j14=(60, 50))
    index_only = draw_skeleton_2d(photo, joints_2d(j5=(10, 20), j6=(60, 20)))
    visible = np.ones(21)
    visible[[13, 14]] = 0
    assert np.array_equal(draw_skeleton_2d(photo, points, visible), index_only)
    scores = np.full(21, 0.9)
    scores[13], scores[14] = 0.2, np.nan
    assert np.array_equal(draw_skeleton_2d(photo, points, scores=scores, score_threshold=0.3), index_only)


def test_tensors_are_drawn_like_arrays(photo: np.ndarray) -> None:
    points = joints_2d(j5=(10, 20), j6=(60, 24))
    tensor = torch.tensor(points, dtype=torch.bfloat16, requires_grad=True)
    assert np.array_equal(draw_skeleton_2d(photo, tensor), draw_skeleton_2d(photo, points))


def test_view_of_a_larger_picture_can_be_drawn_on(photo: np.ndarray) -> None:
    mirrored = photo[:, ::-1]
    drawn = draw_skeleton_2d(mirrored, joints_2d(j5=(10, 20), j6=(60, 20)))
    assert np.array_equal(drawn[40:], mirrored[40:])
    assert (drawn[20, 30] == FINGER_COLOURS['index']).all()


@pytest.mark.parametrize('shape', [(64, 64), (64, 64, 1), (64, 64, 4), (0, 64, 3)])
def test_other_than_rgb_is_refused_by_name(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match='image must be an RGB picture'):
        draw_skeleton_2d(np.zeros(shape, np.uint8), np.zeros((21, 2)))


def test_wrong_arguments_are_named(photo: np.ndarray) -> None:
    points = np.zeros((21, 2))
    with pytest.raises(ValueError, match='image must be uint8'):
        draw_skeleton_2d(photo / 255.0, points)
    with pytest.raises(TypeError, match='image must be a numpy array'):
        draw_skeleton_2d(photo.tolist(), points)
    with pytest.raises(ValueError, match='keypoints'):
        draw_skeleton_2d(photo, np.zeros((1, 21, 2)))
    with pytest.raises(ValueError, match='visible'):
        draw_skeleton_2d(photo, points, np.ones(20))
    with pytest.raises(ValueError, match='scores'):
        draw_skeleton_2d(photo, points, scores=np.ones((21, 1)))
    with pytest.raises(ValueError, match='thickness'):
        draw_skeleton_2d(photo, points, thickness=0)


# 200 px and 90 mm: 1 px a mm, the root at pixel 99.5
SPACE: dict[str, Any] = {'size': 200, 'extent_mm': 90.0}


@pytest.mark.parametrize(
    ('view', 'direction', 'pixel'),
    [
        ('front', (50, 0, 0), (124, 99)),  # right stays right
        ('front', (0, 50, 0), (99, 124)),  # down stays down
        ('side', (0, 0, 50), (124, 99)),  # away is right, seen from the camera's right
        ('side', (0, 50, 0), (99, 124)),
        ('top', (50, 0, 0), (124, 99)),
        ('top', (0, 0, 50), (99, 74)),  # away is up, seen from above
    ],
)
def test_views_show_the_camera_frame_as_documented(
    view: str, direction: tuple[float, float, float], pixel: tuple[int, int]
) -> None:
    drawn = draw_skeleton_3d(joints_3d(j10=direction), view=view, **SPACE)
    u, v = pixel
    assert drawn.shape == (200, 200, 3)
    assert tuple(drawn[v, u]) == FINGER_COLOURS['middle']
    assert tuple(drawn[198 - v, 198 - u]) != FINGER_COLOURS['middle']


def test_no_view_mirrors_the_hand() -> None:
    for axes in VIEW_AXES.values():
        assert round(np.linalg.det(np.array(axes))) == 1


@pytest.mark.parametrize(('pinky_z', 'over'), [(-20.0, 'pinky'), (20.0, 'index')])
def test_nearer_bone_is_drawn_over_the_farther(pinky_z: float, over: str) -> None:
    pose = joints_3d(j5=(-50, -40, 0), j6=(70, -40, 0), j17=(10, -80, pinky_z), j18=(10, 0, pinky_z))
    drawn = draw_skeleton_3d(pose, **SPACE)
    assert tuple(drawn[59, 109]) == FINGER_COLOURS[over]


def test_reference_is_grey_and_behind() -> None:
    prediction = joints_3d(j10=(50, 0, 0))
    truth = joints_3d(j10=(0, 50, 0)) + 300.0  # about its own root
    drawn = draw_skeleton_3d(prediction, reference=truth, **SPACE)
    assert tuple(drawn[124, 99]) == REFERENCE_COLOUR
    assert tuple(drawn[99, 124]) == FINGER_COLOURS['middle']
    same = draw_skeleton_3d(prediction, reference=prediction, **SPACE)
    assert tuple(same[99, 124]) == FINGER_COLOURS['middle']


def test_extent_is_the_largest_offset_from_the_root() -> None:
    small, large = joints_3d(j10=(0, -40, 0)), joints_3d(j12=(0, -40, 90))
    assert skeleton_extent(small) == pytest.approx(40.0)
    assert skeleton_extent(small, large) == pytest.approx(90.0)
    assert skeleton_extent(np.full((21, 3), np.nan)) == 100.0
    assert skeleton_extent(np.zeros((21, 3))) == 100.0


def test_grid_is_all_that_is_left_of_a_pose_without_root() -> None:
    empty = draw_skeleton_3d(np.full((21, 3), np.nan), **SPACE)
    pose = joints_3d(j10=(0, -40, 0))
    pose[9] = np.inf
    assert np.array_equal(draw_skeleton_3d(pose, **SPACE), empty)
    white = (empty == 255).all(axis=-1)
    # 1 px a mm: grid lines at 99.5 (rounded to 100) and 50 mm beside it, and the frame
    assert sorted(np.flatnonzero(~white[30])) == [0, 50, 100, 150, 199]


def test_wrong_3d_arguments_are_named() -> None:
    pose = np.zeros((21, 3))
    with pytest.raises(ValueError, match="view must be one of 'front', 'side', 'top', got 'back'"):
        draw_skeleton_3d(pose, view='back')
    with pytest.raises(ValueError, match='keypoints_3d'):
        draw_skeleton_3d(np.zeros((21, 2)))
    with pytest.raises(ValueError, match='reference'):
        draw_skeleton_3d(pose, reference=np.zeros((20, 3)))
    with pytest.raises(ValueError, match='extent_mm'):
        draw_skeleton_3d(pose, extent_mm=0.0)
    with pytest.raises(ValueError, match='size'):
        draw_skeleton_3d(pose, size=0)
