"""From millimetres to the depth map that the network sees."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.registry import TRANSFORMS
from mmdualhand.structures import DEFAULT_REFERENCE_LENGTH_MM


@TRANSFORMS.register_module()
class NormalizeDepth(BaseTransform):
    """Depth relative to the root joint, in reference bones.

    Adds ``depth_map`` (H, W) float32 in [0, 1]: on the hand
    clip((Z - Z_root) / (2 D s) + 1/2, 0, 1), elsewhere 1 (far), and
    ``depth_half_range``, the D of it. The hand is where
    ``mask`` is set and depth was measured; without a mask, where the measured
    depth is within D reference bones of the root.

    A sample without ``depth`` passes unchanged.

    Args:
        half_range: D, in reference bones.

    Raises:
        ConfigError: ``half_range`` is not positive.
    """

    def __init__(self, half_range: float = 3.0) -> None:
        if not half_range > 0:
            raise ConfigError(f'half_range of NormalizeDepth must be positive, got {half_range}')
        self.half_range = float(half_range)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Normalise one sample.

        Raises:
            DataError: Neither ``keypoints_3d`` nor ``root_depth`` is known.
        """
        if 'depth' not in results:
            return results
        root, length = root_and_length(results)
        if root is None or length is None:
            raise DataError(
                f'sample {results["sample_id"]!r}: depth is normalised by root_depth and ref_length, and '
                "root_depth is unknown here; give both in the record, or take 'depth' out of the modalities."
            )
        depth = results['depth']
        relative = (depth - np.float32(root)) / np.float32(2 * self.half_range * length) + np.float32(0.5)
        measured = depth > 0
        hand = measured & (results['mask'] > 0 if 'mask' in results else (relative >= 0) & (relative <= 1))
        results['depth_half_range'] = self.half_range
        results['depth_map'] = np.where(hand, np.clip(relative, 0, 1), 1).astype(np.float32)
        return results


def root_and_length(results: dict[str, Any]) -> tuple[float | None, float | None]:
    """Root depth and reference length of a sample, mm, as given or else from ``keypoints_3d``.

    Where the depth of the root is known and nothing tells the length, it is
    ``DEFAULT_REFERENCE_LENGTH_MM``.
    """
    root, length = results.get('root_depth'), results.get('ref_length')
    joints = results.get('keypoints_3d')
    if joints is not None:
        root = Pose25D.root_depth(joints) if root is None else root
        length = Pose25D.reference_length(joints) if length is None else length
    if root is not None and length is None:
        length = DEFAULT_REFERENCE_LENGTH_MM
    return (None if root is None else float(root)), (None if length is None else float(length))
