"""Many canonical records in a few arrays, so that worker processes share them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from mmdualhand.structures import HandSample

_ARRAYS: dict[str, type] = {
    'camera': np.float64,
    'keypoints_2d': np.float64,
    'keypoints_3d': np.float64,
    'keypoints_visible': np.float32,
    'ref_length': np.float64,
    'root_depth': np.float64,
}
_NUMBERS = ('ref_length', 'root_depth')


class RecordColumns:
    """Records, kept column by column and given back as they were.

    Args:
        records: Canonical records, each with any of the keys.
    """

    def __init__(self, records: Iterable[HandSample]) -> None:
        values: dict[str, list[Any]] = {key: [] for key in _ARRAYS}
        rows: dict[str, list[int]] = {key: [] for key in _ARRAYS}
        self._rest: list[dict[str, Any]] = []
        for number, record in enumerate(records):
            rest: dict[str, Any] = {**record}
            for key in _ARRAYS:
                if key in rest:
                    values[key].append(rest.pop(key))
                    rows[key].append(number)
            self._rest.append(rest)
        count = len(self._rest)
        self._columns: dict[str, np.ndarray] = {
            key: np.array(values[key], dtype) for key, dtype in _ARRAYS.items() if values[key]
        }
        self._places = {key: _place_of(rows[key], count) for key in self._columns}

    def __len__(self) -> int:
        return len(self._rest)

    def __getitem__(self, index: int) -> HandSample:
        """Record ``index``, a copy."""
        record: Any = dict(self._rest[index])
        for key, column in self._columns.items():
            place = int(self._places[key][index])
            if place >= 0:
                record[key] = float(column[place]) if key in _NUMBERS else column[place].copy()
        return record


def _place_of(rows: list[int], count: int) -> np.ndarray:
    """(count,) int32: where the value of each record lies in its column, -1 where it has none."""
    places = np.full(count, -1, np.int32)
    places[rows] = np.arange(len(rows))
    return places
