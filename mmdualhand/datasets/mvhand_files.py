"""The label files of one MVHand sequence: joints of every frame and the poses of the cameras."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmdualhand.datasets.restricted_pickle import load_annotation_pickle
from mmdualhand.errors import DataError
from mmdualhand.structures.mvhand_cameras import MVHAND_CAMERAS

NUM_VIEWS = 4
_FLOATS = 'f'
_HOMOGENEOUS_TOLERANCE = 1e-6
_ROTATION_TOLERANCE = 1e-3


class Views(NamedTuple):
    """The cameras of a sequence in the order of its views.

    Attributes:
        serials: Serial numbers, ascending.
        camera: (4, 3, 3) float64 intrinsics, px.
        from_world: (4, 4, 4) float64: X_view = from_world X_world, mm.
    """

    serials: tuple[str, ...]
    camera: np.ndarray
    from_world: np.ndarray

    def joints(self, world: np.ndarray, view: int) -> np.ndarray:
        """Bring joints (..., 3) mm from the world to the camera of a view, in float64."""
        motion = self.from_world[view]
        return world @ motion[:3, :3].T + motion[:3, 3]


def read_joints(path: Path) -> np.ndarray:
    """Read ``mlresults/<sequence>-joints.npy``.

    Args:
        path: The file.

    Returns:
        (N, 21, 3) float64 mm, world frame, raw joint order. Frames that are not
        finite are kept.

    Raises:
        DataError: The file is broken, empty, holds whole numbers (positions cut
            to millimetres, which the published tools do), or is not (N, 21, 4)
            or (N, 21, 4, 1) homogeneous points.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f'{path} cannot be read as an array ({error}); copy the file again.') from error
    if values.ndim == 4 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim != 3 or values.shape[1:] != (21, 4):
        raise DataError(f'{path} must have shape (frames, 21, 4) or (frames, 21, 4, 1), got {values.shape}.')
    if not len(values):
        raise DataError(f'{path} is empty, it has no frame.')
    if values.dtype.kind != _FLOATS:
        raise DataError(
            f'{path} holds {values.dtype}: its positions were cut to whole millimetres; use the published '
            'file.'
        )
    joints = values.astype(np.float64)
    weight = joints[..., 3]
    wrong = np.isfinite(weight) & (np.abs(weight - 1) > _HOMOGENEOUS_TOLERANCE)
    if wrong.any():
        raise DataError(
            f'{path}, frame {int(np.nonzero(wrong.any(axis=1))[0][0])}: the fourth number of a joint must be '
            f'1, got {weight[wrong][0]:g}.'
        )
    return joints[..., :3]


def read_views(path: Path) -> Views:
    """Read ``calib.pkl``: serial number to the pose (4, 4) of its camera, camera to world, mm.

    Args:
        path: The file.

    Returns:
        The views.

    Raises:
        UnsafeFileError: It asks for more than arrays, containers and numbers.
        DataError: It is no dictionary of four known cameras with rigid motions.
    """
    content = load_annotation_pickle(path)
    if not isinstance(content, Mapping) or len(content) != NUM_VIEWS:
        raise DataError(f'{path} must hold a dictionary of {NUM_VIEWS} cameras by serial number.')
    poses = {str(serial): pose for serial, pose in content.items()}
    unknown = sorted(set(poses) - set(MVHAND_CAMERAS))
    if unknown:
        raise DataError(
            f'{path}: no intrinsics are known for the camera {", ".join(unknown)}; known are '
            f'{", ".join(MVHAND_CAMERAS)}.'
        )
    serials = tuple(sorted(poses))
    motions = np.stack([_motion(poses[serial], f'{path}, camera {serial}') for serial in serials])
    camera = np.stack([MVHAND_CAMERAS[serial] for serial in serials])
    return Views(serials, camera, np.linalg.inv(motions))


def _motion(pose: object, where: str) -> np.ndarray:
    try:
        matrix = np.asarray(pose, dtype=np.float64)
    except (TypeError, ValueError):
        matrix = np.zeros(0)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise DataError(f'{where}: the pose must be a finite (4, 4) matrix, got shape {matrix.shape}.')
    turn = matrix[:3, :3]
    rigid = np.allclose(turn @ turn.T, np.eye(3), atol=_ROTATION_TOLERANCE) and np.linalg.det(turn) > 0
    if not rigid or not np.allclose(matrix[3], (0, 0, 0, 1), atol=1e-9):
        raise DataError(f'{where}: the pose is no rigid motion: {matrix.tolist()}.')
    return matrix
