"""InterHand2.6M's three json files (Moon et al., ECCV 2020): both hands of a picture, world to camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.datasets.coco_file import annotated_hands, read_json
from mmdualhand.datasets.coco_sources import camera_matrix
from mmdualhand.datasets.label_cameras import UNITS_MM
from mmdualhand.errors import DataError
from mmdualhand.structures import Camera, HandSample, HandSkeleton

SHOWN = {'right': ('right',), 'left': ('left',), 'interacting': ('right', 'left')}
_CAMERA_KEYS = ('campos', 'camrot', 'focal', 'princpt')
_SKELETONS = {side: HandSkeleton.from_dataset(f'interhand_{side}') for side in ('right', 'left')}


class InterHandLabels:
    """The files ``*_camera.json`` and ``*_joint_3d.json`` that belong to an annotation.

    Args:
        camera_file: Capture to ``campos``, ``camrot``, ``focal``, ``princpt``, each
            by camera.
        joint_file: Capture to frame to ``world_coord``, 42 joints.
        unit: Of both.

    Raises:
        DataError: A file is no such dictionary.
    """

    def __init__(self, camera_file: Path, joint_file: Path, unit: str) -> None:
        self._files = {'camera': camera_file, 'joint': joint_file}
        self._factor = UNITS_MM[unit]
        self._cameras, self._joints = read_json(camera_file), read_json(joint_file)
        for path, content in ((camera_file, self._cameras), (joint_file, self._joints)):
            if not isinstance(content, Mapping) or not content:
                raise DataError(f'{path} must hold a dictionary by capture and is empty or something else.')

    def joints(self, image: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Joints and camera of an image.

        Args:
            image: With ``capture``, ``camera`` and ``frame_idx``.

        Returns:
            (42, 3) float64 mm in the camera frame, raw order, and (3, 3) intrinsics px.

        Raises:
            DataError: A file does not have them.
        """
        try:
            capture, camera, frame = (str(image[key]) for key in ('capture', 'camera', 'frame_idx'))
        except KeyError as error:
            raise DataError(f'its image has no {error}') from None
        parts = {key: self._look_up('camera', capture, key, camera) for key in _CAMERA_KEYS}
        world = _array(self._look_up('joint', capture, frame, 'world_coord'), (42, 3), 'world_coord')
        position = _array(parts['campos'], (3,), 'campos')
        rotation = _array(parts['camrot'], (3, 3), 'camrot')
        return (world - position) @ rotation.T * self._factor, camera_matrix(parts)

    def _look_up(self, file: str, *keys: str) -> Any:
        value = self._cameras if file == 'camera' else self._joints
        for key in keys:
            if not isinstance(value, Mapping) or key not in value:
                raise DataError(f'{self._files[file]} has no entry {" / ".join(keys)}')
            value = value[key]
        return value


def interhand_records(
    coco: Any, path: Path, labels: InterHandLabels, folder: Path
) -> Iterator[tuple[str, HandSample | str | None]]:
    """Every complete hand of every picture.

    Args:
        coco: The annotation file.
        path: Its path.
        labels: Cameras and joints.
        folder: Where the pictures are.

    Yields:
        Sample id, and the record; in words why there is none; None for a hand
        some of whose joints are marked as not valid.

    Raises:
        DataError: An annotation is of no listed image.
    """
    for annotation, image in annotated_hands(coco, path):
        try:
            joints, camera = labels.joints(image)
            valid = _array(annotation.get('joint_valid'), None, 'joint_valid').reshape(-1)
            if valid.shape != (42,):
                raise DataError(f'joint_valid must be 42 numbers, got {valid.size}')
            sides = _shown(annotation)
        except DataError as error:
            yield str(annotation['id']), str(error)
            continue
        for side in sides:
            skeleton = _SKELETONS[side]
            canonical = skeleton.to_canonical(joints, axis=0)
            if not (skeleton.to_canonical(valid, axis=0) > 0).all() or not np.isfinite(canonical).all():
                yield f'{annotation["id"]}/{side}', None
                continue
            sample = f'{annotation["id"]}/{side}'
            yield (
                sample,
                {
                    'sample_id': sample,
                    'img_path': str(folder / str(image['file_name'])),
                    'hand_side': side,
                    'camera': camera.copy(),
                    'keypoints_2d': Camera(camera).project(canonical),
                    'keypoints_3d': canonical,
                    'keypoints_visible': np.ones(len(canonical), np.float32),
                },
            )


def _shown(annotation: Mapping[str, Any]) -> tuple[str, ...]:
    kind = annotation.get('hand_type')
    if kind not in SHOWN:
        raise DataError(f'hand_type must be one of {", ".join(SHOWN)}, got {kind!r}')
    return SHOWN[str(kind)]


def _array(value: Any, shape: tuple[int, ...] | None, name: str) -> np.ndarray:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f'{name} must be numbers') from None
    if shape is not None and array.shape != shape:
        raise DataError(f'{name} must have shape {shape}, got {array.shape}')
    return array
