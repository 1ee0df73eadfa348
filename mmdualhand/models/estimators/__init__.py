"""Estimators: modules joined to training losses and predictions."""

from mmdualhand.models.estimators.base import BaseHandEstimator
from mmdualhand.models.estimators.dual_modality import DualModalityEstimator
from mmdualhand.models.estimators.heatmap import HeatmapEstimator
from mmdualhand.models.estimators.heatmap_self_training import HeatmapSelfTrainingEstimator
from mmdualhand.models.estimators.mean_teacher import MeanTeacher
from mmdualhand.models.estimators.regda import RegDAEstimator
from mmdualhand.models.estimators.self_training import SelfTrainingEstimator
from mmdualhand.models.estimators.self_training_settings import PseudoLabels

__all__ = [
    'BaseHandEstimator',
    'DualModalityEstimator',
    'HeatmapEstimator',
    'HeatmapSelfTrainingEstimator',
    'MeanTeacher',
    'PseudoLabels',
    'RegDAEstimator',
    'SelfTrainingEstimator',
]  # fmt: skip
