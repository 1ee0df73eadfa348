"""Losses, each usable without a Runner or a config."""

from mmdualhand.models.losses.feature_align import FeatureAlign
from mmdualhand.models.losses.multimodal_l1 import MultiModalL1
from mmdualhand.models.losses.nt_xent import NTXent
from mmdualhand.models.losses.pose_dist import PoseDist

__all__ = ['FeatureAlign', 'MultiModalL1', 'NTXent', 'PoseDist']
