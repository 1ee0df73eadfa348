"""Encoders and the dual-modality backbone."""

from mmdualhand.models.backbones.dual_encoder import DualEncoder, DualFeatures
from mmdualhand.models.backbones.dual_resnet import DualResNet
from mmdualhand.models.backbones.hourglass import HourglassNet
from mmdualhand.models.backbones.resnet_encoder import ResNetEncoder
from mmdualhand.models.backbones.staged import STAGE_NAMES, StagedEncoder

__all__ = [
    'DualEncoder',
    'DualFeatures',
    'DualResNet',
    'HourglassNet',
    'ResNetEncoder',
    'STAGE_NAMES',
    'StagedEncoder',
]
