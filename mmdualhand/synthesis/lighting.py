"""Light sources, shadows and how skin answers to light."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmdualhand.synthesis import kernels
from mmdualhand.synthesis.skin import SkinLayer
from mmdualhand.synthesis.textures import dot3, normalised

_SKIN_WRAP = np.array([0.30, 0.13, 0.09], np.float32)  # red light wanders furthest under the skin
_FOLD_GLOW = np.array([1.0, 0.25, 0.15], np.float32)
_SHADOW_SIZE = 320  # side of a shadow map in texels
_SHADOW_BIAS = 2.5  # mm that a surface may lie behind the map and still be lit
_TAPS = ((0.0, 0.0), (1.6, 0.6), (-0.6, 1.6), (-1.6, -0.6), (0.6, -1.6))
_WARM = np.array([0.30, 0.0, -0.45])  # natural logarithm of the gain of each channel
_SWING_DEG = 55.0  # deviation of an angled lamp from straight above


@dataclass(frozen=True)
class Lights:
    """Light on one scene; linear, camera frame.

    Attributes:
        direction: (L, 3) unit vectors towards the lamps.
        color: (L, 3) irradiance of each lamp.
        up: (3,) unit vector towards the sky.
        sky: (3,) ambient irradiance from above.
        ground: (3,) ambient irradiance from below.
    """

    direction: np.ndarray
    color: np.ndarray
    up: np.ndarray
    sky: np.ndarray
    ground: np.ndarray


@dataclass(frozen=True)
class ShadowMap:
    """Depth of a scene seen from a lamp.

    Attributes:
        axes: (3, 3) rows: two axes of the map and the direction of the light.
        low: (2,) corner of the map, mm.
        scale: Texels per mm.
        depth: (S, S) float32 mm along the light; infinite where nothing stands.
    """

    axes: np.ndarray
    low: np.ndarray
    scale: float
    depth: np.ndarray


def sample_lights(values: Mapping[str, Any], rng: np.random.Generator) -> Lights:
    """Set up the lamps.

    Args:
        values: Drawn parameters ``lights`` (number of lamps), ``key``, ``ambient``,
            ``light_color``, ``key_warmth``, ``sky_warmth``, ``key_angle_deg``.
        rng: Generator for directions and colours.

    Returns:
        The lights; the first lamp is the brightest.
    """
    number = max(int(round(values['lights'])), 0)
    direction = rng.normal(size=(number, 3)) * [0.8, 0.7, 0.35] + [0.0, -0.55, -0.9]
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    strength = np.append(1.0, rng.uniform(0.15, 0.45, max(number - 1, 0)))[:number]
    tint = np.clip(1 + rng.normal(0, 1, (number, 3)) * values['light_color'], 0.4, 1.8)
    up = rng.normal(0, 0.3, 3) + [0.0, -1.0, 0.0]
    around = np.clip(1 + rng.normal(0, 1, (2, 3)) * values['light_color'], 0.4, 1.8)
    shade = rng.uniform(0.45, 0.85)
    if values['key_angle_deg'] > 0 and number:
        away, turn = np.radians(values['key_angle_deg']), np.radians(rng.normal(0.0, _SWING_DEG))
        direction[0] = np.sin(away) * np.sin(turn), -np.sin(away) * np.cos(turn), -np.cos(away)
    if values['key_warmth'] != 0:
        tint[:1] *= np.exp(values['key_warmth'] * _WARM)
    if values['sky_warmth'] != 0:
        around = around * np.exp(values['sky_warmth'] * _WARM)
    return Lights(
        direction.astype(np.float32),
        (values['key'] * strength[:, None] * tint).astype(np.float32),
        (up / np.linalg.norm(up)).astype(np.float32),
        (values['ambient'] * around[0]).astype(np.float32),
        (values['ambient'] * shade * around[1]).astype(np.float32),
    )


def turned_lights(lights: Lights, rotation: np.ndarray) -> Lights:
    """The lights in another frame: directions turned by ``rotation`` (3, 3)."""
    if np.array_equal(rotation, np.eye(3)):
        return lights
    turn = rotation.astype(np.float32)
    return replace(lights, direction=lights.direction @ turn.T, up=turn @ lights.up)


def shade(
    layer: SkinLayer,
    normals: np.ndarray,
    points: np.ndarray,
    open_sky: np.ndarray,
    lights: Lights,
    values: Mapping[str, Any],
    lit: np.ndarray | None = None,
) -> np.ndarray:
    """Light that N surface points send to the camera.

    Args:
        layer: Their look.
        normals: (N, 3) float32 unit normals, camera frame.
        points: (N, 3) float32 mm, camera frame.
        open_sky: (N,) float32, 1 where nothing shields the ambient light.
        lights: The lights.
        values: Drawn parameters ``softness`` (light that wraps around skin),
            ``specular``, ``specular_power``.
        lit: (L, N) share of each lamp that reaches the points; None for all.

    Returns:
        (N, 3) float32 linear light.
    """
    above = (normals @ lights.up * np.float32(0.5) + np.float32(0.5))[:, None]
    irradiance = (lights.ground + (lights.sky - lights.ground) * above) * open_sky[:, None]
    if values['softness'] > 0:  # folds glow red instead of going black
        fold = np.float32(0.4 * values['softness']) * (1 - open_sky) * layer.translucent
        irradiance += fold[:, None] * lights.sky * _FOLD_GLOW
    view = -normalised(points)
    shine = np.zeros((len(points), 3), np.float32)
    wrap = np.float32(values['softness']) * _SKIN_WRAP
    for lamp, (direction, color) in enumerate(zip(lights.direction, lights.color, strict=True)):
        cosine = normals @ direction
        reach = np.float32(0.5) + np.float32(0.5) * open_sky
        if lit is not None:
            reach = reach * lit[lamp]
        spread = wrap * layer.translucent[:, None]
        irradiance += np.maximum((cosine[:, None] + spread) / (1 + spread), 0) * (reach[:, None] * color)
        if values['specular'] > 0:
            shine += (
                _specular(layer, normals, view, direction, cosine, values)[:, None] * reach[:, None] * color
            )
    return layer.albedo * irradiance + shine


def _specular(
    layer: SkinLayer,
    normals: np.ndarray,
    view: np.ndarray,
    direction: np.ndarray,
    cosine: np.ndarray,
    values: Mapping[str, Any],
) -> np.ndarray:
    half = normalised(view + direction)
    facing = np.maximum(dot3(normals, half), np.float32(1e-4))
    power = np.float32(values['specular_power']) * np.sqrt(layer.gloss)
    grazing = np.square(1 - np.clip(dot3(view, half), 0, 1))
    strength = np.float32(values['specular']) * layer.gloss * (power + 8) * np.float32(1 / 25)
    return strength * np.exp(power * np.log(facing)) * (1 + 4 * np.square(grazing)) * np.maximum(cosine, 0)


def shadow_map(
    vertices: np.ndarray,
    triangles: np.ndarray,
    direction: np.ndarray,
    rasterise: Callable[..., Any],
    inside: np.ndarray | None = None,
) -> ShadowMap:
    """See a scene from a lamp.

    Args:
        vertices: (V, 3) mm, camera frame.
        triangles: (T, 3).
        direction: (3,) unit vector towards the lamp.
        rasterise: The rasteriser, ``(uv, z, triangles, width, height) -> RasterResult``.
        inside: (V,) bool, vertices that the map has to cover; all if None.

    Returns:
        The map; nothing casts a shadow at its rim and beyond.
    """
    side = np.cross(direction, [0.3, 0.9, 0.1])
    side /= np.linalg.norm(side)
    axes = np.stack([side, np.cross(direction, side), -direction]).astype(np.float64)
    seen = vertices @ axes.T
    covered = seen[:, :2] if inside is None or not inside.any() else seen[inside, :2]
    low = covered.min(axis=0) - 5.0
    scale = (_SHADOW_SIZE - 1) / float(np.ptp(covered, axis=0).max() + 10.0)
    near = float(seen[:, 2].min()) - 50.0  # a rasteriser sees what lies before the camera
    place, size = (seen[:, :2] - low) * scale, _SHADOW_SIZE
    result = rasterise(place, seen[:, 2] - near, triangles, size, size, weights=False)
    depth = np.where(result.triangle >= 0, result.depth + near, np.inf).astype(np.float32)
    depth[[0, -1]] = depth[:, [0, -1]] = np.inf
    return ShadowMap(axes, low, scale, depth)


def lit_share(shadow: ShadowMap, points: np.ndarray, strength: float, blur: float = 1.0) -> np.ndarray:
    """Share of a lamp's light that reaches points.

    Args:
        shadow: The lamp's map.
        points: (N, 3) mm, camera frame.
        strength: Full shadows leave ``1 - strength``.
        blur: Factor on the width of the shadows' edges.

    Returns:
        (N,) float32.
    """
    seen = points @ shadow.axes.T
    place = (seen[:, :2] - shadow.low) * shadow.scale
    taps = np.array(_TAPS) * blur
    if kernels.numba is not None:
        counts = kernels.lit_counts(place, seen[:, 2], shadow.depth, taps, _SHADOW_BIAS)
        return 1 - np.float32(strength) * (1 - counts / np.float32(len(_TAPS)))
    last = shadow.depth.shape[0] - 1
    share = np.zeros(len(points), np.float32)
    for tap in taps:
        column, row = np.clip(np.rint(place + tap).astype(np.int32), 0, last).T
        share += seen[:, 2] - _SHADOW_BIAS < shadow.depth[row, column]
    return 1 - np.float32(strength) * (1 - share / np.float32(len(_TAPS)))
