"""Hands of a video in a viewer that can be turned and played back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from mmdualhand.errors import MissingPackageError
from mmdualhand.structures import BONES, DEFAULT_REFERENCE_LENGTH_MM
from mmdualhand.structures.hand_result import HandResult
from mmdualhand.visualization.hand_view import SIDE_COLOURS
from mmdualhand.visualization.skeleton_drawing import JOINT_COLOURS

_BONE_COLOURS = [JOINT_COLOURS[child] for _, child in BONES]


def _rerun() -> ModuleType:
    try:
        import rerun
    except ImportError as error:
        raise MissingPackageError('the viewer needs rerun: pip install "mmdualhand[pictures]"') from error
    return rerun


class HandViewer:
    """Sends pictures and hands to `rerun <https://rerun.io>`_, a viewer with a time line.

    A hand whose millimetres are known stands where it is in the camera frame; any other
    stands at the origin, in mm of a hand of ordinary size.

    Args:
        save: File ``.rrd`` to write; without it a window opens.
        name: Of the recording.

    Raises:
        MissingPackageError: rerun is not installed.
    """

    def __init__(self, save: str | Path | None = None, name: str = 'mmdualhand') -> None:
        self._rr: Any = _rerun()
        self._rr.init(name, spawn=save is None)
        if save is not None:
            Path(save).parent.mkdir(parents=True, exist_ok=True)
            self._rr.save(str(save))
        self._rr.log('space', self._rr.ViewCoordinates.RDF, static=True)
        self._shown = 0

    def show(self, frame: int, image: np.ndarray | None, hands: Sequence[HandResult]) -> None:
        """Show one frame; hands of the frame before disappear.

        Args:
            frame: Its number.
            image: ``(H, W, 3)`` uint8 RGB, or None.
            hands: Of the frame.
        """
        rr = self._rr
        if hasattr(rr, 'set_time'):
            rr.set_time('frame', sequence=frame)
        else:  # rerun-sdk before 0.23
            rr.set_time_sequence('frame', frame)
        if image is not None:
            rr.log('picture', rr.Image(image))
        for place, hand in enumerate(hands):
            self._show_hand(place, hand)
        for place in range(len(hands), self._shown):
            for root in ('picture', 'space'):
                rr.log(f'{root}/hand_{place}', rr.Clear(recursive=True))
        self._shown = len(hands)

    def _show_hand(self, place: int, hand: HandResult) -> None:
        rr = self._rr
        box = np.asarray(hand.box, np.float32).reshape(2, 2)
        self._skeleton(f'picture/hand_{place}', hand.keypoints, rr.Points2D, rr.LineStrips2D, 4.0)
        sizes = [box[1] - box[0]]
        label = f'{hand.side} {hand.score:.2f}'
        rr.log(
            f'picture/hand_{place}/box',
            rr.Boxes2D(mins=[box[0]], sizes=sizes, colors=[SIDE_COLOURS[hand.side]], labels=[label]),
        )
        pose = hand.keypoints_3d
        if pose is None and hand.has_3d:
            pose = hand.keypoints_3d_relative * DEFAULT_REFERENCE_LENGTH_MM
        if pose is not None:
            self._skeleton(f'space/hand_{place}', pose, rr.Points3D, rr.LineStrips3D, 4.0)

    def _skeleton(self, path: str, joints: np.ndarray, points: Any, strips: Any, radius: float) -> None:
        known = np.isfinite(joints).all(axis=-1)
        shown = [place for place, bone in enumerate(BONES) if known[list(bone)].all()]
        lines = [joints[list(BONES[place])] for place in shown]
        colours = [_BONE_COLOURS[place] for place in shown]
        self._rr.log(f'{path}/bones', strips(lines, colors=colours, radii=0.5 * radius))
        colours = [colour for colour, yes in zip(JOINT_COLOURS, known, strict=True) if yes]
        self._rr.log(f'{path}/joints', points(joints[known], colors=colours, radii=radius))
