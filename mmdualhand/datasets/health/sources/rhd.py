"""RHD's label files as tables."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from mmdualhand.datasets.health.facts import FACTS
from mmdualhand.datasets.health.sources.survey import Options, Survey, check_options, pick_splits
from mmdualhand.datasets.health.table import LabelTable
from mmdualhand.datasets.rhd import PART_LABELS, SIDES, RHDDataset
from mmdualhand.datasets.rhd_table import RHDTable, read_rhd_table
from mmdualhand.datasets.selection import HandSelection
from mmdualhand.errors import HandUserError
from mmdualhand.structures import HandSkeleton

SPLITS = ('training', 'evaluation')
_FOLDERS = {'rgb': 'color', 'depth': 'depth', 'mask': 'mask'}


def survey_rhd(root: Path, wanted: list[str] | None, options: Options) -> Survey:
    """Read what is there of RHD.

    Args:
        root: The folder ``RHD_published_v2``.
        wanted: Splits; all by default.
        options: None are known.
    """
    check_options(options, (), 'rhd')
    survey = Survey(FACTS['rhd'], root, pairs=[SPLITS])
    for split in pick_splits(wanted, SPLITS, 'rhd'):
        path = root / split / f'anno_{split}.pickle'
        if not path.is_file():
            survey.absent.append(str(path))
            continue
        survey.readers[split] = partial(RHDDataset, root, split)
        try:
            table, problems = read_rhd_table(path)
        except HandUserError as error:
            survey.unreadable.append(str(error))
            continue
        present = set(table.ids.tolist())
        survey.broken[split] = {
            f'{number:05d}': reason for number, reason in problems.items() if number not in present
        }
        if present:
            survey.tables.append(_table(survey, split, table))
    return survey


def _table(survey: Survey, split: str, table: RHDTable) -> LabelTable:
    rows, blocks = _usable(table)
    sides = np.array(SIDES, object)[blocks]
    gathers = np.stack([HandSkeleton.from_dataset(f'rhd_{side}').gather for side in SIDES])[blocks]
    uv_vis = np.take_along_axis(table.uv_vis[rows], gathers[..., None], axis=1)
    joints = np.take_along_axis(table.xyz[rows], gathers[..., None], axis=1).astype(np.float64) * 1000.0
    numbers = table.ids[rows].tolist()
    paths = {}
    for kind, folder in _FOLDERS.items():
        place = survey.root / split / folder
        if place.is_dir():
            paths[kind] = np.array([str(place / f'{number:05d}.png') for number in numbers], object)
        else:
            survey.absent.append(f'the folder {place}')
    return LabelTable(
        split=split,
        ids=np.array([f'{number:05d}/{side}' for number, side in zip(numbers, sides, strict=True)], object),
        sides=sides,
        joints=joints,
        cameras=table.camera[rows].astype(np.float64),
        uv=uv_vis[..., :2].astype(np.float64),
        visible=uv_vis[..., 2] != 0,
        paths=paths,
        depth_encoding='rhd',
        mask_values=np.array([PART_LABELS[side] for side in SIDES])[blocks],
        file_cameras=table.camera.astype(np.float64),
        file_rows=rows,
    )


def _usable(table: RHDTable) -> tuple[np.ndarray, np.ndarray]:
    """Rows and blocks of the hands that the reader uses by default, and of those with NaN labels."""
    both = np.stack([table.uv_vis[:, :21], table.uv_vis[:, 21:]], axis=1)
    joints = np.stack([table.xyz[:, :21], table.xyz[:, 21:]], axis=1)
    usable = HandSelection().usable(both[..., :2], both[..., 2])
    usable |= ~np.isfinite(both).all(axis=(2, 3)) | ~np.isfinite(joints).all(axis=(2, 3))
    if not usable.any():
        usable[:] = True
    rows, blocks = np.argwhere(usable).T
    return rows, blocks
