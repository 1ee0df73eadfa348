"""Networks, losses and estimators."""

from mmdualhand.models.backbones import DualEncoder, DualResNet, ResNetEncoder, StagedEncoder
from mmdualhand.models.branch_norm import BranchBatchNorm, batch_layout
from mmdualhand.models.data_preprocessor import HandDataPreprocessor
from mmdualhand.models.estimators import (
    BaseHandEstimator,
    DualModalityEstimator,
    PseudoLabels,
    SelfTrainingEstimator,
)
from mmdualhand.models.heads import MultiModal25DHead, MultiModalPrediction, ProjectionHead
from mmdualhand.models.losses import FeatureAlign, MultiModalL1, NTXent, PoseDist
from mmdualhand.models.necks import DepthAttention
from mmdualhand.models.stream_preprocessor import StreamDataPreprocessor

__all__ = [
    'BaseHandEstimator',
    'BranchBatchNorm',
    'DepthAttention',
    'DualEncoder',
    'DualModalityEstimator',
    'DualResNet',
    'FeatureAlign',
    'HandDataPreprocessor',
    'MultiModal25DHead',
    'MultiModalL1',
    'MultiModalPrediction',
    'NTXent',
    'PoseDist',
    'ProjectionHead',
    'PseudoLabels',
    'ResNetEncoder',
    'SelfTrainingEstimator',
    'StagedEncoder',
    'StreamDataPreprocessor',
    'batch_layout',
]
