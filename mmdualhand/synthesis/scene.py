"""Draws what stands before the camera."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mmdualhand.errors import ConfigError, near_names
from mmdualhand.structures import Camera
from mmdualhand.synthesis.hand_shape import SHAPE_DEFAULTS, HandShape
from mmdualhand.synthesis.mesh import pose_mesh
from mmdualhand.synthesis.parameters import children, draw
from mmdualhand.synthesis.placement import PLACEMENT_DEFAULTS, PlacedHand, place_hand, visible_joints
from mmdualhand.synthesis.pose import POSE_DEFAULTS
from mmdualhand.synthesis.posed_scene import Scene, SceneHand
from mmdualhand.synthesis.prop_placement import PROP_DEFAULTS, sample_props
from mmdualhand.synthesis.sleeve import SLEEVE_DEFAULTS, add_sleeve

if TYPE_CHECKING:
    from mmdualhand.synthesis.identity import Identity

SIDES = ('left', 'right')

SCENE_DEFAULTS: dict[str, Any] = {
    'two_hands_probability': 0.25,
    'left_probability': 0.5,  # of the hand that is drawn first
    'focal_ratio': (0.82, 0.96),  # focal length over the width of the picture; unused with a fixed camera
    'hand_size': (0.28, 0.55),  # extent of the joints over the shorter side of the picture
    'hand_size_of_two': (0.24, 0.40),  # the same where both hands are drawn
    'center_jitter': 0.10,  # of the hand about the middle, share of width and height
    'min_visible_joints': 13,  # of each hand, before props; drawn again up to 12 times
    **PLACEMENT_DEFAULTS,
    **SLEEVE_DEFAULTS,
    **SHAPE_DEFAULTS,
    **POSE_DEFAULTS,
    **PROP_DEFAULTS,
}
"""What stands before the camera; values are constants, ``(low, high)`` ranges or ``{choice: weight}``."""

_TRIES = 12
_NEAREST_MM = 80.0
_COLUMNS_OF_TWO = (0.27, 0.73)


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
    rng: np.random.Generator,
    config: Mapping[str, Any] | None,
    image_size: int | tuple[int, int],
    *,
    camera: np.ndarray | None = None,
    identity: Identity | None = None,
) -> Scene:
    """Draw a scene.

    Hands whose joints hide too much of each other, or that reach the camera, are
    drawn again; after 12 tries the scene with the most visible joints stays.
    Props have a generator of their own: the hands do not depend on them.

    Args:
        rng: Source of chance; nothing else decides.
        config: Values for keys of ``SCENE_DEFAULTS``, each a constant, a
            ``(low, high)`` range or ``{choice: weight}``.
        image_size: Side of a square picture, or (width, height).
        camera: (3, 3) intrinsics in pixels; drawn from ``focal_ratio`` if None.
        identity: Person whose hands they are; sizes are drawn if None.

    Returns:
        A scene with one or two hands; two are of different sides.

    Raises:
        ConfigError: Unknown key or family.
        ValueError: ``camera`` is no matrix of intrinsics.
    """
    settings = resolve_scene_config(config)
    size = (image_size, image_size) if isinstance(image_size, int) else (image_size[0], image_size[1])
    focal = draw(rng, settings['focal_ratio']) * size[0]
    if camera is None:
        camera = np.array([[focal, 0.0, size[0] / 2], [0.0, focal, size[1] / 2], [0.0, 0.0, 1.0]])
    camera = np.array(Camera(camera).K)
    two = rng.random() < draw(rng, settings['two_hands_probability'])
    side = SIDES[0] if rng.random() < draw(rng, settings['left_probability']) else SIDES[1]
    sides = (side, SIDES[1 - SIDES.index(side)]) if two else (side,)
    wanted = draw(rng, settings['min_visible_joints'])
    shape = None if identity is None else identity.shape
    best: tuple[int, list[PlacedHand], np.ndarray] | None = None
    for _ in range(_TRIES):
        hands = _draw_hands(rng, settings, camera, size, sides, shape)
        seen = visible_joints(hands, camera, size)
        visible = int(seen.sum(1).min())
        if min(hand.nearest_mm for hand in hands) < _NEAREST_MM:
            visible = -1
        if best is None or visible > best[0]:
            best = (visible, hands, seen)
        if visible >= wanted:
            break
    if best is None:  # unreachable: _TRIES is positive
        raise ValueError('no scene was drawn')
    hands = best[1]
    props = sample_props(children(rng, 1)[0], settings, hands, best[2], camera, size)
    return Scene(camera, size, tuple(_with_surface(hand, camera) for hand in hands), props)


def _draw_hands(
    rng: np.random.Generator,
    settings: Mapping[str, Any],
    camera: np.ndarray,
    size: tuple[int, int],
    sides: tuple[str, ...],
    shape: HandShape | None,
) -> list[PlacedHand]:
    jitter = draw(rng, settings['center_jitter'])
    columns, extents = ((0.5,), 'hand_size') if len(sides) == 1 else (_COLUMNS_OF_TWO, 'hand_size_of_two')
    hands = []
    for side, column in zip(sides, columns, strict=True):
        center = np.array(size) * ([column, 0.5] + rng.uniform(-jitter, jitter, 2))
        extent = draw(rng, settings[extents]) * min(size)
        hands.append(place_hand(rng, settings, camera, side, center, extent, shape))
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
