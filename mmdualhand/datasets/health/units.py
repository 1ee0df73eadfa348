"""Whether lengths come in the unit of the dataset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmdualhand.datasets.health.facts import UNIT_MM, DatasetFacts
from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WARNING, WRONG, Row
from mmdualhand.datasets.health.table import LabelTable, spread
from mmdualhand.structures import REFERENCE_BONE

CHECK = 'units'
MOST_HANDS = 2000
_SLACK = 1.6
"""How far a length may lie outside the known range and still be in that unit."""


def reference_lengths(joints: np.ndarray) -> np.ndarray:
    """Length of the bone 9-10 of hands (N, 21, 3), (N,), same unit."""
    start, end = REFERENCE_BONE
    return np.linalg.norm(joints[:, end] - joints[:, start], axis=-1)


def hand_sizes(joints: np.ndarray) -> np.ndarray:
    """Largest distance between two joints of hands (N, 21, 3), (N,); does not ask for their order."""
    return np.linalg.norm(joints[:, :, None] - joints[:, None], axis=-1).max(axis=(1, 2))


def check_units(table: LabelTable, facts: DatasetFacts) -> tuple[Row, LabelTable]:
    """Judge the unit by the bone 9-10, and by the size of the hand where the joint order may be wrong.

    Args:
        table: Labels whose coordinates are numbers; unlabelled samples are left out.
        facts: Of the dataset.

    Returns:
        The row, and the table in millimetres where another unit was recognised.
    """
    joints = table.joints[table.labelled]
    joints = joints[spread(len(joints), MOST_HANDS)]
    if not len(joints):
        return Row(CHECK, table.split, NOT_APPLICABLE, 'no 3D labels'), table
    length, size = float(np.median(reference_lengths(joints))), float(np.median(hand_sizes(joints)))
    # a hand's largest extent is 2 to 6 times its bone 9-10, whatever the pose
    low, high = facts.reference_mm[0] * 2 / _SLACK, facts.reference_mm[1] * 6 * _SLACK
    measured = f'median |9-10| {length:.4g} mm, largest extent of a hand {size:.4g} mm'
    if low <= size <= high:
        return Row(CHECK, table.split, OK, f'read as {facts.unit}s: {measured}'), table
    read_as = UNIT_MM.get(facts.unit, 1.0)
    for unit, millimetres in UNIT_MM.items():
        factor = millimetres / read_as
        if low <= size * factor <= high:
            text = f'lengths look like {unit}s: read as {facts.unit}s they give a {measured}'
            advice = f'convert the labels to {facts.unit}s (times {factor:g})'
            return Row(CHECK, table.split, WRONG, text, advice), replace(table, joints=table.joints * factor)
    text = f'no unit makes hands of these labels: read as {facts.unit}s they give a {measured}'
    verdict = WRONG if not low / 2 <= size <= high * 2 else WARNING
    return Row(CHECK, table.split, verdict, text, 'get the label file again'), table
