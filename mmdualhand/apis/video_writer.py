"""Frames into a video file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmdualhand.errors import ConfigError

_CODES = {'.mp4': 'mp4v', '.m4v': 'mp4v', '.avi': 'MJPG', '.mkv': 'mp4v'}


class VideoWriter:
    """Writes RGB frames with OpenCV; a context manager.

    The first frame gives the size; others are fitted into it, with black around them.

    Args:
        path: ``.mp4``, ``.avi`` or ``.mkv``; its folder is made.
        fps: Frames a second.

    Raises:
        ConfigError: Another ending, or a rate that is not positive.
    """

    def __init__(self, path: str | Path, fps: float = 25.0) -> None:
        self.path = Path(path)
        self.frames = 0
        if self.path.suffix.lower() not in _CODES:
            raise ConfigError(f'{path} must end in one of {", ".join(_CODES)} to be written as a video')
        if not (np.isfinite(fps) and fps > 0):
            raise ConfigError(f'fps of {path} must be positive, got {fps}')
        self._fps = float(fps)
        self._writer: Any = None
        self._size = (0, 0)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, frame: np.ndarray) -> None:
        """Append one frame ``(H, W, 3)`` uint8 RGB.

        Raises:
            ConfigError: The file cannot be written.
        """
        if self._writer is None:
            self._open((frame.shape[1], frame.shape[0]))
        self._writer.write(cv2.cvtColor(self._fit(frame), cv2.COLOR_RGB2BGR))
        self.frames += 1

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None

    def _open(self, size: tuple[int, int]) -> None:
        self._size = (size[0] + size[0] % 2, size[1] + size[1] % 2)  # the codecs want even sides
        self.path.parent.mkdir(parents=True, exist_ok=True)
        code = cv2.VideoWriter.fourcc(*_CODES[self.path.suffix.lower()])
        self._writer = cv2.VideoWriter(str(self.path), code, self._fps, self._size)
        if not self._writer.isOpened():
            self._writer = None
            raise ConfigError(
                f'OpenCV cannot write {self.path}: its folder is not writable, or this OpenCV has no encoder '
                f'for {self.path.suffix}; try .avi'
            )

    def _fit(self, frame: np.ndarray) -> np.ndarray:
        width, height = self._size
        if frame.shape[:2] == (height, width):
            return frame
        scale = min(width / frame.shape[1], height / frame.shape[0], 1.0)
        if scale < 1.0:
            size = (max(1, int(frame.shape[1] * scale)), max(1, int(frame.shape[0] * scale)))
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        canvas = np.zeros((height, width, 3), np.uint8)
        canvas[: frame.shape[0], : frame.shape[1]] = frame
        return canvas
