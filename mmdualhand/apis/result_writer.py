"""What ``mmdualhand infer`` leaves behind: overlays, a video and the numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TextIO

from mmdualhand.apis.video_writer import VideoWriter
from mmdualhand.apis.write_image import write_image
from mmdualhand.errors import ConfigError
from mmdualhand.structures import JOINT_NAMES, PictureResult
from mmdualhand.visualization import side_by_side

UNITS = {
    'keypoints': 'px of the upright picture, a whole number is the centre of a pixel',
    'confidence': 'probability of a 2D error below 0.05 of the crop where calibrated, else a raw score',
    'raw_confidence': 'mean raw score of the joints',
    'keypoints_3d_relative': 'lengths of the bone middle MCP to PIP, from the middle MCP; x right, y down, '
    'z away',
    'keypoints_3d': 'mm in the camera frame, or null',
    'box': 'x0, y0, x1, y1 px',
    'pose25d': 'px of the 64 x 64 grid of the crop; depth as keypoints_3d_relative',
}
"""Key of a hand in ``results.json`` to its unit and frame, written into the file."""

_ORBIT_STEP_DEG = 2.0
_MOST_COLUMNS = 2  # of 3D views beside a picture


class ResultWriter:
    """Writes results as they come; a context manager.

    ``results.json`` is a JSON object with ``model``, ``joints``, ``units`` and ``pictures``, one
    line a picture. ``pictures/`` holds a JPEG for every picture that could be read, ``hands.mp4``
    all of them one after the other. Each picture of a folder has a 3D view for up to two of its
    hands; in a video, whose size must stay, the hands of its first frame say for how many.

    Args:
        out: Folder, made where it is missing.
        model: Named in the file.
        pictures: Whether to write ``pictures/``.
        video: Whether to write ``hands.mp4``.
        fps: Of the video.
        height: Of pictures and video, px.

    Attributes:
        count: Results so far.
        read: Of these, pictures that could be read.
        hands: In them.
        notes: What went wrong, with names.

    Raises:
        ConfigError: The folder cannot be written, or fps or height have no meaning.
    """

    def __init__(
        self,
        out: str | Path,
        model: str = '',
        *,
        pictures: bool = True,
        video: bool = False,
        fps: float = 25.0,
        height: int = 480,
    ) -> None:
        if height < 64:
            raise ConfigError(f'the height of pictures must be at least 64 px, got {height}')
        self.out = Path(out)
        self.count = self.hands = self.read = 0
        self.notes: list[str] = []
        self._height = height + height % 2
        self._pictures = self.out / 'pictures' if pictures else None
        self._video = VideoWriter(self.out / 'hands.mp4', fps) if video else None
        self._names: set[str] = set()
        self._columns = 0
        try:
            (self._pictures or self.out).mkdir(parents=True, exist_ok=True)
            self._file: TextIO = (self.out / 'results.json').open('w', encoding='utf-8')
        except OSError as error:
            raise ConfigError(f'{out} cannot be written: {error.strerror or error}') from error
        about = {'model': model, 'joints': JOINT_NAMES, 'units': UNITS}
        self._file.write(json.dumps(about)[:-1] + ', "pictures": [')

    def __enter__(self) -> ResultWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish the files; what was written so far can be read."""
        if not self._file.closed:
            self._file.write('\n]}\n')
            self._file.close()
        if self._video is not None:
            self._video.close()

    def write(self, result: PictureResult) -> None:
        """Write one result; it must have kept its image.

        Raises:
            ConfigError: The picture or video cannot be written.
        """
        record: dict[str, Any] = result.to_dict()
        self._file.write((',\n' if self.count else '\n') + json.dumps(record))
        if result.note:
            where = result.path or 'picture'
            self.notes.append(result.note if where in result.note else f'{where}: {result.note}')
        if result.image is not None and (self._pictures or self._video):
            self._draw(result)
        self.count += 1
        self.hands += len(result.hands)
        self.read += min(result.size) > 0

    def _draw(self, result: PictureResult) -> None:
        if result.image is None:
            return
        if self._video is None or not self._columns:
            self._columns = min(max(len(result.hands), 1), _MOST_COLUMNS)
        azimuth = _ORBIT_STEP_DEG * self.count
        frame = side_by_side(
            result.image, result.hands, self._height, hands=self._columns, azimuth_deg=azimuth
        )
        if self._video is not None:
            self._video.write(frame)
        if self._pictures is not None:
            write_image(self._pictures / f'{self._name(result)}.jpg', frame)

    def _name(self, result: PictureResult) -> str:
        stem = Path(result.path).stem if result.path else 'picture'
        stem = stem if result.frame is None else f'{stem}_{result.frame:06d}'
        name, number = stem, 2
        while name in self._names:
            name, number = f'{stem}_{number}', number + 1
        self._names.add(name)
        return name
