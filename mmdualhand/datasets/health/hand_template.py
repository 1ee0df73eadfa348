"""A rough hand that joint orders are recognised by."""

from __future__ import annotations

import numpy as np

from mmdualhand.structures import NUM_JOINTS

RELAXED_HAND_MM = np.array(
    [
        (0, 0, 0),
        (-24, 20, 10), (-46, 48, 22), (-58, 76, 30), (-62, 100, 36),
        (-24, 84, 0), (-28, 120, 16), (-28, 136, 34), (-26, 146, 50),
        (-2, 86, -2), (-2, 126, 16), (-2, 142, 38), (-2, 150, 56),
        (17, 80, 0), (20, 116, 18), (20, 132, 38), (18, 140, 54),
        (34, 70, 4), (40, 98, 18), (42, 110, 32), (40, 118, 46),
    ],
    np.float64,
)  # fmt: skip
"""(21, 3) mm, canonical order: a half-closed hand of ordinary proportions, to a few millimetres."""

PAIRS = np.triu_indices(NUM_JOINTS, 1)
"""The 210 pairs of joints."""


def relaxed_hand(root: str = 'wrist') -> np.ndarray:
    """The template with the root joint of a dataset.

    Args:
        root: ``'wrist'``, or ``'palm'`` for the middle between wrist and ring MCP, as in STB.

    Returns:
        (21, 3) mm.
    """
    hand = RELAXED_HAND_MM.copy()
    if root == 'palm':
        hand[0] = (hand[0] + hand[13]) / 2
    return hand


def distance_pattern(joints: np.ndarray) -> np.ndarray:
    """Distances between all joints, free of size.

    Args:
        joints: (N, 21, 3) in any unit and frame.

    Returns:
        (21, 21) median over the hands; of each hand the root mean square of the distances is 1.
    """
    distances = np.linalg.norm(joints[:, :, None] - joints[:, None], axis=-1)
    size = np.sqrt((distances[:, PAIRS[0], PAIRS[1]] ** 2).mean(axis=1))
    return np.median(distances / np.maximum(size, 1e-12)[:, None, None], axis=0)
