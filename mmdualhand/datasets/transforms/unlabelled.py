"""Real images without labels: what may still be known of them, and nothing else."""

from __future__ import annotations

from typing import Any

from mmcv.transforms import BaseTransform

from mmdualhand.datasets.transforms.depth import root_and_length
from mmdualhand.registry import TRANSFORMS

KEPT = (
    'sample_id', 'sample_index', 'dataset_name', 'img_path', 'hand_side', 'rng', 'img', 'img_augmented',
    'camera', 'orig_camera', 'crop', 'mirrored', 'crop_rule', 'input_size',
)  # fmt: skip
"""What is no label: the photo, its camera, and where and how it was cropped."""


@TRANSFORMS.register_module()
class DropLabels(BaseTransform):
    """Turn a labelled sample into an unlabelled one, as the last step before packing.

    The protocol of cross-domain hand pose estimation (SemiHand, Section 4.2) gives
    the crop, the intrinsics, the side, the depth of the root and the length of the
    reference bone; the last two become ``root_depth`` and ``ref_length`` in mm. All
    other keys go (joints, visibility, mask, depth and whatever else a dataset
    gives), so that no target label can reach a training step.

    Returns the photo, its camera and crop (``KEPT`` in this module) and, where known
    and wanted, ``root_depth`` and ``ref_length``.

    Args:
        keep_root_depth: Keep the depth of the root joint; without it pseudo-labels
            need ``root_depth='solve'``.
        keep_ref_length: Keep the length of the bone 9-10; without it the constant
            ``DEFAULT_REFERENCE_LENGTH_MM`` stands for it where the root depth is
            kept.
    """

    def __init__(self, keep_root_depth: bool = True, keep_ref_length: bool = True) -> None:
        self.keep_root_depth = keep_root_depth
        self.keep_ref_length = keep_ref_length

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Drop the labels of one sample."""
        root, length = root_and_length(results)
        kept = {key: results[key] for key in KEPT if key in results}
        if self.keep_root_depth and root is not None:
            kept['root_depth'] = root
        if self.keep_ref_length and length is not None:
            kept['ref_length'] = length
        return kept
