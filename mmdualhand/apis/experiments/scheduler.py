"""Commands that need each other, several at a time, longest way to the end first."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mmdualhand.errors import ConfigError

TAIL_LINES = 20
_POLL_SECONDS = 0.1
_GRACE_SECONDS = 5.0
_TERMINATED_STATUS = 143
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Task:
    """One command.

    Attributes:
        name: Its name, unlike all others.
        command: Program and arguments.
        log: File that its output is added to.
        needs: Names of the tasks that must have ended well before.
        cost: How long it takes, in any unit that all tasks share.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    needs: tuple[str, ...] = ()
    cost: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Attributes:
        status: ``'done'``, ``'failed'``, ``'skipped'`` because something that it needs failed, or
            ``'absent'`` where data of it, or of what was to be measured, are not here.
        seconds: How long it ran.
        tail: The last lines of its log where it failed.
    """

    status: str
    seconds: float = 0.0
    tail: str = ''


class Watcher:
    """Is told what happens; does nothing of it."""

    def planned(self, tasks: Sequence[Task], jobs: int) -> None:
        """All tasks, and how many run at a time; told once, before the first is started."""

    def started(self, task: Task) -> None:
        """A task was started."""

    def ended(self, task: Task, outcome: Outcome) -> None:
        """A task ended, or never will be started."""

    def tick(self) -> None:
        """Called a few times a second."""


def order(tasks: Sequence[Task]) -> list[Task]:
    """Tasks by the length of the longest chain that begins with them, longest first.

    Raises:
        ConfigError: Two tasks of one name, or one needs itself or what there is not.
    """
    lengths = chain_costs(tasks, {task.name: task.cost for task in tasks})
    return sorted(tasks, key=lambda task: -lengths[task.name])


def chain_costs(tasks: Sequence[Task], costs: Mapping[str, float]) -> dict[str, float]:
    """Cost of the longest chain that begins with each task.

    Args:
        tasks: All of them.
        costs: What each costs; 0 where it is not there.

    Raises:
        ConfigError: Two tasks of one name, or one needs itself or what there is not.
    """
    names = {task.name for task in tasks}
    if len(names) < len(tasks):
        raise ConfigError('two tasks have the same name')
    followers: dict[str, list[str]] = {name: [] for name in names}
    for task in tasks:
        for need in task.needs:
            if need not in names:
                raise ConfigError(f'{task.name} needs {need}, which is no task')
            followers[need].append(task.name)
    lengths: dict[str, float] = {}

    def length(name: str, above: tuple[str, ...] = ()) -> float:
        if name in above:
            raise ConfigError(f'{name} needs itself')
        if name not in lengths:
            rest = [length(other, (*above, name)) for other in followers[name]]
            lengths[name] = costs.get(name, 0.0) + max(rest, default=0.0)
        return lengths[name]

    return {task.name: length(task.name) for task in tasks}


def run_tasks(
    tasks: Sequence[Task],
    jobs: int,
    *,
    env: Sequence[Mapping[str, str]] = (),
    watcher: Watcher | None = None,
) -> dict[str, Outcome]:
    """Run commands, ``jobs`` at a time, each in a process group of its own.

    A failure stops what needs the failed task and nothing else. Where this process
    is interrupted or asked to end, the commands are stopped first.

    Args:
        tasks: What to run.
        jobs: Commands at a time.
        env: Environment variables to add, of each of the ``jobs`` places; no two commands
            are at one place at a time.
        watcher: Is told what happens.

    Returns:
        How each ended.

    Raises:
        ConfigError: As :func:`order`, ``jobs`` < 1, or ``env`` is not that of all places.
        KeyboardInterrupt: The user interrupted.
        SystemExit: This process was asked to end.
    """
    if jobs < 1:
        raise ConfigError(f'jobs must be 1 or more, got {jobs}')
    if env and len(env) != jobs:
        raise ConfigError(f'env must be that of {jobs} places, got {len(env)}')
    queue, watcher = order(tasks), watcher or Watcher()
    free = list(range(jobs))
    outcomes: dict[str, Outcome] = {}
    running: dict[str, _Process] = {}
    watcher.planned(queue, jobs)
    with _noted_signals() as signals:
        try:
            while queue or running:
                _leave_if_asked(signals)
                queue = _drop_hopeless(queue, outcomes, watcher)
                ready = [task for task in queue if all(need in outcomes for need in task.needs)]
                for task in ready[: len(free)]:
                    queue.remove(task)
                    place = free.pop(0)
                    running[task.name] = _Process(task, place, env[place] if env else {})
                    watcher.started(task)
                time.sleep(_POLL_SECONDS if running else 0.0)
                for name, process in list(running.items()):
                    outcome = process.outcome()
                    if outcome is not None:
                        del running[name]
                        free.append(process.place)
                        outcomes[name] = outcome
                        watcher.ended(process.task, outcome)
                watcher.tick()
        finally:
            _stop(list(running.values()))
    return outcomes


def _drop_hopeless(queue: list[Task], outcomes: dict[str, Outcome], watcher: Watcher) -> list[Task]:
    """Take tasks out that need what failed, and those that need them."""
    while True:
        lost = [
            task
            for task in queue
            if any(need in outcomes and outcomes[need].status != 'done' for need in task.needs)
        ]
        if not lost:
            return queue
        for task in lost:
            outcomes[task.name] = Outcome('skipped')
            watcher.ended(task, outcomes[task.name])
        queue = [task for task in queue if task not in lost]


class _Process:
    """A running task."""

    def __init__(self, task: Task, place: int, env: Mapping[str, str]) -> None:
        self.task, self.place = task, place
        task.log.parent.mkdir(parents=True, exist_ok=True)
        self._log: IO[bytes] = task.log.open('ab')
        self._start = time.perf_counter()
        self._popen = subprocess.Popen(
            task.command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env},
            start_new_session=True,
        )

    def outcome(self) -> Outcome | None:
        """How it ended; None while it runs."""
        status = self._popen.poll()
        if status is None:
            return None
        self._log.close()
        seconds = time.perf_counter() - self._start
        return Outcome('done', seconds) if status == 0 else Outcome('failed', seconds, tail(self.task.log))

    def signal(self, number: int) -> None:
        """Send a signal to the command and all that it started."""
        try:
            os.killpg(self._popen.pid, number)
        except ProcessLookupError:
            pass

    def wait(self, seconds: float) -> bool:
        """Wait for the end; whether it came."""
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._log.close()
        return True


def _stop(processes: Sequence[_Process]) -> None:
    for process in processes:
        process.signal(signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in processes:
        if not process.wait(max(deadline - time.monotonic(), 0.0)):
            process.signal(signal.SIGKILL)
            process.wait(_GRACE_SECONDS)


@contextmanager
def _noted_signals() -> Iterator[list[int]]:
    """Note Ctrl-C and SIGTERM instead of acting on them.

    An exception in the middle of the start of a command would leave the command
    running with nobody who knows of it.

    Yields:
        The signals that came; those that were ignored before still are.
    """
    came: list[int] = []
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        numbers = [one for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
        before = {one: signal.signal(one, lambda number, frame: came.append(number)) for one in numbers}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave_if_asked(signals: Sequence[int]) -> None:
    if signal.SIGINT in signals:
        raise KeyboardInterrupt
    if signal.SIGTERM in signals:
        raise SystemExit(_TERMINATED_STATUS)


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a text file."""
    return '\n'.join(log.read_text(encoding='utf-8', errors='replace').splitlines()[-lines:])
