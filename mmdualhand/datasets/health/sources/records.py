"""Canonical records as a table, for sets whose reader changes nothing that a check would look for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmdualhand.datasets.health.table import LabelTable
from mmdualhand.structures import NUM_JOINTS, HandSample

_PATHS = {'rgb': 'img_path', 'depth': 'depth_path', 'mask': 'mask_path'}


def table_of_records(split: str, records: Sequence[HandSample]) -> LabelTable:
    """Put records side by side.

    Args:
        split: Name of the split.
        records: At least one; a label that is absent becomes NaN.
    """
    count = len(records)
    cameras = _column(records, 'camera', (3, 3))
    paths = {
        kind: np.array([record.get(key, '') for record in records], object) for kind, key in _PATHS.items()
    }
    pictures = list(dict.fromkeys(paths['rgb'].tolist()))
    places = {path: place for place, path in enumerate(pictures)}
    rows = np.array([places[path] for path in paths['rgb']], np.int64)
    file_cameras = np.full((len(pictures), 3, 3), np.nan)
    file_cameras[rows] = cameras
    encodings = {record['depth_encoding'] for record in records if 'depth_encoding' in record}
    depth_cameras, depth_motion = _registration(records)
    return LabelTable(
        split=split,
        ids=np.array([record['sample_id'] for record in records], object),
        sides=np.array([record['hand_side'] for record in records], object),
        joints=_column(records, 'keypoints_3d', (NUM_JOINTS, 3)),
        cameras=cameras,
        uv=_column(records, 'keypoints_2d', (NUM_JOINTS, 2)),
        visible=np.array([record.get('keypoints_visible', np.ones(NUM_JOINTS)) for record in records]) > 0,
        paths=paths,
        depth_encoding=next(iter(encodings)) if len(encodings) == 1 else '',
        depth_cameras=depth_cameras,
        depth_motion=depth_motion,
        mask_values=np.array([record.get('mask_values', (1, 0)) for record in records]).reshape(count, 2),
        file_cameras=file_cameras if np.isfinite(file_cameras).all() else None,
        file_rows=rows,
    )


def _column(records: Sequence[HandSample], key: str, shape: tuple[int, ...]) -> np.ndarray:
    column = np.full((len(records), *shape), np.nan)
    for row, record in enumerate(records):
        if key in record:
            column[row] = record[key]  # type: ignore[literal-required]
    return column


def _registration(records: Sequence[HandSample]) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Cameras of the depth pictures and motions to them, where every depth picture has one of its own."""
    if not all('depth_registration' in record for record in records):
        return None, None
    cameras = np.stack([record['depth_registration']['camera'] for record in records])
    motions = []
    for record in records:
        turn, shift = (record['depth_registration'][key] for key in ('rotation', 'translation'))
        motions.append(np.concatenate([turn.T, -(turn.T @ shift)[:, None]], axis=1))
    return cameras, np.stack(motions)
