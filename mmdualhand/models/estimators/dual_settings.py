"""Checks of what an estimator of stage 1 is told."""

from __future__ import annotations

from collections.abc import Sequence

from mmdualhand.errors import ConfigError


def check_pairs(contrast: Sequence[Sequence[str]], branches: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the positive pairs.

    Raises:
        ConfigError: One is no pair of the branches, with "+" for an augmented view.
    """
    pairs = []
    for pair in contrast:
        if len(pair) != 2 or any(name.removesuffix('+') not in branches for name in pair):
            raise ConfigError(
                f'contrast pairs name two of the branches {tuple(branches)}, with "+" for the augmented '
                f'view, got {tuple(pair)}'
            )
        pairs.append((str(pair[0]), str(pair[1])))
    return tuple(pairs)


def check_share(share: float, branches: Sequence[str]) -> float:
    """Return the share of predicted depth maps; 0 where there is no depth branch.

    Raises:
        ConfigError: It is none.
    """
    if not 0 <= share <= 1:
        raise ConfigError(f'predicted_depth is a share of the samples, within 0..1, got {share}')
    return share if 'depth' in branches else 0.0
