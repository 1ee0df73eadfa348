"""From 2.5D poses in a crop back to the original image and camera frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmdualhand.codecs import Pose25D
from mmdualhand.models.heads import MultiModalPrediction
from mmdualhand.structures import to_grid


def points_to_image(codec: Any, uv: Tensor, crop_matrix: Tensor) -> Tensor:
    """Points of crops in pixels of their original images.

    Args:
        codec: With ``grid_size`` and ``input_size``.
        uv: ``(B, K, 2)`` pixels of the 64-grid.
        crop_matrix: ``(B, 3, 3)`` from original to crop pixels.

    Returns:
        ``(B, K, 2)`` px, float64 on the host.
    """
    crop_uv = to_grid(uv.detach().double().cpu(), codec.grid_size, codec.input_size)
    homogeneous = torch.cat([crop_uv, torch.ones_like(crop_uv[..., :1])], dim=-1)
    inverse = torch.linalg.inv(crop_matrix.double().cpu())
    return (homogeneous @ inverse.transpose(1, 2))[..., :2]


def uncrop_predictions(
    codec: Pose25D, prediction: MultiModalPrediction, targets: Mapping[str, Tensor]
) -> dict[str, np.ndarray]:
    """Keypoints of a batch in the frames of their original images.

    Args:
        codec: The codec of the decoder.
        prediction: B predictions with scores.
        targets: ``crop_matrix (B, 3, 3)`` from original to crop pixels, and for
            3D ``camera (B, 3, 3)`` of the crop, ``root_depth (B,)`` mm,
            ``ref_length (B,)`` mm and ``mirrored (B,)``.

    Returns:
        ``pose25d (B, 21, 3)``, ``keypoints (B, 21, 2)`` px, ``keypoint_scores
        (B, 21)`` and, where the depth of the root is known, ``keypoints_3d
        (B, 21, 3)`` mm. ``keypoints`` and ``keypoints_3d`` are float64, the rest
        float32.
    """
    pose = prediction.pose25d.detach().double().cpu()
    out = {
        'pose25d': prediction.pose25d.detach().float().cpu().numpy(),
        'keypoints': points_to_image(codec, pose[..., :2], targets['crop_matrix']).numpy(),
    }
    if prediction.scores is not None:
        out['keypoint_scores'] = prediction.scores.detach().float().cpu().numpy()
    if all(key in targets for key in ('camera', 'root_depth', 'ref_length', 'mirrored')):
        camera, root, length = (
            targets[key].double().cpu() for key in ('camera', 'root_depth', 'ref_length')
        )
        xyz = codec.lift(pose, camera, root, length)
        sign = 1.0 - 2.0 * targets['mirrored'].double().cpu()
        out['keypoints_3d'] = torch.cat([xyz[..., :1] * sign[:, None, None], xyz[..., 1:]], -1).numpy()
    return out
