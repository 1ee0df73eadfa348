"""How far the label of an image moves from one look to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from mmengine.dist import all_gather, is_distributed
from torch import Tensor

from mmdualhand.codecs import GRID_SIZE
from mmdualhand.models import PseudoLabels
from mmdualhand.pseudo_labels import pose_to_image
from mmdualhand.structures import NUM_JOINTS, apply_affine, to_grid

_GRID = (GRID_SIZE, GRID_SIZE)


@torch.no_grad()
def label_drift(
    pose25d: Tensor, before: Tensor, known: Tensor, crop_matrix: Tensor, input_size: int | Sequence[int]
) -> dict[str, Tensor]:
    """Distance of labels from earlier ones of the same images.

    Args:
        pose25d: ``(B, 21, 3)`` on the 64-grid of the crop.
        before: ``(B, 21, 3)`` with u, v in pixels of the original image; NaN where there was none.
        known: ``(B,)`` whether the label is one.
        crop_matrix: ``(B, 3, 3)`` from original to crop pixels.
        input_size: (w, h) of the crops, px, or one integer.

    Returns:
        Means over the joints of the hands that have both: ``drift_px`` in px of the
        64-grid, ``drift_depth`` in reference bones; 0 where no hand has.
    """
    uv = to_grid(apply_affine(crop_matrix.double(), before[..., :2].double()), input_size, _GRID)
    moved = torch.cat([uv, before[..., 2:].double()], dim=-1) - pose25d
    both = known & torch.isfinite(moved).flatten(1).all(1)
    moved = torch.where(both[:, None, None], moved, torch.zeros_like(moved)).float()
    count = both.sum().clamp_min(1) * NUM_JOINTS
    return {
        'drift_px': moved[..., :2].norm(dim=-1).sum() / count,
        'drift_depth': moved[..., 2].abs().sum() / count,
    }


class LabelMemory:
    """The last label of every image, on the device.

    Nothing waits for the device. Labels are kept in pixels of the original image,
    because every look has another crop. All processes know the labels of all.

    Args:
        size: Number of images, above every ``sample_index``.
        input_size: (w, h) of the crops, px.
        device: Where the labels are.

    Attributes:
        labels: ``(size, 21, 3)`` float32, NaN where there is none; may be replaced
            after a resume.
    """

    def __init__(self, size: int, input_size: Sequence[int], device: torch.device) -> None:
        self.input_size = tuple(input_size)
        self.labels = torch.full((size, NUM_JOINTS, 3), torch.nan, device=device)

    @torch.no_grad()
    def compare(self, labels: PseudoLabels, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Compare labels with those before, then remember them.

        Args:
            labels: Of B images.
            targets: ``sample_index (B,)``, ``crop_matrix (B, 3, 3)``.

        Returns:
            See :func:`label_drift`.
        """
        index, matrix = targets['sample_index'], targets['crop_matrix']
        before = self.labels.index_select(0, index)
        known = labels.confidence.isfinite().view(len(index), -1).any(1)
        drift = label_drift(labels.pose25d, before, known, matrix, self.input_size)
        now = pose_to_image(labels.pose25d, matrix, self.input_size).float()
        now = torch.where(known[:, None, None], now, before)
        if is_distributed():
            index, now = torch.cat(all_gather(index)), torch.cat(all_gather(now))
        self.labels.index_copy_(0, index, now)
        return drift
