"""Finding the pictures that are missing or truncated before training meets them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TypeVar

from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.datasets.image_io import file_is_complete
from mmdualhand.errors import DataError

Key = TypeVar('Key', bound=Hashable)


def find_broken_pictures(folder: Path, names: Mapping[Key, str], *, look_inside: bool) -> dict[Key, str]:
    """Look for files in one folder.

    Args:
        folder: An existing folder; it is listed once.
        names: Record to file name.
        look_inside: Also open every file and look for its end marker.

    Returns:
        Record to what is wrong with its file.
    """
    present = {entry.name for entry in folder.iterdir()}
    broken: dict[Key, str] = {}
    for key, name in names.items():
        if name not in present:
            broken[key] = f'{folder / name} of record {key} does not exist'
        elif look_inside and not file_is_complete(folder / name):
            broken[key] = f'{folder / name} of record {key} is truncated'
    return broken


def raise_or_skip(dataset: BaseHandDataset, problems: Mapping[Key, str]) -> None:
    """Stop at broken records, or count and log them, as the dataset's ``on_error`` says.

    Args:
        dataset: Whose records they are.
        problems: Record to what is wrong with it; nothing happens where it is
            empty.

    Raises:
        DataError: ``on_error`` is ``'raise'``; the first problem and their number.
    """
    if not problems:
        return
    key, reason = next(iter(problems.items()))
    if dataset.on_error == 'skip':
        dataset.skip(f'first record {key}: {reason}', len(problems))
        return
    more = f' ({len(problems) - 1} more records are broken)' if len(problems) > 1 else ''
    raise DataError(f"{reason}{more}; on_error='skip' would leave such records out.")


def find_broken_files(paths: Mapping[Key, Path], *, look_inside: bool) -> dict[Key, str]:
    """As :func:`find_broken_pictures`, for files of several folders, which need not exist.

    Args:
        paths: Record to file.
        look_inside: Also open every file and look for its end marker.

    Returns:
        Record to what is wrong with its file.
    """
    folders: dict[Path, dict[Key, str]] = {}
    for key, path in paths.items():
        folders.setdefault(path.parent, {})[key] = path.name
    broken: dict[Key, str] = {}
    for folder, names in folders.items():
        if folder.is_dir():
            broken.update(find_broken_pictures(folder, names, look_inside=look_inside))
        else:
            broken.update({key: f'the folder {folder} of record {key} does not exist' for key in names})
    return broken
