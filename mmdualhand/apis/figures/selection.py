"""Which test pictures a figure shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmdualhand.apis.figures.looks import NamedNetwork
from mmdualhand.apis.report.pictures import quantile_rows, worst_rows
from mmdualhand.errors import ConfigError

PICKS = {
    'spread': 'evenly spread over the test set',
    'quantiles': 'at even quantiles of the 3D error of the first network',
    'worst': 'the largest 3D errors of the last network',
    'gain': 'the 3D error falls most from the first to the last network',
}
"""Ways to choose pictures, and how a figure says them."""


def pick_rows(
    networks: Sequence[NamedNetwork], how: str, count: int, samples: Sequence[int] = ()
) -> tuple[list[int], str]:
    """Choose test pictures.

    Args:
        networks: In the order of the figure, at least one.
        how: One of :data:`PICKS`; all but ``'spread'`` run networks on the whole test set.
        count: Pictures.
        samples: Numbers of samples instead of a choice.

    Returns:
        Numbers of samples, and words for the figure that say how they were chosen.

    Raises:
        ConfigError: No such way or sample, ``count`` below 1, or no sample has a 3D label.
    """
    size = len(networks[0].network.dataset)
    if samples:
        wrong = [row for row in samples if not 0 <= row < size]
        if wrong:
            raise ConfigError(f'--samples {wrong} are not there: the test set has 0 to {size - 1}')
        return list(samples), 'chosen by hand'
    if count < 1:
        raise ConfigError(f'--count must be at least 1, got {count}')
    if how == 'spread':
        places = (np.arange(min(count, size)) + 0.5) / min(count, size) * size
        return [int(place) for place in places], PICKS[how]
    if how not in PICKS:
        raise ConfigError(f'pick must be one of {", ".join(PICKS)}, got {how!r}')
    rows = _by_error(networks, how, count)
    if not rows:
        raise ConfigError("no test picture has a 3D label and a finite prediction: choose 'spread'")
    return rows, PICKS[how]


def _by_error(networks: Sequence[NamedNetwork], how: str, count: int) -> list[int]:
    if how == 'quantiles':
        middles = (np.arange(count) + 0.5) / count
        return quantile_rows(networks[0].network.errors(), middles.tolist())
    if how == 'worst':
        return worst_rows(networks[-1].network.errors(), count)
    return worst_rows(networks[0].network.errors() - networks[-1].network.errors(), count)
