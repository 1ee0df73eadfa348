"""One hand through a video: the crop follows the joints of the last frame."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mmdualhand.apis.inferencer import HandPoseInferencer
from mmdualhand.apis.read_image import MIN_SIDE
from mmdualhand.apis.smoothing import OneEuroFilter
from mmdualhand.errors import ConfigError
from mmdualhand.structures import HandResult

_BEYOND = 2.0  # a box larger than this many pictures is no hand


class HandTracker:
    """Follows one hand; smooth joints.

    The first frame, and every one after the hand was lost, is searched with the detector of the
    inferencer, or as a whole where it has none; the others are cropped about the last joints.
    Where the side is not given, that of the detector is kept until the hand is lost; without one
    both are tried for the first frames, and the side with more evidence is kept likewise.

    Args:
        inferencer: Predicts.
        side: ``'right'``, ``'left'`` or None.
        camera: See :meth:`HandPoseInferencer.infer`.
        ref_length: mm.
        root_depth: mm.
        lost_below: Mean raw score (``HandResult.raw_confidence``) below which the hand is lost.
            Calibrated confidences stay far above it where there is no hand at all.
        side_frames: Frames for which both sides are tried.
        min_cutoff: Of the one-euro filters, Hz; 0 switches smoothing off.
        beta: Hz of cutoff for a movement across the longer side of the picture in a second.

    Raises:
        ConfigError: ``lost_below`` is not in 0..1, or a filter setting without meaning.
    """

    def __init__(
        self,
        inferencer: HandPoseInferencer,
        side: str | None = None,
        camera: Any = None,
        ref_length: float | None = None,
        root_depth: float | None = None,
        *,
        lost_below: float = 0.05,
        side_frames: int = 5,
        min_cutoff: float = 1.5,
        beta: float = 10.0,
    ) -> None:
        if not 0 <= lost_below <= 1:
            raise ConfigError(f'lost_below must lie in 0..1, got {lost_below}')
        self._inferencer = inferencer
        self._given_side = side
        self._facts = dict(camera=camera, ref_length=ref_length, root_depth=root_depth)
        self._lost_below, self._side_frames = lost_below, side_frames
        names = _UNITS if min_cutoff else ()
        self._filters = {name: OneEuroFilter(min_cutoff, beta) for name in names}
        self.reset()

    def reset(self) -> None:
        """Forget the hand: the next frame is searched."""
        self._box: np.ndarray | None = None
        self._side = self._given_side
        self._evidence, self._seen = 0.0, 0
        for one in self._filters.values():
            one.reset()

    def step(self, frame: np.ndarray, time_s: float) -> HandResult | None:
        """Find the hand in the next frame.

        Args:
            frame: ``(H, W, 3)`` uint8 RGB.
            time_s: When it was taken, seconds, later than the last one.

        Returns:
            The hand, its ``keypoints``, ``keypoints_3d_relative`` and ``keypoints_3d`` smoothed;
            None where there is none.

        Raises:
            DataError: The frame is no picture.
        """
        found = self._predict(frame)
        if found is None or _raw(found) < self._lost_below:
            self.reset()
            return None
        if found.side_score is None:
            self._side = found.side
        else:
            self._evidence += found.side_score if found.side == 'right' else -found.side_score
        self._seen += 1
        smooth = self._smooth(found, time_s, max(frame.shape[:2]))
        self._box = next_box(smooth.keypoints, (frame.shape[1], frame.shape[0]))
        if self._box is None:
            self.reset()
        return smooth

    def _predict(self, frame: np.ndarray) -> HandResult | None:
        side = self._side
        if side is None and self._seen >= self._side_frames:
            side = 'right' if self._evidence >= 0 else 'left'
        options = dict(self._facts, side=side)
        (result,) = self._inferencer.infer(frame, boxes=self._box, **options)
        return max(result.hands, key=_raw, default=None)

    def _smooth(self, hand: HandResult, time_s: float, side_px: int) -> HandResult:
        changed: dict[str, Any] = {}
        for name, one in self._filters.items():
            value = getattr(hand, name)
            if value is None:
                one.reset()
                continue
            unit = side_px if name == 'keypoints' else _UNITS[name]
            changed[name] = one(value / unit, time_s) * unit
        return replace(hand, **changed)


_UNITS = {'keypoints': 1.0, 'keypoints_3d_relative': 10.0, 'keypoints_3d': 400.0}
"""What counts as a movement across the picture: its longer side in 2D, ten bones, 400 mm."""


def _raw(hand: HandResult) -> float:
    """Mean raw score, which calibrations do not move."""
    return hand.score if hand.raw_confidence is None else hand.raw_confidence


def next_box(keypoints: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
    """Where to look for a hand that was here in the last frame.

    Args:
        keypoints: (21, 2) px of the last frame.
        size: ``(w, h)`` of the frame.

    Returns:
        (4,) box about the joints; None where they are too close together, too far apart, or
        outside of the frame.
    """
    if not np.isfinite(keypoints).all():
        return None
    low, high = keypoints.min(0).astype(np.float64), keypoints.max(0).astype(np.float64)
    extent = float((high - low).max())
    outside = (high < 0).any() or (low > np.array(size) - 1).any()
    if outside or extent < MIN_SIDE or extent > _BEYOND * max(size):
        return None
    return np.concatenate([low, high])
