"""Rotation matrices."""

from __future__ import annotations

import numpy as np


def rotation_x(angle: np.ndarray | float) -> np.ndarray:
    """Right-handed rotations about x: radians (...) -> (..., 3, 3)."""
    return _about(angle, 1, 2)


def rotation_y(angle: np.ndarray | float) -> np.ndarray:
    """Right-handed rotations about y: radians (...) -> (..., 3, 3)."""
    return _about(angle, 2, 0)


def rotation_z(angle: np.ndarray | float) -> np.ndarray:
    """Right-handed rotations about z: radians (...) -> (..., 3, 3)."""
    return _about(angle, 0, 1)


def _about(angle: np.ndarray | float, first: int, second: int) -> np.ndarray:
    """Turn axis ``first`` towards axis ``second``."""
    angle = np.asarray(angle, dtype=np.float64)
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., 3 - first - second, 3 - first - second] = 1.0
    matrix[..., first, first] = matrix[..., second, second] = cosine
    matrix[..., first, second], matrix[..., second, first] = -sine, sine
    return matrix


def rotation_about(axis: np.ndarray, angle: float) -> np.ndarray:
    """(3, 3) right-handed rotation by ``angle`` radians about the direction ``axis`` (3,)."""
    axis = np.asarray(axis, dtype=np.float64)
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """(3, 3) rotation, uniform over all orientations (Shoemake 1992: a random unit quaternion)."""
    w, x, y, z = (q := rng.normal(size=4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
