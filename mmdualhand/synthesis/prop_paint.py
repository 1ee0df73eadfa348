"""Colours of props."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mmdualhand.synthesis.parameters import children
from mmdualhand.synthesis.posed_scene import Scene
from mmdualhand.synthesis.skin import SkinLayer, skin_like_color
from mmdualhand.synthesis.surface_points import SurfacePoints
from mmdualhand.synthesis.template import vertex_normals
from mmdualhand.synthesis.textures import pattern, plane_weights

_TEXELS = 64
_TEXELS_PER_MM = 0.9


def prop_texture(texture: np.ndarray, scene: Scene) -> np.ndarray:
    """Give the vertices of the props their own texture coordinates.

    Args:
        texture: (V, 11) attributes as from ``vertex_texture``; the props' rows, at
            the end, hold anything.
        scene: The scene.

    Returns:
        (V, 11) float32 with rest coordinates and plane weights of the props.
    """
    texture = texture.copy()
    first = sum(len(hand.vertices) for hand in scene.hands)
    for prop in scene.props:
        rows = slice(first, first + len(prop.vertices))
        texture[rows] = 0
        texture[rows, :3] = prop.rest
        texture[rows, 3:6] = plane_weights(vertex_normals(prop.rest, prop.triangles).astype(np.float32))
        first = rows.stop
    return texture


def colour_props(
    layer: SkinLayer,
    points: SurfacePoints,
    number: np.ndarray,
    values: Mapping[str, Any],
    rng: np.random.Generator,
) -> None:
    """Paint the points that lie on props.

    Args:
        layer: Look of all points, changed in place.
        points: All points.
        number: (N,) number of the prop; negative on hands.
        values: Drawn parameters ``prop_match``, ``skin_tone``.
        rng: Generator to draw from.
    """
    for prop, source in enumerate(children(rng, int(number.max()) + 1)):
        paint = pattern(source, _TEXELS, _TEXELS)
        if source.random() < values['prop_match']:
            like_skin = skin_like_color(source, values['skin_tone'])
            paint = like_skin * (paint / np.maximum(paint.mean((0, 1)), 1e-3)) ** 0.4
        gloss = source.choice([0.1, 1.0, 3.0])
        index = np.flatnonzero(number == prop)
        if not len(index):
            continue
        rest, facing = points.rest[index], points.weights[index].argmax(1)
        first, second = np.array([1, 0, 0])[facing], np.array([2, 2, 1])[facing]
        rows = np.arange(len(index))
        u, v = (_texel(rest[rows, axis]) for axis in (first, second))
        layer.albedo[index] = np.clip(paint[v, u], 0.004, 0.95)
        layer.height[index] = 0
        layer.gloss[index] = np.float32(gloss)
        layer.translucent[index] = 0


def _texel(place_mm: np.ndarray) -> np.ndarray:
    """Texel numbers (N,), mirrored at both ends, so that a pattern has no seam."""
    turn = np.mod(place_mm * np.float32(_TEXELS_PER_MM), 2 * _TEXELS - 2)
    return np.abs(turn - (_TEXELS - 1)).astype(np.int32)
