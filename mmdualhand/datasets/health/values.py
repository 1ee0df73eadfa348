"""Labels that are no numbers, no cameras, or twice there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WRONG, Row
from mmdualhand.datasets.health.table import LabelTable, listed
from mmdualhand.structures import JOINT_NAMES

CHECK = 'numbers'


def check_values(
    table: LabelTable, broken: Mapping[str, str], unlabelled_allowed: bool
) -> tuple[list[Row], LabelTable]:
    """Find labels that cannot be used.

    Args:
        table: As read.
        broken: Samples of the split that could not be put into the table, and why.
        unlabelled_allowed: Whether a sample without any coordinate is a sample without label.

    Returns:
        The rows, and the table without the broken samples.
    """
    bad: dict[str, str] = dict(broken)
    gone = np.zeros(len(table), bool)
    for name, values, whole in (
        ('keypoints_3d', table.joints, unlabelled_allowed),
        ('keypoints_2d', table.uv, True),
    ):
        if values is None:
            continue
        finite = np.isfinite(values).all(axis=-1)
        wrong = ~finite.all(axis=1) & ~(whole & ~finite.any(axis=1))
        if name == 'keypoints_2d':
            wrong &= (~finite & table.seen).any(axis=1)
        for row in np.nonzero(wrong & ~gone)[0].tolist():
            joints = np.nonzero(~finite[row])[0].tolist()
            text = listed([f'{joint} ({JOINT_NAMES[joint]})' for joint in joints])
            bad[str(table.ids[row])] = f'joint NaN in record {table.ids[row]}: {name}, joint {text}'
        gone |= wrong
    for row, text in _no_cameras(table).items():
        bad.setdefault(str(table.ids[row]), text)
        gone[row] = True
    return [_value_row(table, bad), _unique_row(table)], table.keep(~gone)


def _value_row(table: LabelTable, bad: Mapping[str, str]) -> Row:
    total = len(table)
    labelled = int(np.isfinite(table.joints).any(axis=(1, 2)).sum())
    flat = 0 if table.uv is None else int(np.isfinite(table.uv).any(axis=(1, 2)).sum())
    if bad:
        text = f'{len(bad)} of {total} labels cannot be used: {listed(list(bad.values()), 2)}'
        advice = "get the label file again, or leave such records out with the reader's on_error='skip'"
        return Row(CHECK, table.split, WRONG, text, advice)
    if not total:
        return Row(CHECK, table.split, NOT_APPLICABLE, 'no samples')
    stored = f' and {flat} 2D' if flat else ''
    without = f', {total - labelled} samples without 3D label' if labelled < total else ''
    return Row(CHECK, table.split, OK, f'{labelled} 3D{stored} labels, every coordinate finite{without}')


def _no_cameras(table: LabelTable) -> dict[int, str]:
    """Rows whose intrinsics are given and are no pinhole camera."""
    given = np.isfinite(table.cameras).any(axis=(1, 2))
    cameras = table.cameras
    fine = (
        np.isfinite(cameras).all(axis=(1, 2))
        & (cameras[:, 2] == (0, 0, 1)).all(axis=1)
        & (cameras[:, 0, 0] > 0)
        & (cameras[:, 1, 1] > 0)
    )
    return {
        row: f'K of record {table.ids[row]} is no intrinsic matrix: {cameras[row].tolist()}'
        for row in np.nonzero(given & ~fine)[0].tolist()
    }


def _unique_row(table: LabelTable) -> Row:
    names, counts = np.unique(table.ids.astype(str), return_counts=True)
    if (counts > 1).any():
        text = f'{int((counts > 1).sum())} sample ids are there more than once: {listed(names[counts > 1])}'
        return Row('sample ids', table.split, WRONG, text, 'remove the rows that are there twice')
    return Row('sample ids', table.split, OK, f'{len(table)} different ids')


def check_in_front(table: LabelTable) -> list[Row]:
    """Find joints at or behind the camera of labels in millimetres; no row where there are none."""
    depth = table.xyz[table.labelled][..., 2]
    behind = (depth <= 0).any(axis=1)
    if not behind.any():
        return []
    text = (
        f'{int(behind.sum())} of {len(behind)} hands have joints behind the camera (z <= 0): '
        f'{listed(table.ids[table.labelled][behind])}'
    )
    advice = 'the frame must be x right, y down, z forward; labels of OpenGL have y and z the other way'
    return [Row('in front of the camera', table.split, WRONG, text, advice)]
