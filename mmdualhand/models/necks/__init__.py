"""Modules between encoder stages."""

from mmdualhand.models.necks.depth_attention import DepthAttention

__all__ = ['DepthAttention']
