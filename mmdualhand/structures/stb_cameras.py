"""The two camera rigs of STB: published constants, and how labels get to each picture.

Source: readme and ``positionCalc.m`` of the dataset's authors
(github.com/zhjwustc/icip17_stereo_hand_pose_dataset), Zhang et al., ICIP 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

IMAGE_SIZE = (640, 480)


def _intrinsics(fx: float, fy: float, cx: float, cy: float) -> np.ndarray:
    matrix = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    matrix.setflags(write=False)
    return matrix


def _frozen(values: np.ndarray) -> np.ndarray:
    values = np.array(values, np.float64)
    values.setflags(write=False)
    return values


BUMBLEBEE = _intrinsics(822.79041, 822.79041, 318.47345, 250.31296)
"""Both pictures of the rectified stereo pair, px."""
BASELINE_MM = 120.054
"""The right Bumblebee camera sits this far along +x of the left one."""
REALSENSE_COLOR = _intrinsics(607.92271, 607.88192, 314.78337, 236.42484)
REALSENSE_DEPTH = _intrinsics(475.62768, 474.77709, 336.41179, 238.77962)
COLOR_TO_DEPTH_ROTATION = _frozen(Rotation.from_rotvec([0.00531, -0.01196, 0.00301]).as_matrix())
"""R of X_depth = R X_color + t."""
COLOR_TO_DEPTH_TRANSLATION = _frozen(np.array([-24.0381, -0.4563, -1.2326]))
"""t of X_depth = R X_color + t, mm."""


@dataclass(frozen=True, eq=False)
class StbStream:
    """One kind of STB picture.

    Attributes:
        name: ``'SK'`` (RealSense colour), ``'BB_left'`` or ``'BB_right'``.
        labels: Ending of its label files, ``'SK'`` or ``'BB'``.
        picture: File name of a frame, with a place for its number.
        camera: (3, 3) intrinsics, px.
        rotation: (3, 3), with ``translation`` from the frame of the labels to
            that of the picture: X_picture = rotation X_label + translation.
        translation: (3,) mm.
    """

    name: str
    labels: str
    picture: str
    camera: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    def from_labels(self, xyz: np.ndarray) -> np.ndarray:
        """Bring points from the frame of the labels to the camera of the picture.

        Args:
            xyz: (..., 3) mm as the label file has them.

        Returns:
            (..., 3) float64 mm.
        """
        return np.asarray(xyz, np.float64) @ self.rotation.T + self.translation

    def to_labels(self, xyz: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`from_labels`, for writers."""
        return (np.asarray(xyz, np.float64) - self.translation) @ self.rotation


_EYE = _frozen(np.eye(3))

STB_STREAMS: dict[str, StbStream] = {
    stream.name: stream
    for stream in (
        # labels are in the depth camera: X_color = R^T (X_depth - t)
        StbStream(
            'SK', 'SK', 'SK_color_{}.png', REALSENSE_COLOR, _frozen(COLOR_TO_DEPTH_ROTATION.T),
            _frozen(-COLOR_TO_DEPTH_ROTATION.T @ COLOR_TO_DEPTH_TRANSLATION),
        ),
        StbStream('BB_left', 'BB', 'BB_left_{}.png', BUMBLEBEE, _EYE, _frozen(np.zeros(3))),
        StbStream(
            'BB_right', 'BB', 'BB_right_{}.png', BUMBLEBEE, _EYE, _frozen(np.array([-BASELINE_MM, 0.0, 0.0]))
        ),
    )
}  # fmt: skip
"""Name to stream."""
