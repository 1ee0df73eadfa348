"""Units and intrinsics of a set that does not say them, found from its own 2D and 3D labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mmdualhand.errors import DataError
from mmdualhand.structures import REFERENCE_BONE

UNITS_MM = {'m': 1000.0, 'cm': 10.0, 'mm': 1.0}
BONE_RANGE_MM = (15.0, 80.0)
"""Where the median length of the bone 9-10 lies in any set of human hands."""
SET_TOLERANCE_PX = 2.0


class LabelCameras(NamedTuple):
    """Intrinsics that reproduce the 2D labels.

    Attributes:
        camera: (N, 3, 3) px.
        errors: (N,) median distance over the joints, px, of projected 3D and 2D.
        note: In words where they come from.
    """

    camera: np.ndarray
    errors: np.ndarray
    note: str


def detect_unit(joints: np.ndarray, where: str) -> str:
    """Unit of 3D joints, from the median length of the bone 9-10.

    Args:
        joints: (N, 21, 3) canonical order.
        where: File, named in the error.

    Returns:
        ``'m'``, ``'cm'`` or ``'mm'``.

    Raises:
        DataError: In no unit is it a hand.
    """
    start, end = REFERENCE_BONE
    length = float(np.median(np.linalg.norm(joints[:, end] - joints[:, start], axis=-1)))
    for unit, factor in UNITS_MM.items():
        if BONE_RANGE_MM[0] <= factor * length <= BONE_RANGE_MM[1]:
            return unit
    raise DataError(
        f'{where}: the bone 9-10 measures {length:.4g} (median), which is no hand in m, cm or mm; is it '
        'another file, or are the joints in another order?'
    )


def recover_cameras(camera: np.ndarray, uv: np.ndarray, xyz: np.ndarray, where: str) -> LabelCameras:
    """Intrinsics of cropped pictures, whether or not they were moved with the crop.

    Tried in turn on the whole set: the stored matrix; the stored focal lengths
    with a principal point of each picture's own; these scaled by one factor of
    each picture's own. The first whose median error over the set is at most
    ``SET_TOLERANCE_PX`` is taken for all pictures, so that a single wrong label
    stays visible.

    Args:
        camera: (N, 3, 3) as stored, px.
        uv: (N, 21, 2) px of the picture.
        xyz: (N, 21, 3) camera frame, any unit.
        where: File, named in the error.

    Returns:
        The cameras.

    Raises:
        DataError: None of these reproduces the labels.
    """
    with np.errstate(divide='ignore', invalid='ignore'):
        flat = xyz[..., :2] / xyz[..., 2:]
    rays = np.einsum('nij,nkj->nki', camera[:, :2, :2], flat)
    found = []
    for solve in (_stored, _shifted, _scaled):
        matrix, note = solve(camera, uv, rays)
        projected = np.einsum('nij,nkj->nki', matrix[:, :2, :2], flat) + matrix[:, None, :2, 2]
        distance = np.linalg.norm(projected - uv, axis=-1)
        errors = np.median(np.where(np.isfinite(distance), distance, np.inf), axis=1)
        if float(np.median(errors)) <= SET_TOLERANCE_PX:
            return LabelCameras(matrix, errors, note)
        found.append(f'{float(np.median(errors)):.1f} px')
    raise DataError(
        f'{where}: keypoint3d projected with intrinsic_matrix is {found[0]} (median) from keypoint2d, with a '
        f'principal point of its own {found[1]}, with a scale too {found[2]}; are x and y swapped, the '
        'joints in different orders, or the labels those of other pictures?'
    )


Solved = tuple[np.ndarray, str]
Solver = Callable[[np.ndarray, np.ndarray, np.ndarray], Solved]


def _stored(camera: np.ndarray, uv: np.ndarray, rays: np.ndarray) -> Solved:
    return camera.copy(), 'as stored'


def _shifted(camera: np.ndarray, uv: np.ndarray, rays: np.ndarray) -> Solved:
    moved = camera.copy()
    moved[:, :2, 2] = np.median(uv - rays, axis=1)
    du, dv = np.median(moved[:, :2, 2] - camera[:, :2, 2], axis=0)
    return moved, f'principal point found from the labels (median shift {du:.1f}, {dv:.1f} px)'


def _scaled(camera: np.ndarray, uv: np.ndarray, rays: np.ndarray) -> Solved:
    """Least squares of uv = s rays + c; the scale has one closed form for both axes."""
    ray_mean, uv_mean = rays.mean(axis=1, keepdims=True), uv.mean(axis=1, keepdims=True)
    spread = ((rays - ray_mean) ** 2).sum(axis=(1, 2))
    with np.errstate(divide='ignore', invalid='ignore'):
        scale = ((rays - ray_mean) * (uv - uv_mean)).sum(axis=(1, 2)) / spread
    moved = camera.copy()
    moved[:, :2, :2] *= scale[:, None, None]
    moved[:, :2, 2] = (uv_mean - scale[:, None, None] * ray_mean)[:, 0]
    note = f'principal point and scale found from the labels (median scale {float(np.median(scale)):.3f})'
    return moved, note
