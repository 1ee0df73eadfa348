"""Ranges that the joints of a hand move in."""

from __future__ import annotations

import numpy as np

ANGLE_NAMES: tuple[str, ...] = ('base_flexion', 'base_abduction', 'middle_flexion', 'distal_flexion')

# Degrees, thumb to pinky; flexion and radial abduction are positive. The joints are CMC, MCP, IP of
# the thumb and MCP, PIP, DIP of the fingers. Thumb and finger flexion close to the hand model of
# Sancho-Bru et al. 2011 (doi 10.5772/19977); MCP extension and PIP a little wider, finger abduction
# narrower (own choice, as abduction shrinks when a finger bends).
FINGER_LIMITS_DEG: np.ndarray = np.array(
    [
        [[-25, 35], [-30, 60], [-10, 60], [-15, 80]],
        [[-20, 90], [-13, 20], [0, 105], [-5, 80]],
        [[-20, 90], [-8, 8], [0, 105], [-5, 80]],
        [[-20, 90], [-14, 8], [0, 105], [-5, 80]],
        [[-20, 90], [-22, 8], [0, 105], [-5, 80]],
    ],
    dtype=np.float64,
)
FINGER_LIMITS_DEG.setflags(write=False)

# Forearm against palm, degrees: flexion, deviation, twist.
WRIST_LIMITS_DEG: np.ndarray = np.array([[-50, 50], [-25, 25], [-50, 50]], dtype=np.float64)
WRIST_LIMITS_DEG.setflags(write=False)


def clip_finger_angles(degrees: np.ndarray) -> np.ndarray:
    """Move finger angles into their limits.

    Args:
        degrees: (..., 5, 4) degrees, thumb to pinky, order of ``ANGLE_NAMES``.

    Returns:
        (..., 5, 4) degrees inside ``FINGER_LIMITS_DEG``.
    """
    return np.clip(degrees, FINGER_LIMITS_DEG[..., 0], FINGER_LIMITS_DEG[..., 1])


def clip_wrist_angles(degrees: np.ndarray) -> np.ndarray:
    """Move wrist angles (..., 3), degrees, into ``WRIST_LIMITS_DEG``."""
    return np.clip(degrees, WRIST_LIMITS_DEG[:, 0], WRIST_LIMITS_DEG[:, 1])


def limit_excess_deg(degrees: np.ndarray) -> float:
    """Largest distance (degrees, 0 or more) of finger angles (..., 5, 4) outside their limits."""
    excess = np.maximum(FINGER_LIMITS_DEG[..., 0] - degrees, degrees - FINGER_LIMITS_DEG[..., 1])
    return float(max(excess.max(), 0.0))
