"""Whether the hand is the bright or the dark part of masks that do not say so."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mmdualhand.datasets.image_io import read_picture
from mmdualhand.errors import DataError

BRIGHT, DARK = (128, 255), (0, 127)
"""Inclusive ranges of grey for the hand; JPEG blurs the two values of a mask, so they are cut halfway."""
_MARGIN = 0.2


def hand_values(samples: Iterable[tuple[str, str, np.ndarray]], where: str) -> tuple[int, int]:
    """Decide the polarity by the masks at the pixels of the joints.

    Args:
        samples: Mask file, sample id and joints (21, 2) in pixels.
        where: The dataset, named in the error.

    Returns:
        ``BRIGHT`` where the joints are brighter than the pictures are as a whole,
        ``DARK`` where they are darker.

    Raises:
        MissingFileError: A mask is not there.
        DataError: A mask is broken, or joints are as often bright as other pixels.
    """
    at_joints, anywhere = [], []
    for path, sample, uv in samples:
        mask = read_picture(path, sample)
        bright = (mask if mask.ndim == 2 else mask[..., 0]) >= BRIGHT[0]
        u, v = np.rint(uv).astype(int).T
        inside = (u >= 0) & (v >= 0) & (u < bright.shape[1]) & (v < bright.shape[0])
        at_joints.append(bright[v[inside], u[inside]])
        anywhere.append(float(bright.mean()))
    share = float(np.concatenate(at_joints).mean()) if at_joints and any(map(len, at_joints)) else 0.5
    overall = float(np.mean(anywhere)) if anywhere else 0.5
    if abs(share - overall) < _MARGIN:
        raise DataError(
            f'{where}: {share:.0%} of the joints and {overall:.0%} of all pixels are bright in the masks, '
            "which does not tell whether hands are bright; say mask_polarity='hand_bright' or 'hand_dark'."
        )
    return BRIGHT if share > overall else DARK
