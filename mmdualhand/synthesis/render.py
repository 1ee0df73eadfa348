"""From scene and look to one sample: colour, depth, mask and labels."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdualhand.synthesis.domains import Domain, get_domain
from mmdualhand.synthesis.gbuffer import surface_of
from mmdualhand.synthesis.identity import Identity
from mmdualhand.synthesis.labels import rhd_visibility
from mmdualhand.synthesis.paint import paint
from mmdualhand.synthesis.parameters import draw_all
from mmdualhand.synthesis.scene import Scene, sample_scene

SCENE_STREAM, LOOK_STREAM, FILLER_STREAM = 0, 1, 2
"""Streams of random numbers of one picture: geometry, appearance, hands that are not drawn."""


@dataclass(frozen=True, eq=False)
class HandLabel:
    """Labels of one drawn hand.

    Attributes:
        side: ``'left'`` or ``'right'``.
        xyz: (21, 3) float64 joints, mm, camera frame, canonical order.
        uv: (21, 2) float64 pixels.
        visible: (21,) float32, 0 or 1; see ``labels.rhd_visibility``.
    """

    side: str
    xyz: np.ndarray
    uv: np.ndarray
    visible: np.ndarray


@dataclass(frozen=True, eq=False)
class Sample:
    """One rendered picture with its labels.

    Attributes:
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32 mm of hands and props, 0 where nothing stands.
        mask: (H, W) uint8: 0 background and props, 1 person, 2..17 left, 18..33
            right hand, as in RHD.
        hands: Labels of the one or two drawn hands.
        camera: (3, 3) float64 intrinsics.
    """

    rgb: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    hands: tuple[HandLabel, ...]
    camera: np.ndarray


def generator(
    seed: int, domain: str, index: int, stream: int, split: str = 'training'
) -> np.random.Generator:
    """The generator of one stream of one picture.

    Args:
        seed: Seed of the whole set.
        domain: Name of the domain whose geometry or look is drawn.
        index: Number of the picture in its split.
        stream: ``SCENE_STREAM``, ``LOOK_STREAM`` or ``FILLER_STREAM``.
        split: Name of the split; no two share anything.

    Returns:
        A generator that depends on the arguments alone, not on what was drawn before.
    """
    key = [seed, zlib.crc32(domain.encode()), index, stream]
    if split != 'training':
        key.append(zlib.crc32(split.encode()))
    return np.random.default_rng(key)


def render(
    scene: Scene, look: Mapping[str, Any], rng: np.random.Generator, *, identity: Identity | None = None
) -> Sample:
    """Draw a scene.

    Args:
        scene: The geometry.
        look: Parameters of the look (a ``Domain.look``).
        rng: Generator of the look; depth, mask and joints do not depend on it.
        identity: Person whose skin is shown; without one the skin is drawn too.

    Returns:
        The sample.
    """
    return _samples(scene, look, rng, identity, None)[0]


def render_backgrounds(
    scene: Scene,
    look: Mapping[str, Any],
    rng: np.random.Generator,
    backgrounds: Sequence[tuple[str, np.random.Generator]],
    *,
    identity: Identity | None = None,
) -> list[Sample]:
    """Draw a scene once and put it before several backgrounds.

    Args:
        scene: The geometry.
        look: Parameters of the look; its ``background`` is not used.
        rng: Generator of light and skin.
        backgrounds: Kind of every background (a key of ``BACKGROUNDS``) and the
            generator of this background and of the sensor that sees it.
        identity: Person whose skin is shown; without one the skin is drawn too.

    Returns:
        A sample for every background; depth, mask and labels are the same.

    Raises:
        ConfigError: Unknown kind of background.
    """
    return _samples(scene, look, rng, identity, backgrounds)


def _samples(
    scene: Scene,
    look: Mapping[str, Any],
    rng: np.random.Generator,
    identity: Identity | None,
    backgrounds: Sequence[tuple[str, np.random.Generator]] | None,
) -> list[Sample]:
    seen = scene.rasterise(weights=False)
    depth = np.ascontiguousarray(seen.depth, dtype=np.float32)
    mask = np.zeros(depth.shape, np.uint8)
    there = seen.triangle >= 0
    surface = surface_of(scene)
    mask[there] = surface.label[seen.triangle[there]]
    focal = float(scene.camera[0, 0])
    hands = tuple(
        HandLabel(hand.side, hand.xyz, hand.uv, rhd_visibility(mask, hand.xyz, hand.uv, focal, hand.side))
        for hand in scene.hands
    )
    camera = np.asarray(scene.camera, np.float64)
    pictures = paint(scene, surface, depth, draw_all(rng, look), rng, identity, backgrounds)
    return [Sample(rgb, depth, mask, hands, camera) for rgb in pictures]


def render_index(
    index: int,
    *,
    seed: int,
    domain: str | Domain = 'source',
    look: str | Domain | None = None,
    split: str = 'training',
    image_size: int = 320,
) -> Sample:
    """Draw one picture of a set.

    Args:
        index: Its number.
        seed: Seed of the set.
        domain: Domain of the geometry and, without ``look``, of the appearance.
        look: Domain of the appearance, to draw the same scene in another look.
        split: Name of the split.
        image_size: Side of the square picture, pixels.

    Returns:
        The sample; the same arguments give the same bytes.

    Raises:
        ConfigError: Unknown domain.
    """
    place = get_domain(domain) if isinstance(domain, str) else domain
    dress = place if look is None else get_domain(look) if isinstance(look, str) else look
    scene = sample_scene(generator(seed, place.name, index, SCENE_STREAM, split), place.scene, image_size)
    return render(scene, dress.look, generator(seed, dress.name, index, LOOK_STREAM, split))
