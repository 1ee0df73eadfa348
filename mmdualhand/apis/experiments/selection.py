"""Which checkpoint of a training counts: the last one, or on demand the best one on source images.

No label of a target ever chooses: that would be using it, and the result would not be unsupervised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mmdualhand.apis.experiments.definitions import Measurement, Training

METRIC, RULE = 'PCK@0.05', 'greater'
"""What chooses among the checkpoints of a training, and which way: every network here has it."""
SUFFIX = '+best'
"""End of the name of a training whose best checkpoint counts: it shares no file with the plain one."""


def best_on(measurements: Iterable[Measurement], source: str) -> list[Measurement]:
    """The same measurements of the best checkpoints, of the trainings and of all that they start from.

    Args:
        measurements: As a suite gives them.
        source: The benchmark whose test images choose: one of the source.
    """

    def chosen(training: Training) -> Training:
        start = None if training.start is None else chosen(training.start)
        return replace(training, name=f'{training.name}{SUFFIX}', start=start, best_on=source)

    return [replace(one, training=chosen(one.training)) for one in measurements]


def plain_names(cells: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Cells of :func:`best_on` under the names that the tables of a suite look for."""
    return [{**cell, 'training': str(cell['training']).removesuffix(SUFFIX)} for cell in cells]


def selection_sentence(cells: Sequence[Mapping[str, Any]]) -> str:
    """Which checkpoints the cells are of, for below a table."""
    places = sorted({str(cell.get('best_on') or '') for cell in cells})
    sentences = [
        f'Checkpoint of every training: that of the best {METRIC} on the images of {place}, which are of the '
        'source and are not used otherwise here.'
        if place
        else 'Checkpoint of every training: the last one.'
        for place in places
    ]
    return ' '.join(sentences)
