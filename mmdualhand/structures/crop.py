"""One affine map that moves an image, its 2D points, its camera and its 3D points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import torch

from mmdualhand.structures.camera import Camera
from mmdualhand.structures.checks import check_shape
from mmdualhand.structures.grid import Size, apply_affine, as_size, grid_affine

ArrayT = TypeVar('ArrayT', np.ndarray, torch.Tensor)

_INTERPOLATION = {'linear': cv2.INTER_LINEAR, 'nearest': cv2.INTER_NEAREST}


@dataclass(frozen=True, eq=False)
class CropTransform:
    """Affine map from source pixels to crop pixels, mirror included.

    The same object moves everything that belongs to the image, so that nothing
    can get out of step: pixels, 2D points, depth and mask images, the camera and
    the 3D points.

    What happens to 3D: 3D stays in millimetres in the camera frame, of which
    there are two. A crop, a zoom and an in-plane rotation leave 3D alone; they
    change only the pixels, so they go into the camera, ``K' = A K`` (skewed
    after a rotation). A mirror gives the image that a mirrored hand would have
    given: 3D becomes ``diag(-1, 1, 1) xyz`` and ``K' = A K diag(-1, 1, 1)``,
    which is ``u' = W - 1 - u, cx' = W - 1 - cx`` for a mirror alone. Always
    ``camera(cam).project(points_3d(xyz)) == points_2d(cam.project(xyz))``.

    Args:
        matrix: (3, 3) float64 from source to crop pixels (integer = pixel
            centre); contains the mirror.
        source_size: ``(w, h)`` of the source image.
        output_size: ``(w, h)`` of the crop.
        mirror: Whether ``matrix`` mirrors, that is has a negative determinant.

    Raises:
        ValueError: Wrong shape or size, a non-finite or singular matrix, a third
            row other than ``[0, 0, 1]``, or ``mirror`` contradicts the matrix.
    """

    matrix: np.ndarray
    source_size: Size
    output_size: Size
    mirror: bool = False

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        check_shape(matrix, '3 3', name='matrix')
        if not np.isfinite(matrix).all() or not np.array_equal(matrix[2], (0.0, 0.0, 1.0)):
            raise ValueError(f'matrix must be a finite affine map, got {matrix.tolist()}')
        determinant = np.linalg.det(matrix[:2, :2])
        if determinant == 0:
            raise ValueError(f'matrix cannot be inverted: {matrix.tolist()}')
        if (determinant < 0) != bool(self.mirror):
            raise ValueError(f'mirror={self.mirror} contradicts the determinant {determinant:g} of matrix')
        matrix.setflags(write=False)
        object.__setattr__(self, 'matrix', matrix)
        object.__setattr__(self, 'source_size', as_size(self.source_size, name='source_size'))
        object.__setattr__(self, 'output_size', as_size(self.output_size, name='output_size'))
        object.__setattr__(self, 'mirror', bool(self.mirror))

    @classmethod
    def identity(cls, size: int | Sequence[int]) -> CropTransform:
        """Leave an image of ``size`` (w, h) as it is."""
        return cls(np.eye(3), as_size(size), as_size(size))

    @classmethod
    def resize(cls, source_size: int | Sequence[int], output_size: int | Sequence[int]) -> CropTransform:
        """Scale the whole image to another size, each axis on its own."""
        source, output = as_size(source_size), as_size(output_size)
        return cls(grid_affine(source, output), source, output)

    @classmethod
    def from_box(
        cls,
        center: Sequence[float] | np.ndarray,
        side: float,
        output_size: int | Sequence[int],
        source_size: int | Sequence[int],
        rotation_deg: float = 0.0,
        mirror: bool = False,
    ) -> CropTransform:
        """Cut a square, optionally mirrored and rotated.

        Without rotation and mirror ``u' = (u - center_u) * S / side + (S - 1) / 2``.

        Args:
            center: (2,) centre of the square in pixels of the unmirrored source.
            side: Its side in source pixels; it fills the shorter side of the
                output.
            output_size: ``(w, h)`` of the crop.
            source_size: ``(w, h)`` of the source image.
            rotation_deg: Rotation of the content about the crop centre, degrees,
                positive counter-clockwise as seen on the screen; after the mirror.
            mirror: Mirror the source first, ``u -> W - 1 - u``.

        Returns:
            The transform.

        Raises:
            ValueError: ``side`` is not positive and finite, or another argument
                is malformed.
        """
        middle = np.asarray(center, dtype=np.float64)
        check_shape(middle, '2', name='center')
        if not (np.isfinite(side) and side > 0):
            raise ValueError(f'side must be positive and finite, got {side}')
        output, source = as_size(output_size, name='output_size'), as_size(source_size, name='source_size')
        flip = np.diag((-1.0, 1.0, 1.0)) if mirror else np.eye(3)
        flip[0, 2] = source[0] - 1.0 if mirror else 0.0
        middle = apply_affine(flip, middle)
        zoom, angle = min(output) / float(side), np.deg2rad(rotation_deg)
        linear = zoom * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        cut = np.eye(3)
        cut[:2, :2] = linear
        cut[:2, 2] = (np.asarray(output, dtype=np.float64) - 1) / 2 - linear @ middle
        return cls(cut @ flip, source, output, mirror)

    def points_2d(self, uv: ArrayT) -> ArrayT:
        """Move source pixels (..., 2) to crop pixels (..., 2); numpy or torch."""
        return apply_affine(self.matrix, uv)

    def inverse_points_2d(self, uv: ArrayT) -> ArrayT:
        """Move crop pixels (..., 2) back to source pixels (..., 2); numpy or torch."""
        return apply_affine(np.linalg.inv(self.matrix), uv)

    def points_3d(self, xyz: ArrayT) -> ArrayT:
        """Move 3D points (..., 3) to the camera frame of the crop.

        Only a mirror changes them, ``x -> -x``; cropping, zoom and rotation are
        in :meth:`camera`.
        """
        check_shape(xyz, '... 3', name='xyz')
        if not self.mirror:
            return xyz
        if isinstance(xyz, torch.Tensor):
            return torch.cat([-xyz[..., :1], xyz[..., 1:]], dim=-1)
        return np.concatenate([-xyz[..., :1], xyz[..., 1:]], axis=-1)

    def inverse_points_3d(self, xyz: ArrayT) -> ArrayT:
        """Move 3D points (..., 3) back to the camera frame of the source image."""
        return self.points_3d(xyz)  # a mirror is its own inverse

    def camera(self, camera: Camera) -> Camera:
        """The camera of the crop: projects :meth:`points_3d` to crop pixels."""
        moved = self.matrix @ camera.K
        return Camera(moved @ np.diag((-1.0, 1.0, 1.0)) if self.mirror else moved)

    def image(self, img: np.ndarray, interpolation: str = 'linear', border: float = 0) -> np.ndarray:
        """Warp an image of the source into the crop.

        Args:
            img: (H, W) or (H, W, C) array of the source size.
            interpolation: ``'linear'``, ``'nearest'`` (masks, depth) or
                ``'area'`` (averages over a crop pixel's footprint when the crop
                is smaller than its source).
            border: Value outside the source.

        Returns:
            (h, w) or (h, w, C) of the output size, same dtype.

        Raises:
            ValueError: The image is not of the source size, or the interpolation
                is unknown.
        """
        if tuple(img.shape[1::-1]) != self.source_size:
            raise ValueError(f'img must be of size {self.source_size} (w, h), got {tuple(img.shape[1::-1])}')
        if interpolation == 'area':
            return self._average(img, border)
        if interpolation not in _INTERPOLATION:
            raise ValueError(f"interpolation must be 'linear', 'nearest' or 'area', got {interpolation!r}")
        return self._warp(img, self.matrix, self.output_size, _INTERPOLATION[interpolation], border)

    def _average(self, img: np.ndarray, border: float) -> np.ndarray:
        scale = np.sqrt(abs(np.linalg.det(self.matrix[:2, :2])))
        factor = max(1, int(np.ceil(1.0 / scale - 1e-9)))
        large = (self.output_size[0] * factor, self.output_size[1] * factor)
        fine = self._warp(
            img, grid_affine(self.output_size, large) @ self.matrix, large, cv2.INTER_LINEAR, border
        )
        return fine if factor == 1 else cv2.resize(fine, self.output_size, interpolation=cv2.INTER_AREA)

    @staticmethod
    def _warp(img: np.ndarray, matrix: np.ndarray, size: Size, flag: int, border: float) -> np.ndarray:
        return cv2.warpAffine(
            img, matrix[:2], size, flags=flag, borderMode=cv2.BORDER_CONSTANT, borderValue=(border,) * 4
        )

    def then(self, other: CropTransform) -> CropTransform:
        """This transform followed by another one.

        Raises:
            ValueError: ``other`` does not start from this one's output size.
        """
        if other.source_size != self.output_size:
            raise ValueError(
                f'other must start from size {self.output_size} (w, h), it starts from {other.source_size}'
            )
        return CropTransform(
            other.matrix @ self.matrix, self.source_size, other.output_size, self.mirror != other.mirror
        )

    def inverse(self) -> CropTransform:
        """The transform from crop pixels back to source pixels."""
        matrix = np.linalg.inv(self.matrix)
        matrix[2] = (0.0, 0.0, 1.0)
        return CropTransform(matrix, self.output_size, self.source_size, self.mirror)
