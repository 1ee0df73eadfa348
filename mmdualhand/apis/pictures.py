"""Pictures from wherever they are: files, folders, patterns, lists, arrays, videos, cameras."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, field
from glob import glob, has_magic
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmdualhand.apis.read_image import read_image, to_rgb
from mmdualhand.errors import DataError, HandUserError, MissingFileError

PICTURE_SUFFIXES = frozenset(
    {'.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp', '.ppm', '.pgm', '.jp2'}
)
"""File endings that count as pictures in a folder."""
VIDEO_SUFFIXES = frozenset({'.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv'})
"""File endings that are read as videos."""
LIST_SUFFIX = '.txt'
_FRAMES_SPARE = 2  # containers count a frame or two that cannot be decoded


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, or why there is none.

    Attributes:
        path: File or stream; None for an array.
        frame: Number in a video, stream or array of pictures.
        image: (H, W, 3) uint8 RGB, upright; None where it could not be read.
        note: Why it could not. The last one of a video that breaks off holds nothing else.
    """

    path: str | None
    frame: int | None
    image: np.ndarray | None = field(repr=False)
    note: str = ''


@dataclass(frozen=True, eq=False)
class PictureSource:
    """Pictures one after the other.

    Attributes:
        pictures: The pictures; reading happens as they are asked for.
        length: How many, or None where that is not known.
        live: Whether they come from a camera, so that waiting for a full batch costs latency.
        fps: Frames a second of a video, or None.
    """

    pictures: Iterator[Picture]
    length: int | None = None
    live: bool = False
    fps: float | None = None


Inputs = str | Path | int | np.ndarray | PictureSource | Iterable[Any]
"""What :func:`open_pictures` takes."""


def open_pictures(inputs: Inputs) -> PictureSource:
    """Find out what the user means, and read it picture by picture.

    Args:
        inputs: A picture or video file, a folder (its pictures in natural order, without
            subfolders), a pattern such as ``'photos/*.jpg'``, a ``.txt`` with a file a line
            (relative to it), the number of a camera, the address of a stream (``rtsp://...``), an
            array ``(H, W[, C])`` or ``(N, H, W, C)``, an iterable of files and arrays, or what
            this function has returned.

    Returns:
        The pictures. Of several, one that cannot be read comes with a note in its place; a
        single one raises.

    Raises:
        MissingFileError: There is no such file, or nothing in the folder.
        DataError: The input is of no known kind, or the video cannot be opened.
    """
    if isinstance(inputs, PictureSource):
        return inputs
    if isinstance(inputs, np.ndarray):
        return _array(inputs)
    if isinstance(inputs, bool):
        raise DataError('inputs must be pictures, not a truth value')
    if isinstance(inputs, bytes | bytearray | memoryview):
        raise DataError(
            'inputs must be files or arrays, not the bytes of a file: decode them first (cv2.imdecode)'
        )
    if hasattr(inputs, '__array__') and not isinstance(inputs, np.number):
        kind = f'{type(inputs).__module__}.{type(inputs).__name__}'
        raise DataError(f'inputs must be numpy arrays (H, W, 3), got a {kind}: convert it first')
    if isinstance(inputs, int | np.integer):
        return _video(int(inputs), f'camera {inputs}')
    if isinstance(inputs, str | Path):
        return _named(str(inputs))
    if isinstance(inputs, Iterable):
        length = len(inputs) if isinstance(inputs, Sized) else None
        return PictureSource((_noted(item, number) for number, item in enumerate(inputs)), length)
    raise DataError(
        'inputs must be a file, folder, pattern, camera number, array or a list of these, got '
        f'{type(inputs).__name__}'
    )


def _named(text: str) -> PictureSource:
    path = Path(text).expanduser()
    if '://' in text:
        return _video(text, text)
    if path.is_dir():
        return _files(pictures_in(path))
    if path.is_file():
        if path.suffix.lower() in VIDEO_SUFFIXES:
            return _video(str(path), str(path))
        if path.suffix.lower() == LIST_SUFFIX:
            return _files(_listed(path))
        return PictureSource((Picture(str(path), None, read_image(path)) for _ in range(1)), 1)
    if has_magic(text):
        found = sorted((Path(name) for name in glob(str(path), recursive=True)), key=_natural)
        found = [one for one in found if one.is_file()]
        if not found:
            raise MissingFileError(f'no file matches {text}')
        return _files(found)
    raise MissingFileError(f'the picture, video or folder {text} is not there')


def pictures_in(folder: Path) -> list[Path]:
    """Picture files of a folder in natural order (2 before 10).

    Raises:
        MissingFileError: There is none.
    """
    found = [one for one in folder.iterdir() if one.suffix.lower() in PICTURE_SUFFIXES]
    found = [one for one in found if one.is_file() or one.is_symlink()]  # a dangling link gets a note
    if not found:
        raise MissingFileError(
            f'the folder {folder} holds no pictures ({", ".join(sorted(PICTURE_SUFFIXES))}); '
            'subfolders are not searched'
        )
    return sorted(found, key=_natural)


def _listed(path: Path) -> list[Path]:
    lines = [line.strip() for line in path.read_text(encoding='utf-8').splitlines()]
    found = [path.parent / line for line in lines if line and not line.startswith('#')]
    if not found:
        raise MissingFileError(f'the list {path} names no picture')
    return found


def _natural(path: Path) -> list[Any]:
    return [(0, int(part), '') if part.isdigit() else (1, 0, part) for part in re.split(r'(\d+)', str(path))]


def _files(paths: list[Path]) -> PictureSource:
    return PictureSource((_noted(path, None) for path in paths), len(paths))


def _noted(item: Any, number: int | None) -> Picture:
    """One of several: what cannot be read gets a note."""
    if isinstance(item, str | Path):
        try:
            return Picture(str(item), None, read_image(item))
        except HandUserError as error:
            return Picture(str(item), None, None, str(error))
    try:
        return Picture(None, number, to_rgb(item, f'picture {number} of the list'))
    except DataError as error:
        return Picture(None, number, None, str(error))


def _array(images: np.ndarray) -> PictureSource:
    if images.ndim == 4:
        return PictureSource(
            (Picture(None, n, to_rgb(one, f'picture {n} of the array')) for n, one in enumerate(images)),
            len(images),
        )
    return PictureSource(iter([Picture(None, None, to_rgb(images))]), 1)


def _video(source: str | int, name: str) -> PictureSource:
    capture = cv2.VideoCapture(source)
    if not capture.isOpened():
        capture.release()
        raise DataError(f'{name} cannot be opened as a video')
    live = isinstance(source, int) or '://' in source
    frames, fps = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), float(capture.get(cv2.CAP_PROP_FPS))
    length = frames if frames > 0 and not live else None
    rate = fps if np.isfinite(fps) and fps > 0 else None
    return PictureSource(_frames(capture, name, length), length, live, rate)


def _frames(capture: Any, name: str, length: int | None) -> Iterator[Picture]:
    """Frames until there are no more; a note behind them where ``length`` promised more."""
    try:
        for number in count():
            there, frame = capture.read()
            if not there:
                if number == 0:
                    raise DataError(f'no frame of {name} can be decoded')
                if length is not None and number < length - _FRAMES_SPARE:
                    note = f'{name} ends after {number} of {length} frames: it is truncated or damaged'
                    yield Picture(name, number, None, note)
                return
            yield Picture(name, number, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    finally:
        capture.release()
