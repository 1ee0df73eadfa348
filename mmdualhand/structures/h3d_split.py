"""The seeded split of H3D, which is no part of its files: every reader, and every writer, makes it anew."""

from __future__ import annotations

import random

import numpy as np

SPLIT_SEED = 42
TEST_FRACTION = 0.2
MAX_TEST = 3200


def h3d_split(
    count: int, seed: int = SPLIT_SEED, test_fraction: float = TEST_FRACTION, max_test: int = MAX_TEST
) -> dict[str, np.ndarray]:
    """Shuffle the frames of the annotation and cut off the test frames in front.

    The shuffle is that of Python's own generator, as in the reader of the RegDA
    authors (Transfer-Learning-Library), so that the same seed gives their split.

    Args:
        count: Number of frames that are kept (those without an object).
        seed: Seed of the shuffle.
        test_fraction: Share of the frames to test on, rounded down.
        max_test: At most so many of them.

    Returns:
        ``train`` and ``test``: int64 frame numbers in the shuffled order.
    """
    order = list(range(count))
    random.Random(seed).shuffle(order)
    cut = min(int(test_fraction * count), max_test)
    return {'train': np.array(order[cut:], np.int64), 'test': np.array(order[:cut], np.int64)}
