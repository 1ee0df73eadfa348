"""The user's own photos as backgrounds."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mmdualhand.errors import ConfigError, DataError

if TYPE_CHECKING:
    from mmdualhand.synthesis.domains import Domain

PHOTO = 'photo'
"""Kind of background whose pictures are files."""

PHOTO_SUFFIXES = ('.jpg', '.jpeg', '.png', '.webp', '.bmp')
_TEST_SHARE = 5
_LARGEST = 1024  # longer side of a photo that is kept in memory


def photo_backgrounds(domain: Domain, folder: str | Path, split: str) -> Domain:
    """A domain whose backgrounds are random crops of photos.

    Photos are put in an order by a hash of their names, and every fifth of them,
    from the first on, is kept for the test split. A green screen stays where the
    domain has one.

    Args:
        domain: The domain.
        folder: Folder with photos; folders in it are searched too.
        split: ``'test'``, ``'evaluation'`` or ``'eval'``; anything else is training.

    Returns:
        The domain with ``background`` and ``photo_files`` of its look replaced.

    Raises:
        ConfigError: Fewer than two photos, one for each split.
        DataError: A file is no picture.
    """
    root = Path(folder)
    found = sorted(p for p in root.rglob('*') if p.suffix.lower() in PHOTO_SUFFIXES)
    if len(found) < 2:
        raise ConfigError(
            f'the background folder {root} holds {len(found)} photos ({", ".join(PHOTO_SUFFIXES)}); it needs '
            'two, better a dozen or more: every fifth goes to the test split, the others to training'
        )
    for path in found:
        if not cv2.haveImageReader(str(path)):
            raise _no_picture(path)
    wanted = split in ('test', 'evaluation', 'eval')
    found.sort(key=lambda path: (zlib.crc32(path.relative_to(root).as_posix().encode()), path))
    files = [str(path) for rank, path in enumerate(found) if (rank % _TEST_SHARE == 0) == wanted]
    kinds = domain.look['background']
    green = float(kinds.get('green', 0.0)) / sum(kinds.values()) if isinstance(kinds, Mapping) else 0.0
    weights = {PHOTO: 1.0 - green, **({'green': green} if green else {})}
    return replace(domain, look={**domain.look, 'background': weights, 'photo_files': files})


def crop_of_a_photo(
    rng: np.random.Generator, files: Sequence[str] | None, height: int, width: int
) -> np.ndarray:
    """A random part of a random photo.

    Args:
        rng: Source of chance.
        files: Photos to choose from.
        height: Rows of the result.
        width: Columns.

    Returns:
        (height, width, 3) float32 linear light.

    Raises:
        ConfigError: No files.
        DataError: A file that is no picture.
    """
    if not files:
        raise ConfigError("background 'photo' needs files; make the domain with photo_backgrounds()")
    picture = _read(files[int(rng.integers(len(files)))])
    rows, columns = picture.shape[:2]
    part = rng.uniform(0.5, 1.0) * min(rows / height, columns / width)
    high, wide = max(int(part * height), 1), max(int(part * width), 1)
    top, left = int(rng.integers(rows - high + 1)), int(rng.integers(columns - wide + 1))
    crop = picture[top : top + high, left : left + wide, ::-1]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    small = cv2.resize(np.ascontiguousarray(crop), (width, height), interpolation=cv2.INTER_AREA)
    return np.power(small.astype(np.float32) / 255, np.float32(2.2))


@lru_cache(maxsize=64)
def _read(path: str) -> np.ndarray:
    """A photo (H, W, 3) uint8, BGR, made smaller if it is large."""
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    if picture is None:
        raise _no_picture(path)
    share = _LARGEST / max(picture.shape[:2])
    if share >= 1:
        return picture
    return cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def _no_picture(path: str | Path) -> DataError:
    return DataError(f'{path} cannot be read as a picture; remove it from the background folder')
