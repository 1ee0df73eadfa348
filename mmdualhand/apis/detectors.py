"""Where hands are: the form of a detector, and an adapter for MediaPipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.errors import ConfigError, DataError, MissingPackageError
from mmdualhand.structures import SIDES

Detector = Callable[[np.ndarray], Any]
"""From an ``(H, W, 3)`` uint8 RGB picture to boxes ``(N, 4)``, or to boxes and N sides."""

_OTHER_SIDE = {'left': 'right', 'right': 'left'}


def detect(detector: Detector, image: np.ndarray) -> tuple[np.ndarray, list[str | None]]:
    """Ask a detector and check its answer.

    Args:
        detector: See :data:`Detector`; N may be 0, a side may be None.
        image: ``(H, W, 3)`` uint8 RGB.

    Returns:
        ``(N, 4)`` float64 x0, y0, x1, y1 px, and N sides or None each. Boxes that are not finite
        or have no area are left out.

    Raises:
        DataError: The answer has another form.
    """
    answer = detector(image)
    boxes, sides = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, None)
    boxes = np.asarray(boxes, np.float64)
    boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise DataError(f'the detector must return boxes (N, 4), got {boxes.shape}')
    named: list[str | None] = [None] * len(boxes) if sides is None else list(sides)
    if len(named) != len(boxes) or any(side is not None and side not in SIDES for side in named):
        raise DataError(f'the detector must return a side of {SIDES} or None for each box, got {named}')
    usable = np.isfinite(boxes).all(1) & (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return boxes[usable], [side for side, good in zip(named, usable, strict=True) if good]


class MediaPipeDetector:
    """MediaPipe's hand landmarks as a detector: boxes about its 21 points, and sides.

    Needs the package ``mediapipe``, an optional extra; it is imported here and nowhere else.

    Args:
        model_path: ``hand_landmarker.task`` of MediaPipe's pages, for its newer interface. None:
            the older one (``mediapipe.solutions``), which carries its model.
        max_hands: Most hands in one picture.
        min_confidence: Of a detection, 0..1.

    Raises:
        MissingPackageError: mediapipe is not installed.
        ConfigError: This mediapipe has no ``solutions`` and no ``model_path`` was given.
    """

    def __init__(
        self, model_path: str | Path | None = None, max_hands: int = 2, min_confidence: float = 0.5
    ) -> None:
        try:
            import mediapipe
        except ImportError as error:
            raise MissingPackageError(
                'MediaPipeDetector needs mediapipe, which is not installed: pip install '
                '"mmdualhand[mediapipe]" (or mediapipe alone)'
            ) from error
        self._mediapipe: Any = mediapipe
        if model_path is None and not hasattr(mediapipe, 'solutions'):
            raise ConfigError(
                'this mediapipe has no solutions.hands any more: pass model_path="hand_landmarker.task", the '
                'file from its pages'
            )
        if model_path is None:
            self._landmarks = self._open_solutions(max_hands, min_confidence)
        else:
            self._landmarks = self._open_tasks(model_path, max_hands, min_confidence)

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, list[str | None]]:
        """Detect.

        Args:
            image: ``(H, W, 3)`` uint8 RGB.

        Returns:
            ``(N, 4)`` boxes px about the landmarks, and N sides.
        """
        height, width = image.shape[:2]
        boxes, sides = [], []
        for points, label in self._landmarks(np.ascontiguousarray(image)):
            # Their x and y are shares of the picture; ours are pixels with whole numbers at centres.
            uv = np.array([(point.x, point.y) for point in points]) * (width, height) - 0.5
            boxes.append([*uv.min(0), *uv.max(0)])
            # MediaPipe names the hand as in a mirrored, selfie picture.
            sides.append(_OTHER_SIDE.get(str(label).lower()))
        return np.array(boxes, np.float64).reshape(-1, 4), sides

    def _open_solutions(self, max_hands: int, min_confidence: float) -> Callable[..., list[Any]]:
        hands = self._mediapipe.solutions.hands.Hands(
            static_image_mode=True, max_num_hands=max_hands, min_detection_confidence=min_confidence
        )

        def find(image: np.ndarray) -> list[Any]:
            found = hands.process(image)
            points: Sequence[Any] = found.multi_hand_landmarks or ()
            sides: Sequence[Any] = found.multi_handedness or ()
            return [
                (one.landmark, side.classification[0].label) for one, side in zip(points, sides, strict=True)
            ]

        return find

    def _open_tasks(
        self, model_path: str | Path, max_hands: int, min_confidence: float
    ) -> Callable[..., list[Any]]:
        tasks: Any = self._mediapipe.tasks
        options = tasks.vision.HandLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(model_path)),
            num_hands=max_hands,
            min_hand_detection_confidence=min_confidence,
        )
        landmarker = tasks.vision.HandLandmarker.create_from_options(options)

        def find(image: np.ndarray) -> list[Any]:
            picture = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=image)
            found = landmarker.detect(picture)
            return [
                (points, side[0].category_name)
                for points, side in zip(found.hand_landmarks, found.handedness, strict=True)
            ]

        return find
