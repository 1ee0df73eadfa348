"""A wall or table behind the hands, and the shadows on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from mmdualhand.synthesis.lighting import Lights, ShadowMap, lit_share
from mmdualhand.synthesis.posed_scene import Scene, SensorFrame

_GRID = 240  # columns of the grid on which light is computed
_PENUMBRA = 0.07  # width of a shadow's edge over the distance of what casts it
_SHARPEST = 0.6  # blur of a shadow's edge in columns of the grid


@dataclass(frozen=True)
class BackPlane:
    """Points ``x`` with ``normal @ x == offset``; mm, camera frame.

    Attributes:
        normal: (3,) unit normal towards the camera.
        offset: Distance of the camera, negative.
        gap: Distance of the hands from the plane, mm.
        tilt: Angle of the top away from the camera, radians.
    """

    normal: np.ndarray
    offset: float
    gap: float
    tilt: float

    def foreshorten(self, image: np.ndarray) -> np.ndarray:
        """Narrow a picture towards the top, as the tilt of a table does; same size."""
        squeeze = 0.45 * np.sin(self.tilt)
        if abs(squeeze) < 0.02:
            return image
        height, width = image.shape[:2]
        inset = 0.5 * squeeze * width
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        source = corners + np.array([[0, 0], [0, 0], [-inset, 0], [inset, 0]], np.float32)
        matrix = cv2.getPerspectiveTransform(corners, source.astype(np.float32))
        return cv2.warpPerspective(
            image, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )  # fmt: skip


def sample_plane(scene: Scene, values: Mapping[str, Any], rng: np.random.Generator) -> BackPlane | None:
    """Put a plane behind everything that is in the picture.

    Args:
        scene: The scene.
        values: Drawn parameters ``plane_probability``, ``plane_gap_mm``,
            ``plane_tilt_deg``.
        rng: Generator of whether there is one, and of its slant.

    Returns:
        The plane, or None.
    """
    if rng.random() >= values['plane_probability']:
        return None
    tilt, slant = np.radians(values['plane_tilt_deg']), rng.normal(0.0, 0.08)
    normal = np.array([np.sin(slant), -np.sin(tilt), -np.cos(tilt)])
    normal = scene.motion[:3, :3] @ (normal / np.linalg.norm(normal))
    points = np.concatenate([hand.vertices[::7] for hand in scene.hands])
    shown = in_full_picture(points, scene)
    shown |= ~shown.any()
    offset = float((points[shown] @ normal).min()) - values['plane_gap_mm']
    return BackPlane(normal, offset, float(values['plane_gap_mm']), float(tilt))


def in_full_picture(points: np.ndarray, scene: Scene, margin: float = 0.0) -> np.ndarray:
    """Which points (N, 3), camera frame, the full picture shows; margin as a share of its size."""
    frame = scene.full_frame
    pixels = points @ frame.camera.T
    pixels = pixels[:, :2] / np.maximum(pixels[:, 2:], 1.0) / frame.image_size
    return ((pixels >= -margin) & (pixels <= 1 + margin)).all(1) & (points[:, 2] > 1.0)


def light_on_plane(
    plane: BackPlane,
    frame: SensorFrame,
    size: tuple[int, int],
    lights: Lights,
    shadows: Sequence[ShadowMap],
    values: Mapping[str, Any],
) -> np.ndarray:
    """Irradiance of the plane at the pixels of a picture.

    Args:
        plane: The plane.
        frame: Camera and size of the full picture.
        size: (width, height) of the result, over the area of the full picture.
        lights: The lights.
        shadows: Maps of the lamps, or nothing.
        values: Drawn parameters ``shadow``, ``shadow_blur``.

    Returns:
        (height, width, 3) float32.
    """
    columns = min(size[0], _GRID)
    rows = max(int(round(columns * size[1] / size[0])), 2)
    scale = np.array(frame.image_size) / (columns, rows)
    x = (np.arange(columns) + 0.5) * scale[0] - 0.5
    y = (np.arange(rows) + 0.5) * scale[1] - 0.5
    pixels = np.stack([*np.meshgrid(x, y), np.ones((rows, columns))], axis=-1).reshape(-1, 3)
    rays = pixels @ np.linalg.inv(frame.camera).T
    facing = np.minimum(rays @ plane.normal, -0.05)  # the horizon is as far as it gets
    points = (rays * (plane.offset / facing)[:, None]).astype(np.float32)
    up = 0.5 + 0.5 * float(plane.normal @ lights.up)
    light = np.empty((rows, columns, 3), np.float32)
    light[:] = lights.ground + (lights.sky - lights.ground) * np.float32(up)
    spread = _PENUMBRA * plane.gap * values['shadow_blur'] * frame.camera[0, 0] / abs(plane.offset) / scale[0]
    for lamp, (direction, color) in enumerate(zip(lights.direction, lights.color, strict=True)):
        cosine = max(float(direction @ plane.normal), 0.0)
        lit = np.ones((rows, columns), np.float32)
        if lamp < len(shadows):
            lit = lit_share(shadows[lamp], points, values['shadow'], values['shadow_blur'])
            lit = lit.reshape(rows, columns)
            lit = np.asarray(cv2.GaussianBlur(lit, (0, 0), max(spread, _SHARPEST)), np.float32)
        light += (cosine * lit)[..., None] * color
    return cv2.resize(light, size, interpolation=cv2.INTER_LINEAR)
