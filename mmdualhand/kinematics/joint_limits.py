"""Ranges of the joint angles that :func:`mmdualhand.kinematics.bend_fingers` keeps."""

from __future__ import annotations

import torch
from torch import Tensor

ANGLE_NAMES: tuple[str, ...] = (
    'base_flexion', 'base_abduction', 'twist', 'middle_flexion', 'distal_flexion'
)  # fmt: skip
"""Order of the angles of a finger; flexion and radial abduction are positive."""

_Range = tuple[float, float]
_Finger = tuple[_Range, _Range, _Range, _Range, _Range]

# Degrees, thumb to pinky, order of ANGLE_NAMES. `anatomical` is the 1st to 99th percentile of real and
# synthetic hands, rounded outwards. Base flexion is measured from the line wrist - finger base, which is
# not the axis of the metacarpal, so it goes beyond 90. `klbr` has the published limits of the kinematic
# layer of S. Chen (thesis, table 6.1).
LIMITS_DEG: dict[str, tuple[_Finger, ...]] = {
    'anatomical': (
        ((-35, 50), (-45, 15), (-80, 35), (-20, 65), (-25, 80)),
        ((-30, 100), (-30, 28), (-15, 40), (-12, 120), (-20, 95)),
        ((-30, 100), (-24, 16), (-15, 30), (-15, 120), (-20, 95)),
        ((-30, 100), (-26, 16), (-25, 20), (-12, 125), (-20, 95)),
        ((-30, 110), (-36, 32), (-35, 20), (-12, 120), (-20, 100)),
    ),
    'klbr': (
        ((-45, 45), (-30, 30), (-20, 20), (-45, 45), (-45, 90)),
        *(((-45, 90), (-30, 30), (-20, 20), (-10, 135), (-45, 90)),) * 4,
    ),
}


def limits_of(name: str) -> Tensor:
    """Limits of one preset.

    Args:
        name: A key of ``LIMITS_DEG``.

    Returns:
        (5, 5, 2) float32 radians: thumb to pinky, order of ``ANGLE_NAMES``, low
        and high.
    """
    return torch.tensor(LIMITS_DEG[name], dtype=torch.float32).deg2rad()
