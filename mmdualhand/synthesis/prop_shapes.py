"""Meshes of simple things: rounded bodies, boxes, tubes, leaves."""

from __future__ import annotations

import numpy as np

Mesh = tuple[np.ndarray, np.ndarray]
"""Vertices (V, 3) in mm and triangles (T, 3) int32, counter-clockwise seen from outside."""


def superquadric(size: np.ndarray, round_ends: float, round_sides: float, steps: int = 14) -> Mesh:
    """A body between a box and an ellipsoid.

    Args:
        size: (3,) half axes, mm.
        round_ends: Exponent along the third axis: 1 an ellipsoid, 0.1 nearly flat ends.
        round_sides: Exponent about the third axis: 1 round, 0.1 nearly square.
        steps: Rings from end to end.

    Returns:
        The mesh, centred at the origin.
    """
    latitude = np.linspace(-np.pi / 2, np.pi / 2, steps)
    longitude = np.arange(2 * steps) * np.pi / steps
    ring, height = _power(np.cos(latitude), round_ends), _power(np.sin(latitude), round_ends)
    across, along = _power(np.cos(longitude), round_sides), _power(np.sin(longitude), round_sides)
    grid = np.stack(
        [np.outer(ring, across), np.outer(ring, along), np.repeat(height[:, None], 2 * steps, 1)], axis=-1
    )
    return outward(grid.reshape(-1, 3) * size, _ring_triangles(steps, 2 * steps))


def box(size: np.ndarray) -> Mesh:
    """A box with sharp edges.

    Args:
        size: (3,) half axes, mm.

    Returns:
        24 vertices, four of each face, so that the faces stay flat when shaded.
    """
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64)
    vertices: list[np.ndarray] = []
    triangles: list[np.ndarray] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            face = np.empty((4, 3))
            face[:, axis] = sign
            face[:, (axis + 1) % 3], face[:, (axis + 2) % 3] = square.T
            corners = np.array([[0, 1, 2], [0, 2, 3]]) + 4 * len(vertices)
            vertices.append(face)
            triangles.append(corners if sign > 0 else corners[:, ::-1])
    return np.concatenate(vertices) * size, np.concatenate(triangles).astype(np.int32)


def tube(path: np.ndarray, radius: np.ndarray | float, sides: int = 12) -> Mesh:
    """A tube with flat ends.

    Args:
        path: (N, 3) mm, its axis, N at least 2.
        radius: (N,) mm, or one for all.
        sides: Corners of the section.

    Returns:
        The mesh.
    """
    path = np.asarray(path, np.float64)
    direction = np.gradient(path, axis=0)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    first = np.cross(direction[0], np.eye(3)[np.abs(direction[0]).argmin()])
    frames = []
    for along in direction:  # carried along the path, so that the tube is not twisted
        first = first - (first @ along) * along
        first = first / np.linalg.norm(first)
        frames.append(np.stack([first, np.cross(along, first)]))
    angle = np.arange(sides) * 2 * np.pi / sides
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    radii = np.broadcast_to(np.asarray(radius, np.float64), (len(path),))
    rings = path[:, None] + radii[:, None, None] * (circle @ np.array(frames))
    hull, count = _ring_triangles(len(path), sides), len(path) * sides
    caps, faces = [], []
    for end, ring in enumerate((rings[0], rings[-1])):
        fan = np.array([[0, 1 + k, 1 + (k + 1) % sides] for k in range(sides)]) + count
        caps.append(np.concatenate([path[[0, -1][end]][None], ring]))
        faces.append(fan[:, ::-1] if end == 0 else fan)
        count += sides + 1
    vertices = np.concatenate([rings.reshape(-1, 3), *caps])
    return outward(vertices, np.concatenate([hull, *faces]).astype(np.int32))


def leaf(length: float, width: float, curl: float) -> Mesh:
    """A thin pointed blade.

    Args:
        length: mm, along the first axis.
        width: mm.
        curl: Height of the tips above the middle, over the length.

    Returns:
        The mesh, centred at the origin.
    """
    vertices, triangles = superquadric(np.array([0.5 * length, 0.5 * width, 0.7]), 1.0, 1.0, 12)
    place = vertices[:, 0] / (0.5 * length)
    vertices[:, 1] *= np.sqrt(np.maximum(1.0 - np.abs(place), 0.0) + 0.02)
    vertices[:, 2] += curl * length * place**2
    return outward(vertices, triangles)


def outward(vertices: np.ndarray, triangles: np.ndarray) -> Mesh:
    """Turn the winding of a closed mesh so that it is counter-clockwise from outside."""
    corners = vertices[triangles]
    volume = (np.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum()
    return vertices, triangles if volume > 0 else np.ascontiguousarray(triangles[:, ::-1])


def _power(value: np.ndarray, exponent: float) -> np.ndarray:
    return np.sign(value) * np.abs(value) ** exponent


def _ring_triangles(rings: int, sides: int) -> np.ndarray:
    """Triangles (T, 3) int32 between neighbouring rings of a closed surface."""
    ring, side = (index.ravel() for index in np.mgrid[: rings - 1, :sides])
    first, second = ring * sides + side, ring * sides + (side + 1) % sides
    third, fourth = first + sides, second + sides
    low, high = np.stack([first, second, fourth], 1), np.stack([first, fourth, third], 1)
    return np.concatenate([low, high]).astype(np.int32)
