"""A number that changes with the progress of training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mmdualhand.errors import ConfigError

FORMS = ('linear', 'cosine', 'step')


class Schedule:
    """A value over training progress, given at some points.

    Before the first point the value is that of the first, behind the last that of
    the last. Computed on the host: a device need not wait for it.

    Args:
        points: ``(progress, value)`` pairs with rising progress in 0..1.
        form: Between two points: ``'linear'``; ``'cosine'``, flat at both; or
            ``'step'``, the value of the point before.

    Raises:
        ConfigError: No points, progress that does not rise or lies outside 0..1, or
            an unknown form.
    """

    def __init__(self, points: Sequence[Sequence[float]], form: str = 'linear') -> None:
        if form not in FORMS:
            raise ConfigError(f'form of a schedule must be one of {FORMS}, got {form!r}')
        if not points or any(len(point) != 2 for point in points):
            raise ConfigError(f'a schedule needs points (progress, value), got {points!r}')
        self.points = tuple((float(place), float(value)) for place, value in points)
        self.form = form
        places = [place for place, _ in self.points]
        if places[0] < 0 or places[-1] > 1 or any(b <= a for a, b in zip(places, places[1:], strict=False)):
            raise ConfigError(f'the progress of a schedule must rise within 0..1, got {places}')

    @classmethod
    def from_config(cls, config: Schedule | Mapping[str, Any] | Sequence[Sequence[float]]) -> Schedule:
        """Read a list of points, or a mapping of the arguments."""
        if isinstance(config, Schedule):
            return config
        return cls(**config) if isinstance(config, Mapping) else cls(config)

    def __call__(self, progress: float) -> float:
        """The value at a progress in 0..1."""
        before, after = self.points[0], None
        for point in self.points:
            if point[0] > progress:
                after = point
                break
            before = point
        if after is None or progress < before[0] or self.form == 'step':
            return before[1]
        share = (progress - before[0]) / (after[0] - before[0])
        if self.form == 'cosine':
            share = (1.0 - math.cos(math.pi * share)) / 2.0
        return before[1] + share * (after[1] - before[1])
