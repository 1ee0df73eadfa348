"""Decoded pictures kept on disk, for trainings that read every picture many times."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from mmdualhand.compat import replace_file

CACHE_VARIABLE = 'HAND_CACHE'
"""Environment variable that names the folder of the cache; unset or empty for none."""


class PictureCache:
    """Keeps decoded arrays as ``.npy`` files, which are mapped into memory instead of decoded.

    Decoding a PNG takes most of the time of reading a sample, and a mapped file is
    shared by all processes of a machine and reads only the pages that a crop
    touches. An entry belongs to a file of one path, size and time of change, so a
    changed picture is decoded anew. A set takes about its uncompressed size: 0.6 MB
    a picture of RHD with depth and mask.

    Args:
        folder: Where the files are kept; made when the first one is written. It may
            be deleted whenever nobody trains.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser()
        self._warned = False

    @classmethod
    def from_environment(cls) -> PictureCache | None:
        """The cache that ``HAND_CACHE`` asks for, or None."""
        folder = os.environ.get(CACHE_VARIABLE, '')
        return cls(folder) if folder else None

    def fetch(self, path: str | Path, kind: str, decode: Callable[[], np.ndarray]) -> np.ndarray:
        """The array of a picture, decoded if this is its first time.

        Args:
            path: The picture file.
            kind: Tells apart different ways of decoding one file.
            decode: Reads the file; its errors are passed on, and nothing is kept then.

        Returns:
            What ``decode`` gives, perhaps as a read-only map of the file. Where it cannot
            be kept, a warning says so once.
        """
        entry = self._entry(path, kind)
        if entry is None:  # not there: let decode say so
            return decode()
        try:
            return np.load(entry, mmap_mode='r')
        except (ValueError, EOFError, OSError):  # not there yet, or cut short by a full disk
            pass
        picture = np.ascontiguousarray(decode())
        self._write(entry, picture)
        return picture

    def _entry(self, path: str | Path, kind: str) -> Path | None:
        try:
            facts = os.stat(path)
        except OSError:
            return None
        name = f'{os.path.abspath(path)}|{facts.st_size}|{facts.st_mtime_ns}|{kind}'
        digest = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
        return self.folder / digest[:2] / f'{digest[2:]}.npy'

    def _write(self, entry: Path, picture: np.ndarray) -> None:
        partial = entry.with_name(f'{entry.name}.{os.getpid()}.partial')
        try:
            entry.parent.mkdir(parents=True, exist_ok=True)
            with open(partial, 'wb') as file:
                np.save(file, picture)
            replace_file(partial, entry)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f'{CACHE_VARIABLE}={self.folder}: decoded pictures cannot be kept there ({error}) and '
                    'are decoded each time; make room, or name another folder',
                    stacklevel=2,
                )
