"""Speed of several forms of a network, side by side in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Times of one form.

    Attributes:
        milliseconds: Median of the rounds.
        ratio: Median over the rounds of the baseline's time over this form's time in the same round.
    """

    milliseconds: float
    ratio: float


def time_rounds(
    forms: Mapping[str, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time forms in turn: every round runs each of them once.

    Other work on the machine so slows all of them alike, and the ratio is one of neighbours in time.

    Args:
        forms: Name to what is timed; the first is the baseline.
        rounds: After one round to warm up.
        clock: Seconds.

    Returns:
        Name to its times.
    """
    for run in forms.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(rounds):
        for name, run in forms.items():
            start = clock()
            run()
            taken[name].append(clock() - start)
    first = next(iter(taken.values()))
    return {
        name: Timing(
            1000 * statistics.median(times),
            statistics.median(base / own for base, own in zip(first, times, strict=True)),
        )
        for name, times in taken.items()
    }
