"""The file of a bank of pseudo-labels: a header, then two refreshes of float32 rows.

The header is 4096 bytes: JSON, and in the last eight the number of the published
refresh as int64, -1 before there is one. A row holds the label (63), weight and
confidence (1 or 21 each), a key of the sample's id and the stamp of its refresh, 0
where it was never written.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from mmdualhand.compat import replace_file
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.structures import NUM_JOINTS

FORMAT = 'mmdualhand pseudo-labels'
VERSION = 1
HEADER_BYTES = 4096
PUBLISHED_AT = HEADER_BYTES - 8
LABEL_COLUMNS = 3 * NUM_JOINTS
_KEY_BITS = 0xFFFFFF  # what float32 holds exactly


@dataclass(frozen=True)
class BankHeader:
    """What a bank says about itself.

    Attributes:
        dataset: Name of the dataset.
        size: Number of its samples.
        per_joint: Whether weight and confidence are kept for every joint.
    """

    dataset: str
    size: int
    per_joint: bool = False

    @property
    def joints(self) -> int:
        """Columns of weight and of confidence."""
        return NUM_JOINTS if self.per_joint else 1

    @property
    def columns(self) -> int:
        """Columns of a row."""
        return LABEL_COLUMNS + 2 * self.joints + 2

    @property
    def file_bytes(self) -> int:
        """Size of the file."""
        return HEADER_BYTES + 2 * self.size * self.columns * np.dtype(np.float32).itemsize


def sample_key(sample_id: str) -> int:
    """A number that tells samples apart and that float32 holds exactly."""
    return crc32(sample_id.encode()) & _KEY_BITS


def create_file(file: Path, header: BankHeader) -> None:
    """Make an empty bank; it appears whole or not at all.

    Raises:
        ConfigError: The file is there already, or the header makes no sense.
    """
    text = json.dumps(dict(format=FORMAT, version=VERSION, **asdict(header))).encode()
    if header.size < 1 or len(text) > PUBLISHED_AT:
        raise ConfigError(
            'a bank of pseudo-labels needs at least one row and a short name of the dataset, got '
            f'{header.size} of {header.dataset[:80]!r}'
        )
    if file.exists():
        raise ConfigError(f'{file} is there already: open it, or delete it to begin anew')
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f'{file.name}.partial{os.getpid()}')
    with partial.open('wb') as out:
        out.write(text.ljust(PUBLISHED_AT) + np.int64(-1).tobytes())
        out.truncate(header.file_bytes)
        out.flush()
        os.fsync(out.fileno())
    replace_file(partial, file)


def read_header(file: Path) -> BankHeader:
    """Read and check a header.

    Raises:
        MissingFileError: There is no such file.
        DataError: It is not a bank, or is cut off.
        ConfigError: Another version wrote it.
    """
    if not file.is_file():
        raise MissingFileError(f'there is no bank of pseudo-labels at {file}')
    with file.open('rb') as content:
        text = content.read(PUBLISHED_AT)
    try:
        entries = json.loads(text)
        found, version = entries.pop('format'), entries.pop('version')
    except (ValueError, KeyError, TypeError, AttributeError):
        found = version = None
    if found != FORMAT:
        raise DataError(f'{file} is not a bank of pseudo-labels')
    if version != VERSION:
        raise ConfigError(
            f'{file} is of version {version!r}, this program reads {VERSION}: delete it, labels are made anew'
        )
    header = BankHeader(**entries)
    if file.stat().st_size != header.file_bytes:
        raise DataError(
            f'{file} is cut off: it has {file.stat().st_size} bytes of {header.file_bytes}; delete it'
        )
    return header
