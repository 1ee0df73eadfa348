"""Hands and props in colour, before they are put before a background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from mmdualhand.structures import grid_affine
from mmdualhand.synthesis.gbuffer import GBuffer, Surface, interpolate, tilt_normals
from mmdualhand.synthesis.lighting import Lights, ShadowMap, lit_share, shade
from mmdualhand.synthesis.occlusion import ambient_occlusion
from mmdualhand.synthesis.posed_scene import Scene
from mmdualhand.synthesis.prop_paint import colour_props, prop_texture
from mmdualhand.synthesis.skin import dress
from mmdualhand.synthesis.surface_points import surface_points, vertex_texture
from mmdualhand.synthesis.textures import dot3, normalised

_BIAS_MM = 1.5


@dataclass(frozen=True)
class Foreground:
    """Hands and props, averaged over every pixel of a part of the picture.

    Attributes:
        place: Rows and columns of the part.
        light: (h, w, 3) float32 linear light times coverage.
        cover: (h, w, 1) float32 share of every pixel that is covered.
    """

    place: tuple[slice, slice]
    light: np.ndarray
    cover: np.ndarray


def paint_foreground(
    scene: Scene,
    surface: Surface,
    depth: np.ndarray,
    values: Mapping[str, Any],
    lights: Lights,
    shadows: Sequence[ShadowMap],
    generators: tuple[np.random.Generator, np.random.Generator],
    bounce: np.ndarray | None = None,
) -> Foreground | None:
    """Shade everything that has a surface.

    Args:
        scene: The scene.
        surface: Its triangles.
        depth: (H, W) float32 mm at the pixel centres, 0 where nothing stands.
        values: Every parameter of the look, drawn.
        lights: The lights.
        shadows: Map of each lamp that casts shadows; may be empty.
        generators: Of the skin and of the props.
        bounce: (3,) light of the backdrop that falls on the rim of things.

    Returns:
        The foreground, or None where nothing is in the picture.
    """
    skin_rng, prop_rng = generators
    factor = max(int(round(values['oversampling'] * min(values['resolution'], 1.0))), 1)
    seen = scene.rasterise(factor)
    offset = skin_rng.uniform(0, 512, 3)
    marks = values['veins'] > 0 or values['redness'] > 0
    texture = vertex_texture(offset, marks)[surface.template_vertex]
    if scene.props:
        texture = prop_texture(texture, scene)
    height, width = depth.shape
    samples = grid_affine((width, height), (width * factor, height * factor)) @ scene.camera
    buffer = interpolate(surface, seen, texture, samples)
    if not len(buffer.row):
        return None
    points = surface_points(buffer.texture, surface.part[buffer.triangle])
    layer = dress(points, offset, values, skin_rng)
    if scene.props:
        colour_props(layer, points, surface.thing[buffer.triangle] - len(scene.hands), values, prop_rng)
    normals = buffer.normal
    if values['bump'] > 0 or values['creases'] > 0:
        shape = (height * factor, width * factor)
        normals = tilt_normals(buffer, layer.height, float(scene.camera[0, 0]) * factor, shape)
    open_sky = _open_sky(buffer, scene.camera, depth, values['occlusion'], factor)
    lit = _lit(buffer, shadows, values)
    light = shade(layer, normals, buffer.position, open_sky, lights, values, lit)
    if bounce is not None:
        rim = 1 + dot3(normals, normalised(buffer.position))
        light += layer.albedo * (np.square(np.clip(rim, 0, 1)) * open_sky)[:, None] * bounce
    return _averaged(buffer, light, factor)


def _averaged(buffer: GBuffer, light: np.ndarray, factor: int) -> Foreground:
    low_row, high_row = buffer.row.min() // factor, buffer.row.max() // factor + 1
    low_column, high_column = buffer.column.min() // factor, buffer.column.max() // factor + 1
    height, width = int(high_row - low_row), int(high_column - low_column)
    samples = np.zeros((height * factor, width * factor, 4), np.float32)
    row, column = buffer.row - low_row * factor, buffer.column - low_column * factor
    samples[row, column] = np.column_stack([light, np.ones(len(light), np.float32)])
    mean = cv2.resize(samples, (width, height), interpolation=cv2.INTER_AREA)
    place = slice(int(low_row), int(high_row)), slice(int(low_column), int(high_column))
    return Foreground(place, mean[..., :3], mean[..., 3:])


def _open_sky(
    buffer: GBuffer, camera: np.ndarray, depth: np.ndarray, strength: float, factor: int
) -> np.ndarray:
    if strength <= 0:
        return np.ones(len(buffer.row), np.float32)
    scale = float(camera[0, 0]) / float(np.median(buffer.position[:, 2]))
    occlusion = ambient_occlusion(depth, scale, strength)
    return occlusion[buffer.row // factor, buffer.column // factor]


def _lit(buffer: GBuffer, shadows: Sequence[ShadowMap], values: Mapping[str, Any]) -> np.ndarray | None:
    if not shadows:
        return None
    points = buffer.position + np.float32(_BIAS_MM) * buffer.normal
    return np.stack([lit_share(one, points, values['shadow'], values['shadow_blur']) for one in shadows])
