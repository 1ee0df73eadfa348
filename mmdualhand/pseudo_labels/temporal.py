"""Keypoints that follow the picture from frame to frame (the temporal check of CC-SSL, CVPR 2020)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import cv2
import numpy as np

from mmdualhand.errors import ConfigError, DataError

REFERENCE_SIDE = 256
"""Side in pixels of the crops that ``max_move`` is written for."""


class Frame(NamedTuple):
    """One picture of a video and its keypoints.

    Attributes:
        grey: ``(H, W)`` uint8.
        uv: ``(K, 2)`` float64 pixels of it.
        confidence: ``(K,)`` float64, high is good.
    """

    grey: np.ndarray
    uv: np.ndarray
    confidence: np.ndarray


class OpticalFlowTemporalFilter:
    """Replaces a keypoint by the one of the frame before, moved by optical flow, where that was much surer.

    Lucas and Kanade's flow takes the point of the frame before to this frame. A flow
    that is lost, or moves a point too far, is not used. The chain goes on over
    replaced points, so their confidence falls by ``ratio`` from frame to frame.

    Args:
        ratio: A keypoint is replaced where its confidence is below this share of the one
            before; then it has that share.
        max_move: Largest motion in pixels of a 256 x 256 crop.
        window: Side of the window of the flow, px.
        levels: Levels of its pyramid above the finest.

    Raises:
        ConfigError: A value without meaning.
    """

    def __init__(
        self, ratio: float = 0.9, max_move: float = 15.0, window: int = 15, levels: int = 2
    ) -> None:
        if not 0 < ratio <= 1 or not max_move > 0 or window < 3 or levels < 0:
            raise ConfigError(
                'temporal needs a ratio in (0, 1], max_move above 0, a window of 3 or more and levels of 0 '
                f'or more; got {ratio}, {max_move}, {window} and {levels}'
            )
        self.ratio, self.max_move, self.window, self.levels = ratio, max_move, window, levels
        self._before: tuple[tuple[str, int], Frame] | None = None

    def forget(self) -> None:
        """Begin a new pass over the videos."""
        self._before = None

    def __call__(self, sample_id: str, frame: Frame) -> Frame:
        """Check a frame against the one before, where the last call gave that one.

        Args:
            sample_id: Sequence and number of the frame, such as ``'B1Counting/SK_17'``.
            frame: The frame; nothing of it is changed.

        Returns:
            The frame with keypoints replaced.

        Raises:
            DataError: The id does not end in a number.
        """
        place = frame_place(sample_id)
        if self._before is not None and self._before[0] == (place[0], place[1] - 1):
            frame = self.follow(self._before[1], frame)
        self._before = place, frame
        return frame

    def follow(self, before: Frame, now: Frame) -> Frame:
        """Check ``now`` against ``before``, of the same size."""
        start = before.uv.astype(np.float32)[:, None]
        flow: Any = cv2.calcOpticalFlowPyrLK
        moved, found, _ = flow(
            before.grey, now.grey, start, None, winSize=(self.window,) * 2, maxLevel=self.levels
        )
        moved = moved[:, 0].astype(np.float64)
        side = max(now.grey.shape)
        near = np.linalg.norm(moved - before.uv, axis=1) <= self.max_move * side / REFERENCE_SIDE
        expected = self.ratio * before.confidence
        replaced = (found[:, 0] > 0) & near & (now.confidence < expected)
        return Frame(
            now.grey,
            np.where(replaced[:, None], moved, now.uv),
            np.where(replaced, expected, now.confidence),
        )


def frame_place(sample_id: str) -> tuple[str, int]:
    """Sequence and number of a frame.

    Raises:
        DataError: The id does not end in a number.
    """
    match = re.fullmatch(r'(.*?)(\d+)', sample_id)
    if match is None:
        raise DataError(
            f'sample {sample_id!r} names no frame of a video: leave temporal out of the labeler for datasets '
            'of single pictures'
        )
    return match.group(1), int(match.group(2))
