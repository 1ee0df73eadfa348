"""One picture, from a file or an array of any kind, as 8-bit RGB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmdualhand.datasets.image_io import is_complete
from mmdualhand.errors import DataError, MissingFileError

MIN_SIDE = 16
"""Pictures with a shorter side than this, px, are too small to hold a hand."""

LARGEST_FLOAT = 16.0
"""Floating point pictures may be whiter than white; more than this is another range, such as 0..255."""

_JPEG_START = b'\xff\xd8'
_EXIF_MARKS = (b'eXIf', b'EXIF', b'Exif')


def to_rgb(image: Any, name: str = 'image') -> np.ndarray:
    """Bring a picture in memory to 8-bit RGB.

    Args:
        image: ``(H, W)``, ``(H, W, 1)`` gray, ``(H, W, 3)`` RGB or ``(H, W, 4)`` RGBA of uint8,
            uint16 (0..65535) or floating point (0..1). Transparent parts become black.
        name: For messages.

    Returns:
        ``(H, W, 3)`` uint8 RGB; the same array where it is one already.

    Raises:
        DataError: Another type or shape, an empty picture, or floating point values that are
            not finite or far above 1.
    """
    if not isinstance(image, np.ndarray):
        raise DataError(f'{name} must be a numpy array, got {type(image).__name__}')
    channels = 1 if image.ndim == 2 else image.shape[-1] if image.ndim == 3 else 0
    if channels not in (1, 3, 4) or image.size == 0:
        raise DataError(f'{name} must be (H, W), (H, W, 3) or (H, W, 4) and not empty, got {image.shape}')
    if channels == 3 and image.dtype == np.uint8:
        return image
    eight = _eight_bit(image.reshape(*image.shape[:2], channels), name)
    if channels == 1:
        return np.repeat(eight, 3, axis=2)
    if channels == 3:
        return eight
    alpha = eight[..., 3:].astype(np.uint16)
    return ((eight[..., :3] * alpha + 127) // 255).astype(np.uint8)


def _eight_bit(image: np.ndarray, name: str) -> np.ndarray:
    if image.dtype == np.uint8:
        return image
    if image.dtype.newbyteorder('=') == np.uint16:
        return ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if np.issubdtype(image.dtype, np.floating):
        if not np.isfinite(image).all():
            raise DataError(f'{name} holds values that are not finite')
        if image.max() > LARGEST_FLOAT:
            raise DataError(
                f'{name} is floating point up to {image.max():g}, and 1 is white: divide it by its largest '
                'possible value, or give it as uint8'
            )
        return np.rint(np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8)
    raise DataError(f'{name} must be uint8, uint16 or floating point in 0..1, got {image.dtype}')


def read_image(path: str | Path) -> np.ndarray:
    """Read one picture file, whatever its depth and channels, the way a viewer shows it.

    Orientation of EXIF is applied, so that pixels are those of the upright picture. Gray
    becomes RGB, 16 bits and floating point become 8, see :func:`to_rgb`.

    Args:
        path: PNG, JPEG or anything else that OpenCV reads.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        MissingFileError: There is no such file.
        DataError: The file is empty, truncated, too large for OpenCV, or not a picture.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise MissingFileError(f'the picture {path} is not there') from None
    except OSError as error:
        raise DataError(f'the picture {path} cannot be read: {error.strerror or error}') from error
    if not is_complete(data):
        raise DataError(f'the picture {path} is truncated ({len(data)} bytes): copy the file again')
    image = _decode(data, path)
    if image is None:
        raise DataError(f'{path} is not a picture that OpenCV can decode')
    if image.ndim == 3 and image.shape[2] >= 3:
        code = cv2.COLOR_BGRA2RGBA if image.shape[2] == 4 else cv2.COLOR_BGR2RGB
        image = cv2.cvtColor(image, code)
    return to_rgb(image, f'the picture {path}')


def too_small(image: np.ndarray) -> str:
    """Why a picture ``(H, W, 3)`` cannot hold a hand; empty where it can."""
    height, width = image.shape[:2]
    if min(height, width) >= MIN_SIDE:
        return ''
    return f'{width} x {height} px are too small to hold a hand (at least {MIN_SIDE} x {MIN_SIDE})'


def _decode(data: bytes, path: str | Path) -> np.ndarray | None:
    """As stored with 1, 3 or 4 channels (BGR order) and, without transparency, upright."""
    buffer = np.frombuffer(data, np.uint8)
    try:
        if data.startswith(_JPEG_START):
            return cv2.imdecode(buffer, cv2.IMREAD_COLOR)
        image = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
        if image is not None and image.shape[2:] != (4,) and any(mark in data for mark in _EXIF_MARKS):
            return cv2.imdecode(buffer, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
        return image
    except (cv2.error, MemoryError) as error:
        reason = str(getattr(error, 'err', '') or error).strip()
        raise DataError(f'the picture {path} cannot be decoded: {reason}') from error
