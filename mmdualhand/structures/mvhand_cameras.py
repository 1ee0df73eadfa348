"""The four cameras of MVHand: published constants.

Source: ``toolkits/globalCamera/camera.py`` of the dataset's authors
(github.com/ShichengChen/multiviewDataset), Yu et al., BMVC 2021.
"""

from __future__ import annotations

import numpy as np

IMAGE_SIZE = (640, 480)


def _intrinsics(fx: float, fy: float, cx: float, cy: float) -> np.ndarray:
    matrix = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    matrix.setflags(write=False)
    return matrix


MVHAND_CAMERAS: dict[str, np.ndarray] = {
    '840412062035': _intrinsics(619.598, 619.116, 325.345, 245.441),
    '840412062037': _intrinsics(615.85, 615.477, 316.062, 247.156),
    '840412062038': _intrinsics(619.475, 619.189, 313.715, 223.921),
    '840412062076': _intrinsics(615.665, 615.09, 306.514, 240.344),
}
"""Serial number to (3, 3) intrinsics, px, of pictures of 640x480; view v is the v-th serial in order."""
