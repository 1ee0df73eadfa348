"""Encoders of the files of embedded sets; the same content gives the same bytes at any time."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.io import savemat

PNG_COMPRESSION = 2
"""Of 0..9; higher levels cost time and save little on noisy pictures."""
JPEG_QUALITY = 95

_MAT_TEXT_BYTES = 116
_MAT_TEXT = b'MATLAB 5.0 MAT-file of an embedded set, written by mmdualhand'


def write_png(path: Path, picture: np.ndarray, strategy: int = cv2.IMWRITE_PNG_STRATEGY_RLE) -> None:
    """Write a lossless picture.

    Args:
        path: The file.
        picture: (H, W, 3) uint8 RGB or (H, W) uint8.
        strategy: Of OpenCV's; run lengths are the fastest and the smallest for
            pictures with noise.

    Raises:
        OSError: The file could not be written.
    """
    options = [cv2.IMWRITE_PNG_COMPRESSION, PNG_COMPRESSION, cv2.IMWRITE_PNG_STRATEGY, strategy]
    _write(path, picture, options)


def write_jpg(path: Path, picture: np.ndarray) -> None:
    """Write a picture, (H, W, 3) uint8 RGB or (H, W) uint8, as JPEG; raises OSError."""
    _write(path, picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


def _write(path: Path, picture: np.ndarray, options: list[int]) -> None:
    stored = picture[..., ::-1] if picture.ndim == 3 else picture
    done, data = cv2.imencode(path.suffix, np.ascontiguousarray(stored), options)
    if not done:
        raise OSError(f'{path} could not be encoded')
    path.write_bytes(data.tobytes())


def whole_millimetres(depth_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Depth as two bytes.

    Args:
        depth_mm: (H, W) mm, 0 where nothing stands.

    Returns:
        Low and high byte, (H, W) uint8 each; depth beyond 65535 mm is cut off
        there, depth below 0.5 mm is background.
    """
    code = np.rint(np.clip(depth_mm, 0, 65535)).astype(np.uint16)
    return (code & 255).astype(np.uint8), (code >> 8).astype(np.uint8)


def write_json(path: Path, value: Any) -> None:
    """Write JSON without spaces, numbers exact."""
    path.write_text(json.dumps(value, separators=(',', ':')), encoding='utf-8')


def write_mat(path: Path, **variables: np.ndarray) -> None:
    """Write a MATLAB 5 file whose header holds no date, unlike those of ``scipy.io.savemat``."""
    buffer = io.BytesIO()
    savemat(buffer, variables)
    data = bytearray(buffer.getvalue())
    data[:_MAT_TEXT_BYTES] = _MAT_TEXT.ljust(_MAT_TEXT_BYTES)
    path.write_bytes(bytes(data))


def write_renderer_2d(path: Path, **arrays: np.ndarray) -> None:
    """Write the renderer's own 2D beside a set, to check its labels against; no reader opens it."""
    np.savez(path, **arrays)
