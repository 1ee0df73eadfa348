"""The surface of a posed hand as a smooth union of flattened, tapered capsules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mmdualhand.synthesis.forward_kinematics import FOREARM_BONE, PALM_BONE, BoneFrames, finger_bone
from mmdualhand.synthesis.hand_shape import HandShape

PALM_GROUP = 0
FOREARM_LENGTH_MM = 420.0
_DORSAL = (0.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Primitives:
    """Capsules with two radii, squeezed along one direction; hand frame, mm.

    Sorted by group; inside a finger the capsules of its first bone come first.

    Attributes:
        start: (M, 3) one end of the axis.
        end: (M, 3) the other end.
        start_radius: (M,) radius at ``start``.
        end_radius: (M,) radius at ``end``.
        normal: (M, 3) unit direction of the squeeze.
        flatness: (M,) factor by which the capsule is thinner along ``normal``
            (before both directions are scaled to keep the area of the section).
        group: (M,) 0 for palm and arm, 1 to 5 for thumb to pinky.
        is_base: (M,) True for the capsules of a finger's first bone.
        bone: (M,) the bone that carries the capsule.
    """

    start: np.ndarray
    end: np.ndarray
    start_radius: np.ndarray
    end_radius: np.ndarray
    normal: np.ndarray
    flatness: np.ndarray
    group: np.ndarray
    is_base: np.ndarray
    bone: np.ndarray

    def __len__(self) -> int:
        return len(self.group)

    def subset(self, index: np.ndarray) -> Primitives:
        """The capsules of an ascending index (K,)."""
        return Primitives(
            self.start[index], self.end[index], self.start_radius[index], self.end_radius[index],
            self.normal[index], self.flatness[index], self.group[index], self.is_base[index],
            self.bone[index],
        )  # fmt: skip

    @cached_property
    def palm(self) -> slice:
        """Columns of the palm and arm."""
        return slice(0, int((self.group == PALM_GROUP).sum()))

    @cached_property
    def digits(self) -> tuple[tuple[slice, slice], ...]:
        """Columns of every finger that is there: of its first bone, of the others."""
        found = []
        for group in range(1, 6):
            columns = np.nonzero(self.group == group)[0]
            if len(columns):
                first, middle = int(columns[0]), int(columns[0]) + int(self.is_base[columns].sum())
                found.append((slice(first, middle), slice(middle, int(columns[-1]) + 1)))
        return tuple(found)


class _Builder:
    """Collects capsules given in the frame of a bone."""

    def __init__(self, shape: HandShape, frames: BoneFrames) -> None:
        self.shape = shape
        self.frames = frames
        self.unit = shape.radius_unit
        self.rows: list[tuple[np.ndarray, np.ndarray, float, float, np.ndarray, float, int, bool, int]] = []

    def place(self, bone: int, point: Sequence[float]) -> np.ndarray:
        return self.frames.rotation[bone] @ np.asarray(point, dtype=np.float64) + self.frames.origin[bone]

    def add(
        self,
        group: int,
        bone: int,
        ends: tuple[Sequence[float], Sequence[float]],
        radii: tuple[float, float],
        flatness: float = 1.0,
        *,
        is_base: bool = False,
    ) -> None:
        """Add a capsule: ends in mm in the bone's frame, radii in units of the hand's thickness."""
        start, end = self.place(bone, ends[0]), self.place(bone, ends[1])
        self.add_placed(group, bone, (start, end), radii, flatness, is_base=is_base)

    def add_placed(
        self,
        group: int,
        bone: int,
        ends: tuple[np.ndarray, np.ndarray],
        radii: tuple[float, float],
        flatness: float = 1.0,
        *,
        is_base: bool = False,
    ) -> None:
        normal = self.frames.rotation[bone] @ np.asarray(_DORSAL)
        self.rows.append(
            (
                ends[0],
                ends[1],
                radii[0] * self.unit,
                radii[1] * self.unit,
                normal,
                flatness,
                group,
                is_base,
                bone,
            )
        )

    def build(self) -> Primitives:
        rows = sorted(self.rows, key=lambda row: (row[6], not row[7]))
        columns = [np.array(column) for column in zip(*rows, strict=True)]
        return Primitives(*columns)


def hand_primitives(
    shape: HandShape, frames: BoneFrames, forearm_length: float = FOREARM_LENGTH_MM
) -> Primitives:
    """Capsules of a posed right hand with its forearm.

    Args:
        shape: Sizes of the hand.
        frames: Bone frames of one pose, from ``forward_kinematics``.
        forearm_length: How far the arm goes on behind the wrist, mm.

    Returns:
        About fifty capsules; the same number in the same order for every hand.
    """
    builder = _Builder(shape, frames)
    for finger in range(5):
        _add_digit(builder, finger)
    _add_palm(builder)
    _add_thumb_base(builder)
    _add_webs(builder)
    _add_arm(builder, forearm_length)
    return builder.build()


def _add_digit(builder: _Builder, finger: int) -> None:
    group, unit = finger + 1, builder.shape.hand_breadth
    length = builder.shape.segments[finger]
    ratios = builder.shape.radii[finger] / builder.unit
    first, middle, last = (finger_bone(finger, segment) for segment in range(3))
    if finger == 0:
        builder.add(group, first, ((0, 6, 1), (0, length[0] - 2, 0)), (0.150, ratios[1]), is_base=True)
        builder.add(group, middle, ((0, 0, 0), (0, length[1], 0)), (ratios[1], ratios[2] * 0.95), 1.08)
    else:
        half, waist = (0, length[0] * 0.5, -0.4), ratios[0] * 0.93
        builder.add(group, first, ((0, 0, 0), half), (ratios[0], waist), 1.04, is_base=True)
        builder.add(group, first, (half, (0, length[0], 0)), (waist, ratios[1]), 1.04, is_base=True)
        builder.add(group, middle, ((0, 0, 0), (0, length[1], -0.3)), (ratios[1] * 0.99, ratios[2]), 1.06)
        knuckle = ratios[1] * unit * 0.18
        builder.add(group, middle, ((0, 0, knuckle), (0, 1, knuckle)), (ratios[1] * 0.86, ratios[1] * 0.86))
    tip = length[2] - ratios[3] * unit * 0.55
    builder.add(group, last, ((0, 0, 0), (0, tip, -0.4)), (ratios[2] * 0.99, ratios[3] * 0.98), 1.12)
    pad = ((0, length[2] * 0.42, -ratios[3] * unit * 0.22), (0, tip - 2, -ratios[3] * unit * 0.25))
    builder.add(group, last, pad, (ratios[3] * 0.88, ratios[3] * 0.80))


def _add_palm(builder: _Builder) -> None:
    breadth, length = builder.shape.hand_breadth, builder.shape.hand_length
    bases = builder.shape.finger_bases

    def at(x: float, y: float, z: float) -> tuple[float, float, float]:
        return x * breadth, y * length, z * breadth

    metacarpals = ((-0.15, 0.165, 0.150), (-0.03, 0.170, 0.152), (0.09, 0.165, 0.145), (0.19, 0.165, 0.130))
    for base, (x, near, far) in zip(bases[1:], metacarpals, strict=True):
        knuckle = (0.0, 0.0, 0.035 * breadth)
        builder.add(
            PALM_GROUP, PALM_BONE, (base + knuckle - [0, 3, 0], base + knuckle), (0.100, 0.100)
        )  # fmt: skip
        end = base - [0.0, 3.0, 0.035 * breadth]
        builder.add(PALM_GROUP, PALM_BONE, (at(x, 0.07, -0.02), end), (near, far), 1.12)
    pads = (
        (at(0.27, 0.10, -0.10), at(0.35, 0.26, -0.09), 0.150, 0.135),  # below the little finger
        (at(-0.20, 0.10, -0.10), at(-0.22, 0.22, -0.10), 0.135, 0.120),  # below the thumb
        (at(-0.22, 0.405, -0.10), at(0.30, 0.345, -0.11), 0.085, 0.085),  # across, below the fingers
    )
    for start, stop, near, far in pads:
        builder.add(PALM_GROUP, PALM_BONE, (start, stop), (near, far))


def _add_thumb_base(builder: _Builder) -> None:
    """Muscle along the thumb's metacarpal, and the web to the index finger."""
    bone, length = finger_bone(0, 0), builder.shape.segments[0, 0]
    builder.add(PALM_GROUP, bone, ((0, 12, -4), (0, length * 0.72, -4)), (0.180, 0.150))
    breadth, hand = builder.shape.hand_breadth, builder.shape.hand_length
    thumb = builder.place(bone, (0, length * 0.72, 0))
    palm = np.array([-0.20 * breadth, 0.31 * hand, -0.02 * breadth])
    middle = 0.5 * (thumb + palm)
    builder.add_placed(PALM_GROUP, bone, (thumb, middle), (0.085, 0.085))
    builder.add_placed(PALM_GROUP, PALM_BONE, (middle, palm), (0.085, 0.085))


