"""The picture behind the hands, lit and in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from mmdualhand.synthesis.back_plane import BackPlane, light_on_plane
from mmdualhand.synthesis.background import paint_background
from mmdualhand.synthesis.lighting import Lights, ShadowMap
from mmdualhand.synthesis.posed_scene import Scene
from mmdualhand.synthesis.skin import skin_reflectance
from mmdualhand.synthesis.skin_clutter import add_skin_things

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_DARKEST = 0.003
GREEN = 'green'
"""Kind of background that stays as it is: a screen."""


def paint_backdrop(
    scene: Scene,
    kind: str,
    values: Mapping[str, Any],
    rng: np.random.Generator,
    lights: Lights,
    plane: BackPlane | None = None,
    shadows: Sequence[ShadowMap] = (),
) -> np.ndarray:
    """Paint what lies behind the hands.

    It is painted for the full picture that a window was cut from, so that a
    window shows a part of it.

    Args:
        scene: The scene; only its camera and size count.
        kind: Kind of background.
        values: Every parameter of the look, drawn.
        rng: Generator to draw from.
        lights: The lights.
        plane: Wall or table that it is painted on; a far picture if None.
        shadows: Maps of the lamps whose shadows fall on the plane.

    Returns:
        (H, W, 3) float32 linear light.

    Raises:
        ConfigError: Unknown kind of background.
    """
    frame = scene.full_frame
    share = float(values['background_resolution'])
    width, height = (max(int(round(side * share)), 8) for side in frame.image_size)
    blur = values['background_blur'] * width / 320
    image = paint_background(rng, kind, height, width, blur, values['photo_files'])
    if plane is not None and kind not in ('flat', 'gradient', 'studio'):
        image = plane.foreshorten(image)
    if kind != GREEN:
        image = _in_the_tones_of_skin(image, values, rng)
    if kind != GREEN and round(values['skin_clutter']) > 0:
        image = np.ascontiguousarray(image)
        blur = values['clutter_blur'] * width / 320
        add_skin_things(rng, image, int(round(values['skin_clutter'])), values['skin_tone'], blur)
    if plane is None:
        image *= np.float32(min(values['key'] * 0.5 + values['ambient'], 1.0))
    else:
        image = image * light_on_plane(plane, frame, (width, height), lights, shadows, values)
    return _window(image, scene)


def _in_the_tones_of_skin(
    image: np.ndarray, values: Mapping[str, Any], rng: np.random.Generator
) -> np.ndarray:
    """Draw the mean colour towards the skin's, and change the contrast about it."""
    match, contrast = values['background_match'], values['background_contrast']
    if values['background_saturation'] != 1:
        gray = (image @ _LUMA)[..., None]
        image = np.maximum(gray + (image - gray) * np.float32(values['background_saturation']), 0)
    if match <= 0 and contrast == 1:
        return image
    mean = np.maximum(image.mean((0, 1)), _DARKEST)
    if contrast != 1:
        ratio = np.maximum(image @ _LUMA / float(mean @ _LUMA), np.float32(_DARKEST))
        image = image * np.power(ratio, np.float32(contrast - 1))[..., None]
        mean = np.maximum(image.mean((0, 1)), _DARKEST)
    wanted = skin_reflectance(values['skin_tone'])
    wanted = wanted * np.exp(values['background_match_sd'] * (rng.normal() + 0.5 * rng.normal(size=3)))
    gain = np.power(wanted / mean, match).astype(np.float32)
    return np.minimum(image * gain, np.float32(1.0))


def _window(image: np.ndarray, scene: Scene) -> np.ndarray:
    """The part of a painted full picture that the scene shows, at the scene's resolution."""
    frame, (width, height) = scene.full_frame, scene.image_size
    if image.shape[:2] == (height, width) and frame.corner == (0, 0):
        return image
    scale = np.array([image.shape[1], image.shape[0]]) / frame.image_size
    shift = (np.array(frame.corner) + 0.5) * scale - 0.5
    place = np.array([[scale[0], 0.0, shift[0]], [0.0, scale[1], shift[1]]])
    return cv2.warpAffine(
        image, place, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
