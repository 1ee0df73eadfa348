"""Metrics: plain functions (``functional``), classes for mmengine's evaluator, and confidences."""

from __future__ import annotations

from mmdualhand.evaluation import functional
from mmdualhand.evaluation.calibration import Calibration, fit_calibration
from mmdualhand.evaluation.hand_metric import HandMetric
from mmdualhand.evaluation.mean_pose import mean_pose_epe, mean_root_relative_pose
from mmdualhand.evaluation.metrics import AUC, EPE, PCK
from mmdualhand.evaluation.reliability import (
    ReliabilityBins,
    RiskCoverage,
    expected_calibration_error,
    reliability_bins,
    risk_coverage,
)

__all__ = [
    'AUC',
    'EPE',
    'Calibration',
    'HandMetric',
    'PCK',
    'ReliabilityBins',
    'RiskCoverage',
    'expected_calibration_error',
    'fit_calibration',
    'functional',
    'mean_pose_epe',
    'mean_root_relative_pose',
    'reliability_bins',
    'risk_coverage',
]
