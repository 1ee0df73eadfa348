"""Modules between encoders and heads."""

from mmdualhand.models.necks.depth_attention import DepthAttention
from mmdualhand.models.necks.multi_scale_deconv import MultiScaleDeconvNeck
from mmdualhand.models.necks.refine_cascade import RefineBottleneck, RefineCascade

__all__ = ['DepthAttention', 'MultiScaleDeconvNeck', 'RefineBottleneck', 'RefineCascade']
