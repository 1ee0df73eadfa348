"""A pinhole camera without distortion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmdualhand.structures.checks import check_shape


@dataclass(frozen=True, eq=False)
class Camera:
    """Pinhole intrinsics; x right, y down, z forward, integer pixel = pixel centre.

    After a rotated or mirrored crop ``K`` may be skewed or have a negative or
    zero entry where a focal length usually stands: only the third row is fixed.

    Args:
        K: (3, 3) intrinsic matrix in pixels, kept as float64.

    Raises:
        ValueError: Wrong shape, a non-finite entry, a third row other than
            ``[0, 0, 1]``, or a matrix that cannot be inverted.
    """

    K: np.ndarray

    def __post_init__(self) -> None:
        matrix = np.array(self.K, dtype=np.float64)
        check_shape(matrix, '3 3', name='K')
        if not np.isfinite(matrix).all():
            raise ValueError(f'K must be finite, got {matrix.tolist()}')
        if not np.array_equal(matrix[2], (0.0, 0.0, 1.0)):
            raise ValueError(f'the third row of K must be [0, 0, 1], got {matrix[2].tolist()}')
        if np.linalg.det(matrix[:2, :2]) == 0:
            raise ValueError(f'K cannot be inverted: {matrix.tolist()}')
        matrix.setflags(write=False)
        object.__setattr__(self, 'K', matrix)

    def project(self, xyz: np.ndarray) -> np.ndarray:
        """Project points of the camera frame to pixels.

        Args:
            xyz: (..., 3) in any length unit, z > 0 in front of the camera.

        Returns:
            (..., 2) float64 pixels.

        Raises:
            ValueError: Wrong shape.
        """
        xyz = np.asarray(xyz, dtype=np.float64)
        check_shape(xyz, '... 3', name='xyz')
        rays = xyz @ self.K.T
        return rays[..., :2] / rays[..., 2:]

    def back_project(self, uv: np.ndarray, z: np.ndarray | float) -> np.ndarray:
        """Lift pixels of known depth to the camera frame.

        Args:
            uv: (..., 2) pixels.
            z: (...) depth of each pixel along the optical axis.

        Returns:
            (..., 3) float64 points, in the unit of ``z``.

        Raises:
            ValueError: Wrong shape.
        """
        uv = np.asarray(uv, dtype=np.float64)
        check_shape(uv, '... 2', name='uv')
        depth = np.asarray(z, dtype=np.float64)
        rays = np.concatenate([uv, np.ones_like(uv[..., :1])], axis=-1) @ np.linalg.inv(self.K).T
        rays[..., 2] = 1.0
        return rays * depth[..., None]

    def warped(self, matrix: np.ndarray) -> Camera:
        """The camera of an image that an affine map of the pixels has moved.

        Args:
            matrix: (3, 3) affine map from old to new pixels, third row
                ``[0, 0, 1]``.

        Returns:
            The camera ``matrix @ K``: it projects a point to where the map has
            carried its old pixel.

        Raises:
            ValueError: ``matrix`` is not a finite affine map.
        """
        matrix = np.asarray(matrix, dtype=np.float64)
        check_shape(matrix, '3 3', name='matrix')
        return Camera(matrix @ self.K)
