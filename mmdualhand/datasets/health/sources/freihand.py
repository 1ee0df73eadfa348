"""FreiHAND's label files as tables."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from mmdualhand.datasets.freihand import EVALUATION_FOLDER, VERSIONS, FreiHANDDataset
from mmdualhand.datasets.freihand_labels import find_evaluation, read_column
from mmdualhand.datasets.health.facts import FACTS
from mmdualhand.datasets.health.sources.survey import Options, Survey, check_options, pick_splits
from mmdualhand.datasets.health.table import LabelTable
from mmdualhand.errors import DataError, MissingFileError

SPLITS = ('training', 'evaluation')
_MASKS = {'training': ('mask', 'jpg', (128, 255)), 'evaluation': ('segmap', 'png', (1, 255))}


def survey_freihand(root: Path, wanted: list[str] | None, options: Options) -> Survey:
    """Read what is there of FreiHAND.

    Args:
        root: The folder ``FreiHAND_pub_v2``; the evaluation release may lie beside it.
        wanted: Splits; both by default.
        options: None are known.
    """
    check_options(options, (), 'freihand')
    survey = Survey(FACTS['freihand'], root, pairs=[SPLITS])
    for split in pick_splits(wanted, SPLITS, 'freihand'):
        columns = _read_training(survey) if split == 'training' else _read_evaluation(survey)
        if columns is not None:
            survey.tables.append(_table(survey, split, columns))
            survey.readers[split] = partial(FreiHANDDataset, root, split)
    return survey


def _roots(root: Path) -> list[Path]:
    beside = [root.parent / EVALUATION_FOLDER, root.with_name(f'{root.name}_eval')]
    return [root, *beside, root / EVALUATION_FOLDER]


Columns = dict[str, np.ndarray]


def _read_training(survey: Survey) -> Columns | None:
    """``K``, and where they are there ``xyz`` (mm) and ``scale`` (mm); None without intrinsics."""
    columns: Columns = {}
    for key in ('K', 'xyz', 'scale'):
        path = survey.root / f'training_{key}.json'
        try:
            columns[key] = read_column(path, key) * (1.0 if key == 'K' else 1000.0)
        except MissingFileError:
            survey.absent.append(str(path))
        except DataError as error:
            survey.unreadable.append(str(error))
    return _equal_rows(survey, columns)


def _read_evaluation(survey: Survey) -> Columns | None:
    try:
        place, labels = find_evaluation(_roots(survey.root))
    except MissingFileError:
        survey.absent.append(str(survey.root / 'evaluation_K.json'))
        return None
    except DataError as error:
        survey.unreadable.append(str(error))
        return None
    columns = {'K': labels.camera}
    if labels.joints is None:
        survey.absent.append(f'{place / "evaluation_xyz.json"} (labels of the release of 2022)')
    else:
        columns['xyz'] = labels.joints
    lengths = place / 'evaluation_scale.json'
    if labels.scale is not None:
        columns['scale'] = labels.scale
    elif lengths.is_file():
        try:
            columns['scale'] = read_column(lengths, 'scale') * 1000.0
        except DataError as error:
            survey.unreadable.append(str(error))
    else:
        survey.absent.append(str(lengths))
    return _equal_rows(survey, columns)


def _equal_rows(survey: Survey, columns: Columns) -> Columns | None:
    if 'K' not in columns:
        return None
    count = len(columns['K'])
    for key in [key for key, column in columns.items() if len(column) != count]:
        survey.unreadable.append(f'{key} of {survey.root} has {len(columns[key])} rows, K has {count}')
        del columns[key]
    return columns


def _table(survey: Survey, split: str, columns: Columns) -> LabelTable:
    unique = len(columns['K'])
    numbers = np.arange(unique * (len(VERSIONS) if split == 'training' else 1))
    rows = numbers % unique
    count = len(numbers)
    lengths = columns.get('scale')
    return LabelTable(
        split=split,
        ids=np.array([f'{number:08d}/right' for number in numbers.tolist()], object),
        sides=np.full(count, 'right', object),
        joints=columns['xyz'][rows] if 'xyz' in columns else np.full((count, 21, 3), np.nan),
        cameras=columns['K'][rows],
        paths=_paths(survey, split, numbers, unique),
        mask_values=np.tile(_MASKS[split][2], (count, 1)),
        file_cameras=columns['K'],
        file_rows=rows,
        lengths=None if lengths is None else lengths[rows],
    )


def _paths(survey: Survey, split: str, numbers: np.ndarray, unique: int) -> dict[str, np.ndarray]:
    folder, ending, _ = _MASKS[split]
    paths = {}
    for kind, name, suffix in (('rgb', 'rgb', 'jpg'), ('mask', folder, ending)):
        places = [root / split / name for root in _roots(survey.root)]
        place = next((candidate for candidate in places if candidate.is_dir()), None)
        if place is None:
            if kind == 'rgb' or split == 'training':
                survey.absent.append(f'the folder {places[0]}')
            continue
        files = [str(place / f'{number:08d}.{suffix}') for number in numbers.tolist()]
        has = (numbers < unique) | (kind == 'rgb')
        paths[kind] = np.where(has, np.array(files, object), '')
    return paths
