"""One pass over the picture files: which are missing or broken, their sizes and fingerprints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from mmdualhand.datasets.image_io import file_is_complete, read_picture
from mmdualhand.errors import DataError, MissingFileError

HASH_SIDE = 16
HASH_BITS = HASH_SIDE * HASH_SIDE - 1
_THUMB = 64
_FLAT = 4.0
"""Standard deviation of grey levels below which a picture has no fingerprint: all such look alike."""
MISSING, TRUNCATED = 'missing', 'truncated'


@dataclass
class PictureScan:
    """What is known of picture files, by path.

    Attributes:
        problems: Path to :data:`MISSING` or :data:`TRUNCATED`.
        sizes: Path of a colour picture to (width, height).
        hashes: Path of a colour picture to its fingerprint, (255,) bool; none for flat pictures.
    """

    problems: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    hashes: dict[str, np.ndarray] = field(default_factory=dict)

    def sizes_of(self, paths: np.ndarray) -> np.ndarray:
        """(N, 2) widths and heights of colour pictures, NaN where one could not be read."""
        unknown = (np.nan, np.nan)
        return np.array([self.sizes.get(path, unknown) for path in paths.tolist()], np.float64).reshape(-1, 2)


def scan_pictures(
    color: Sequence[str],
    others: Sequence[str],
    *,
    workers: int = 2,
    on_file: Callable[[], None] = lambda: None,
) -> PictureScan:
    """Look at files: colour pictures are decoded, of the others the end is looked for.

    Args:
        color: Colour pictures.
        others: Depth and mask pictures.
        workers: Threads; decoding does not hold Python's lock.
        on_file: Called after each file.
    """
    scan = PictureScan()
    with ThreadPoolExecutor(max_workers=max(workers, 1)) as pool:
        for path, problem, size, code in pool.map(_look, color):
            if problem:
                scan.problems[path] = problem
            if size is not None:
                scan.sizes[path] = size
            if code is not None:
                scan.hashes[path] = code
            on_file()
        for path, problem in zip(others, pool.map(_file_problem, others), strict=True):
            if problem:
                scan.problems[path] = problem
            on_file()
    return scan


def _file_problem(path: str) -> str:
    if not Path(path).is_file():
        return MISSING
    try:
        return '' if file_is_complete(path) else TRUNCATED
    except OSError:
        return MISSING


def _look(path: str) -> tuple[str, str, tuple[int, int] | None, np.ndarray | None]:
    try:
        grey = read_grey(path)
    except MissingFileError:
        return path, MISSING, None, None
    except (DataError, OSError):
        return path, TRUNCATED, None, None
    return path, '', (grey.shape[1], grey.shape[0]), fingerprint(grey)


def read_grey(path: str) -> np.ndarray:
    """A picture as (H, W) uint8 grey levels.

    Raises:
        MissingFileError: There is no such file.
        DataError: It is truncated or no picture.
    """
    return cv2.cvtColor(read_picture(path, Path(path).stem, color=True), cv2.COLOR_RGB2GRAY)


def fingerprint(grey: np.ndarray) -> np.ndarray | None:
    """Perceptual hash: signs of the lowest frequencies of a small copy, about their median.

    Compression and small changes of size and brightness alter a few bits of 255, another picture about
    half of them.

    Args:
        grey: (H, W) uint8.

    Returns:
        (255,) bool, None for a flat picture.
    """
    if float(grey.std()) < _FLAT:
        return None
    small = cv2.resize(grey, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA).astype(np.float32)
    frequencies = cv2.dct(small)[:HASH_SIDE, :HASH_SIDE].ravel()[1:]
    return frequencies > np.median(frequencies)


def block_difference(first: np.ndarray, second: np.ndarray) -> float:
    """Largest mean difference of grey levels over any eighth-by-eighth block of two pictures.

    Args:
        first: (H, W) uint8.
        second: (H', W') uint8, compared at the same small size.

    Returns:
        Grey levels, 0..255: a few for a recompressed copy, tens where something moved.
    """
    small = [
        cv2.resize(grey, (2 * _THUMB, 2 * _THUMB), interpolation=cv2.INTER_AREA).astype(np.float32)
        for grey in (first, second)
    ]
    difference = np.abs(small[0] - small[1])
    side = 2 * _THUMB // 16
    return float(difference.reshape(16, side, 16, side).mean(axis=(1, 3)).max())
