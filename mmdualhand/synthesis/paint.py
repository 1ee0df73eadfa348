"""From surface and look to colour pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from mmdualhand.synthesis.back_plane import in_full_picture, sample_plane
from mmdualhand.synthesis.backdrop import GREEN, paint_backdrop
from mmdualhand.synthesis.foreground import Foreground, paint_foreground
from mmdualhand.synthesis.gbuffer import Surface
from mmdualhand.synthesis.identity import Identity
from mmdualhand.synthesis.lighting import Lights, ShadowMap, sample_lights, shadow_map, turned_lights
from mmdualhand.synthesis.parameters import children
from mmdualhand.synthesis.posed_scene import Scene
from mmdualhand.synthesis.raster import rasterise
from mmdualhand.synthesis.sensor import expose, motion_kernel
from mmdualhand.synthesis.surfaces import green_color

Backgrounds = Sequence[tuple[str, np.random.Generator]]
_HALO_PX = 1.0
_SHADOW_MARGIN = 0.1


def paint(
    scene: Scene,
    surface: Surface,
    depth: np.ndarray,
    values: Mapping[str, Any],
    rng: np.random.Generator,
    identity: Identity | None = None,
    backgrounds: Backgrounds | None = None,
) -> list[np.ndarray]:
    """Paint a scene in colour.

    Args:
        scene: What stands before the camera.
        surface: Its triangles.
        depth: (H, W) float32 mm at the pixel centres, 0 where nothing stands.
        values: Every parameter of the look, drawn.
        rng: Generator for the rest: each of light, skin, background, sensor,
            props and cut-out gets its own child.
        identity: Person whose skin it is; drawn if None.
        backgrounds: Kind and generator of every background to compose over; the
            one of ``values`` if None.

    Returns:
        For every background (H, W, 3) uint8 RGB.

    Raises:
        ConfigError: Unknown kind of background.
    """
    light_rng, skin_rng, background_rng, sensor_rng, prop_rng, cut_rng = children(rng, 6)
    if identity is not None:
        values, skin_rng = {**values, **identity.look}, identity.skin_generator()
    lights = turned_lights(sample_lights(values, light_rng), scene.motion[:3, :3])
    plane = sample_plane(scene, values, light_rng) if values['plane_probability'] > 0 else None
    shadows = _shadows(scene, surface, lights) if values['shadow'] > 0 else []
    streams = [(values['background'], background_rng, sensor_rng)]
    if backgrounds is not None:
        pairs = [(kind, children(source, 2)) for kind, source in backgrounds]
        streams = [(kind, first, second) for kind, (first, second) in pairs]
    pictures = [paint_backdrop(scene, kind, values, one, lights, plane, shadows) for kind, one, _ in streams]
    bounce = values['bounce'] * pictures[0].mean((0, 1)) if values['bounce'] > 0 and pictures else None
    front = paint_foreground(scene, surface, depth, values, lights, shadows, (skin_rng, prop_rng), bounce)
    if front is not None and values['hand_motion_px'] > 1.5:
        front = _moved(front, values['hand_motion_px'], depth.shape, cut_rng)
    rim = green_color(cut_rng) if values['halo'] > 0 else None
    for (kind, _, _), picture in zip(streams, pictures, strict=True):
        if front is not None:
            _compose(picture, front, values['halo'], None if kind == GREEN else rim)
    return [expose(picture, values, one) for picture, (_, _, one) in zip(pictures, streams, strict=True)]


def _shadows(scene: Scene, surface: Surface, lights: Lights) -> list[ShadowMap]:
    """The map of each lamp, of the part of the scene that is in or near the full picture."""
    inside = in_full_picture(surface.vertices, scene, _SHADOW_MARGIN)
    return [
        shadow_map(surface.vertices, surface.triangles, lamp, rasterise, inside) for lamp in lights.direction
    ]


def _compose(picture: np.ndarray, front: Foreground, halo: float, rim: np.ndarray | None) -> None:
    """Put the foreground before a background (H, W, 3), in place.

    With a rim colour, the matte is ``halo`` px too wide and what it lets in is
    the colour of the screen that the hand was filmed before.
    """
    patch = picture[front.place]
    if rim is None:
        patch *= 1 - front.cover
        patch += front.light
        return
    matte = cv2.GaussianBlur(front.cover[..., 0], (0, 0), _HALO_PX)
    matte = np.clip(matte * np.float32(1 + halo), 0, 1)[..., None]
    matte = np.maximum(matte, front.cover)
    patch *= 1 - matte
    patch += front.light + (matte - front.cover) * rim


def _moved(front: Foreground, length: float, shape: tuple[int, ...], rng: np.random.Generator) -> Foreground:
    """The foreground smeared along a line; it may grow to the edges of a picture (H, W)."""
    kernel = motion_kernel(length, rng.uniform(0, np.pi))
    reach = kernel.shape[0] // 2 + 1
    rows, columns = front.place
    top, bottom = max(rows.start - reach, 0), min(rows.stop + reach, shape[0])
    left, right = max(columns.start - reach, 0), min(columns.stop + reach, shape[1])
    both = np.concatenate([front.light, front.cover], axis=2)
    margins = rows.start - top, bottom - rows.stop, columns.start - left, right - columns.stop
    both = cv2.copyMakeBorder(both, *margins, cv2.BORDER_CONSTANT)
    both = cv2.filter2D(both, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return Foreground((slice(top, bottom), slice(left, right)), both[..., :3], both[..., 3:])
