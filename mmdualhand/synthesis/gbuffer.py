"""What every sample of a picture sees: surface, normal, place on the hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmdualhand.synthesis import kernels
from mmdualhand.synthesis.labels import rhd_labels
from mmdualhand.synthesis.posed_scene import Scene
from mmdualhand.synthesis.raster import RasterResult
from mmdualhand.synthesis.template import vertex_normals
from mmdualhand.synthesis.textures import dot3, normalised


@dataclass(frozen=True)
class Surface:
    """All triangles before a camera.

    Attributes:
        vertices: (V, 3) mm, camera frame.
        triangles: (T, 3) int32.
        part: (T,) parts; see ``surface_points``.
        label: (T,) uint8 label in RHD's mask, 0 on props.
        thing: (T,) number of the hand or prop; see ``Scene.surface``.
        template_vertex: (V,) vertex of the template hand that a vertex was made
            from; 0 on props.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    part: np.ndarray
    label: np.ndarray
    thing: np.ndarray
    template_vertex: np.ndarray


@dataclass(frozen=True)
class GBuffer:
    """The N covered samples of a picture.

    Attributes:
        row: (N,) row of the sample.
        column: (N,) column.
        triangle: (N,) triangle that it sees.
        position: (N, 3) float32 mm, camera frame.
        normal: (N, 3) float32 unit normal, camera frame.
        texture: (N, C) float32 texture attributes.
    """

    row: np.ndarray
    column: np.ndarray
    triangle: np.ndarray
    position: np.ndarray
    normal: np.ndarray
    texture: np.ndarray


def surface_of(scene: Scene) -> Surface:
    """All hands and props of a scene, with their labels."""
    vertices, triangles, part, thing = scene.surface()
    labels = [rhd_labels(hand.triangle_part, hand.side) for hand in scene.hands]
    labels += [np.zeros(len(prop.triangles), np.uint8) for prop in scene.props]
    label = np.concatenate(labels)
    sources = [np.arange(len(hand.vertices)) for hand in scene.hands]
    sources += [np.zeros(len(prop.vertices), np.int64) for prop in scene.props]
    template_vertex = np.concatenate(sources)
    return Surface(vertices, triangles, part, label, thing, template_vertex)


def interpolate(surface: Surface, seen: RasterResult, texture: np.ndarray, camera: np.ndarray) -> GBuffer:
    """Carry the attributes of the vertices to the covered samples.

    Args:
        surface: What was rasterised.
        seen: The result.
        texture: (V, C) float32 further attributes of the vertices.
        camera: (3, 3) intrinsics of the sample grid.

    Returns:
        The covered samples, row by row.
    """
    row, column = np.nonzero(seen.triangle >= 0)
    triangle = seen.triangle[row, column]
    normals = vertex_normals(surface.vertices, surface.triangles).astype(np.float32)
    attributes = np.concatenate([normals, texture], axis=1)
    first, second = np.ascontiguousarray(seen.barycentric[row, column].astype(np.float32).T)
    values = _blended(attributes, surface.triangles[triangle], first, second)
    normal, texture = normalised(values[:, :3]), np.ascontiguousarray(values[:, 3:])
    position = _back_project(row, column, seen.depth[row, column], camera)
    return GBuffer(row, column, triangle, position, normal, texture)


def _blended(
    attributes: np.ndarray, corners: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Attributes (V, C) float32 at N samples of triangles (N, 3), by the weights of two corners."""
    if kernels.numba is not None:
        return kernels.blend_corners(attributes, corners, first, second)
    columns = np.ascontiguousarray(corners.T)
    values = attributes[columns[0]] * first[:, None]
    for corner, weight in ((columns[1], second), (columns[2], 1 - first - second)):
        part = attributes[corner]
        part *= weight[:, None]
        values += part
    return values


def _back_project(row: np.ndarray, column: np.ndarray, depth: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Points (N, 3) float32 mm of samples of known depth."""
    points = np.empty((len(row), 3), np.float32)
    points[:, 0] = (column - camera[0, 2]) / camera[0, 0] * depth
    points[:, 1] = (row - camera[1, 2]) / camera[1, 1] * depth
    points[:, 2] = depth
    return points


def tilt_normals(
    buffer: GBuffer, height_mm: np.ndarray, focal_px: float, shape: tuple[int, int]
) -> np.ndarray:
    """Turn the normals by a relief, as Mikkelsen's bump mapping from screen-space derivatives does.

    Args:
        buffer: The samples.
        height_mm: (N,) relief outwards.
        focal_px: Focal length in samples.
        shape: (H, W) of the sample grid.

    Returns:
        (N, 3) float32 unit normals.
    """
    relief = np.zeros(shape, np.float32)
    inside = np.zeros(shape, bool)
    relief[buffer.row, buffer.column], inside[buffer.row, buffer.column] = height_mm, True
    tilt = np.zeros((len(height_mm), 3), np.float32)
    per_mm = np.float32(0.5 * focal_px) / buffer.position[:, 2]
    for axis, (down, right) in enumerate(((0, 1), (1, 0))):
        low = np.maximum(buffer.row - down, 0), np.maximum(buffer.column - right, 0)
        high = np.minimum(buffer.row + down, shape[0] - 1), np.minimum(buffer.column + right, shape[1] - 1)
        tilt[:, axis] = (relief[high] - relief[low]) * per_mm * (inside[low] & inside[high])
    steep = np.sqrt(dot3(tilt, tilt))
    tilt *= np.minimum(1, np.float32(0.8) / np.maximum(steep, np.float32(1e-6)))[:, None]
    normal = buffer.normal
    return normalised(normal - tilt + normal * dot3(normal, tilt)[:, None])
