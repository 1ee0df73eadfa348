"""Bone lengths: measured, and given to fingers without any rule on angles."""

from __future__ import annotations

import torch
from torch import Tensor

from mmdualhand.kinematics.vectors import unit
from mmdualhand.structures import REFERENCE_BONE, check_shape


def measure_bones(joints: Tensor) -> Tensor:
    """Lengths of the 20 bones.

    Args:
        joints: (..., 21, 3) in any length unit.

    Returns:
        (..., 5, 4) in the same unit, thumb to pinky; wrist to base, then the three
        bones of the finger, base to tip.

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(joints, '... 21 3', name='joints')
    fingers = joints[..., 1:, :].unflatten(-2, (5, 4))
    wrist = joints[..., None, :1, :].expand_as(fingers[..., :1, :])
    chains = torch.cat([wrist, fingers], dim=-2)
    return torch.linalg.vector_norm(chains[..., 1:, :] - chains[..., :-1, :], dim=-1)


def bone_ratios(joints: Tensor) -> Tensor:
    """Bone lengths over the length of the reference bone (middle MCP to PIP).

    Args:
        joints: (..., 21, 3) in any length unit.

    Returns:
        (..., 5, 4); infinite or NaN where the reference bone has no length.

    Raises:
        ValueError: Wrong shape.
    """
    lengths = measure_bones(joints)
    finger, bone = divmod(REFERENCE_BONE[1] - 1, 4)
    return lengths / lengths[..., finger, bone, None, None]


def stretch_fingers(bases: Tensor, along: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    """Give fingers their bone lengths, each bone from the placed joint to the next estimate.

    The greedy registration of SemiHand (ICCV 2021, Section 3.2): taking the
    direction from the placed joint keeps errors from adding up along the finger.

    Args:
        bases: (B, 5, 3) first joint of every finger.
        along: (B, 5, 3) direction of a finger whose first bone has no length; later
            bones without length go on straight.
        targets: (B, 5, 3, 3) estimated second, third and last joint.
        lengths: Lengths of the three bones; broadcasts to (B, 5, 3).

    Returns:
        (B, 5, 3, 3) placed joints.
    """
    place, placed = bases, []
    for target, length in zip(targets.unbind(2), lengths.unbind(-1), strict=True):
        along = unit(target - place, along)
        place = place + length[..., None] * along
        placed.append(place)
    return torch.stack(placed, dim=2)
