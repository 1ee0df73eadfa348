"""Veins, flushes, hair, freckles and wet patches: what a plain rendered skin does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mmdualhand.synthesis.surface_points import SurfacePoints
from mmdualhand.synthesis.template import FOREARM_PART, PALM_PART
from mmdualhand.synthesis.textures import smooth_step, surface_noise

if TYPE_CHECKING:
    from mmdualhand.synthesis.skin import SkinField

_ALONG_HAIRS = np.array([1.0, 0.14, 1.0], np.float32)
_BLUE = 0.5  # veins take blood away: less red, so bluish beside the rest


def add_marks(
    field: SkinField,
    points: SurfacePoints,
    back: np.ndarray,
    palm: np.ndarray,
    values: Mapping[str, Any],
    offset: np.ndarray,
) -> None:
    """Add what ``values`` asks for.

    Args:
        field: Changed in place.
        points: Points on the skin.
        back: (N,) 1 on the back.
        palm: (N,) 1 on the palm side.
        values: Drawn parameters ``veins``, ``redness``, ``hair``, ``freckles``.
        offset: (3,) texels that place the noise of one person.
    """
    if values['veins'] > 0:
        _add_veins(field, points, back, values['veins'])
    if values['redness'] > 0:
        _add_flush(field, points, back, palm, values['redness'])
    if values['hair'] > 0:
        _add_hair(field, points, back, values['hair'], offset)
    if values['freckles'] > 0:
        spots = surface_noise(points.rest, points.weights, 3.2, offset + 33)
        field.dark += np.float32(0.5 * values['freckles']) * smooth_step(spots, 1.6, 2.4) * (1 - palm)


def _add_veins(field: SkinField, points: SurfacePoints, back: np.ndarray, strength: float) -> None:
    index = np.flatnonzero((points.part >= PALM_PART) & (points.part <= FOREARM_PART))
    ridge = np.exp(-np.square(points.veins[index] * np.float32(1 / 0.16)))
    inner_arm = 0.5 * (points.part[index] == FOREARM_PART)
    ridge *= np.maximum(back[index], inner_arm) * smooth_step(points.coarse[index], -1.0, 0.6)
    field.dark[index] += np.float32(0.20 * strength) * ridge
    field.blood[index] -= np.float32(_BLUE * 0.3 * strength) * ridge
    field.height[index] += np.float32(0.25 * strength) * ridge


def _add_flush(
    field: SkinField, points: SurfacePoints, back: np.ndarray, palm: np.ndarray, strength: float
) -> None:
    field.blood += np.float32(0.12 * strength) * np.maximum(points.patches, 0)
    index = np.flatnonzero(points.finger >= 0)
    place = points.local[index, 1] / points.bone_length(index)
    joint = np.exp(-np.square((place - 1) * np.float32(1 / 0.22))) * (points.segment[index] < 2)
    tip = smooth_step(place, 0.2, 0.8) * (points.segment[index] == 2)
    field.blood[index] += np.float32(0.45 * strength) * (joint * back[index] + tip)
    field.blood += np.float32(0.15 * strength) * palm


def _add_hair(
    field: SkinField, points: SurfacePoints, back: np.ndarray, strength: float, offset: np.ndarray
) -> None:
    where = ((points.part == FOREARM_PART) | (points.part == PALM_PART) | (points.segment == 0)) & (back > 0)
    index = np.flatnonzero(where)
    rest = points.rest[index] * _ALONG_HAIRS
    rest[:, 1] += np.float32(0.12) * points.coarse[index]
    hairs = surface_noise(rest, points.weights[index], 0.9, offset + 63)
    share = np.where(points.part[index] == FOREARM_PART, np.float32(1.0), np.float32(0.35))
    field.dark[index] += np.float32(0.55 * strength) * share * back[index] * smooth_step(hairs, 0.7, 1.8)
