"""Networks, losses and estimators."""

from mmdualhand.models.backbones import (
    DualEncoder,
    DualResNet,
    HourglassNet,
    ResNetEncoder,
    StagedEncoder,
)
from mmdualhand.models.branch_norm import BranchBatchNorm, batch_layout
from mmdualhand.models.data_preprocessor import HandDataPreprocessor
from mmdualhand.models.domain_mixup import DomainMixup, MapBatch
from mmdualhand.models.estimators import (
    BaseHandEstimator,
    DualModalityEstimator,
    HeatmapEstimator,
    HeatmapSelfTrainingEstimator,
    MeanTeacher,
    PseudoLabels,
    RegDAEstimator,
    SelfTrainingEstimator,
)
from mmdualhand.models.gradient_scale import GradientScale
from mmdualhand.models.heads import (
    DomainDiscriminatorHead,
    HeatmapHead,
    HeatmapPrediction,
    MultiModal25DHead,
    MultiModalPrediction,
    ProjectionHead,
    RefinedMaps,
    RefineHeatmapHead,
)
from mmdualhand.models.losses import (
    FeatureAlign,
    KeypointCurriculumMSELoss,
    KeypointKLDivLoss,
    KeypointMSELoss,
    MultiModalL1,
    NTXent,
    PoseDist,
    RefinementConsistency,
    SilhouetteCircleLoss,
    ViewConsistencyLoss,
)
from mmdualhand.models.necks import DepthAttention, MultiScaleDeconvNeck, RefineCascade
from mmdualhand.models.perturbation import AffinePerturbation, Warp
from mmdualhand.models.pseudo_target import HeatmapPseudoTarget
from mmdualhand.models.stream_preprocessor import StreamDataPreprocessor
from mmdualhand.models.weight_schedules import Progress, WeightSchedule

__all__ = [
    'AffinePerturbation',
    'BaseHandEstimator',
    'BranchBatchNorm',
    'DepthAttention',
    'DomainDiscriminatorHead',
    'DomainMixup',
    'DualEncoder',
    'DualModalityEstimator',
    'DualResNet',
    'FeatureAlign',
    'GradientScale',
    'HandDataPreprocessor',
    'HeatmapEstimator',
    'HeatmapHead',
    'HeatmapPrediction',
    'HeatmapPseudoTarget',
    'HeatmapSelfTrainingEstimator',
    'HourglassNet',
    'KeypointCurriculumMSELoss',
    'KeypointKLDivLoss',
    'KeypointMSELoss',
    'MapBatch',
    'MeanTeacher',
    'MultiModal25DHead',
    'MultiModalL1',
    'MultiModalPrediction',
    'MultiScaleDeconvNeck',
    'NTXent',
    'PoseDist',
    'Progress',
    'ProjectionHead',
    'PseudoLabels',
    'RefineCascade',
    'RefineHeatmapHead',
    'RefinedMaps',
    'RefinementConsistency',
    'RegDAEstimator',
    'ResNetEncoder',
    'SelfTrainingEstimator',
    'SilhouetteCircleLoss',
    'StagedEncoder',
    'StreamDataPreprocessor',
    'ViewConsistencyLoss',
    'Warp',
    'WeightSchedule',
    'batch_layout',
]
