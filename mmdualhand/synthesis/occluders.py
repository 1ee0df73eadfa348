"""Things between a camera and a hand."""

from __future__ import annotations

import numpy as np

from mmdualhand.synthesis.placement import PlacedHand
from mmdualhand.synthesis.prop_shapes import Mesh, box, leaf, tube
from mmdualhand.synthesis.props import Prop

OCCLUDER_KINDS = ('pen', 'bar', 'cable', 'leaf', 'panel')
_LONG_MM = 420.0  # half length of what leaves the picture on both sides


def place_occluder(
    rng: np.random.Generator,
    kind: str,
    hand: PlacedHand,
    camera: np.ndarray,
    width: float,
    nearness: float,
) -> Prop:
    """Put a thing before a hand.

    Args:
        rng: Source of chance.
        kind: One of ``OCCLUDER_KINDS``.
        hand: The hand.
        camera: (3, 3) intrinsics.
        width: mm, of pens, bars and cables.
        nearness: Distance of the thing from the camera over that of the hand.

    Returns:
        The thing, camera frame.
    """
    share = rng.dirichlet(np.ones(3))
    behind = share @ hand.xyz[rng.choice(21, 3, replace=False)]
    depth = nearness * float(hand.xyz[:, 2].min())
    angle = rng.uniform(0.0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle), rng.normal(0.0, 0.15)])
    along /= np.linalg.norm(along)
    if kind == 'panel':
        behind = _edge_point(rng, hand, angle)
    middle = behind * (depth / behind[2])
    facing = np.array([0.0, 0.0, -1.0]) + rng.normal(0.0, 0.25, 3)
    side = np.cross(facing, along)
    side /= np.linalg.norm(side)
    frame = np.stack([along, side, np.cross(along, side)], axis=1)
    rest, triangles = _form(rng, kind, width)
    return Prop(kind, rest @ frame.T + middle, triangles, rest)


def _edge_point(rng: np.random.Generator, hand: PlacedHand, angle: float) -> np.ndarray:
    """Point (3,) beyond which, in a direction of the picture, a few joints of the hand lie."""
    direction = np.array([np.cos(angle), np.sin(angle)])
    reach = hand.xyz[:, :2] @ direction
    limit = np.quantile(reach, rng.uniform(0.72, 0.95))
    return hand.xyz.mean(0) + np.append((limit - reach.mean()) * direction, 0.0)


def _form(rng: np.random.Generator, kind: str, width: float) -> Mesh:
    """Mesh along the first axis."""
    half = _LONG_MM
    if kind == 'pen':
        length, shift = rng.uniform(60.0, 80.0), rng.uniform(-40.0, 40.0)
        path = np.array([[-length, 0, 0], [0.8 * length, 0, 0], [length, 0, 0]]) + [shift, 0, 0]
        return tube(path, np.array([0.5, 0.5, 0.1]) * width, 12)
    if kind == 'bar':
        return box(np.array([half, 0.5 * width, 0.5 * width * rng.uniform(0.4, 1.0)]))
    if kind == 'leaf':
        length = rng.uniform(60.0, 130.0)
        return leaf(length, max(3.0 * width, 0.25 * length), rng.uniform(0.0, 0.25))
    if kind == 'panel':  # from the edge at the origin outwards
        depth = rng.uniform(25.0, 80.0)
        rest, triangles = box(np.array([depth, rng.uniform(50.0, 110.0), 1.5]))
        return rest + [depth, 0, 0], triangles
    place = np.linspace(-1.0, 1.0, 25)
    bends = rng.normal(0.0, 14.0, (2, 3))
    sway = (bends * np.sin(np.pi * np.outer(place, [1.0, 2.0, 3.0]))[:, None]).sum(-1)
    path = np.column_stack([half * place, sway])
    return tube(path, 0.3 * width, 8)
