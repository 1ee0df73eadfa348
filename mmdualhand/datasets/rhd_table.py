"""RHD's annotation file as a few arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.datasets.restricted_pickle import load_annotation_pickle
from mmdualhand.errors import DataError

_SHAPES = {'uv_vis': (42, 3), 'xyz': (42, 3), 'K': (3, 3)}


@dataclass(frozen=True)
class RHDTable:
    """Annotation of N images in raw joint order.

    Attributes:
        ids: (N,) int64 image numbers, ascending.
        uv_vis: (N, 42, 3) float32 pixels and visibility.
        xyz: (N, 42, 3) float32 metres, camera frame.
        camera: (N, 3, 3) float32 intrinsics.
    """

    ids: np.ndarray
    uv_vis: np.ndarray
    xyz: np.ndarray
    camera: np.ndarray

    def keep(self, rows: np.ndarray) -> RHDTable:
        """The table of some rows (a bool mask or numbers)."""
        return RHDTable(self.ids[rows], self.uv_vis[rows], self.xyz[rows], self.camera[rows])


def read_rhd_table(path: Path) -> tuple[RHDTable, dict[int, str]]:
    """Read ``anno_*.pickle``.

    Args:
        path: The annotation file.

    Returns:
        The table, and for every broken record its number and what is wrong.
        Records of a wrong shape are not in the table, non-finite ones are.

    Raises:
        MissingFileError: There is no such file.
        UnsafeFileError: It asks for more than arrays, containers and numbers.
        DataError: It is truncated, or not a dictionary of numbered records.
    """
    content = load_annotation_pickle(path)
    if not isinstance(content, Mapping) or not content or not all(_is_number(key) for key in content):
        raise DataError(
            f'{path} does not hold RHD records: expected a dictionary from image number to record.'
        )
    problems: dict[int, str] = {}
    kept: list[int] = []
    for number in sorted(content):
        problem = _shape_problem(content[number])
        if problem is None:
            kept.append(number)
        else:
            problems[int(number)] = f'{path}, record {number}: {problem}'
    columns = {
        key: np.array([content[number][key] for number in kept], np.float32).reshape(-1, *shape)
        for key, shape in _SHAPES.items()
    }
    table = RHDTable(np.array(kept, np.int64), columns['uv_vis'], columns['xyz'], columns['K'])
    for row, problem in _value_problems(table).items():
        problems[kept[row]] = f'{path}, record {kept[row]}: {problem}'
    return table, dict(sorted(problems.items()))


def _is_number(key: Any) -> bool:
    return isinstance(key, (int, np.integer)) and not isinstance(key, bool)


def _shape_problem(record: Any) -> str | None:
    if not isinstance(record, Mapping):
        return f'must be a dictionary with uv_vis, xyz and K, got {type(record).__name__}'
    for key, shape in _SHAPES.items():
        if key not in record:
            return f'{key} is missing'
        value = record[key]
        if not isinstance(value, np.ndarray) or value.shape != shape or value.dtype.kind not in 'fiu':
            found = f'{value.shape} {value.dtype}' if isinstance(value, np.ndarray) else type(value).__name__
            return f'{key} must be numbers of shape {shape}, got {found}'
    return None


def _value_problems(table: RHDTable) -> dict[int, str]:
    """Rows with NaN labels or a matrix that is no camera."""
    problems: dict[int, str] = {}
    camera = table.camera
    no_camera = (camera[:, 2] != (0, 0, 1)).any(axis=1) | ~(camera[:, 0, 0] > 0) | ~(camera[:, 1, 1] > 0)
    for row in np.nonzero(no_camera)[0]:
        problems[int(row)] = f'K is no intrinsic matrix: {camera[row].tolist()}'
    for key, values in (('uv_vis', table.uv_vis), ('xyz', table.xyz), ('K', camera)):
        finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        for row in np.nonzero(~finite)[0]:
            problems[int(row)] = f'{key} holds NaN or infinite numbers'
    return problems
