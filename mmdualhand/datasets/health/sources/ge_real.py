"""Label files of the real photos of Ge et al. as tables."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from mmdualhand.datasets.ge_real import GeRealDataset
from mmdualhand.datasets.health.facts import FACTS
from mmdualhand.datasets.health.sources.survey import Options, Survey, check_options, pick_splits
from mmdualhand.datasets.health.table import LabelTable
from mmdualhand.errors import HandUserError


def survey_ge_real(root: Path, wanted: list[str] | None, options: Options) -> Survey:
    """Read what is there of the set.

    Args:
        root: The folder of ``images``, ``params.mat`` and ``pose_gt.mat``.
        wanted: Splits; ``train`` and ``dev`` where ``splits.json`` is there, ``all`` otherwise.
        options: None are known.
    """
    check_options(options, (), 'ge_real')
    splits = ('train', 'dev') if (root / 'splits.json').is_file() else ('all',)
    survey = Survey(FACTS['ge_real'], root, pairs=[('train', 'dev')])
    needed = [root / name for name in ('params.mat', 'pose_gt.mat')]
    survey.absent += [str(path) for path in needed if not path.is_file()]
    if survey.absent:
        return survey
    for split in pick_splits(wanted, splits, 'ge_real'):
        survey.readers[split] = partial(GeRealDataset, root, split)
        try:
            dataset = GeRealDataset(root, split, num_checked=0)
            survey.tables.append(_table(dataset, _poses(root)))
        except HandUserError as error:
            survey.unreadable.append(str(error))
    return survey


def _poses(root: Path) -> dict[str, np.ndarray]:
    """Photo number to joints (21, 3), mm: the reader takes a label with a single NaN for no label."""
    content: dict[str, Any] = loadmat(str(root / 'pose_gt.mat'))
    joints = np.asarray(content['pose_gt'], np.float64) * 10.0
    names = loadmat(str(root / 'params.mat'))['image_path']
    return {Path(str(name).strip()).stem: row for name, row in zip(np.ravel(names), joints, strict=True)}


def _table(dataset: GeRealDataset, poses: dict[str, np.ndarray]) -> LabelTable:
    records = [dataset.load_record(index) for index in range(dataset.num_records())]
    count = len(records)
    return LabelTable(
        split=dataset.split,
        ids=np.array([record['sample_id'] for record in records], object),
        sides=np.full(count, 'left', object),
        joints=np.stack([poses[record['sample_id'].split('/')[0]] for record in records]),
        cameras=np.stack([record['camera'] for record in records]),
        paths={'rgb': np.array([record['img_path'] for record in records], object)},
        file_cameras=np.stack([record['camera'] for record in records]),
        file_rows=np.arange(count),
    )
