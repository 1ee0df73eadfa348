"""Named hand poses in degrees, from which random poses are made."""

from __future__ import annotations

import numpy as np

_CURLED = (84.0, 0.0, 104.0, 66.0)
_STRAIGHT = (0.0, 0.0, 5.0, 3.0)


def _pose(*fingers: tuple[float, float, float, float]) -> np.ndarray:
    pose = np.array(fingers, dtype=np.float64)
    pose.setflags(write=False)
    return pose


# (5, 4) degrees, thumb to pinky; base flexion, base abduction, middle flexion, distal flexion.
POSE_FAMILIES: dict[str, np.ndarray] = {
    'open': _pose((0, 15, 0, 0), (0, 4, 5, 3), (0, 0, 5, 3), (0, -3, 5, 3), (0, -6, 5, 3)),
    'spread': _pose((-15, 30, -5, -5), (0, 14, 4, 2), (0, 1, 4, 2), (0, -8, 4, 2), (0, -16, 4, 2)),
    'flat': _pose((10, -5, 5, 5), (2, -5, 3, 2), (2, 0, 3, 2), (2, 4, 3, 2), (2, 8, 3, 2)),
    'relaxed': _pose((5, 20, 15, 15), (20, 2, 30, 15), (25, 0, 35, 18), (30, -1, 38, 18), (35, -3, 38, 18)),
    'fist': _pose((13, -6, 48, 74), (82, 2, 104, 68), (86, 0, 105, 70), (88, -1, 105, 70), (90, -4, 104, 68)),
    'point': _pose((11, 4, 45, 74), _STRAIGHT, _CURLED, _CURLED, _CURLED),
    'two': _pose((18, 8, 53, 72), (0, 12, 5, 3), (0, -4, 5, 3), _CURLED, _CURLED),
    'three': _pose((29, 13, 50, 66), (0, 10, 5, 3), _STRAIGHT, (0, -8, 5, 3), _CURLED),
    'four': _pose((25, 28, 50, 55), _STRAIGHT, _STRAIGHT, _STRAIGHT, (0, -6, 5, 3)),
    'thumbs_up': _pose((-15, 5, -5, -10), _CURLED, _CURLED, _CURLED, _CURLED),
    'gun': _pose((-15, 15, 0, 0), _STRAIGHT, _CURLED, _CURLED, _CURLED),
    'rock': _pose((11, 6, 47, 76), _STRAIGHT, _CURLED, _CURLED, (0, -8, 5, 3)),
    'shaka': _pose((-15, 10, -5, -10), _CURLED, _CURLED, _CURLED, (0, -15, 5, 3)),
    'claw': _pose((0, 35, 20, 25), (10, 6, 60, 40), (10, 0, 60, 40), (10, -5, 60, 40), (10, -12, 60, 40)),
    'grasp': _pose((14, 18, 12, 14), (36, 3, 42, 26), (45, 0, 48, 28), (48, -3, 48, 28), (50, -6, 45, 28)),
    'hook': _pose((10, 15, 20, 20), (10, 0, 85, 50), (10, 0, 85, 50), (10, 0, 85, 50), (10, 0, 85, 50)),
    'pinch_index': _pose((24, 10, 3, -4), (39, 1, 53, 31), (20, 0, 25, 15), (12, -3, 20, 10), (8, -8, 18, 8)),
    'pinch_middle': _pose(
        (23, 28, 8, 3), (20, 4, 25, 12), (23, -2, 70, 22), (22, -3, 25, 12), (15, -8, 20, 10)
    ),
    'pinch_ring': _pose(
        (28, 12, 41, -8), (12, 4, 20, 10), (20, 0, 25, 12), (56, -2, 36, 28), (25, -6, 25, 12)
    ),
}

# Families whose thumb touches a finger: the number of that finger.
PINCH_FINGER: dict[str, int] = {'pinch_index': 1, 'pinch_middle': 2, 'pinch_ring': 3}

RANDOM_FAMILY = 'random'

# How often each family is drawn; chosen by hand, no measured distribution stands behind it.
FAMILY_WEIGHTS: dict[str, float] = {
    **dict.fromkeys(POSE_FAMILIES, 1.0),
    'fist': 1.5,
    'open': 1.5,
    'relaxed': 2.0,
    'pinch_index': 1.5,
    'grasp': 2.0,
    RANDOM_FAMILY: 4.0,
}
