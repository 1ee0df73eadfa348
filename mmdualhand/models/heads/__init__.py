"""Decoder and projection heads."""

from mmdualhand.models.heads.base_heatmap_head import BaseHeatmapHead, HeatmapPrediction
from mmdualhand.models.heads.domain_discriminator_head import DomainDiscriminatorHead
from mmdualhand.models.heads.heatmap_head import HeatmapHead
from mmdualhand.models.heads.map_targets import resize_map_targets
from mmdualhand.models.heads.multimodal_25d_head import MultiModal25DHead, MultiModalPrediction
from mmdualhand.models.heads.projection_head import ProjectionHead
from mmdualhand.models.heads.refine_heatmap_head import RefinedMaps, RefineHeatmapHead

__all__ = [
    'BaseHeatmapHead',
    'DomainDiscriminatorHead',
    'HeatmapHead',
    'HeatmapPrediction',
    'MultiModal25DHead',
    'MultiModalPrediction',
    'ProjectionHead',
    'RefineHeatmapHead',
    'RefinedMaps',
    'resize_map_targets',
]
