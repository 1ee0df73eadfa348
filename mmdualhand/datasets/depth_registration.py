"""Seeing a depth picture from another camera: forward projection with a depth test."""

from __future__ import annotations

import numpy as np

from mmdualhand.structures import check_shape

# Surfaces seen at a slant open cracks of a fraction of a pixel between neighbouring footprints.
_MARGIN_PX = 0.1
# What comes closer to the new camera than this, or behind it, is left out: its footprint has no end.
_MAX_GROWTH = 10.0


def register_depth(
    depth: np.ndarray,
    depth_camera: np.ndarray,
    rotation: np.ndarray,
    translation: np.ndarray,
    camera: np.ndarray,
    size: tuple[int, int],
) -> np.ndarray:
    """Move a depth picture into another camera.

    Every measured pixel is a small square that faces the camera; it covers the
    pixels of the new picture whose centres lie in its footprint, the nearest
    square wins. What the depth camera did not see stays 0.

    Args:
        depth: (H, W) mm along its optical axis, 0 where nothing was measured.
        depth_camera: (3, 3) intrinsics of ``depth``.
        rotation: (3, 3), with ``translation`` the motion into the new camera:
            X_new = rotation X_depth + translation.
        translation: (3,) mm.
        camera: (3, 3) intrinsics of the new picture.
        size: (w, h) of the new picture.

    Returns:
        (h, w) float32 mm along the new optical axis, 0 where nothing was measured.

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(depth, 'H W', name='depth')
    for matrix, name in ((depth_camera, 'depth_camera'), (rotation, 'rotation'), (camera, 'camera')):
        check_shape(matrix, '3 3', name=name)
    check_shape(translation, '3', name='translation')
    v, u = np.nonzero(depth > 0)
    z = depth[v, u].astype(np.float64)
    # one matrix for back-projection, motion and projection: (u z, v z, z) -> (u' z', v' z', z')
    turn = camera @ rotation @ np.linalg.inv(depth_camera)
    moved = turn @ np.stack([u * z, v * z, z]) + (camera @ translation)[:, None]
    in_front = moved[2] > z / _MAX_GROWTH
    moved, z = moved[:, in_front], z[in_front]
    new_z = moved[2]
    grown = z / new_z
    half_u = 0.5 * camera[0, 0] / depth_camera[0, 0] * grown + _MARGIN_PX
    half_v = 0.5 * camera[1, 1] / depth_camera[1, 1] * grown + _MARGIN_PX
    return _splat(moved[0] / new_z, moved[1] / new_z, half_u, half_v, new_z, size)


def _splat(
    u: np.ndarray, v: np.ndarray, half_u: np.ndarray, half_v: np.ndarray, z: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Paint rectangles about (u, v) by depth; (h, w) float32, 0 where nothing is."""
    width, height = size
    u0, u1 = np.ceil(u - half_u), np.floor(u + half_u)
    v0, v1 = np.ceil(v - half_v), np.floor(v + half_v)
    seen = (u0 <= u1) & (v0 <= v1) & (u1 >= 0) & (v1 >= 0) & (u0 < width) & (v0 < height)
    z = z[seen].astype(np.float32)
    u0, u1, v0, v1 = (np.rint(edge[seen]).astype(np.int64) for edge in (u0, u1, v0, v1))
    picture = np.full(width * height, np.inf, np.float32)
    for du in range(int((u1 - u0).max(initial=-1)) + 1):
        for dv in range(int((v1 - v0).max(initial=-1)) + 1):
            column, row = u0 + du, v0 + dv
            inside = (column <= u1) & (row <= v1)
            inside &= (column >= 0) & (row >= 0) & (column < width) & (row < height)
            np.minimum.at(picture, row[inside] * width + column[inside], z[inside])
    picture[np.isinf(picture)] = 0.0
    return picture.reshape(height, width)
