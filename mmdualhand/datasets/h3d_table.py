"""H3D's annotation file as a few arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.errors import DataError

_SHAPES = {'keypoint2d': (21, 2), 'keypoint3d': (21, 3), 'intrinsic_matrix': (3, 3)}


@dataclass(frozen=True)
class H3DTable:
    """Annotation of N pictures, in the order of the file.

    Attributes:
        names: Picture files, relative to the folder of the set.
        without_object: (N,) bool.
        keypoints_2d: (N, 21, 2) float64 px; NaN in broken rows.
        keypoints_3d: (N, 21, 3) float64, camera frame, unit of the file.
        camera: (N, 3, 3) float64 intrinsics as stored.
    """

    names: list[str]
    without_object: np.ndarray
    keypoints_2d: np.ndarray
    keypoints_3d: np.ndarray
    camera: np.ndarray

    def keep(self, rows: np.ndarray) -> H3DTable:
        """The table of some rows, by number and in that order."""
        return H3DTable(
            [self.names[row] for row in rows.tolist()],
            self.without_object[rows],
            self.keypoints_2d[rows],
            self.keypoints_3d[rows],
            self.camera[rows],
        )


def read_h3d_table(path: Path) -> tuple[H3DTable, dict[str, str]]:
    """Read ``annotation.json``.

    Args:
        path: The annotation file.

    Returns:
        The table of all rows, and for every broken one the name of its picture
        and what is wrong.

    Raises:
        DataError: The file is no list of annotations with a name and the flag
            ``without_object``, which the split needs, or is empty.
    """
    content = _load(path)
    names = [_name(row, number, path) for number, row in enumerate(content)]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f'{path} names the picture {twice!r} more than once.')
    flags = np.array([_flag(row, name, path) for row, name in zip(content, names, strict=True)])
    columns = {key: np.full((len(content), *shape), np.nan) for key, shape in _SHAPES.items()}
    problems: dict[str, str] = {}
    for number, (row, name) in enumerate(zip(content, names, strict=True)):
        values = {key: _numbers(row.get(key)) for key in _SHAPES}
        problem = _problem(row, values)
        if problem is not None:
            problems[name] = f'{path}, picture {name!r}: {problem}'
            continue
        for key, value in values.items():
            columns[key][number] = value
    table = H3DTable(names, flags, columns['keypoint2d'], columns['keypoint3d'], columns['intrinsic_matrix'])
    return table, problems


def _load(path: Path) -> list[Any]:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise DataError(f'{path} cannot be read as JSON ({error}); copy the file again.') from error
    if not isinstance(content, list):
        raise DataError(f'{path} must hold a list of annotations, got {type(content).__name__}.')
    if not content:
        raise DataError(f'{path} is empty, it annotates no picture.')
    return content


def _name(row: Any, number: int, path: Path) -> str:
    if not isinstance(row, Mapping) or not isinstance(row.get('name'), str) or not row['name']:
        raise DataError(f"{path}, annotation {number}: 'name' must be the file name of a picture.")
    return str(row['name'])


def _flag(row: Mapping[str, Any], name: str, path: Path) -> bool:
    try:
        flag = int(row['without_object'])  # '1' in some copies
    except (KeyError, TypeError, ValueError):
        flag = -1
    if flag not in (0, 1):
        raise DataError(
            f'{path}, picture {name!r}: without_object must be 0 or 1, got {row.get("without_object")!r}; '
            'the split is made of the frames where it is 1.'
        )
    return flag == 1


def _numbers(value: Any) -> np.ndarray:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return np.zeros(0)


def _problem(row: Mapping[str, Any], values: Mapping[str, np.ndarray]) -> str | None:
    for key, shape in _SHAPES.items():
        if key not in row:
            return f'{key} is missing'
        if values[key].shape != shape:
            return f'{key} must be numbers of shape {shape}, got {values[key].shape}'
        if not np.isfinite(values[key]).all():
            return f'{key} holds NaN or infinite numbers'
    camera = values['intrinsic_matrix']
    if (camera[2] != (0, 0, 1)).any() or not (camera[0, 0] > 0 and camera[1, 1] > 0):
        return f'intrinsic_matrix is no camera: {camera.tolist()}'
    return None
