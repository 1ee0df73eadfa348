"""What the inference interface says of a hand and of a picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mmdualhand.structures.checks import check_shape
from mmdualhand.structures.crop import CropTransform

METRIC_SOURCES = ('none', 'given', 'solved')
"""Where millimetres come from, see :class:`HandResult`."""
SIDES = ('right', 'left')
"""Names of the two hands."""


@dataclass(frozen=True, eq=False)
class HandResult:
    """One hand in one picture; joints in canonical order.

    Attributes:
        keypoints: (21, 2) float32 pixels of the original picture.
        confidence: (21,) float32 in 0..1: estimated probability that the 2D error of the joint
            is below 0.05 of the crop's side, where ``calibrated``; otherwise the raw score of
            the network, which only ranks joints.
        keypoints_3d_relative: (21, 3) float32 relative to the root (joint 9), in lengths of the
            reference bone (9-10); camera axes, x right, y down, z away. NaN where the network
            predicts 2D alone.
        keypoints_3d: (21, 3) float32 mm in the camera frame of the picture, or None.
        metric: Where ``keypoints_3d`` come from: ``'none'``, they are None, because camera or
            size are not known; ``'given'``, the root depth was given; ``'solved'``, it was
            solved from the palm, the camera and the length of the reference bone.
        side: ``'right'`` or ``'left'``.
        side_score: Where both sides were tried, by how much the mean raw score of this side
            beats that of the other, 0..1; None where the side was given.
        box: (4,) float32 x0, y0, x1, y1 px of the hand as given or detected; the whole picture
            where nothing was.
        crop: From pixels of the picture to those of the crop; mirrored for a left hand.
        pose25d: (21, 3) float32, u, v in pixels of the 64-grid of the crop, depth relative to
            the root in lengths of the reference bone.
        mask: (h, w) float32 in 0..1 over the crop, or None where the network has none.
        depth_map: (h, w) float32 in 0..1 over the crop, background 1, or None.
        calibrated: Whether ``confidence`` is a calibrated probability.
        raw_confidence: Mean raw score of the joints, 0..1, whatever the calibration; None where
            it is not known.

    Raises:
        ValueError: Wrong shape, an unknown side or source, or ``metric`` contradicts
            ``keypoints_3d``.
    """

    keypoints: np.ndarray = field(repr=False)
    confidence: np.ndarray = field(repr=False)
    keypoints_3d_relative: np.ndarray = field(repr=False)
    keypoints_3d: np.ndarray | None = field(repr=False)
    metric: str
    side: str
    side_score: float | None
    box: np.ndarray
    crop: CropTransform = field(repr=False)
    pose25d: np.ndarray = field(repr=False)
    mask: np.ndarray | None = field(default=None, repr=False)
    depth_map: np.ndarray | None = field(default=None, repr=False)
    calibrated: bool = False
    raw_confidence: float | None = None

    def __post_init__(self) -> None:
        for name, pattern in _SHAPES.items():
            value = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            array = np.array(value, dtype=np.float32)
            check_shape(array, pattern, name=name)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if self.side not in SIDES:
            raise ValueError(f'side must be one of {SIDES}, got {self.side!r}')
        if self.metric not in METRIC_SOURCES:
            raise ValueError(f'metric must be one of {METRIC_SOURCES}, got {self.metric!r}')
        if (self.metric == 'none') != (self.keypoints_3d is None):
            raise ValueError(
                f'metric={self.metric!r} contradicts keypoints_3d, which are '
                f'{"not there" if self.keypoints_3d is None else "there"}'
            )

    @property
    def score(self) -> float:
        """Mean confidence of the joints."""
        return float(self.confidence.mean())

    @property
    def has_3d(self) -> bool:
        """Whether the network predicts 3D."""
        return bool(np.isfinite(self.keypoints_3d_relative).all())

    def to_dict(self, maps: bool = False) -> dict[str, Any]:
        """Numbers, strings and lists, as JSON has them; numbers that are not finite become None.

        Args:
            maps: Also write ``mask`` and ``depth_map``.
        """
        names = ['keypoints', 'confidence', 'keypoints_3d_relative', 'keypoints_3d', 'box', 'pose25d']
        names += ['mask', 'depth_map'] if maps else []
        found: dict[str, Any] = {name: _plain(getattr(self, name)) for name in names}
        found.update(
            metric=self.metric,
            side=self.side,
            side_score=None if self.side_score is None else float(self.side_score),
            calibrated=bool(self.calibrated),
            raw_confidence=None if self.raw_confidence is None else float(self.raw_confidence),
            crop=dict(
                matrix=self.crop.matrix.tolist(),
                size=list(self.crop.output_size),
                mirror=self.crop.mirror,
            ),
        )
        return found


@dataclass(frozen=True, eq=False)
class PictureResult:
    """All hands of one picture.

    Attributes:
        path: File or stream that it came from; None for an array.
        frame: Number in its video, stream or array of pictures, from 0; None for a picture of
            its own.
        size: ``(w, h)`` px of the picture, upright; (0, 0) where it could not be read.
        hands: Of the picture, in the order of the boxes.
        note: Why there is nothing where there is nothing, for example that the file is broken;
            empty where all is well.
        image: (H, W, 3) uint8 RGB where the caller asked to keep it.
    """

    path: str | None
    frame: int | None
    size: tuple[int, int]
    hands: tuple[HandResult, ...] = ()
    note: str = ''
    image: np.ndarray | None = field(default=None, repr=False)

    def to_dict(self, maps: bool = False) -> dict[str, Any]:
        """As :meth:`HandResult.to_dict`; without the picture."""
        return dict(
            path=self.path,
            frame=self.frame,
            size=list(self.size),
            hands=[hand.to_dict(maps) for hand in self.hands],
            note=self.note,
        )


_SHAPES = {
    'keypoints': '21 2',
    'confidence': '21',
    'keypoints_3d_relative': '21 3',
    'keypoints_3d': '21 3',
    'box': '4',
    'pose25d': '21 3',
    'mask': 'h w',
    'depth_map': 'h w',
}
_OPTIONAL = ('keypoints_3d', 'mask', 'depth_map')


def _plain(array: np.ndarray | None) -> Any:
    """Nested lists with None for what JSON cannot say."""
    if array is None:
        return None
    values = array.astype(np.float64).astype(object)
    values[~np.isfinite(array)] = None
    return values.tolist()
