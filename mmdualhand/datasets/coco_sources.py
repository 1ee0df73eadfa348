"""How publishers write hands into COCO files: joint order, side and unit of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdualhand.datasets.label_cameras import UNITS_MM
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.structures import NUM_JOINTS, Camera, HandSample, HandSkeleton

SIDES = ('annotation', 'file_name', 'right', 'left')
_SIDE_ENDING = re.compile(r'_([lr])\.\w+$')


@dataclass(frozen=True)
class CocoSource:
    """What one kind of COCO file leaves unsaid.

    Attributes:
        name: Name of the dataset, printed with results.
        joint_order: Name of an order that ``HandSkeleton`` knows, or 21 gather
            indices (canonical = raw[gather]).
        side: ``'annotation'``: the key ``hand_type`` says it. ``'file_name'``: left
            where the picture's name ends in ``_l``, else right. ``'right'`` or
            ``'left'``: all hands.
        unit: Of 3D joints: ``'mm'``, ``'cm'`` or ``'m'``.
    """

    name: str
    joint_order: str | Sequence[int] = 'freihand'
    side: str = 'annotation'
    unit: str = 'mm'

    def changed(
        self, joint_order: str | Sequence[int] | None, side: str | None, unit: str | None
    ) -> CocoSource:
        """The source with the options that are not None.

        Raises:
            ConfigError: An option has no meaning.
        """
        source = CocoSource(
            self.name,
            self.joint_order if joint_order is None else joint_order,
            self.side if side is None else side,
            self.unit if unit is None else unit,
        )
        if source.side not in SIDES:
            raise ConfigError(f'side must be one of {", ".join(SIDES)}, got {source.side!r}')
        if source.unit not in UNITS_MM:
            raise ConfigError(f'unit must be one of {", ".join(UNITS_MM)}, got {source.unit!r}')
        source.skeleton()
        return source

    def skeleton(self) -> HandSkeleton:
        """The joint order.

        Raises:
            ConfigError: It is not known, or no 21 different indices.
        """
        try:
            if isinstance(self.joint_order, str):
                return HandSkeleton.from_dataset(self.joint_order)
            return HandSkeleton(self.name, np.array(self.joint_order))
        except ValueError as error:
            raise ConfigError(f'joint_order: {error}') from error


EXPORT, INTERHAND = 'mmdualhand', 'interhand3d'
SOURCES: dict[str, CocoSource] = {
    EXPORT: CocoSource('COCO hands'),
    # MMPose names the joints from base to tip; the numbers are RHD's own, from tip to base.
    'rhd': CocoSource('RHD', 'rhd_left'),
    'freihand': CocoSource('FreiHAND', side='right'),
    # The files do not say which hand it is: nothing is mirrored.
    'onehand10k': CocoSource('OneHand10K', side='right'),
    'panoptic': CocoSource('Panoptic', side='file_name'),
    INTERHAND: CocoSource('InterHand2.6M', 'interhand_right'),
}
"""Name to what its files look like; MMPose's annotation files, except for our own export."""


def parse_annotation(
    annotation: Mapping[str, Any], image: Mapping[str, Any], source: CocoSource, picture: str
) -> HandSample:
    """One hand of an MMPose-style file as a canonical record.

    A joint that is (0, 0) and not visible is unlabelled. Where the annotation
    has 3D joints (``joint_cam``) and the image a camera (``cam_param``), such a
    joint is their projection; with 2D labels alone it is NaN.

    Args:
        annotation: With ``keypoints``, 21 times u, v, visible.
        image: Its image.
        source: What the file leaves unsaid.
        picture: Path of the image.

    Returns:
        The record.

    Raises:
        DataError: The annotation has another form; the message names the key.
    """
    skeleton = source.skeleton()
    side = _side(annotation, image, source)
    raw = _numbers(annotation, 'keypoints', 3)
    points = skeleton.to_canonical(raw, axis=0)
    record: HandSample = {
        'sample_id': f'{annotation["id"]}/{side}',
        'img_path': picture,
        'hand_side': side,
        'keypoints_2d': points[:, :2].copy(),
        'keypoints_visible': (points[:, 2] > 0).astype(np.float32),
    }
    unlabelled = (points == 0).all(axis=1)
    record['keypoints_2d'][unlabelled] = np.nan
    if 'cam_param' in image:
        record['camera'] = camera_matrix(image['cam_param'])
    if 'joint_cam' in annotation and 'camera' in record:
        joints = skeleton.to_canonical(_numbers(annotation, 'joint_cam', 3), axis=0) * UNITS_MM[source.unit]
        record['keypoints_3d'] = joints
        projected = Camera(record['camera']).project(joints)
        record['keypoints_2d'][unlabelled] = projected[unlabelled]
    return record


def camera_matrix(parameters: Any) -> np.ndarray:
    """(3, 3) intrinsics from ``{'focal': [fx, fy], 'princpt': [cx, cy]}``, px.

    Raises:
        DataError: There are no such numbers.
    """
    try:
        (fx, fy), (cx, cy) = parameters['focal'], parameters['princpt']
        camera = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], np.float64)
    except (KeyError, TypeError, ValueError):
        raise DataError(f'a camera must have two numbers focal and princpt, got {parameters!r}') from None
    return camera


def _side(annotation: Mapping[str, Any], image: Mapping[str, Any], source: CocoSource) -> str:
    if source.side in ('right', 'left'):
        return source.side
    if source.side == 'file_name':
        ending = _SIDE_ENDING.search(str(image['file_name']))
        return 'left' if ending is not None and ending.group(1) == 'l' else 'right'
    side = annotation.get('hand_type')
    if side not in ('left', 'right'):
        raise DataError(
            f"hand_type must be 'left' or 'right', got {side!r}; where the file does not say it, choose "
            "side='right' or side='left'"
        )
    return str(side)


def _numbers(annotation: Mapping[str, Any], key: str, width: int) -> np.ndarray:
    """(21, width) float64 of a flat or nested list."""
    try:
        values = np.asarray(annotation[key], dtype=np.float64)
    except KeyError:
        raise DataError(f'{key} is missing') from None
    except (TypeError, ValueError):
        raise DataError(f'{key} must be numbers') from None
    if values.shape not in ((NUM_JOINTS * width,), (NUM_JOINTS, width)):
        raise DataError(f'{key} must be 21 times {width} numbers, got shape {values.shape}')
    if not np.isfinite(values).all():
        raise DataError(f'{key} holds NaN or infinite numbers')
    return values.reshape(NUM_JOINTS, width)
