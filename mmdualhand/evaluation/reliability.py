"""How far confidences can be trusted: reliability bins, expected calibration error, risk and coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 15


@dataclass(frozen=True, eq=False)
class ReliabilityBins:
    """Predictions sorted by confidence and cut into bins of equal count.

    Attributes:
        confidence: (M,) mean confidence of each bin, rising.
        share_right: (M,) share of right predictions in each.
        count: (M,) predictions in each.
    """

    confidence: np.ndarray
    share_right: np.ndarray
    count: np.ndarray

    @property
    def calibration_error(self) -> float:
        """Mean distance of confidence and share right, every bin by its count."""
        distance = np.abs(self.confidence - self.share_right)
        return float((distance * self.count).sum() / self.count.sum())


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Mean error of the most confident predictions, for every share of them.

    Attributes:
        coverage: (N,) share of the predictions that are kept, rising to 1.
        risk: (N,) their mean error; the last value is that of all.
    """

    coverage: np.ndarray
    risk: np.ndarray

    @property
    def area(self) -> float:
        """Mean risk over all coverages (Geifman, Uziel and El-Yaniv, ICLR 2019)."""
        return float(self.risk.mean())

    @property
    def ratio(self) -> float:
        """Area over that of random order, which is the mean error; NaN where there is no error."""
        return self.area / float(self.risk[-1]) if self.risk[-1] > 0 else float('nan')


def reliability_bins(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> ReliabilityBins:
    """Sort predictions into bins of equal count (the first ones hold one more where it does not divide).

    Args:
        confidence: (N,) in 0..1.
        right: (N,) bool.
        bins: How many; fewer where there are fewer predictions.

    Raises:
        ValueError: Shapes differ, nothing is given, or a confidence is no number in 0..1.
    """
    confidence, right = _pair(confidence, right)
    if bins < 1:
        raise ValueError(f'bins must be at least 1, got {bins}')
    if confidence.min() < 0 or confidence.max() > 1:
        raise ValueError(f'confidence must lie in 0..1, got {confidence.min():g} to {confidence.max():g}')
    order = np.argsort(confidence, kind='stable')
    # What ties in confidence is alike: the bin it falls into must not depend on the order given.
    level = _mean_of_ties(confidence[order], right[order])
    parts = np.array_split(np.arange(len(order)), min(bins, len(order)))
    return ReliabilityBins(
        np.array([confidence[order][part].mean() for part in parts]),
        np.array([level[part].mean() for part in parts]),
        np.array([len(part) for part in parts]),
    )


def expected_calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Mean distance between confidence and share of right predictions, over bins of equal count.

    Arguments and errors of :func:`reliability_bins`.

    Returns:
        0 (a confidence of 0.7 is right 7 times of 10) to 1.
    """
    return reliability_bins(confidence, right, bins).calibration_error


def risk_coverage(confidence: np.ndarray, error: np.ndarray) -> RiskCoverage:
    """Mean error of the ``k`` most confident predictions, for every ``k``.

    Predictions of equal confidence count with their mean error, so that their order
    does not matter; a constant confidence gives the area of random order.

    Args:
        confidence: (N,) any score, larger is surer.
        error: (N,) at least 0, in any unit, or 0/1 for wrong.

    Raises:
        ValueError: Shapes differ, nothing is given, or a value is not finite.
    """
    confidence, error = _pair(confidence, error)
    order = np.argsort(-confidence, kind='stable')
    kept = np.arange(1, len(order) + 1)
    risk = np.cumsum(_mean_of_ties(confidence[order], error[order])) / kept
    return RiskCoverage(kept / len(order), risk)


def _pair(confidence: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    confidence, value = np.asarray(confidence, np.float64), np.asarray(value, np.float64)
    if confidence.ndim != 1 or confidence.shape != value.shape or not len(confidence):
        raise ValueError(
            'confidence and what it is compared with must have one value a prediction and as many, at least '
            f'one; got shapes {confidence.shape} and {value.shape}'
        )
    if not (np.isfinite(confidence).all() and np.isfinite(value).all()):
        raise ValueError('confidence and what it is compared with must be finite')
    return confidence, value


def _mean_of_ties(ordered: np.ndarray, value: np.ndarray) -> np.ndarray:
    """(N,) values, those of a run of equal keys replaced by their mean."""
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    counts = np.diff(np.r_[starts, len(ordered)])
    return np.repeat(np.add.reduceat(value, starts) / counts, counts)
