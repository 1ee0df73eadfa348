"""Contradictions and hidden joints, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.evaluation.failures import hidden_joints, modality_distance, outside_mask, self_occlusion
from tests.fixtures.hand_results import open_hand


def test_distance_of_modalities_is_a_share_of_the_crop() -> None:
    first = np.zeros((21, 3))
    second = first + [3.0, 4.0, 9.0]  # depth does not count
    assert modality_distance(first, second) == pytest.approx(5 / 64)
    assert modality_distance(first, first) == 0.0
    with pytest.raises(ValueError, match='second'):
        modality_distance(first, second[:, :2])


def test_joints_outside_the_mask() -> None:
    mask = np.zeros((16, 16))
    mask[:, :8] = 1.0  # the left half of the 64-grid
    pose = np.full((21, 3), 10.0)
    pose[:5, 0] = 50.0
    pose[5] = np.nan
    pose[6, 1] = 100.0  # below the crop
    assert outside_mask(pose, mask) == pytest.approx(7 / 21)


def test_an_open_hand_hides_nothing() -> None:
    flat = open_hand()
    flat[:, 2] = 0.0
    assert not hidden_joints(flat).any() and self_occlusion(flat / 40.0) == 0.0


def test_a_finger_before_another_one() -> None:
    pose = open_hand()
    pose[:, 2] = 0.0
    pose[5:9] = pose[13:17] - [0.0, 0.0, 30.0]  # the index finger 30 mm before the ring finger
    assert np.flatnonzero(hidden_joints(pose)).tolist() == [13, 14, 15, 16]
    assert self_occlusion(pose / 40.0) == pytest.approx(4 / 21)
    pose[5:9, 2] = 30.0  # behind it
    assert np.flatnonzero(hidden_joints(pose)).tolist() == [5, 6, 7, 8]
    pose[5:9, 2] = -6.0  # beside it: nearer by less than a finger
    assert not hidden_joints(pose).any()


def test_missing_joints_hide_nothing() -> None:
    pose = open_hand()
    pose[:, 2] = 0.0
    pose[5:9] = np.nan
    assert not hidden_joints(pose).any()
