"""Generated hands, and the same hands as a poor network might see them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from mmdualhand.synthesis.forward_kinematics import forward_kinematics
from mmdualhand.synthesis.hand_shape import sample_hand_shape
from mmdualhand.synthesis.pose import sample_hand_pose
from mmdualhand.synthesis.rotations import random_rotation

NUM_HANDS = 1000
NOISE_MM = (8.0, 8.0, 20.0)


class Hands(NamedTuple):
    """Hands of one batch, float64.

    Attributes:
        joints: (B, 21, 3) mm, camera frame.
        noisy: The same with independent noise of 8 mm in x and y and 20 mm in z.
        side: (B,) +1 or -1.
        length: (B,) mm, true length of the reference bone.
    """

    joints: Tensor
    noisy: Tensor
    side: Tensor
    length: Tensor

    def head(self, count: int) -> Hands:
        return Hands(*(value[:count] for value in self))


def generate_hands(count: int, seed: int = 0) -> Hands:
    """Embedded hands of all shapes and poses, in every orientation, 400 to 900 mm away."""
    rng = np.random.default_rng(seed)
    joints, sides = np.zeros((count, 21, 3)), np.where(rng.random(count) < 0.5, 1.0, -1.0)
    for index, side in enumerate(sides):
        shape = sample_hand_shape(rng)
        hand = forward_kinematics(shape, sample_hand_pose(rng, shape).angles)[0]
        hand = hand * [side, 1.0, 1.0] @ random_rotation(rng).T
        joints[index] = hand - hand[9] + rng.uniform((-60, -60, 400), (60, 60, 900))
    noisy = joints + rng.normal(size=joints.shape) * NOISE_MM
    length = np.linalg.norm(joints[:, 10] - joints[:, 9], axis=-1)
    return Hands(*(torch.from_numpy(value) for value in (joints, noisy, sides, length)))


@pytest.fixture(scope='session')
def hands() -> Hands:
    return generate_hands(NUM_HANDS)
