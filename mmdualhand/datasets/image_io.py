"""Reading picture files, with an error that names the file and the sample."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mmdualhand.errors import DataError, MissingFileError

_PNG_START, _PNG_END = b'\x89PNG', b'IEND\xaeB`\x82'
_JPEG_START, _JPEG_END = b'\xff\xd8', b'\xff\xd9'
_TAIL = 4096


def is_complete(start: bytes, end: bytes) -> bool:
    """Whether a PNG or JPEG reaches its end marker; other formats pass.

    OpenCV returns half a picture for some truncated files, so the marker is looked for first.

    Args:
        start: First bytes of the file (4 suffice).
        end: Last bytes of the file.
    """
    if start.startswith(_PNG_START):
        return _PNG_END in end
    if start.startswith(_JPEG_START):
        return _JPEG_END in end
    return True


def file_is_complete(path: str | Path) -> bool:
    """As :func:`is_complete`, reading only the ends of an existing file."""
    with open(path, 'rb') as file:
        start = file.read(4)
        size = file.seek(0, 2)
        file.seek(max(size - _TAIL, 0))
        return size > 0 and is_complete(start, file.read())


def read_picture(path: str | Path, sample_id: str, color: bool = False) -> np.ndarray:
    """Decode one picture file.

    Args:
        path: PNG, JPEG or anything else that OpenCV reads.
        sample_id: Named in errors.
        color: Return 8-bit RGB whatever is stored; otherwise bit depth and number of channels
            are those of the file.

    Returns:
        (H, W, 3) in RGB order, or (H, W) for a one-channel file.

    Raises:
        MissingFileError: There is no such file.
        DataError: The file is empty, truncated or not a picture.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise MissingFileError(f'{path} of sample {sample_id!r} does not exist.') from None
    if not data or not is_complete(data[:4], data[-_TAIL:]):
        raise DataError(
            f'{path} of sample {sample_id!r} is truncated ({len(data)} bytes); copy the file again.'
        )
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION if color else cv2.IMREAD_UNCHANGED
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if picture is None:
        raise DataError(
            f'{path} of sample {sample_id!r} cannot be decoded as a picture; copy the file again.'
        )
    if picture.ndim == 3:
        code = cv2.COLOR_BGRA2RGBA if picture.shape[2] == 4 else cv2.COLOR_BGR2RGB
        picture = cv2.cvtColor(picture, code)
    return picture
