"""Losses, each usable without a Runner or a config."""

from mmdualhand.models.losses.feature_align import FeatureAlign
from mmdualhand.models.losses.keypoint_kl import KeypointKLDivLoss
from mmdualhand.models.losses.keypoint_mse import KeypointCurriculumMSELoss, KeypointMSELoss
from mmdualhand.models.losses.multimodal_l1 import MultiModalL1
from mmdualhand.models.losses.nt_xent import NTXent
from mmdualhand.models.losses.pose_dist import PoseDist
from mmdualhand.models.losses.refinement_consistency import RefinementConsistency
from mmdualhand.models.losses.silhouette_circles import SilhouetteCircleLoss
from mmdualhand.models.losses.view_consistency import ViewConsistencyLoss

__all__ = [
    'FeatureAlign',
    'KeypointCurriculumMSELoss',
    'KeypointKLDivLoss',
    'KeypointMSELoss',
    'MultiModalL1',
    'NTXent',
    'PoseDist',
    'RefinementConsistency',
    'SilhouetteCircleLoss',
    'ViewConsistencyLoss',
]
