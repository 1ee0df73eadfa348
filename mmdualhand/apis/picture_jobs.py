"""What the inferencer keeps of a picture on its way through the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.apis.hand_crops import read_boxes
from mmdualhand.apis.pictures import Picture
from mmdualhand.errors import ConfigError
from mmdualhand.structures import CropTransform, HandResult, PictureResult


@dataclass(frozen=True, eq=False)
class WantedHands:
    """What the caller asked for.

    Attributes:
        shared: (N, 4) boxes of every picture, or None.
        each: An entry for each picture, by number, or by path or file name; or None.
        side: Of every hand, or None.
        keep_images: Whether results carry their picture.
        strict: Whether a picture without its box, or a box outside of it, raises, or gives a note.
    """

    shared: np.ndarray | None
    each: Sequence[Any] | Mapping[str, Any] | None
    side: str | None
    keep_images: bool
    strict: bool

    def missing(self, picture: Picture) -> str:
        """Why it is not known where to look in a picture; empty where it is.

        Raises:
            ConfigError: That reason, where ``strict``.
        """
        if not isinstance(self.each, Mapping) or any(name in self.each for name in _names(picture)):
            return ''
        reason = f'boxes has no entry for {picture.path or "a picture without a name"}'
        if self.strict:
            raise ConfigError(f'{reason}, only for {", ".join(list(self.each)[:5]) or "no picture"}')
        return reason

    def boxes_of(self, picture: Picture, number: int) -> list[np.ndarray] | None:
        """(4,) boxes of a picture, the ``number``-th of all; None where there are none.

        Raises:
            ConfigError: There are more pictures than entries.
        """
        if self.shared is not None:
            return list(self.shared)
        if self.each is None:
            return None
        if isinstance(self.each, Mapping):
            entry = next((self.each[name] for name in _names(picture) if name in self.each), None)
        elif number < len(self.each):
            entry = self.each[number]
        else:
            raise ConfigError(f'boxes has entries for {len(self.each)} pictures, and there are more')
        return None if entry is None else list(read_boxes(entry, f'boxes[{number}]'))


def _names(picture: Picture) -> tuple[str, ...]:
    """What a mapping may call a picture: its path or, after that, its file name."""
    return () if picture.path is None else (picture.path, Path(picture.path).name)


@dataclass(frozen=True, eq=False)
class AskedHand:
    """One hand to predict.

    Attributes:
        box: (4,) px.
        sides: That are tried.
        crops: One for each of them.
    """

    box: np.ndarray
    sides: Sequence[str]
    crops: Sequence[CropTransform]


class PictureJob:
    """One picture: the hands asked for, the pixels of their crops, and the hands found.

    Args:
        picture: Where the crops come from; not kept itself, unless ``keep_image``. An array of the
            caller, which may change, is copied.
        note: Why there is nothing to do.
        keep_image: Whether the result carries the picture.

    Attributes:
        asked: Hands to predict.
        pixels: ``(h, w, 3)`` uint8 of every crop, hand by hand and side by side.
        hands: Results, in the order of ``asked``.
    """

    def __init__(self, picture: Picture, note: str, keep_image: bool) -> None:
        image = picture.image
        self.note = note
        self.asked: list[AskedHand] = []
        self.pixels: list[np.ndarray] = []
        self.hands: list[HandResult] = []
        self._path, self._frame = picture.path, picture.frame
        self._size = (0, 0) if image is None else (image.shape[1], image.shape[0])
        self._image = image if keep_image else None
        if self._image is not None and picture.path is None:
            self._image = self._image.copy()

    def add(self, hand: AskedHand, pixels: Sequence[np.ndarray]) -> None:
        """Ask for one more hand."""
        self.asked.append(hand)
        self.pixels.extend(pixels)

    def result(self) -> PictureResult:
        """What has been found."""
        return PictureResult(
            self._path, self._frame, self._size, tuple(self.hands), self.note, self._image
        )
