"""COCO json files as tables."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mmdualhand.datasets.coco_hand import CocoHandDataset
from mmdualhand.datasets.coco_sources import EXPORT
from mmdualhand.datasets.health.facts import FACTS
from mmdualhand.datasets.health.sources.records import table_of_records
from mmdualhand.datasets.health.sources.survey import Options, Survey, check_options, pick_splits
from mmdualhand.errors import ConfigError, DataError, MissingFileError

_OPTIONS = ('ann', 'source', 'img_prefix', 'side', 'unit', 'joint_order', 'camera_file', 'joint_file')


def survey_coco(root: Path, wanted: list[str] | None, options: Options) -> Survey:
    """Read COCO json files; each is a split that has its name, the first is the one that is learnt from.

    Args:
        root: Folder that files are named relative to.
        wanted: Splits; all files by default.
        options: ``ann``: list of files; the others as for ``CocoHandDataset``.

    Raises:
        ConfigError: No file is named.
    """
    check_options(options, _OPTIONS, 'coco')
    files = [str(file) for file in options.get('ann') or ()]
    if not files:
        raise ConfigError('coco needs the name of its json, relative to the folder: --ann FILE')
    names = [Path(file).stem for file in files]
    source = str(options.get('source', EXPORT))
    survey = Survey(FACTS['coco'], root, pairs=[(names[0], other) for other in names[1:]])
    settings = {key: options[key] for key in _OPTIONS[2:] if key in options}
    for split in pick_splits(wanted, tuple(names), 'coco'):
        file = files[names.index(split)]
        if not (root / file).is_file():
            survey.absent.append(str(root / file))
            continue
        open_reader = partial(CocoHandDataset, root, file, source=source, split=split, **settings)
        survey.readers[split] = open_reader
        dataset = _open(survey, split, open_reader)
        if dataset is not None:
            records = [dataset.load_record(index) for index in range(dataset.num_records())]
            survey.tables.append(table_of_records(split, records))
            if dataset.metainfo['wrist_convention'] == 'palm':
                survey.facts = replace(survey.facts, root='palm')
    return survey


def _open(survey: Survey, split: str, open_reader: Any) -> CocoHandDataset | None:
    """The reader without its checks; records that it refuses go to ``survey.broken``."""
    try:
        return open_reader(num_checked=0)
    except (DataError, MissingFileError) as error:
        first = str(error)
    try:
        dataset: CocoHandDataset = open_reader(num_checked=0, on_error='skip')
    except (DataError, MissingFileError):
        survey.unreadable.append(first)
        return None
    more = f' and {dataset.num_skipped - 1} more' if dataset.num_skipped > 1 else ''
    survey.broken[split] = {f'{dataset.num_skipped} annotations': f'{first}{more}'}
    return dataset
