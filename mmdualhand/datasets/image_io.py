"""Reading picture files, with an error that names the file and the sample."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mmdualhand.datasets.picture_cache import PictureCache
from mmdualhand.errors import DataError, MissingFileError

_PNG_START, _PNG_END = b'\x89PNG', b'IEND\xaeB`\x82'
_JPEG_START, _JPEG_END = b'\xff\xd8', b'\xff\xd9'
_START_OF_SCAN = 0xDA
_TAIL = 4096


def is_complete(data: bytes) -> bool:
    """Whether a PNG or JPEG reaches its end marker; other formats pass, an empty file does not.

    OpenCV returns half a picture for some truncated files, so the marker is looked for first. Bytes
    behind it are fine: the film of a motion photo, for example.

    Args:
        data: The whole file.
    """
    if data.startswith(_PNG_START):
        return _PNG_END in data
    if data.startswith(_JPEG_START):
        scan = _find_scan(data)
        return scan is not None and data.find(_JPEG_END, scan) >= 0
    return bool(data)


def _find_scan(data: bytes) -> int | None:
    """Where the pixels of a JPEG begin; its segments before them may hold end markers of thumbnails."""
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF or data[place + 1] == 0xFF:
            place += 1  # fill bytes
            continue
        code = data[place + 1]
        if code in (0x00, 0x01) or 0xD0 <= code <= 0xD8:
            place += 2  # no segment
            continue
        place += 2 + int.from_bytes(data[place + 2 : place + 4], 'big')
        if code == _START_OF_SCAN:
            return place
    return None


def file_is_complete(path: str | Path) -> bool:
    """As :func:`is_complete`, reading no more of an existing file than needed."""
    with open(path, 'rb') as file:
        if file.read(4).startswith(_PNG_START):
            file.seek(max(file.seek(0, 2) - _TAIL, 0))
            if _PNG_END in file.read():
                return True
        file.seek(0)
        return is_complete(file.read())


def read_picture(
    path: str | Path, sample_id: str, color: bool = False, cache: PictureCache | None = None
) -> np.ndarray:
    """Decode one picture file.

    Args:
        path: PNG, JPEG or anything else that OpenCV reads.
        sample_id: Named in errors.
        color: Return 8-bit RGB whatever is stored; otherwise bit depth and number of channels
            are those of the file.
        cache: Where decoded pictures are kept; the array may be read-only then.

    Returns:
        (H, W, 3) in RGB order, or (H, W) for a one-channel file.

    Raises:
        MissingFileError: There is no such file.
        DataError: The file is empty, truncated or not a picture.
    """
    if cache is not None:
        kind = 'rgb' if color else 'as stored'
        return cache.fetch(path, kind, lambda: read_picture(path, sample_id, color))
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise MissingFileError(f'{path} of sample {sample_id!r} does not exist.') from None
    if not is_complete(data):
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


def read_photo(
    path: str | Path,
    sample_id: str,
    size: tuple[int, int] | None = None,
    cache: PictureCache | None = None,
) -> np.ndarray:
    """Decode one photo, (H, W, 3) uint8 RGB.

    Args:
        path: See :func:`read_picture`.
        sample_id: Named in errors.
        size: (width, height) that it must have; any where None.
        cache: See :func:`read_picture`.

    Raises:
        MissingFileError: There is no such file.
        DataError: As :func:`read_picture`, or it has another size.
    """
    photo = read_picture(path, sample_id, color=True, cache=cache)
    height, width = photo.shape[:2]
    if size is not None and (width, height) != tuple(size):
        raise DataError(
            f'{path} of sample {sample_id!r} is {width} x {height}, photos of its set are {size[0]} x '
            f'{size[1]}: its intrinsics do not fit a resized picture; copy the published file.'
        )
    return photo
