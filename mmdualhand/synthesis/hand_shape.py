"""Sizes of a hand: bone lengths and thickness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdualhand.synthesis.parameters import draw

# Segment lengths over hand length, thumb to pinky, base to tip (metacarpal, proximal and distal phalanx
# of the thumb; the three phalanges of the fingers), close to the hand model of Sancho-Bru et al. 2011
# (doi 10.5772/19977).
SEGMENT_RATIOS: np.ndarray = np.array(
    [
        [0.251, 0.196, 0.158],
        [0.245, 0.143, 0.097],
        [0.266, 0.170, 0.108],
        [0.244, 0.165, 0.107],
        [0.204, 0.117, 0.093],
    ]
)
# First joint of every finger (thumb: CMC): x over hand breadth, y over hand length, z over hand breadth.
BASE_RATIOS: np.ndarray = np.array(
    [
        [-0.215, 0.095, -0.120],
        [-0.252, 0.447, 0.000],
        [0.000, 0.446, 0.030],
        [0.206, 0.409, 0.015],
        [0.390, 0.368, -0.035],
    ]
)
# Half the thickness at the four joints of every finger, over hand breadth.
RADIUS_RATIOS: np.ndarray = np.array(
    [
        [0.165, 0.125, 0.118, 0.090],
        [0.128, 0.114, 0.099, 0.078],
        [0.128, 0.116, 0.101, 0.081],
        [0.120, 0.108, 0.094, 0.077],
        [0.108, 0.095, 0.083, 0.069],
    ]
)
WRIST_RADIUS_RATIO = 0.26
_LENGTH_RANGE_MM = (155.0, 210.0)
_BREADTH_RANGE = (0.41, 0.48)
_THICKNESS_RANGE = (0.85, 1.18)

SHAPE_DEFAULTS: dict[str, Any] = {
    'hand_length_mm': 182.0,  # wrist to tip of the middle finger, mean
    'hand_length_sd_mm': 10.0,
    'breadth_ratio': 0.445,  # breadth across the knuckles over length, mean
    'breadth_ratio_sd': 0.015,
    'bone_length_sd': 0.025,  # of each bone, relative
    'thickness': 1.0,  # factor on all radii, mean
    'thickness_sd': 0.07,
}


@dataclass(frozen=True, eq=False)
class HandShape:
    """Sizes of one hand.

    Hand frame, mm, of a right hand (a left one is its mirror image in x): wrist
    at the origin, +x to the little finger, +y to the finger tips, +z to the back
    of the hand.

    Args:
        hand_length: Wrist to tip of the middle finger, mm.
        hand_breadth: Across the knuckles, mm.
        segments: (5, 3) bone lengths in mm, thumb to pinky, base to tip.
        thickness: Factor on all radii.

    Raises:
        ValueError: Sizes that are not positive and finite, or a wrong shape.
    """

    hand_length: float
    hand_breadth: float
    segments: np.ndarray
    thickness: float = 1.0

    def __post_init__(self) -> None:
        segments = np.array(self.segments, dtype=np.float64)
        if segments.shape != (5, 3):
            raise ValueError(f'segments must have shape (5, 3), got {segments.shape}')
        sizes = np.array([self.hand_length, self.hand_breadth, self.thickness, *segments.ravel()])
        if not np.isfinite(sizes).all() or sizes.min() <= 0:
            raise ValueError(f'sizes of a hand must be positive and finite, got {sizes.tolist()}')
        segments.setflags(write=False)
        object.__setattr__(self, 'segments', segments)

    @property
    def finger_bases(self) -> np.ndarray:
        """(5, 3) first joint of every finger in the hand frame, mm."""
        return BASE_RATIOS * [self.hand_breadth, self.hand_length, self.hand_breadth]

    @property
    def radius_unit(self) -> float:
        """Breadth times thickness, mm: the unit of all radii."""
        return self.hand_breadth * self.thickness

    @property
    def radii(self) -> np.ndarray:
        """(5, 4) half the thickness at the joints of every finger, mm."""
        return RADIUS_RATIOS * self.radius_unit

    @property
    def joint_radii(self) -> np.ndarray:
        """(21,) half the thickness at every joint in canonical order, mm."""
        return np.concatenate([[WRIST_RADIUS_RATIO * self.radius_unit], self.radii.ravel()])


def mean_hand_shape() -> HandShape:
    """The average hand, on which the template surface is built."""
    return HandShape(182.0, 81.0, SEGMENT_RATIOS * 182.0)


def sample_hand_shape(rng: np.random.Generator, config: Mapping[str, Any] | None = None) -> HandShape:
    """Draw the sizes of a hand.

    Args:
        rng: Source of chance.
        config: Values for keys of ``SHAPE_DEFAULTS`` (others are ignored): mean
            and standard deviation (``_sd``) of the hand length, of breadth over
            length, of the factor on the radii; relative noise of every bone.

    Returns:
        A shape; length, breadth and thickness are kept in human ranges.
    """
    values = {key: draw(rng, (config or {}).get(key, spec)) for key, spec in SHAPE_DEFAULTS.items()}
    length = np.clip(rng.normal(values['hand_length_mm'], values['hand_length_sd_mm']), *_LENGTH_RANGE_MM)
    breadth = np.clip(rng.normal(values['breadth_ratio'], values['breadth_ratio_sd']), *_BREADTH_RANGE)
    noise = np.clip(rng.normal(1.0, values['bone_length_sd'], SEGMENT_RATIOS.shape), 0.9, 1.1)
    thickness = np.clip(rng.normal(values['thickness'], values['thickness_sd']), *_THICKNESS_RANGE)
    return HandShape(
        float(length), float(length * breadth), SEGMENT_RATIOS * length * noise, float(thickness)
    )
