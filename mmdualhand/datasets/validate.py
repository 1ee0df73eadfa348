"""Checks of canonical records: one by one for shape and unit, a few together for mix-ups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmdualhand.errors import DataError
from mmdualhand.structures import (
    JOINT_NAMES,
    NUM_JOINTS,
    REFERENCE_BONE,
    ROOT_JOINT,
    Camera,
    HandSample,
    chirality_scores,
)

REFERENCE_RANGE_MM = (5.0, 120.0)
ROOT_DEPTH_RANGE_MM = (50.0, 5000.0)
SWAP_HINT = 'are x and y swapped?'

_LABEL_SHAPES = {
    'keypoints_2d': (NUM_JOINTS, 2),
    'keypoints_3d': (NUM_JOINTS, 3),
    'keypoints_visible': (NUM_JOINTS,),
}
_PAIRS = (('depth_path', 'depth_encoding'), ('mask_path', 'mask_values'))


def check_record(record: Mapping[str, Any], where: str = '') -> None:
    """Check one record: keys, shapes, finite numbers, side, units.

    ``keypoints_3d`` need a ``camera``. Where there are 2D labels alone, joints that
    are not visible may be NaN in ``keypoints_2d``.
    ``root_depth`` must be that of ``keypoints_3d`` where both are given;
    ``ref_length`` may differ from the bone 9-10, for sets that are lifted with a
    constant length.

    Args:
        record: See :class:`mmdualhand.structures.HandSample`.
        where: File or dataset it comes from, named in the error.

    Raises:
        DataError: Something is wrong; the message names the record and the key.
    """
    name = f'record {record.get("sample_id", "without sample_id")!r}' + (f' of {where}' if where else '')
    for key in ('sample_id', 'img_path', 'hand_side'):
        if key not in record:
            raise DataError(f'{name} has no {key!r}; a record must have sample_id, img_path and hand_side.')
    if record['hand_side'] not in ('left', 'right'):
        raise DataError(f"{name}: hand_side must be 'left' or 'right', got {record['hand_side']!r}.")
    if 'camera' in record:
        _check_camera(record['camera'], f'{name}: camera')
    elif 'keypoints_3d' in record:
        raise DataError(f"{name} has keypoints_3d and no 'camera', which 3D labels need.")
    for key, shape in _LABEL_SHAPES.items():
        if key in record:
            _check_array(record[key], shape, f'{name}: {key}', _may_be_unknown(record, key))
    for first, second in _PAIRS:
        if (first in record) != (second in record):
            raise DataError(f'{name}: {first} and {second} belong together, one of them is missing.')
    if 'depth_registration' in record:
        _check_registration(record, f'{name}: depth_registration')
    _check_scale(record, name)


def _check_camera(value: Any, name: str) -> None:
    try:
        Camera(value)
    except (ValueError, TypeError) as error:
        raise DataError(f'{name} is no intrinsic matrix: {error}.') from error


def _check_registration(record: Mapping[str, Any], name: str) -> None:
    motion = record['depth_registration']
    if 'depth_path' not in record:
        raise DataError(f'{name} is there and depth_path is not; they belong together.')
    if not isinstance(motion, Mapping) or set(motion) != {'camera', 'rotation', 'translation'}:
        raise DataError(f'{name} must be a dictionary of camera, rotation and translation.')
    _check_camera(motion['camera'], f'{name}: camera')
    rotation, translation = np.asarray(motion['rotation']), np.asarray(motion['translation'])
    if translation.shape != (3,) or not np.isfinite(translation).all():
        raise DataError(f'{name}: translation must be 3 finite numbers of mm, got {translation.tolist()}.')
    turned = rotation.shape == (3, 3) and np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3)
    if not turned or np.linalg.det(rotation) < 0:
        raise DataError(f'{name}: rotation is no rotation matrix: {rotation.tolist()}.')


def _may_be_unknown(record: Mapping[str, Any], key: str) -> np.ndarray:
    """(21,) bool: joints that 2D labels on their own may leave open."""
    visible = np.asarray(record.get('keypoints_visible', 1))
    if key != 'keypoints_2d' or 'keypoints_3d' in record or visible.shape != (NUM_JOINTS,):
        return np.zeros(NUM_JOINTS, bool)
    return visible == 0


def _check_array(value: Any, shape: tuple[int, ...], name: str, unknown: np.ndarray) -> None:
    array = np.asarray(value)
    if array.shape != shape:
        raise DataError(f'{name} must have shape {shape}, got {array.shape}.')
    broken = ~np.isfinite(array).reshape(NUM_JOINTS, -1).all(axis=-1) & ~unknown
    if broken.any():
        joints = np.nonzero(broken)[0].tolist()
        raise DataError(
            f'{name} is not finite at joints {joints}; leave the key out of a record without labels.'
        )


def _check_scale(record: Mapping[str, Any], name: str) -> None:
    """Refuse lengths that cannot be millimetres, and a root depth that is not the root's."""
    root, length = (_number(record, key, name) for key in ('root_depth', 'ref_length'))
    if root is not None:
        _check_range(root, ROOT_DEPTH_RANGE_MM, f'{name}: root_depth')
    if 'keypoints_3d' in record:
        joints = np.asarray(record['keypoints_3d'])
        depth = float(joints[ROOT_JOINT, 2])
        if depth <= 0:
            raise DataError(
                f'{name}: the middle MCP of keypoints_3d lies behind the camera (z = {depth:g}); the camera '
                'frame is x right, y down, z forward.'
            )
        start, end = REFERENCE_BONE
        bone = float(np.linalg.norm(joints[end] - joints[start]))
        _check_range(bone, REFERENCE_RANGE_MM, f'{name}: the bone 9-10 of keypoints_3d')
        if root is not None and abs(root - depth) > 1.0 + 0.01 * depth:
            raise DataError(
                f'{name}: root_depth is {root:g} mm, but the middle MCP of keypoints_3d lies at z = '
                f'{depth:g} mm; they must agree.'
            )
    if length is not None:
        _check_range(length, REFERENCE_RANGE_MM, f'{name}: ref_length')


