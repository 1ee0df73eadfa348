"""Geometry of a picture: camera, hands, surfaces; nothing about colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdualhand.errors import ConfigError
from mmdualhand.structures import Camera
from mmdualhand.synthesis.hand_shape import SHAPE_DEFAULTS, HandShape
from mmdualhand.synthesis.mesh import HandMesh, pose_mesh
from mmdualhand.synthesis.parameters import draw, near_names
from mmdualhand.synthesis.placement import PLACEMENT_DEFAULTS, PlacedHand, count_visible, place_hand
from mmdualhand.synthesis.pose import POSE_DEFAULTS, HandPose
from mmdualhand.synthesis.raster import Backend, RasterResult, rasterise
from mmdualhand.synthesis.sleeve import SLEEVE_DEFAULTS, Sleeve, add_sleeve
from mmdualhand.synthesis.template import vertex_normals

SIDES = ('left', 'right')

SCENE_DEFAULTS: dict[str, Any] = {
    'two_hands_probability': 0.25,
    'left_probability': 0.5,
    'focal_ratio': (0.82, 0.96),
    'hand_size': (0.28, 0.55),
    'hand_size_of_two': (0.24, 0.40),
    'center_jitter': 0.10,
    'min_visible_joints': 13,
    **PLACEMENT_DEFAULTS,
    **SLEEVE_DEFAULTS,
    **SHAPE_DEFAULTS,
    **POSE_DEFAULTS,
}
_TRIES = 12
_NEAREST_MM = 80.0
_COLUMNS_OF_TWO = (0.27, 0.73)


@dataclass(frozen=True, eq=False)
class SceneHand:
    """One hand in front of the camera.

    ``xyz_camera = rotation @ (M @ xyz_hand) + translation`` where M mirrors x
    for a left hand and does nothing to a right one.

    Attributes:
        side: ``'left'`` or ``'right'``.
        shape: Its sizes.
        pose: Its joint angles.
        rotation: (3, 3) hand frame to camera frame.
        translation: (3,) mm.
        xyz: (21, 3) joints, mm, camera frame, canonical order.
        uv: (21, 2) joints, pixels.
        vertices: (V, 3) surface, mm, camera frame.
        triangles: (T, 3) int32, counter-clockwise seen from outside (other
            winding than the template for a left hand; same order).
        triangle_part: (T,) uint8: 1-15 fingers, 16 palm, 17 forearm, 18 sleeve.
        mesh: The surface in the hand frame, with rest coordinates.
        sleeve: What covers the forearm, or None.
    """

    side: str
    shape: HandShape
    pose: HandPose
    rotation: np.ndarray
    translation: np.ndarray
    xyz: np.ndarray
    uv: np.ndarray
    vertices: np.ndarray
    triangles: np.ndarray
    triangle_part: np.ndarray
    mesh: HandMesh
    sleeve: Sleeve | None

    def normals(self) -> np.ndarray:
        """(V, 3) unit outward normals in the camera frame."""
        return vertex_normals(self.vertices, self.triangles)


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that a z-buffer needs; the same scene can be coloured in many ways.

    Attributes:
        camera: (3, 3) float64 intrinsics of the full picture, pixels.
        image_size: (width, height).
        hands: One or two hands, of different sides.
    """

    camera: np.ndarray
    image_size: tuple[int, int]
    hands: tuple[SceneHand, ...]

    def surface(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """All hands as one mesh.

        Returns:
            Vertices (N, 3) mm in the camera frame, triangles (T, 3), part of
            every triangle (T,) uint8, hand of every triangle (T,) int64.
        """
        vertices = np.concatenate([hand.vertices for hand in self.hands])
        starts = np.cumsum([0, *(len(hand.vertices) for hand in self.hands)])
        triangles = np.concatenate(
            [hand.triangles + start for hand, start in zip(self.hands, starts, strict=False)]
        )
        part = np.concatenate([hand.triangle_part for hand in self.hands])
        number = np.repeat(np.arange(len(self.hands)), [len(hand.triangles) for hand in self.hands])
        return vertices, triangles, part, number

    def rasterise(self, scale: float = 1.0, backend: Backend = 'auto') -> RasterResult:
        """Depth and triangles of the picture.

        Args:
            scale: Samples per pixel and axis: 2 gives twice the width and height,
                over the same area (``u' = (u + 0.5) * scale - 0.5``).
            backend: See ``raster.rasterise``.

        Returns:
            The z-buffer; its triangle numbers are those of :meth:`surface`.
        """
        vertices, triangles, _, _ = self.surface()
        z = vertices[:, 2]
        safe = np.where(np.abs(z) > 1e-6, z, 1e-6)
        uv = vertices @ self.camera.T
        uv = (uv[:, :2] / safe[:, None] + 0.5) * scale - 0.5
        width, height = (int(round(side * scale)) for side in self.image_size)
        return rasterise(uv, z, triangles, width, height, backend)


def resolve_scene_config(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """Defaults of a scene, overwritten by ``config``.

    Raises:
        ConfigError: Unknown key; the message says what was meant.
    """
    for key in config or {}:
        if key not in SCENE_DEFAULTS:
            raise ConfigError(f'{key!r} is not a setting of a scene; {near_names(key, SCENE_DEFAULTS)}')
    return {**SCENE_DEFAULTS, **(config or {})}


def sample_scene(
    rng: np.random.Generator, config: Mapping[str, Any] | None, image_size: int | tuple[int, int]
) -> Scene:
    """Draw a scene.

    Hands whose joints hide too much of each other, or that reach the camera, are
    drawn again; after 12 tries the scene with the most visible joints stays.

    Args:
        rng: Source of chance; nothing else decides.
        config: Values for keys of ``SCENE_DEFAULTS``, each a constant, a
            ``(low, high)`` range or ``{choice: weight}``.
        image_size: Side of a square picture, or (width, height).

    Returns:
        A scene with one or two hands; two are of different sides.

    Raises:
        ConfigError: Unknown key or family.
    """
    settings = resolve_scene_config(config)
    size = (image_size, image_size) if isinstance(image_size, int) else (image_size[0], image_size[1])
    focal = draw(rng, settings['focal_ratio']) * size[0]
    camera = np.array([[focal, 0.0, size[0] / 2], [0.0, focal, size[1] / 2], [0.0, 0.0, 1.0]])
    two = rng.random() < draw(rng, settings['two_hands_probability'])
    side = SIDES[0] if rng.random() < draw(rng, settings['left_probability']) else SIDES[1]
    wanted = draw(rng, settings['min_visible_joints'])
    best: tuple[int, list[PlacedHand]] | None = None
    for _ in range(_TRIES):
        hands = _draw_hands(rng, settings, camera, size, side, two)
        visible = min(count_visible(hands, camera, size))
        if min(hand.nearest_mm for hand in hands) < _NEAREST_MM:
            visible = -1
        if best is None or visible > best[0]:
            best = (visible, hands)
        if visible >= wanted:
            break
    if best is None:  # unreachable: _TRIES is positive
        raise ValueError('no scene was drawn')
    return Scene(camera, size, tuple(_with_surface(hand, camera) for hand in best[1]))


def _draw_hands(
    rng: np.random.Generator,
    settings: Mapping[str, Any],
    camera: np.ndarray,
    size: tuple[int, int],
    side: str,
    two: bool,
) -> list[PlacedHand]:
    jitter = draw(rng, settings['center_jitter'])
    if not two:
        center = np.array(size) * (0.5 + rng.uniform(-jitter, jitter, 2))
        extent = draw(rng, settings['hand_size']) * min(size)
        return [place_hand(rng, settings, camera, side, center, extent)]
    other = SIDES[1 - SIDES.index(side)]
    hands = []
    for one, column in zip((side, other), _COLUMNS_OF_TWO, strict=True):
        center = np.array(size) * ([column, 0.5] + rng.uniform(-jitter, jitter, 2))
        extent = draw(rng, settings['hand_size_of_two']) * min(size)
        hands.append(place_hand(rng, settings, camera, one, center, extent))
    return hands


def _with_surface(placed: PlacedHand, camera: np.ndarray) -> SceneHand:
    mesh = pose_mesh(placed.shape, placed.pose, placed.forearm_length)
    vertices, part = add_sleeve(mesh, placed.sleeve)
    triangles = mesh.triangles[:, ::-1] if placed.side == 'left' else mesh.triangles
    return SceneHand(
        placed.side, placed.shape, placed.pose, placed.rotation, placed.translation, placed.xyz,
        Camera(camera).project(placed.xyz), placed.to_camera(vertices), triangles, part, mesh,
        placed.sleeve,
    )  # fmt: skip
