"""A random part of a dataset that a seed names for good."""

from __future__ import annotations

import numpy as np

from mmdualhand.errors import ConfigError


def check_subset(num_subset: int | None, seed: int) -> None:
    """Refuse a size or seed that has no meaning.

    Raises:
        ConfigError: ``num_subset`` is below 1 or no integer, or the seed is not
            in 0..2**32-1.
    """
    if num_subset is not None and (not isinstance(num_subset, int) or num_subset < 1):
        raise ConfigError(f'num_subset must be an integer from 1, got {num_subset!r}; leave it out for all')
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ConfigError(f'subset_seed must be an integer in 0..2**32-1, got {seed!r}')


def shuffled(count: int, seed: int) -> np.ndarray:
    """The numbers 0..count-1 in an order that depends on count and seed alone.

    Drawn from numpy's legacy generator, whose numbers are the same in every
    version of numpy, so that a published seed keeps its meaning.

    Args:
        count: How many numbers.
        seed: 0..2**32-1.

    Returns:
        (count,) int64.
    """
    return np.random.RandomState(seed).permutation(count).astype(np.int64)


def seeded_subset(count: int, num_subset: int | None, seed: int) -> np.ndarray:
    """Which of ``count`` records belong to a random subset.

    Args:
        count: Number of records.
        num_subset: How many to take; all where None or more than there are.
        seed: See :func:`shuffled`.

    Returns:
        (M,) int64 record numbers, ascending.
    """
    if num_subset is None or num_subset >= count:
        return np.arange(count)
    return np.sort(shuffled(count, seed)[:num_subset])


def check_fraction(fraction: float | None, seed: int) -> None:
    """Refuse a share or seed that has no meaning.

    Raises:
        ConfigError: ``fraction`` is not in (0, 1], or the seed not in 0..2**32-1.
    """
    if fraction is not None and not 0 < fraction <= 1:
        raise ConfigError(f'real_fraction must lie in (0, 1], got {fraction!r}; leave it out for all')
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ConfigError(f'fraction_seed must be an integer in 0..2**32-1, got {seed!r}')


def seeded_fraction(count: int, fraction: float | None, seed: int) -> np.ndarray:
    """Which of ``count`` records belong to a random share; at least one where there is any.

    Args:
        count: Number of records.
        fraction: Share in (0, 1]; all where None.
        seed: See :func:`shuffled`.

    Returns:
        (M,) int64 record numbers, ascending; M is ``count * fraction``, rounded.
    """
    return seeded_subset(count, None if fraction is None else max(round(fraction * count), 1), seed)
