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
        strict: Whether a box outside of its picture raises, or gives a note.
    """

    shared: np.ndarray | None
    each: Sequence[Any] | Mapping[str, Any] | None
    side: str | None
    keep_images: bool
    strict: bool

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
            path = str(picture.path)
            entry = self.each.get(path, self.each.get(Path(path).name))
        elif number < len(self.each):
            entry = self.each[number]
        else:
            raise ConfigError(f'boxes has entries for {len(self.each)} pictures, and there are more')
        return None if entry is None else list(read_boxes(entry, f'boxes[{number}]'))


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
        picture: Where the crops come from; not kept itself, unless ``keep_image``.
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

    def add(self, hand: AskedHand, pixels: Sequence[np.ndarray]) -> None:
        """Ask for one more hand."""
        self.asked.append(hand)
        self.pixels.extend(pixels)

    def result(self) -> PictureResult:
        """What has been found."""
        return PictureResult(
            self._path, self._frame, self._size, tuple(self.hands), self.note, self._image
        )
