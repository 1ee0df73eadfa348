"""Joint order, camera, crop algebra and the records that everything else shares."""

from __future__ import annotations

from mmdualhand.structures.camera import Camera
from mmdualhand.structures.checks import check_shape
from mmdualhand.structures.chirality import chirality_scores, chirality_vote
from mmdualhand.structures.crop import CropTransform
from mmdualhand.structures.grid import apply_affine, as_size, grid_affine, to_grid
from mmdualhand.structures.hand_result import METRIC_SOURCES, SIDES, HandResult, PictureResult
from mmdualhand.structures.hand_sample import BRANCHES, INSTANCE_FIELDS, HandDataSample, HandSample
from mmdualhand.structures.skeleton import (
    BONES,
    DEFAULT_REFERENCE_LENGTH_MM,
    FINGERS,
    JOINT_NAMES,
    NUM_JOINTS,
    PARENTS,
    REFERENCE_BONE,
    ROOT_JOINT,
    HandSkeleton,
)

__all__ = [
    'BONES', 'BRANCHES', 'Camera', 'CropTransform', 'DEFAULT_REFERENCE_LENGTH_MM', 'FINGERS',
    'HandDataSample', 'HandResult', 'HandSample', 'HandSkeleton', 'INSTANCE_FIELDS', 'JOINT_NAMES',
    'METRIC_SOURCES', 'NUM_JOINTS', 'PARENTS', 'PictureResult', 'REFERENCE_BONE', 'ROOT_JOINT', 'SIDES',
    'apply_affine', 'as_size', 'check_shape', 'chirality_scores', 'chirality_vote', 'grid_affine', 'to_grid',
]  # fmt: skip
