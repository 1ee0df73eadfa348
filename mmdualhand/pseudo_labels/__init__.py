"""Pseudo-labels: correcting, selecting and keeping the model's own predictions."""

from __future__ import annotations

from mmdualhand.pseudo_labels.bank import BankRows, PseudoLabelBank, rows_of_rank
from mmdualhand.pseudo_labels.confidence import semihand_confidence, variance_confidence
from mmdualhand.pseudo_labels.correctors import Pose25DCorrection
from mmdualhand.pseudo_labels.curriculum import CurriculumQuantile
from mmdualhand.pseudo_labels.heatmap_labelers import EquivariantHeatmapLabeler
from mmdualhand.pseudo_labels.labelers import AveragedLabels, BankedLabels
from mmdualhand.pseudo_labels.loading import LoadPseudoLabel, pose_to_crop, pose_to_image
from mmdualhand.pseudo_labels.schedules import Schedule
from mmdualhand.pseudo_labels.selectors import (
    PerJointWeight,
    Quantile,
    Selector,
    SemiHandSelection,
    VarianceThreshold,
)
from mmdualhand.pseudo_labels.semihand_labels import SemiHandLabels
from mmdualhand.pseudo_labels.temporal import OpticalFlowTemporalFilter

__all__ = [
    'AveragedLabels', 'BankRows', 'BankedLabels', 'CurriculumQuantile', 'EquivariantHeatmapLabeler',
    'LoadPseudoLabel', 'OpticalFlowTemporalFilter', 'PerJointWeight', 'Pose25DCorrection',
    'PseudoLabelBank', 'Quantile', 'Schedule', 'Selector', 'SemiHandLabels', 'SemiHandSelection',
    'VarianceThreshold',
    'pose_to_crop', 'pose_to_image', 'rows_of_rank', 'semihand_confidence', 'variance_confidence',
]  # fmt: skip
