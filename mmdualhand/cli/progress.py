"""Progress on the terminal, and in lines where there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Task as RichTask
from rich.text import Text

_LINES_WITHOUT_TERMINAL = 20


class _TimeLeftColumn(TimeRemainingColumn):
    """Time left as rich reckons it, by counts, or as a task's field ``seconds_left`` says."""

    def render(self, task: RichTask) -> Text:
        """The text of a task."""
        seconds = task.fields.get('seconds_left')
        return (
            super().render(task) if seconds is None else Text(in_words(seconds), style='progress.remaining')
        )


def bars(console: Console) -> Progress:
    """Bars with counts, time spent and time left."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), _TimeLeftColumn())
    return Progress(TextColumn('{task.description}'), *columns, console=console)


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar with the time left; where the output is no terminal, a line now and then.

    Args:
        title: What is being counted.
        total: How many there are.

    Yields:
        A function to call after each one.
    """
    console = Console(file=sys.stderr)
    if console.is_terminal:
        with bars(console) as bar:
            task = bar.add_task(title, total=total)
            yield lambda: bar.advance(task)
        return
    start, step, done = time.perf_counter(), max(total // _LINES_WITHOUT_TERMINAL, 1), 0

    def advance() -> None:
        nonlocal done
        done += 1
        if done % step == 0 or done == total:
            spent = time.perf_counter() - start
            left = spent / done * (total - done)
            print(f'{title}: {done}/{total}, {spent:.0f} s, {left:.0f} s left', file=sys.stderr, flush=True)

    yield advance


def in_words(seconds: float) -> str:
    """A time for people: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 60.0:
        return f'{seconds:.0f} s'
    minutes = round(seconds / 60.0)
    return f'{minutes} min' if minutes < 60 else f'{minutes // 60} h {minutes % 60:02d} min'
