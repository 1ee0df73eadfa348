"""Joint angles of a hand: frames of the fingers, reading the angles and posing by them.

A finger is a universal joint at its base (flexion, then abduction) and two
hinges whose common plane may be twisted about the first bone. Reading the
angles of a finger that was posed by angles gives the same angles back, which
makes the correction idempotent.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mmdualhand.kinematics.vectors import clamp_circular, dot, turn, unit
from mmdualhand.structures import ROOT_JOINT, check_shape

_FLATTEST = 0.02
"""Bones of the palm whose angle has a smaller sine span no plane (real neighbours: above 0.2)."""


class FingerFrames(NamedTuple):
    """Axes at the base of every finger, thumb to pinky; right-handed on a right hand.

    Attributes:
        along: (B, 5, 3) from the wrist to the base of the finger.
        palmar: (B, 5, 3) out of the palm, to where the finger flexes.
        radial: (B, 5, 3) towards the thumb.
    """

    along: Tensor
    palmar: Tensor
    radial: Tensor


def finger_frames(palm: Tensor, side: Tensor) -> tuple[FingerFrames, Tensor]:
    """Frames of the five fingers of a palm.

    The plane of a finger's base is spanned by its neighbours: thumb and index
    for the thumb, index and middle for the index, both neighbours for middle and
    ring, ring and pinky for the pinky. Where they lie on one line, all pairs of
    neighbours together decide.

    Args:
        palm: (B, 6, 3) wrist and finger bases, in reference bones.
        side: (B,) +1 right, -1 left.

    Returns:
        The frames, and (B,) bool: every finger has one.
    """
    bones = palm[:, 1:] - palm[:, :1]
    along = unit(bones, torch.zeros_like(bones))
    pairs = torch.linalg.cross(along[:, :-1], along[:, 1:])
    pairs = unit(pairs, torch.zeros_like(pairs), _FLATTEST)
    thumb, index, ring, pinky = pairs.unbind(1)
    normals = torch.stack([thumb, index, index + ring, ring + pinky, pinky], dim=1)
    common = pairs.sum(1, keepdim=True).expand_as(normals)
    common = unit(_across(common, along), torch.zeros_like(normals), _FLATTEST)
    normals = unit(_across(normals, along), common, _FLATTEST)
    sign = side[:, None, None]
    palmar = sign * normals
    radial = sign * torch.linalg.cross(along, palmar)
    return FingerFrames(along, palmar, radial), (dot(palmar, palmar) > 0.5).all(-1)


def bend_fingers(
    bases: Tensor, frames: FingerFrames, targets: Tensor, lengths: Tensor, limits: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Pose fingers of given bone lengths after estimated joints, base to tip.

    Every angle is read from the joint placed last to the estimated next ones,
    moved into its limits, and the next joint placed with it.

    Args:
        bases: (B, 5, 3) first joint of every finger (thumb: CMC).
        frames: Axes at the bases.
        targets: (B, 5, 3, 3) estimated second, third and last joint.
        lengths: Lengths of the three bones; broadcasts to (B, 5, 3).
        limits: (5, 5, 2) radians in the order of ``ANGLE_NAMES``, or None to keep
            every angle.

    Returns:
        Joints (B, 5, 3, 3) and angles (B, 5, 5) in radians.
    """
    low, high = (None, None) if limits is None else limits.unbind(-1)

    def keep(angle: Tensor, number: int, period: float = 2.0 * math.pi) -> Tensor:
        if low is None or high is None:
            return angle
        return clamp_circular(angle, low[:, number], high[:, number], period)

    along, palmar, radial = frames
    first_length, middle_length, last_length = lengths.unbind(-1)
    second, third, last = targets.unbind(2)
    direction = unit(second - bases, along)
    flexion = keep(torch.atan2(dot(direction, palmar), dot(direction, along)), 0)
    abduction = keep(torch.asin(dot(direction, radial).clamp(-1.0, 1.0)), 1)
    along, palmar = turn(along, palmar, flexion)
    along, radial = turn(along, radial, abduction)
    second = bases + first_length[..., None] * along

    twist = keep(_plane_angle(third - second, last - second, palmar, radial), 2, math.pi)
    palmar, _ = turn(palmar, radial, twist)
    middle_flexion = keep(_bend(third - second, along, palmar), 3)
    along, palmar = turn(along, palmar, middle_flexion)
    third = second + middle_length[..., None] * along

    distal_flexion = keep(_bend(last - third, along, palmar), 4)
    along, _ = turn(along, palmar, distal_flexion)
    last = third + last_length[..., None] * along
    angles = torch.stack([flexion, abduction, twist, middle_flexion, distal_flexion], dim=-1)
    return torch.stack([second, third, last], dim=2), angles


def measure_angles(joints: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
    """Measure the joint angles of hands.

    Args:
        joints: (B, 21, 3) in any length unit and any frame of right-handed axes.
        side: (B,) +1 right, -1 left; mirrored hands have the same angles.

    Returns:
        (B, 5, 5) radians, thumb to pinky, order of ``ANGLE_NAMES``, and (B,) bool:
        the palm spans the frames that they are measured in. Flexion lies in
        (-pi, pi], abduction and twist in [-pi/2, pi/2].

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(joints, 'B 21 3', name='joints')
    check_shape(side, f'{joints.shape[0]}', name='side')
    reference = torch.linalg.vector_norm(joints[:, ROOT_JOINT + 1] - joints[:, ROOT_JOINT], dim=-1)
    scaled = joints / torch.where(reference > 0, reference, 1.0)[:, None, None]
    fingers = scaled[:, 1:].unflatten(1, (5, 4))
    palm = torch.cat([scaled[:, :1], fingers[:, :, 0]], dim=1)
    frames, known = finger_frames(palm, side.to(joints.dtype))
    lengths = torch.linalg.vector_norm(fingers[:, :, 1:] - fingers[:, :, :-1], dim=-1)
    return bend_fingers(fingers[:, :, 0], frames, fingers[:, :, 1:], lengths, None)[1], known


def _across(vector: Tensor, axis: Tensor) -> Tensor:
    """The part of a vector that is orthogonal to a unit axis."""
    return vector - dot(vector, axis)[..., None] * axis


def _bend(bone: Tensor, along: Tensor, palmar: Tensor) -> Tensor:
    """Angle of a hinge; a bone without length goes straight on."""
    bone = unit(bone, along)
    return torch.atan2(dot(bone, palmar), dot(bone, along))


def _plane_angle(first: Tensor, second: Tensor, palmar: Tensor, radial: Tensor) -> Tensor:
    """Angle, modulo pi, from ``palmar`` towards ``radial`` of the plane nearest to two points.

    The principal axis of both points seen along the finger: without sign, so a
    hyper-extended finger has the plane of a flexed one.
    """
    x1, y1, x2, y2 = dot(first, palmar), dot(first, radial), dot(second, palmar), dot(second, radial)
    return 0.5 * torch.atan2(2.0 * (x1 * y1 + x2 * y2), x1 * x1 - y1 * y1 + x2 * x2 - y2 * y2)
