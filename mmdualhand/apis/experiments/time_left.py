"""How long an experiment still takes, from what its jobs cost and how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from mmdualhand.apis.experiments.scheduler import Task, chain_costs


class TimeLeft:
    """Seconds until all tasks are done, by the speed of those that ran so far.

    The speed is cost per second and process, so it holds for a time in which fewer
    processes run than may, because all that is left waits for one. What is left takes as
    long as its longest chain, or as all of it on ``jobs`` processes, whichever is longer.

    Args:
        tasks: All of them.
        jobs: Processes at a time.
        clock: Seconds, of any beginning.
    """

    def __init__(self, tasks: Sequence[Task], jobs: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._tasks, self._jobs, self._clock = list(tasks), jobs, clock
        self._cost = {task.name: task.cost for task in tasks}
        self._ended: set[str] = set()
        self._running: dict[str, tuple[float, float]] = {}
        self._worked = self._busy = 0.0

    def started(self, name: str, fraction: float = 0.0) -> None:
        """A task was started, at this part of its work where it goes on."""
        self._running[name] = (self._clock(), fraction)

    def ended(self, name: str, ran: bool = True) -> None:
        """A task ended; what did not run, or failed, tells nothing of the speed."""
        since, fraction = self._running.pop(name, (self._clock(), 1.0))
        self._ended.add(name)
        if ran:
            self._worked += self._cost[name] * (1.0 - fraction)
            self._busy += self._clock() - since

    def seconds(self, fractions: Mapping[str, float]) -> float | None:
        """The estimate.

        Args:
            fractions: Part of its work that each running task has done, 0 to 1.

        Returns:
            Seconds; None as long as nothing is known of the speed.
        """
        now, worked, busy = self._clock(), self._worked, self._busy
        for name, (since, at_start) in self._running.items():
            done = fractions.get(name, at_start) - at_start
            if done > 0.0:
                worked += self._cost[name] * done
                busy += now - since
        if worked <= 0.0 or busy <= 0.0:
            return None
        left = {
            task.name: task.cost * (1.0 - fractions.get(task.name, 0.0))
            for task in self._tasks
            if task.name not in self._ended
        }
        longest = max(chain_costs(self._tasks, left).values(), default=0.0)
        return max(longest, sum(left.values()) / self._jobs) * busy / worked