def _add_webs(builder: _Builder) -> None:
    """Skin between neighbouring fingers."""
    for finger in range(1, 4):
        bones = [finger_bone(finger, 0), finger_bone(finger + 1, 0)]
        roots = [
            builder.place(bone, (0, builder.shape.segments[digit, 0] * 0.26, -2.0))
            for bone, digit in zip(bones, (finger, finger + 1), strict=True)
        ]
        middle = 0.5 * (roots[0] + roots[1])
        for bone, root in zip(bones, roots, strict=True):
            builder.add_placed(PALM_GROUP, bone, (root, middle), (0.055, 0.045))


def _add_arm(builder: _Builder, forearm_length: float) -> None:
    breadth, length = builder.shape.hand_breadth, builder.shape.hand_length
    side, depth = 0.10 * breadth, -0.02 * breadth
    wrist = ((-side, 0.04 * length, depth), (side, 0.04 * length, depth))
    builder.add(PALM_GROUP, PALM_BONE, wrist, (0.235, 0.235), 1.18)
    for sign in (-1.0, 1.0):
        ends = ((sign * 1.1 * side, -8.0, depth), (sign * 1.6 * side, -forearm_length, depth))
        builder.add(PALM_GROUP, FOREARM_BONE, ends, (0.225, 0.36), 1.12)
