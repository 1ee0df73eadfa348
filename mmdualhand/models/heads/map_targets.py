"""Mask and depth-map targets at the resolution of the head."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def resize_map_targets(mask: Tensor, depth_map: Tensor, size: tuple[int, int]) -> dict[str, Tensor]:
    """Bring a mask and a depth map to the size of the prediction.

    The mask is averaged over the area and thresholded at one half. Depth is
    averaged over hand pixels only, so that no value lies between hand and
    background along the silhouette.

    Args:
        mask: ``(B, 1, H, W)`` 0 or 1.
        depth_map: ``(B, 1, H, W)`` in 0..1, background 1.
        size: Height and width of the prediction.

    Returns:
        ``mask`` (0 or 1) and ``depth_map`` (1 where the mask is 0), each
        ``(B, 1, h, w)`` float32.
    """
    mask = mask.float()
    share = F.adaptive_avg_pool2d(mask, size)
    hand = share >= 0.5
    near = F.adaptive_avg_pool2d((1.0 - depth_map.float()) * mask, size)
    depth = 1.0 - near / share.clamp_min(0.5)
    return {'mask': hand.float(), 'depth_map': torch.where(hand, depth, torch.ones_like(depth))}
