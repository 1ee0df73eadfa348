"""Colour, relief and gloss of skin, nails and sleeves, all fixed to the surface of the hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdualhand.synthesis.parameters import children
from mmdualhand.synthesis.skin_details import add_creases, add_knuckles, add_palm_lines, nail_cover
from mmdualhand.synthesis.skin_marks import add_marks
from mmdualhand.synthesis.surface_points import SurfacePoints
from mmdualhand.synthesis.template import SLEEVE_PART
from mmdualhand.synthesis.textures import pattern, random_color, smooth_step, surface_noise

# Linear-light reflectance of skin at six tones from very light to very dark, red, green, blue.
_TONES = np.array([
    [0.79, 0.55, 0.46],
    [0.72, 0.43, 0.31],
    [0.55, 0.29, 0.18],
    [0.36, 0.165, 0.092],
    [0.185, 0.079, 0.043],
    [0.085, 0.040, 0.026],
])  # fmt: skip
_BLOOD = np.array([0.06, 0.62, 0.52], np.float32)  # absorption of a flush, by channel
_PALE_PALM = 0.4  # a tone t of the back goes with t * (1 - 0.4 t) on the palm


@dataclass
class SkinLayer:
    """Look of N surface points.

    Attributes:
        albedo: (N, 3) float32 linear reflectance.
        height: (N,) float32 relief, mm outwards.
        gloss: (N,) float32 factor of the specular light.
        translucent: (N,) float32, 1 where light wraps around as in skin, 0 on cloth.
    """

    albedo: np.ndarray
    height: np.ndarray
    gloss: np.ndarray
    translucent: np.ndarray


@dataclass
class SkinField:
    """Scalar fields that add up to skin: ``blood`` and ``dark`` absorb, ``height`` is relief in mm."""

    blood: np.ndarray
    dark: np.ndarray
    height: np.ndarray


def skin_reflectance(tone: float) -> np.ndarray:
    """Linear reflectance (3,) of skin of a tone from 0 (lightest) to 1 (darkest)."""
    place = np.linspace(0, 1, len(_TONES))
    return np.array([np.exp(np.interp(tone, place, np.log(channel))) for channel in _TONES.T])


def dress(
    points: SurfacePoints, offset: np.ndarray, values: Mapping[str, Any], rng: np.random.Generator
) -> SkinLayer:
    """Give every surface point its colour, relief and gloss.

    Args:
        points: Points of the hands and forearms of one person.
        offset: (3,) texels that placed the noise of the points.
        values: Drawn parameters ``skin_tone``, ``texture``, ``creases``, ``bump``,
            ``nails``, ``nail_polish``, those of ``add_marks``, ``wetness``,
            ``sleeve_match``.
        rng: Generator for the individual pattern.

    Returns:
        The layer.
    """
    person, wardrobe = children(rng, 2)
    field = SkinField(*(np.zeros(len(points.part), np.float32) for _ in range(3)))
    back = smooth_step(points.dorsal, -0.15, 0.45)
    palm = smooth_step(-points.dorsal, 0.0, 0.55)
    palm *= smooth_step(points.rest[:, 1], -18.0, 6.0)  # the paler skin ends at the wrist
    if values['texture'] > 0:
        _add_mottling(field, points, palm, values['texture'], offset)
    if values['creases'] > 0:
        add_creases(field, points, back, palm, values['creases'])
        add_palm_lines(field, points, palm, values['creases'], person)
        add_knuckles(field, points, back, values['creases'])
    if values['bump'] > 0:
        grain = surface_noise(points.rest, points.weights, 1.5, offset + 77)
        field.height += np.float32(values['bump']) * (
            np.float32(0.04) * grain + np.float32(0.05) * points.wobble
        )
    add_marks(field, points, back, palm, values, offset)
    layer = _mix(field, palm, values['skin_tone'], person)
    _paint_nails(layer, points, values, person)
    if values['wetness'] > 0:
        patch = smooth_step(points.coarse, 0.9 - 2.2 * values['wetness'], 1.5 - 2.2 * values['wetness'])
        layer.gloss += np.float32(5.0) * patch
    _colour_sleeve(layer, points, values, wardrobe)
    return layer


def _add_mottling(
    field: SkinField, points: SurfacePoints, palm: np.ndarray, strength: float, offset: np.ndarray
) -> None:
    """Uneven blood and pigment; redder palms and finger tips."""
    fine = surface_noise(points.rest, points.weights, 2.4, offset + 90)
    field.dark += np.float32(0.05 * strength) * points.coarse + np.float32(0.03 * strength) * fine
    field.blood += np.float32(0.08 * strength) * points.coarse + np.float32(0.18 * strength) * palm
    tip = np.flatnonzero(points.segment == 2)
    along = points.local[tip, 1] / points.bone_length(tip)
    field.blood[tip] += np.float32(0.3 * strength) * smooth_step(along, 0.3, 0.9)


def _mix(field: SkinField, palm: np.ndarray, tone: float, rng: np.random.Generator) -> SkinLayer:
    tint = rng.normal(0, 0.03, 3)
    back_color = np.log(skin_reflectance(tone)) + tint
    palm_color = np.log(skin_reflectance(tone * (1 - _PALE_PALM * tone))) + tint
    step = (palm_color - back_color).astype(np.float32)
    log_albedo = palm[:, None] * step + back_color.astype(np.float32)
    log_albedo -= field.blood[:, None] * _BLOOD
    log_albedo -= field.dark[:, None]
    ones = np.ones(len(palm), np.float32)
    return SkinLayer(np.minimum(np.exp(log_albedo), 0.95), field.height, ones, ones.copy())


def _paint_nails(
    layer: SkinLayer, points: SurfacePoints, values: Mapping[str, Any], rng: np.random.Generator
) -> None:
    strength = float(values['nails'])
    polish = random_color(rng, (0.4, 0.9), (0.2, 0.9))
    painted = rng.random() < values['nail_polish']
    if strength <= 0:
        return
    index, plate, rim, free_edge = nail_cover(points)
    if not len(index):
        return
    skin = layer.albedo[index]
    nail = np.clip(skin * np.array([1.10, 1.06, 1.10], np.float32) + np.float32(0.035), 0, 0.95)
    if painted:
        nail = np.broadcast_to(polish, nail.shape)
        strength = 1.0
    else:
        nail = nail + (np.float32(0.75) * nail + np.float32(0.20) - nail) * free_edge[:, None]
    cover = (strength * plate)[:, None]
    layer.albedo[index] = (skin + (nail - skin) * cover) * (1 - np.float32(0.3 * strength) * rim[:, None])
    layer.gloss[index] += np.float32(2.5 * strength) * plate
    layer.height[index] *= 1 - plate


def skin_like_color(rng: np.random.Generator, tone: float, spread: float = 0.10) -> np.ndarray:
    """A linear colour (3,) float32 that may be taken for skin of a tone."""
    near = float(np.clip(tone + rng.normal(0.0, 1.2 * spread), 0.0, 1.0))
    shift = rng.normal(0.0, spread) + rng.normal(0.0, 0.4 * spread, 3)
    return (skin_reflectance(near) * np.exp(shift)).astype(np.float32)


def _colour_sleeve(
    layer: SkinLayer, points: SurfacePoints, values: Mapping[str, Any], rng: np.random.Generator
) -> None:
    """Cloth on the sleeve."""
    cloth = pattern(rng, 64, 64)
    if values['sleeve_match'] > 0 and rng.random() < values['sleeve_match']:
        cloth = cloth / cloth.mean((0, 1)) * skin_like_color(rng, values['skin_tone'])
    index = np.flatnonzero(points.part == SLEEVE_PART)
    if not len(index):
        return
    rest = points.rest[index]
    column, row = _fold(rest[:, 0] * np.float32(0.8), 64), _fold(rest[:, 1] * np.float32(0.8), 64)
    weave = 1 + np.float32(0.05) * points.wobble[index] + np.float32(0.04) * points.coarse[index]
    layer.albedo[index] = np.clip(cloth[row, column] * weave[:, None], 0.004, 0.95)
    layer.height[index] = 0
    layer.gloss[index] = np.float32(0.15)
    layer.translucent[index] = 0


def _fold(texel: np.ndarray, size: int) -> np.ndarray:
    """Texel numbers (N,) in 0..size-1, mirrored at both ends, so that a pattern has no seam."""
    return np.abs(np.mod(texel, 2 * size - 2) - (size - 1)).astype(np.int32)
