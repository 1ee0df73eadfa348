"""Which annotated hands are usable as samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmdualhand.structures import check_shape


@dataclass(frozen=True)
class HandSelection:
    """A rule for images that show up to two hands.

    The defaults are those of the RegDA authors' RHD reader (Transfer-Learning-Library).

    Attributes:
        min_visible: Least number of visible joints (17: more than 16).
        min_crop_side: The crop's side must exceed this, px of the image.
        max_overlap: The other hand's joint box must cover less than this share
            of the crop box. A hand without any visible joint covers nothing.
        crop_scale: Side of the crop box over the larger extent of the joints.
    """

    min_visible: int = 17
    min_crop_side: float = 64.0
    max_overlap: float = 0.3
    crop_scale: float = 1.5

    def __post_init__(self) -> None:
        if not 0 <= self.min_visible <= 21:
            raise ValueError(f'selection.min_visible must lie in 0..21, got {self.min_visible}')
        if self.min_crop_side < 0 or self.max_overlap < 0 or self.crop_scale <= 0:
            raise ValueError(
                'selection: min_crop_side and max_overlap must not be negative and crop_scale must be '
                f'positive, got {self}'
            )

    def usable(self, keypoints_2d: np.ndarray, visible: np.ndarray) -> np.ndarray:
        """Apply the rule to both hands of many images at once.

        Args:
            keypoints_2d: (N, 2, 21, 2) px; axis 1 are the two hands.
            visible: (N, 2, 21), non-zero where visible.

        Returns:
            (N, 2) bool.

        Raises:
            ValueError: Wrong shape.
        """
        check_shape(keypoints_2d, 'N 2 21 2', name='keypoints_2d')
        check_shape(visible, 'N 2 21', name='visible')
        count = (visible != 0).sum(axis=-1)
        low, high = keypoints_2d.min(axis=2), keypoints_2d.max(axis=2)
        side = self.crop_scale * (high - low).max(axis=-1)
        middle = (low + high) / 2
        other_low, other_high = low[:, ::-1], high[:, ::-1]
        inner_low = np.maximum(middle - side[..., None] / 2, other_low)
        inner_high = np.minimum(middle + side[..., None] / 2, other_high)
        common = np.prod(np.clip(inner_high - inner_low, 0, None), axis=-1) * (count[:, ::-1] > 0)
        overlap = common / np.maximum(side**2, 1e-12)
        return (count >= self.min_visible) & (side > self.min_crop_side) & (overlap < self.max_overlap)
