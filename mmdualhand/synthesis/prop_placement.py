"""Which props a scene holds, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmdualhand.errors import ConfigError, near_names
from mmdualhand.synthesis.held_objects import HELD_KINDS, hold_object
from mmdualhand.synthesis.occluders import OCCLUDER_KINDS, place_occluder
from mmdualhand.synthesis.parameters import children, draw
from mmdualhand.synthesis.placement import PlacedHand
from mmdualhand.synthesis.props import Prop
from mmdualhand.synthesis.raster import rasterise

PROP_DEFAULTS: dict[str, Any] = {
    'object_probability': 0.0,  # of a thing in the first hand
    'object_kind': {'cylinder': 3.0, 'box': 2.0, 'ball': 1.5, 'rounded': 2.0, 'card': 1.0, 'pen': 1.5},
    'object_size_mm': 46.0,  # thickness, where the fingers leave so much room
    'occluders': 0,  # number of things between camera and hand
    'occluder_kind': {'pen': 2.0, 'bar': 1.5, 'cable': 1.5, 'leaf': 1.0, 'panel': 1.0},
    'occluder_width_mm': 10.0,  # of pens, bars and cables; leaves are wider
    'occluder_depth': 0.8,  # distance from the camera over that of the hand
    'min_joints_beside_props': 13,  # visible joints of every hand; a prop that hides more is left out
}
_TRIES = 5
_SHRINK = 0.8


def sample_props(
    rng: np.random.Generator,
    settings: Mapping[str, Any],
    hands: Sequence[PlacedHand],
    seen: np.ndarray,
    camera: np.ndarray,
    image_size: tuple[int, int],
) -> tuple[Prop, ...]:
    """Draw what the first hand holds and what hides parts of it.

    A prop that would leave too few joints visible is drawn again, smaller, and
    left out in the end.

    Args:
        rng: Source of chance.
        settings: A complete config, from ``scene.resolve_scene_config``.
        hands: The hands of the scene.
        seen: (H, 21) bool, joints that the hands themselves leave visible.
        camera: (3, 3) intrinsics.
        image_size: (width, height).

    Returns:
        The props.

    Raises:
        ConfigError: Unknown kind.
    """
    object_rng, *occluder_rngs = children(rng, 1 + int(round(draw(rng, settings['occluders']))))
    wanted = draw(rng, settings['min_joints_beside_props'])
    props: list[Prop] = []
    holds = object_rng.random() < draw(object_rng, settings['object_probability'])
    wishes = [(object_rng, 'object_kind')] * holds + [(one, 'occluder_kind') for one in occluder_rngs]
    for source, name in wishes:
        kind = draw(source, settings[name])
        known = HELD_KINDS if name == 'object_kind' else OCCLUDER_KINDS
        if kind not in known:
            raise ConfigError(f'{name} {kind!r} is not known; {near_names(kind, known)}')
        prop, left = _fitting(source, settings, name, kind, hands, seen, camera, image_size, wanted)
        if prop is not None:
            props.append(prop)
            seen = left
    return tuple(props)


def _fitting(
    rng: np.random.Generator,
    settings: Mapping[str, Any],
    name: str,
    kind: str,
    hands: Sequence[PlacedHand],
    seen: np.ndarray,
    camera: np.ndarray,
    image_size: tuple[int, int],
    wanted: float,
) -> tuple[Prop | None, np.ndarray]:
    """A prop that leaves enough joints visible, and which those are; None after some tries."""
    scale = 1.0
    for _ in range(_TRIES):
        if name == 'object_kind':
            prop = hold_object(rng, kind, hands[0], scale * draw(rng, settings['object_size_mm']))
        else:
            width = scale * draw(rng, settings['occluder_width_mm'])
            nearness = draw(rng, settings['occluder_depth'])
            prop = place_occluder(rng, kind, hands[0], camera, width, nearness)
        left = seen & ~_hidden(prop, hands, camera, image_size)
        if (left.sum(1) >= np.minimum(wanted, seen.sum(1))).all():
            return prop, left
        scale *= _SHRINK
    return None, seen


def _hidden(
    prop: Prop, hands: Sequence[PlacedHand], camera: np.ndarray, image_size: tuple[int, int]
) -> np.ndarray:
    """(H, 21) bool: joints whose skin lies behind a prop."""
    projected = prop.vertices @ camera.T
    uv = projected[:, :2] / np.maximum(projected[:, 2:], 1e-6)
    depth = rasterise(uv, prop.vertices[:, 2], prop.triangles, *image_size, weights=False).depth
    hidden = np.zeros((len(hands), 21), bool)
    for row, hand in enumerate(hands):
        pixel = hand.xyz @ camera.T
        column, line = np.rint(pixel[:, :2] / pixel[:, 2:]).astype(np.int64).T
        inside = (column >= 0) & (line >= 0) & (column < image_size[0]) & (line < image_size[1])
        before = depth[line.clip(0, image_size[1] - 1), column.clip(0, image_size[0] - 1)]
        skin = hand.xyz[:, 2] - 0.5 * hand.shape.joint_radii
        hidden[row] = inside & (before > 0) & (before < skin)
    return hidden
