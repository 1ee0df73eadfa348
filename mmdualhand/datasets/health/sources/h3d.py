"""H3D's label file as tables, with intrinsics as stored: its reader repairs them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from mmdualhand.datasets.h3d import H3DDataset
from mmdualhand.datasets.h3d_table import H3DTable, read_h3d_table
from mmdualhand.datasets.health.facts import FACTS
from mmdualhand.datasets.health.sources.survey import Options, Survey, check_options, pick_splits
from mmdualhand.datasets.health.table import LabelTable
from mmdualhand.datasets.label_cameras import UNITS_MM, detect_unit
from mmdualhand.errors import DataError
from mmdualhand.structures import HandSkeleton
from mmdualhand.structures.h3d_split import h3d_split

SPLITS = ('train', 'test')
_UNIT_NAMES = {'m': 'metre', 'cm': 'centimetre', 'mm': 'millimetre'}


def survey_h3d(root: Path, wanted: list[str] | None, options: Options) -> Survey:
    """Read what is there of H3D.

    Args:
        root: The folder ``H3D_crop``.
        wanted: Splits; both by default.
        options: ``with_objects``: also check frames with an object in the hand.
    """
    check_options(options, ('with_objects',), 'h3d')
    survey = Survey(FACTS['h3d'], root, pairs=[SPLITS])
    path = root / 'annotation.json'
    if not path.is_file():
        survey.absent.append(str(path))
        return survey
    try:
        table, problems = read_h3d_table(path)
    except DataError as error:
        survey.unreadable.append(str(error))
        return survey
    every = bool(options.get('with_objects', False))
    kept = np.nonzero(table.without_object | every)[0]
    joints = HandSkeleton.from_dataset('h3d').to_canonical(table.keypoints_3d, axis=1)
    unit = _unit(joints, path)
    survey.facts = replace(survey.facts, unit=_UNIT_NAMES[unit])
    rows_of = h3d_split(len(kept))
    for split in pick_splits(wanted, SPLITS, 'h3d'):
        rows = kept[rows_of[split]]
        fine = np.isfinite(table.camera[rows, 0, 0])
        survey.broken[split] = {
            table.names[row]: f'joint NaN in record {table.names[row]}: {problems[table.names[row]]}'
            if 'NaN' in problems[table.names[row]]
            else problems[table.names[row]]
            for row in rows[~fine].tolist()
        }
        survey.tables.append(_table(root, split, table, rows[fine], joints * UNITS_MM[unit]))
        survey.readers[split] = partial(H3DDataset, root, split, without_object=not every)
    return survey


def _unit(joints: np.ndarray, path: Path) -> str:
    finite = joints[np.isfinite(joints).all(axis=(1, 2))]
    try:
        return detect_unit(finite, str(path)) if len(finite) else 'mm'
    except DataError:
        return 'mm'


def _table(root: Path, split: str, table: H3DTable, rows: np.ndarray, joints: np.ndarray) -> LabelTable:
    names = [table.names[row] for row in rows.tolist()]
    skeleton = HandSkeleton.from_dataset('h3d')
    return LabelTable(
        split=split,
        ids=np.array([str(PurePosixPath(name).with_suffix('')) for name in names], object),
        sides=np.full(len(names), '', object),
        joints=joints[rows],
        cameras=table.camera[rows],
        uv=skeleton.to_canonical(table.keypoints_2d[rows], axis=1),
        paths={'rgb': np.array([str(root / name) for name in names], object)},
        file_cameras=table.camera,
        file_rows=rows,
    )
