"""The numbers that a run leaves behind."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmdualhand.errors import DataError, MissingFileError


def read_scalars(run: str | Path) -> Iterator[dict[str, float]]:
    """Lines of ``scalars.json``, in the order in which a run and those that resumed it wrote them.

    Args:
        run: Work dir of the run, or one file ``scalars.json``.

    Yields:
        Name to value of everything on a line that is a finite number.

    Raises:
        MissingFileError: There are no scalars.
        DataError: A line is no JSON.
    """
    run = Path(run)
    files = [run] if run.is_file() else sorted(run.glob('*/vis_data/scalars.json'))
    if not files:
        raise MissingFileError(f'{run} has no */vis_data/scalars.json: name the work dir of a training run')
    for file in files:
        for number, text in enumerate(file.read_text(encoding='utf-8').splitlines(), 1):
            try:
                line = json.loads(text)
            except ValueError as error:
                raise DataError(f'{file}, line {number} is no JSON ({error})') from error
            if isinstance(line, dict):
                yield {key: value for key, value in line.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
