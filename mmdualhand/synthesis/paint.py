"""From surface and look to a colour picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from mmdualhand.structures import grid_affine
from mmdualhand.synthesis.background import paint_background
from mmdualhand.synthesis.gbuffer import GBuffer, Surface, interpolate, surface_of, tilt_normals
from mmdualhand.synthesis.lighting import lit_share, sample_lights, shade, shadow_map
from mmdualhand.synthesis.occlusion import ambient_occlusion
from mmdualhand.synthesis.parameters import children
from mmdualhand.synthesis.raster import rasterise
from mmdualhand.synthesis.scene import Scene
from mmdualhand.synthesis.sensor import expose
from mmdualhand.synthesis.skin import dress
from mmdualhand.synthesis.surface_points import surface_points, vertex_texture

OVERSAMPLING = 2
"""Colour samples per pixel along each axis."""


def paint(scene: Scene, depth: np.ndarray, values: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Paint a scene in colour.

    Args:
        scene: What stands before the camera.
        depth: (H, W) float32 mm at the pixel centres, 0 where nothing stands.
        values: Every parameter of the look, drawn.
        rng: Generator for the rest: each of light, skin, background and sensor
            gets its own child.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = depth.shape
    light_rng, skin_rng, background_rng, sensor_rng = children(rng, 4)
    blur = values['background_blur'] * width / 320
    picture = paint_background(background_rng, values['background'], height, width, blur)
    surface, seen = surface_of(scene), scene.rasterise(OVERSAMPLING)
    offset = skin_rng.uniform(0, 512, 3)
    samples = grid_affine((width, height), (width * OVERSAMPLING, height * OVERSAMPLING)) @ scene.camera
    buffer = interpolate(surface, seen, vertex_texture(offset)[surface.template_vertex], samples)
    picture *= np.float32(min(values['key'] * 0.5 + values['ambient'], 1.0))
    if len(buffer.row):
        light = _light(buffer, surface, scene.camera, depth, offset, values, light_rng, skin_rng)
        _compose(picture, buffer, light)
    return expose(picture, values, sensor_rng)


def _compose(picture: np.ndarray, buffer: GBuffer, light: np.ndarray) -> None:
    """Put the covered samples, averaged over every pixel, before the background (H, W, 3)."""
    low_row, high_row = buffer.row.min() // OVERSAMPLING, buffer.row.max() // OVERSAMPLING + 1
    low_column, high_column = buffer.column.min() // OVERSAMPLING, buffer.column.max() // OVERSAMPLING + 1
    height, width = int(high_row - low_row), int(high_column - low_column)
    samples = np.zeros((height * OVERSAMPLING, width * OVERSAMPLING, 4), np.float32)
    row, column = buffer.row - low_row * OVERSAMPLING, buffer.column - low_column * OVERSAMPLING
    samples[row, column] = np.column_stack([light, np.ones(len(light), np.float32)])
    mean = cv2.resize(samples, (width, height), interpolation=cv2.INTER_AREA)
    patch = picture[low_row:high_row, low_column:high_column]
    patch *= 1 - mean[..., 3:]
    patch += mean[..., :3]


def _light(
    buffer: GBuffer,
    surface: Surface,
    camera: np.ndarray,
    depth: np.ndarray,
    offset: np.ndarray,
    values: Mapping[str, Any],
    light_rng: np.random.Generator,
    skin_rng: np.random.Generator,
) -> np.ndarray:
    """Linear light (N, 3) of every covered sample."""
    height, width = depth.shape
    points = surface_points(buffer.texture, surface.part[buffer.triangle])
    layer = dress(points, offset, values, skin_rng)
    normals = buffer.normal
    if values['bump'] > 0 or values['creases'] > 0:
        shape = (height * OVERSAMPLING, width * OVERSAMPLING)
        normals = tilt_normals(buffer, layer.height, float(camera[0, 0]) * OVERSAMPLING, shape)
    lights = sample_lights(values, light_rng)
    return shade(
        layer,
        normals,
        buffer.position,
        _open_sky(buffer, camera, depth, values['occlusion']),
        lights,
        values,
        _lit(buffer, surface, lights.direction, values['shadow']),
    )


def _open_sky(buffer: GBuffer, camera: np.ndarray, depth: np.ndarray, strength: float) -> np.ndarray:
    if strength <= 0:
        return np.ones(len(buffer.row), np.float32)
    scale = float(camera[0, 0]) / float(np.median(buffer.position[:, 2]))
    occlusion = ambient_occlusion(depth, scale, strength)
    return occlusion[buffer.row // OVERSAMPLING, buffer.column // OVERSAMPLING]


def _lit(buffer: GBuffer, surface: Surface, directions: np.ndarray, strength: float) -> np.ndarray | None:
    if strength <= 0:
        return None
    points = buffer.position + np.float32(1.5) * buffer.normal
    return np.stack(
        [
            lit_share(shadow_map(surface.vertices, surface.triangles, lamp, rasterise), points, strength)
            for lamp in directions
        ]
    )
