"""Estimators: modules joined to training losses and predictions."""

from mmdualhand.models.estimators.base import BaseHandEstimator
from mmdualhand.models.estimators.dual_modality import DualModalityEstimator

__all__ = ['BaseHandEstimator', 'DualModalityEstimator']
