from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.datasets import RHDDataset
from mmdualhand.datasets.seeded_subset import (
    check_fraction,
    check_subset,
    seeded_fraction,
    seeded_subset,
    shuffled,
)
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


def test_a_share_is_a_subset_and_lies_in_every_larger_one():
    assert seeded_fraction(10, 0.4, 0).tolist() == seeded_subset(10, 4, 0).tolist() == [2, 4, 8, 9]
    assert seeded_fraction(10, None, 0).tolist() == seeded_fraction(10, 1.0, 0).tolist() == list(range(10))
    parts = [set(seeded_fraction(400, share, 0).tolist()) for share in (0.05, 0.25, 0.5)]
    assert [len(part) for part in parts] == [20, 100, 200] and parts[0] < parts[1] < parts[2]
    assert len(seeded_fraction(7, 0.01, 0)) == 1  # never nothing


def test_a_dataset_takes_a_share_of_its_samples(rhd_root):
    whole = RHDDataset(str(rhd_root))
    half = RHDDataset(str(rhd_root), real_fraction=0.5)
    assert half.whole_length == whole.whole_length == len(whole)
    chosen = seeded_fraction(len(whole), 0.5, 0)
    ids = [whole.labels_only(int(place))['sample_id'] for place in chosen]
    assert [half.labels_only(place)['sample_id'] for place in range(len(half))] == ids
    other = RHDDataset(str(rhd_root), real_fraction=0.5, fraction_seed=1)
    assert [other.labels_only(place)['sample_id'] for place in range(len(other))] != ids


@pytest.mark.parametrize(('share', 'seed'), [(0.0, 0), (-0.1, 0), (1.5, 0), (0.5, -1), (0.5, 0.5)])
def test_refused_shares(share, seed):
    with pytest.raises(ConfigError, match='real_fraction|fraction_seed'):
        check_fraction(share, seed)
