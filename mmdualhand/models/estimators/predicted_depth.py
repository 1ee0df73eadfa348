"""Predicted depth maps as input of the depth encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmdualhand.models.heads import MultiModalPrediction


def depth_input(
    prediction: MultiModalPrediction, size: Sequence[int], detach: bool = True, clean: bool = False
) -> Tensor:
    """The depth map of a prediction, as the depth encoder wants it.

    Args:
        prediction: Of B images; ``depth_map`` and ``mask`` ``(B, 1, h, w)``.
        size: Height and width of the input, px.
        detach: Cut the gradient into the prediction.
        clean: Put depth to background where the mask is below one half.

    Returns:
        ``(B, 1, H, W)`` in 0..1, background 1.
    """
    depth, mask = prediction.depth_map.clamp(0, 1), prediction.mask
    if detach:
        depth, mask = depth.detach(), mask.detach()
    if clean:
        depth = torch.where(mask < 0.5, torch.ones_like(depth), depth)
    return F.interpolate(depth, size=tuple(size), mode='bilinear', align_corners=False)


def replace_rows(given: Tensor, predicted: Tensor, share: float) -> Tensor:
    """Put predicted maps in the place of some given ones, drawn row by row.

    Args:
        given: ``(V*B, 1, H, W)`` depth maps, plain view first.
        predicted: ``(B, 1, H, W)`` for the plain view.
        share: Probability of each row of the plain view.

    Returns:
        ``(V*B, 1, H, W)``; a new tensor.
    """
    rows = predicted.shape[0]
    drawn = torch.rand(rows, 1, 1, 1, device=given.device) < share
    plain = torch.where(drawn, predicted.to(given.dtype), given[:rows])
    return torch.cat([plain, given[rows:]])
