"""Part labels and joint visibility as the Rendered Handpose Dataset defines them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from mmdualhand.structures import NUM_JOINTS
from mmdualhand.synthesis.template import FOREARM_PART, PALM_PART, SLEEVE_PART

PERSON = 1
"""Label of what belongs to a person but to no hand."""
FIRST_LABEL = {'left': 2, 'right': 18}
"""First label of each hand: thumb tip; three labels a finger, tip to base, the palm last."""

_REACH_MM = 6.0  # half the window in which a visible joint's parts are looked for
_LEAST_SHARE = 0.12  # of that window


@lru_cache(maxsize=2)
def _labels_of_parts(side: str) -> np.ndarray:
    labels = np.zeros(SLEEVE_PART + 1, np.uint8)
    for finger in range(5):
        for segment in range(3):
            labels[1 + 3 * finger + segment] = FIRST_LABEL[side] + 3 * finger + 2 - segment
    labels[PALM_PART] = FIRST_LABEL[side] + 15
    labels[FOREARM_PART:] = PERSON
    labels.setflags(write=False)
    return labels


def rhd_labels(part: np.ndarray, side: str) -> np.ndarray:
    """Labels of RHD's mask for parts of a hand.

    Args:
        part: (...) parts: 1..15 finger segments, thumb to pinky, base to tip; 16
            palm; 17 forearm; 18 sleeve.
        side: ``'left'`` or ``'right'``.

    Returns:
        (...) uint8: 1 forearm ("person"), 2..17 left, 18..33 right.
    """
    return _labels_of_parts(side)[part]


def rhd_visibility(
    label: np.ndarray, xyz: np.ndarray, uv: np.ndarray, focal_px: float, side: str
) -> np.ndarray:
    """Which joints of a hand a picture shows.

    As in RHD, a joint is visible where enough of the mask near it belongs to a
    part of the hand that the joint adjoins; outside the picture none is.

    Args:
        label: (H, W) uint8 mask labels.
        xyz: (21, 3) joints, mm, camera frame, canonical order.
        uv: (21, 2) their pixels.
        focal_px: Focal length.
        side: ``'left'`` or ``'right'``.

    Returns:
        (21,) float32, 0 or 1.
    """
    height, width = label.shape
    visible = np.zeros(NUM_JOINTS, np.float32)
    middle = np.rint(uv).astype(np.int64)
    for joint in range(NUM_JOINTS):
        u, v = middle[joint]
        if not (0 <= u < width and 0 <= v < height):
            continue
        reach = max(int(round(_REACH_MM * focal_px / xyz[joint, 2])), 2)
        window = label[max(v - reach, 0) : v + reach + 1, max(u - reach, 0) : u + reach + 1]
        own = np.count_nonzero(_labels_at(side)[joint][window])
        visible[joint] = own >= _LEAST_SHARE * (2 * reach + 1) ** 2
    return visible


@lru_cache(maxsize=2)
def _labels_at(side: str) -> np.ndarray:
    """(21, 256) bool: whether a label is a part that adjoins a joint."""
    table = np.zeros((NUM_JOINTS, 256), bool)
    for joint in range(NUM_JOINTS):
        table[joint, rhd_labels(np.array(_parts_at(joint)), side)] = True
    return table


def _parts_at(joint: int) -> list[int]:
    """Parts 1..16 that meet at a canonical joint."""
    if joint == 0:
        return [PALM_PART]
    finger, place = divmod(joint - 1, 4)
    parts = [1 + 3 * finger + segment for segment in (place - 1, place) if 0 <= segment <= 2]
    return parts + [PALM_PART] if place == 0 else parts
