"""Things in a hand."""

from __future__ import annotations

import numpy as np

from mmdualhand.synthesis.placement import PlacedHand
from mmdualhand.synthesis.prop_shapes import Mesh, box, superquadric, tube
from mmdualhand.synthesis.props import Prop

HELD_KINDS = ('cylinder', 'box', 'ball', 'rounded', 'card', 'pen')
_KNUCKLES, _PADS = [5, 9, 13, 17], [8, 12, 16, 4]
_PALM_RATIO, _FINGER_RATIO = 0.15, 0.08  # half thickness over the unit of thickness
_CURLED_MM = 22.0
_THINNEST_MM = 4.0


def hold_object(rng: np.random.Generator, kind: str, hand: PlacedHand, thickness: float) -> Prop:
    """Put a thing into a hand.

    Between palm and finger tips where the fingers are curled, else on the palm;
    it may run a little into the flesh.

    Args:
        rng: Source of chance.
        kind: One of ``HELD_KINDS``.
        hand: The hand.
        thickness: mm; less where the fingers leave less room.

    Returns:
        The thing, camera frame.
    """
    across = hand.rotation @ (hand.mirror * [1.0, 0.0, 0.0])
    along, inward = hand.rotation[:, 1], -hand.rotation[:, 2]
    unit = hand.shape.radius_unit
    palm = 0.75 * hand.xyz[_KNUCKLES].mean(0) + 0.25 * hand.xyz[0] + _PALM_RATIO * unit * inward
    pads = hand.xyz[_PADS].mean(0)
    radius = 0.5 * thickness
    curled = float((pads - palm) @ inward) > _CURLED_MM - _PALM_RATIO * unit
    if curled:
        room = 0.5 * float(np.linalg.norm(pads - palm)) - _FINGER_RATIO * unit
        radius = float(np.clip(radius, _THINNEST_MM, max(room, _THINNEST_MM)))
        center = 0.5 * (palm + pads)
    else:
        center = palm + 0.9 * radius * inward + rng.normal(12.0, 8.0) * along
    slant = rng.normal(0.0, 0.3)
    axis = np.cos(slant) * across + np.sin(slant) * along
    side = np.cross(inward, axis)
    side /= np.linalg.norm(side)
    frame = np.stack([side, np.cross(axis, side), axis], axis=1)  # third column along the thing
    rest, triangles = _form(rng, kind, radius)
    return Prop(kind, rest @ frame.T + center + rng.normal(0, 10) * axis, triangles, rest)


def _form(rng: np.random.Generator, kind: str, radius: float) -> Mesh:
    length = rng.uniform(45.0, 95.0)
    if kind == 'cylinder':
        waist = radius * rng.uniform(0.75, 1.15)
        path = np.array([[0, 0, -length], [0, 0, 0.3 * length], [0, 0, length]])
        return tube(path, np.array([radius, radius, waist]), 20)
    if kind == 'box':
        return box(np.array([radius * rng.uniform(0.8, 1.6), radius, 0.6 * length]))
    if kind == 'ball':
        return superquadric(np.full(3, radius), 1.0, 1.0)
    if kind == 'card':
        return box(np.array([rng.uniform(24, 40), 2.0 + 0.1 * radius, rng.uniform(35, 75)]))
    if kind == 'pen':
        half = rng.uniform(55.0, 85.0)
        path = np.array([[0, 0, -half], [0, 0, 0.85 * half], [0, 0, half]])
        return tube(path, np.array([1.0, 1.0, 0.3]) * rng.uniform(3.5, 6.0), 12)
    ends, sides = rng.choice([0.2, 0.5, 1.0], 2)
    return superquadric(np.array([radius * rng.uniform(0.8, 1.3), radius, 0.8 * length]), ends, sides)
