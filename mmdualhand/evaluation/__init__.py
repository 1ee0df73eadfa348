"""Metrics: plain functions (``functional``) and classes for mmengine's evaluator."""

from __future__ import annotations

from mmdualhand.evaluation import functional
from mmdualhand.evaluation.hand_metric import HandMetric
from mmdualhand.evaluation.mean_pose import mean_pose_epe, mean_root_relative_pose
from mmdualhand.evaluation.metrics import AUC, EPE, PCK

__all__ = ['AUC', 'EPE', 'HandMetric', 'PCK', 'functional', 'mean_pose_epe', 'mean_root_relative_pose']
