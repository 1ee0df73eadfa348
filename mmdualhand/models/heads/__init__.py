"""Decoder and projection heads."""

from mmdualhand.models.heads.map_targets import resize_map_targets
from mmdualhand.models.heads.multimodal_25d_head import MultiModal25DHead, MultiModalPrediction
from mmdualhand.models.heads.projection_head import ProjectionHead

__all__ = ['MultiModal25DHead', 'MultiModalPrediction', 'ProjectionHead', 'resize_map_targets']
