"""The two bounds of calibrated confidences, each failing alone and both holding."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.apis.calibrate import Trust, measure_trust
from mmdualhand.apis.trust_bounds import TrustBounds

HANDS = 100


def trust(confidence: np.ndarray, right: np.ndarray) -> Trust:
    """Of (HANDS, 21) confidences and right joints."""
    return measure_trust('held out', confidence, np.where(right, 0.01, 0.2), 0.05)


def halves(sure: float, unsure: float) -> tuple[np.ndarray, np.ndarray]:
    """Half of the joints with either confidence; right are exactly 9 of 10, and 3 of 10."""
    first = np.arange(HANDS)[:, None].repeat(21, 1) < HANDS // 2
    tenth = np.arange(HANDS)[:, None].repeat(21, 1) % 10
    return np.where(first, sure, unsure), np.where(first, tenth < 9, tenth < 3)


def test_both_hold() -> None:
    found = TrustBounds.of(trust(*halves(0.9, 0.3)))
    assert found.calibration_error == pytest.approx(0.0, abs=1e-9)
    assert found.random_area == pytest.approx(0.4)
    # 0.1 over the first half; then (0.05 + 0.7 (c - 0.5)) / c, whose mean over c is 0.35 - 0.3 ln 2.
    assert found.area == pytest.approx(0.5 * 0.1 + 0.35 - 0.3 * np.log(2), abs=1e-3)
    assert found.calibrated and found.ordered and found.hold
    assert str(found).splitlines() == [
        'PASS ECE 0.0000, must be below 0.05',
        'PASS area, wrong joints 0.4803, must be at most 0.8 of random order',
    ]
    assert found.to_dict() == {
        'measured_on': 'held out',
        'expected_calibration_error_below': 0.05,
        'area_over_random_at_most': 0.8,
        'calibrated': True,
        'ordered': True,
    }


def test_order_without_calibration() -> None:
    found = TrustBounds.of(trust(*halves(0.99, 0.41)))  # too high by 0.09 and by 0.11
    assert found.calibration_error == pytest.approx(0.1)
    assert (found.calibrated, found.ordered, found.hold) == (False, True, False)
    assert str(found).splitlines()[0] == 'FAIL ECE 0.1000, must be below 0.05'
    assert str(found).splitlines()[1].startswith('PASS area, wrong joints 0.4803')


def test_calibration_without_order() -> None:
    _, right = halves(0.9, 0.3)
    found = TrustBounds.of(trust(np.full(right.shape, 0.6), right))  # the share of right joints, always
    assert (found.calibrated, found.ordered, found.hold) == (True, False, False)
    assert str(found).splitlines() == [
        'PASS ECE 0.0000, must be below 0.05',
        'FAIL area, wrong joints 1.0000, must be at most 0.8 of random order',
    ]


def test_the_edges_of_the_bounds() -> None:
    assert not TrustBounds('x', 0.05, 0.0, 0.5).calibrated
    assert TrustBounds('x', 0.0499, 0.0, 0.5).calibrated
    assert TrustBounds('x', 0.0, 0.4, 0.5).ordered
    assert not TrustBounds('x', 0.0, 0.4001, 0.5).ordered
    assert not TrustBounds('x', float('nan'), float('nan'), 0.5).hold


def test_where_no_joint_is_wrong_the_order_is_right() -> None:
    found = TrustBounds.of(trust(np.full((HANDS, 21), 0.99), np.ones((HANDS, 21), bool)))
    assert found.hold and str(found).splitlines()[1] == 'PASS no joint is wrong'