def _number(record: Mapping[str, Any], key: str, name: str) -> float | None:
    if key not in record:
        return None
    try:
        value = float(record[key])
    except (TypeError, ValueError):
        raise DataError(f'{name}: {key} must be a number of millimetres, got {record[key]!r}.') from None
    if not (np.isfinite(value) and value > 0):
        raise DataError(
            f'{name}: {key} must be finite and positive, got {value:g}; leave the key out where it is '
            'unknown.'
        )
    return value


def _check_range(length: float, span: tuple[float, float], what: str) -> None:
    low, high = span
    if not low <= length <= high:
        guess = 'is no hand in millimetres'
        for unit, factor in (('metres', 1000), ('centimetres', 10)):
            if low <= factor * length <= high:
                guess = f'looks like {unit}'
                break
        raise DataError(f'{what} measures {length:.4g}, which {guess}; records are in millimetres.')


def find_mixups(
    records: Sequence[HandSample],
    image_sizes: Sequence[tuple[int, int] | None],
    tolerance: float | None = 2.0,
) -> list[str]:
    """Look at several records together for what a single one cannot show.

    Args:
        records: Checked records.
        image_sizes: (w, h) of each record's image, None where unknown.
        tolerance: Largest median distance, px, between ``keypoints_2d`` and the
            projection of ``keypoints_3d``; None leaves this check out.

    Returns:
        One sentence per finding; empty if nothing was found.
    """
    findings = _joints_outside(records, image_sizes)
    if tolerance is not None:
        findings += _bad_projections(records, tolerance)
    return findings + _wrong_side(records)


def _joints_outside(records: Sequence[HandSample], sizes: Sequence[tuple[int, int] | None]) -> list[str]:
    outside, counted = np.zeros(NUM_JOINTS), np.zeros(NUM_JOINTS)
    for record, size in zip(records, sizes, strict=True):
        if size is None or 'keypoints_2d' not in record:
            continue
        uv = record['keypoints_2d']
        seen = np.asarray(record.get('keypoints_visible', np.ones(NUM_JOINTS))) > 0
        counted += seen
        outside += seen & ((uv < -0.5) | (uv > np.array(size) - 0.5)).any(axis=-1)
    share = outside / np.maximum(counted, 1)
    return [
        f'joint {joint} ({JOINT_NAMES[joint]}) is outside the image in {share[joint]:.0%} of '
        f'{int(counted[joint])} samples; {SWAP_HINT}'
        for joint in np.nonzero((share > 0.5) & (counted >= 2))[0]
    ]


def _bad_projections(records: Sequence[HandSample], tolerance: float) -> list[str]:
    labelled = [record for record in records if 'keypoints_2d' in record and 'keypoints_3d' in record]
    errors, swapped = [], []
    for record in labelled:
        projected = Camera(record['camera']).project(record['keypoints_3d'])
        errors.append(np.linalg.norm(projected - record['keypoints_2d'], axis=-1))
        swapped.append(np.linalg.norm(projected - record['keypoints_2d'][:, ::-1], axis=-1))
    if not errors or float(np.median(errors)) <= tolerance:
        return []
    hint = (
        SWAP_HINT
        if np.median(swapped) <= tolerance
        else ('does camera belong to this image size, and keypoints_3d to this camera?')
    )
    worst = int(np.argmax(np.mean(errors, axis=0)))
    return [
        f'keypoints_3d projected with camera is {np.median(errors):.1f} px (median) from keypoints_2d, '
        'worst at '
        f'joint {worst} ({JOINT_NAMES[worst]}), in {len(labelled)} samples; {hint}'
    ]


def _wrong_side(records: Sequence[HandSample]) -> list[str]:
    findings = []
    for side, sign in (('left', 1), ('right', -1)):
        joints = [r['keypoints_3d'] for r in records if r['hand_side'] == side and 'keypoints_3d' in r]
        if len(joints) < 4:
            continue
        against = np.sign(chirality_scores(np.stack(joints))) == sign
        if against.mean() > 0.75:  # single hands may bend backwards, nearly all do not
            findings.append(
                f'{len(joints)} hands are labelled {side!r} but bend the other way; is hand_side, the '
                'joint order '
                'or the sign of an axis wrong?'
            )
    return findings
