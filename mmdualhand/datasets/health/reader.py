"""Whether the package's own reader opens the set, and reads what the files say."""

from __future__ import annotations

import numpy as np

from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WRONG, Row
from mmdualhand.datasets.health.sources.survey import OpenReader
from mmdualhand.datasets.health.table import LabelTable, spread
from mmdualhand.errors import HandUserError

CHECK = 'reader'
MOST_RECORDS = 16
_SAME_MM = 0.05


def check_reader(split: str, open_reader: OpenReader, table: LabelTable | None, *, partial: bool) -> Row:
    """Open the reader as a config would, and compare some of its records with the label files.

    Args:
        split: Name of the split.
        open_reader: Builds the reader.
        table: The labels as they were read from the files; None where they could not be.
        partial: The reader may refuse because files are missing.
    """
    try:
        dataset = open_reader()
    except HandUserError as error:
        text = ' '.join(str(error).split())
        if partial:
            return Row(CHECK, split, NOT_APPLICABLE, f'wants more than is here: {text}')
        return Row(CHECK, split, WRONG, f'refuses the set: {text}', 'training would stop here, too')
    text = f'{type(dataset).__name__} opens {len(dataset)} samples'
    if table is None:
        return Row(CHECK, split, OK, text)
    compared, largest = _compare(dataset, table)
    if compared and largest > _SAME_MM:
        text += f', but its joints are up to {largest:.2f} mm from those of the label files'
        return Row(CHECK, split, WRONG, text, 'this is a fault of the reader or of this check: report it')
    return Row(CHECK, split, OK, f'{text}; {compared} compared with the label files')


def _compare(dataset: BaseHandDataset, table: LabelTable) -> tuple[int, float]:
    """How many records were compared, and their largest distance in mm over all joints but the first.

    The first joint may be converted, from a palm to a wrist.
    """
    places = {name: row for row, name in enumerate(table.ids.tolist())}
    xyz, compared, largest = table.xyz, 0, 0.0
    for index in spread(len(dataset), MOST_RECORDS).tolist():
        try:
            record = dataset.labels_only(index)
        except HandUserError:
            continue
        row = places.get(record['sample_id'])
        if row is None or 'keypoints_3d' not in record or not table.labelled[row]:
            continue
        distance = np.linalg.norm(np.asarray(record['keypoints_3d'])[1:] - xyz[row, 1:], axis=-1).max()
        compared, largest = compared + 1, max(largest, float(distance))
    return compared, largest
