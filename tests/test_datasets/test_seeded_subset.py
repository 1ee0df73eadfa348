from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.datasets.seeded_subset import check_subset, seeded_subset, shuffled
from mmdualhand.errors import ConfigError


def test_a_seed_keeps_its_meaning():
    """Numbers of numpy's frozen generator; a published subset rests on them."""
    assert shuffled(10, 0).tolist() == [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]
    assert seeded_subset(10, 4, 0).tolist() == [2, 4, 8, 9]
    assert seeded_subset(130240, 5, 2023).tolist() == np.sort(shuffled(130240, 2023)[:5]).tolist()


def test_sizes():
    assert seeded_subset(5, None, 3).tolist() == seeded_subset(5, 5, 3).tolist() == [0, 1, 2, 3, 4]
    assert seeded_subset(5, 9, 3).tolist() == [0, 1, 2, 3, 4]
    small, large = (set(seeded_subset(1000, size, 3).tolist()) for size in (100, 300))
    assert len(large) == 300 and small < large


@pytest.mark.parametrize(('number', 'seed'), [(0, 0), (-3, 0), (2.5, 0), (5, -1), (5, 2**32), (5, 1.0)])
def test_refused(number, seed):
    with pytest.raises(ConfigError, match='num_subset|subset_seed'):
        check_subset(number, seed)
