"""Reliability bins, expected calibration error and risk-coverage curves, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.evaluation import expected_calibration_error, reliability_bins, risk_coverage


def test_calibration_error_by_hand() -> None:
    confidence, right = np.array([0.9, 0.1, 0.8, 0.2]), np.array([False, False, True, False])
    bins = reliability_bins(confidence, right, bins=2)
    np.testing.assert_allclose(bins.confidence, [0.15, 0.85])
    np.testing.assert_allclose(bins.share_right, [0.0, 0.5])
    assert bins.count.tolist() == [2, 2]
    # |0.15 - 0| and |0.85 - 0.5|, two predictions each.
    assert bins.calibration_error == pytest.approx(0.25)


def test_seven_of_ten_at_0_7_is_calibrated() -> None:
    right = np.arange(30) % 10 < 7
    assert expected_calibration_error(np.full(30, 0.7), right) == pytest.approx(0.0)
    assert expected_calibration_error(np.full(30, 0.9), right) == pytest.approx(0.2)


def test_bins_do_not_depend_on_the_order_of_ties() -> None:
    right = np.repeat([True, False], 15)
    assert expected_calibration_error(np.full(30, 0.5), right, bins=2) == pytest.approx(0.0)


def test_bins_are_weighted_by_their_count() -> None:
    # 5 predictions in 2 bins: 3 and 2.
    bins = reliability_bins(np.array([0.1, 0.2, 0.3, 0.6, 0.8]), np.zeros(5, bool), bins=2)
    assert bins.count.tolist() == [3, 2]
    assert bins.calibration_error == pytest.approx((3 * 0.2 + 2 * 0.7) / 5)
    assert len(reliability_bins(np.array([0.5]), np.array([True])).count) == 1


def test_probabilities_that_hold_have_a_small_error() -> None:
    rng = np.random.default_rng(0)
    chance = rng.random(60_000)
    right = rng.random(60_000) < chance
    assert expected_calibration_error(chance, right) < 0.01
    assert expected_calibration_error(chance**2, right) == pytest.approx(1 / 6, abs=0.01)  # int p - p^2


def test_risk_and_coverage_by_hand() -> None:
    error = np.array([1.0, 0.0, 0.0, 1.0])
    curve = risk_coverage(np.array([0.6, 0.9, 0.8, 0.7]), error)
    np.testing.assert_allclose(curve.coverage, [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(curve.risk, [0, 0, 1 / 3, 1 / 2])
    assert curve.area == pytest.approx(5 / 24)
    assert curve.ratio == pytest.approx(5 / 12)
    assert risk_coverage(-np.array([0.6, 0.9, 0.8, 0.7]), error).ratio == pytest.approx(19 / 12)


def test_a_constant_confidence_is_random_order() -> None:
    error = np.array([3.0, 0.0, 1.0])
    curve = risk_coverage(np.zeros(3), error)
    np.testing.assert_allclose(curve.risk, 4 / 3)
    assert curve.ratio == pytest.approx(1.0)
    assert np.isnan(risk_coverage(np.zeros(3), np.zeros(3)).ratio)


def test_area_of_random_order_is_the_mean_error() -> None:
    rng = np.random.default_rng(1)
    error = rng.random(50)
    areas = [risk_coverage(rng.random(50), error).area for _ in range(2000)]
    assert np.mean(areas) == pytest.approx(error.mean(), abs=0.005)


@pytest.mark.parametrize(
    ('confidence', 'value', 'words'),
    [
        (np.zeros(3), np.zeros(2), 'as many'),
        (np.zeros(0), np.zeros(0), 'at least one'),
        (np.zeros((2, 2)), np.zeros((2, 2)), 'one value a prediction'),
        (np.array([np.nan, 0.0]), np.zeros(2), 'finite'),
    ],
)
def test_what_cannot_be_compared(confidence: np.ndarray, value: np.ndarray, words: str) -> None:
    for measure in (expected_calibration_error, risk_coverage):
        with pytest.raises(ValueError, match=words):
            measure(confidence, value)


def test_a_logit_is_no_confidence() -> None:
    with pytest.raises(ValueError, match=r'lie in 0\.\.1, got -2 to 3'):
        reliability_bins(np.array([-2.0, 3.0]), np.array([True, False]))
    with pytest.raises(ValueError, match='bins must be at least 1'):
        reliability_bins(np.array([0.5]), np.array([True]), bins=0)
