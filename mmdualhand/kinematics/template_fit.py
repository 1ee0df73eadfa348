"""Templates from hands: robust bone ratios and the common shape of their palms."""

from __future__ import annotations

import torch
from torch import Tensor

from mmdualhand.errors import ConfigError
from mmdualhand.kinematics.bone_lengths import bone_ratios, measure_bones
from mmdualhand.kinematics.palm import best_rotation
from mmdualhand.kinematics.template import REFERENCE_ENTRY, HandTemplate
from mmdualhand.structures import check_shape

_ROUNDS = 10


def fit_template(joints: Tensor, side: Tensor) -> HandTemplate:
    """The template of labelled hands: median of every bone ratio and of the aligned palms.

    Args:
        joints: (N, 21, 3) in any length unit; hands that are not finite or whose
            palm is a line are left out.
        side: (N,) +1 right, -1 left.

    Returns:
        A template with palm: wrist at the origin, middle finger along +y, the
        fingers of the right hand flex towards +z.

    Raises:
        ValueError: Wrong shape.
        ConfigError: No hand can be used.
    """
    check_shape(joints, 'N 21 3', name='joints')
    check_shape(side, f'{joints.shape[0]}', name='side')
    palms, usable = _right_palms(joints.double(), side)
    start = _own_frame(palms)
    usable &= torch.isfinite(start).all(-1).all(-1)
    if not bool(usable.any()):
        raise ConfigError(f'a hand template cannot be fitted: none of {len(joints)} hands spans a palm.')
    palm = start[usable].median(0).values
    for _ in range(_ROUNDS):
        ratios, palm = common_hand(joints.double(), side, palm)
    return HandTemplate(ratios.cpu().numpy(), _own_frame(palm[None])[0].cpu().numpy())


def common_hand(joints: Tensor, side: Tensor, palm: Tensor) -> tuple[Tensor, Tensor]:
    """Median of bone ratios, and of palms after moving each onto a first guess.

    Every hand is measured in its own reference bone. Nothing here waits for the
    device.

    Args:
        joints: (N, 21, 3) in any length unit.
        side: (N,) +1 right, -1 left.
        palm: (6, 3) first guess, right hand.

    Returns:
        Ratios (5, 4) and palm (6, 3), which agree; NaN where no hand is usable.
    """
    palms, usable = _right_palms(joints, side)
    guess = palm.to(palms)
    centred = torch.where(usable[:, None, None], palms - palms.mean(1, keepdim=True), 0.0)
    target = (guess - guess.mean(0)).expand_as(centred)
    rotation, determined = best_rotation(centred, target)
    usable = (usable & determined)[:, None, None]
    aligned = torch.where(usable, centred @ rotation.mT, torch.nan)
    ratios = torch.where(usable, bone_ratios(joints), torch.nan).nanmedian(0).values
    return ratios, slide_palm(aligned.nanmedian(0).values, ratios[:, 0])


def slide_palm(palm: Tensor, lengths: Tensor) -> Tensor:
    """Move finger bases along their lines to the wrist until they are at given distances.

    Args:
        palm: (6, 3) wrist and finger bases.
        lengths: (5,) wanted distances.

    Returns:
        (6, 3) with the wrist where it was.
    """
    bones = palm[1:] - palm[:1]
    bones = bones * (lengths / torch.linalg.vector_norm(bones, dim=-1))[:, None]
    return torch.cat([palm[:1], palm[:1] + bones])


def _right_palms(joints: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
    """Palms (N, 6, 3) of right hands in reference bones, and (N,) which are finite."""
    finger, bone = REFERENCE_ENTRY
    reference = measure_bones(joints)[:, finger, bone]
    palms = torch.cat([joints[:, :1], joints[:, 1::4]], dim=1) / reference[:, None, None]
    sign = side.to(palms)
    palms = palms * torch.stack([sign, torch.ones_like(sign), torch.ones_like(sign)], dim=-1)[:, None]
    return palms, torch.isfinite(joints).all(-1).all(-1) & torch.isfinite(palms).all(-1).all(-1)


def _own_frame(palms: Tensor) -> Tensor:
    """Palms (N, 6, 3) with the wrist at the origin, the middle base on +y, index and pinky level in z."""
    bones = palms - palms[:, :1]
    along = torch.nn.functional.normalize(bones[:, 3], dim=-1)
    palmar = torch.linalg.cross(bones[:, 2], bones[:, 5])
    palmar = palmar - (palmar * along).sum(-1, keepdim=True) * along
    palmar = palmar / torch.linalg.vector_norm(palmar, dim=-1, keepdim=True)
    axes = torch.stack([torch.linalg.cross(along, palmar), along, palmar], dim=-1)
    return bones @ axes
