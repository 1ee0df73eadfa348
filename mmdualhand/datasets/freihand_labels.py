"""FreiHAND's annotation files as a few arrays; the gigabyte of mesh vertices is never opened."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.errors import DataError, MissingFileError

_NUMBERS_IN = {'K': (3, 3), 'xyz': (21, 3), 'scale': ()}


@dataclass(frozen=True)
class FreiHANDLabels:
    """Annotation of N photos.

    Attributes:
        source: The file or folder that the joints come from (the cameras, where
            there are no joints).
        camera: (N, 3, 3) float64 intrinsics, px.
        joints: (N, 21, 3) float64 mm, camera frame, canonical order; None where
            the photos are not labelled.
        scale: (N,) float64 length of the bone 9-10, mm; None where not given.
    """

    source: Path
    camera: np.ndarray
    joints: np.ndarray | None
    scale: np.ndarray | None

    def problems(self) -> dict[int, str]:
        """Rows with NaN labels or a matrix that is no camera, and what is wrong."""
        found: dict[int, str] = {}
        camera = self.camera
        no_camera = (camera[:, 2] != (0, 0, 1)).any(axis=1) | ~(camera[:, 0, 0] > 0) | ~(camera[:, 1, 1] > 0)
        for row in np.nonzero(no_camera | ~np.isfinite(camera).all(axis=(1, 2)))[0].tolist():
            found[row] = f'{self.source}: K of row {row} is no intrinsic matrix: {camera[row].tolist()}'
        if self.joints is not None:
            for row in np.nonzero(~np.isfinite(self.joints).all(axis=(1, 2)))[0].tolist():
                found.setdefault(row, f'{self.source}: xyz of row {row} holds NaN or infinite numbers')
        return found


def read_training_labels(root: Path) -> FreiHANDLabels:
    """Read ``training_K.json`` and ``training_xyz.json``.

    Args:
        root: The folder that holds them.

    Returns:
        One row a unique photo.

    Raises:
        MissingFileError: A file is not there.
        DataError: A file is broken, or they differ in length.
    """
    camera = read_column(root / 'training_K.json', 'K')
    path = root / 'training_xyz.json'
    return FreiHANDLabels(path, camera, _as_long(read_column(path, 'xyz'), camera, path) * 1000.0, None)


def find_evaluation(roots: list[Path]) -> tuple[Path, FreiHANDLabels]:
    """Read the evaluation annotation from the first folder that has labels, or else cameras.

    Args:
        roots: Where the first release (without labels) or the one of 2022 (with
            labels) may have been unpacked.

    Returns:
        The folder, and one row a photo; ``joints`` is None in the first release.

    Raises:
        MissingFileError: No folder has ``evaluation_K.json`` or labels.
        DataError: A file is broken, or files differ in length.
    """
    for root in roots:
        path = root / 'evaluation_xyz.json'
        if path.is_file():
            camera = read_column(_first(roots, root, 'evaluation_K.json'), 'K')
            joints = _as_long(read_column(path, 'xyz'), camera, path) * 1000.0
            return root, FreiHANDLabels(path, camera, joints, None)
    for root in roots:
        folder = root / 'evaluation' / 'anno'
        if folder.is_dir():
            return root, _read_single_files(folder)
    for root in roots:
        path = root / 'evaluation_K.json'
        if path.is_file():
            camera = read_column(path, 'K')
            lengths = root / 'evaluation_scale.json'
            scale = None
            if lengths.is_file():
                scale = _as_long(read_column(lengths, 'scale'), camera, lengths) * 1000.0
            return root, FreiHANDLabels(path, camera, None, scale)
    raise MissingFileError(f'{roots[0] / "evaluation_K.json"} is missing')


def read_column(path: Path, key: str) -> np.ndarray:
    """Read one of FreiHAND's lists.

    Args:
        path: For example ``training_xyz.json`` (45 MB, a second).
        key: ``'K'``, ``'xyz'`` or ``'scale'``; fixes the shape of a row.

    Returns:
        (N, 3, 3) px, (N, 21, 3) m or (N,) m, float64.

    Raises:
        MissingFileError: There is no such file.
        DataError: The file is truncated, empty, or no list of such rows.
    """
    shape = _NUMBERS_IN[key]
    if not path.is_file():
        raise MissingFileError(f'{path} is missing')
    try:
        rows = json.loads(path.read_bytes())
    except ValueError as error:
        raise DataError(f'{path} cannot be read as JSON ({error}); copy it again.') from error
    if not isinstance(rows, list) or not rows:
        raise DataError(f'{path} must hold a list with a row for each photo, and it is empty or no list.')
    column = _as_array(rows)
    if column is not None and column.shape[1:] == shape:
        return column
    wrong = next((row for row, value in enumerate(rows) if _shape_of(value) != shape), 0)
    raise DataError(
        f'{path}: row {wrong} must be {key} as numbers of shape {shape}, got {_shape_of(rows[wrong])}.'
    )


def _as_array(value: Any) -> np.ndarray | None:
    try:
        return np.array(value, np.float64)
    except (TypeError, ValueError):
        return None


def _shape_of(value: Any) -> tuple[int, ...] | str:
    array = _as_array(value)
    return 'something else' if array is None else array.shape


def _as_long(column: np.ndarray, camera: np.ndarray, path: Path) -> np.ndarray:
    if len(column) != len(camera):
        raise DataError(f'{path} has {len(column)} rows, the file of K has {len(camera)}; copy both again.')
    return column


def _first(roots: list[Path], favourite: Path, name: str) -> Path:
    places = [root / name for root in (favourite, *roots)]
    return next((place for place in places if place.is_file()), places[0])


def _read_single_files(folder: Path) -> FreiHANDLabels:
    """Read ``evaluation/anno/%08d.json``, of each file K and xyz alone (most of it are vertices)."""
    count = sum(1 for entry in folder.iterdir() if entry.suffix == '.json')
    if not count:
        raise DataError(f'{folder} holds no annotation (files 00000000.json and on).')
    camera, joints = np.empty((count, 3, 3)), np.empty((count, 21, 3))
    for row in range(count):
        path = folder / f'{row:08d}.json'
        if not path.is_file():
            raise MissingFileError(f'{path} is missing, though {count} such files are there')
        text = path.read_text()
        for column, key in ((camera, 'K'), (joints, 'xyz')):
            value = _member(text, key)
            if _shape_of(value) != _NUMBERS_IN[key]:
                raise DataError(
                    f'{path} must have {key!r} as numbers of shape {_NUMBERS_IN[key]}; '
                    'evaluation_xyz.json of the same release would do instead.'
                )
            column[row] = value
    return FreiHANDLabels(folder, camera, joints * 1000.0, None)


def _member(text: str, key: str) -> Any:
    """The value of one key of a JSON object, without parsing the rest."""
    match = re.search(rf'"{key}"\s*:\s*', text)
    if match is None:
        return None
    try:
        return json.JSONDecoder().raw_decode(text, match.end())[0]
    except ValueError:
        return None
