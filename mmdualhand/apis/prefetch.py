"""Reading ahead in a thread, while the network computes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar('T')

_END = object()
_PATIENCE_S = 0.1


def prefetch(items: Iterable[T], depth: int) -> Iterator[T]:
    """The same items in the same order, made in a thread that is up to ``depth`` of them ahead.

    Decoding pictures with OpenCV leaves Python's lock, so it overlaps what the caller does. An
    error of the items is raised here, in its place; the thread ends with the iterator, also
    where the caller stops early.

    Args:
        items: Anything iterable; touched by the thread alone.
        depth: Items that may wait; 0: no thread.
    """
    if depth < 1:
        yield from items
        return
    waiting: queue.Queue[tuple[object, BaseException | None]] = queue.Queue(maxsize=depth)
    stopped = threading.Event()
    worker = threading.Thread(target=_fill, args=(items, waiting, stopped), daemon=True)
    worker.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        worker.join()


def _fill(items: Iterable[object], waiting: queue.Queue, stopped: threading.Event) -> None:
    iterator = iter(items)
    try:
        for item in iterator:
            if not _put(waiting, (item, None), stopped):
                return
        _put(waiting, (_END, None), stopped)
    except BaseException as error:  # handed to the caller, whatever it is
        _put(waiting, (_END, error), stopped)
    finally:
        close = getattr(iterator, 'close', None)
        if close is not None:
            close()


def _put(waiting: queue.Queue, entry: tuple[object, BaseException | None], stopped: threading.Event) -> bool:
    """Wait for room; False where nobody wants items any more."""
    while not stopped.is_set():
        try:
            waiting.put(entry, timeout=_PATIENCE_S)
        except queue.Full:
            continue
        return True
    return False
