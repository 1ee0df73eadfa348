"""A logger that says less for a while."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_log(logger: logging.Logger, level: int = logging.WARNING) -> Iterator[None]:
    """Let a logger pass nothing below a level, and set it back afterwards.

    Args:
        logger: Python's or mmengine's.
        level: The least that is shown.
    """
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)
