"""Bone lengths: the fingerprint of a dataset, and of one person's hand."""

from __future__ import annotations

import numpy as np

from mmdualhand.datasets.health.facts import DatasetFacts
from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WARNING, WRONG, Row
from mmdualhand.datasets.health.table import LabelTable, listed
from mmdualhand.datasets.health.units import reference_lengths
from mmdualhand.structures import BONES, JOINT_NAMES

CHECK = 'bone lengths'
CONSTANT_CHECK = 'bones keep their length'
STORED_CHECK = 'stored |9-10|'
PHALANGES = tuple((parent, child) for parent, child in BONES if parent)
"""The 15 bones inside the fingers, thumb to pinky, base to tip."""
CONSTANT = 0.005
"""Largest standard deviation of a bone of one recording over its mean: STB has 0.000."""
KNOWN_MM = 0.5
"""How far published constant lengths may be missed."""
FEW_WRONG = 0.02
LENGTH_TOLERANCE = 0.02
"""Share by which a stored length may differ from that of the joints."""


def bone_lengths(joints: np.ndarray, bones: tuple[tuple[int, int], ...] = BONES) -> np.ndarray:
    """Lengths (N, B) of bones of hands (N, 21, 3)."""
    parents, children = np.array(bones).T
    return np.linalg.norm(joints[:, children] - joints[:, parents], axis=-1)


def check_bones(table: LabelTable, facts: DatasetFacts, embedded: bool) -> list[Row]:
    """Compare bone lengths with what is known.

    Args:
        table: Labels in canonical order and millimetres.
        facts: Of the dataset.
        embedded: A rendered stand-in, whose hands are other people's.
    """
    joints = table.joints[table.labelled]
    if not len(joints):
        return [Row(CHECK, table.split, NOT_APPLICABLE, 'no 3D labels')]
    rows = [_fingerprint(table, joints, facts)]
    if facts.constant_bones:
        rows += _constant(table, facts, embedded)
    if table.lengths is not None:
        rows.append(_stored(table))
    return rows


def _fingerprint(table: LabelTable, joints: np.ndarray, facts: DatasetFacts) -> Row:
    middle = np.median(bone_lengths(joints, ((0, 9), (9, 10), (10, 11), (11, 12))), axis=0)
    lengths = reference_lengths(joints)
    shown = ' / '.join(f'{length:.1f}' for length in middle)
    text = (
        f'middle finger {shown} mm (median from the {facts.root}), '
        f'|9-10| {lengths.min():.1f} to {lengths.max():.1f} mm'
    )
    if facts.middle_finger_mm:
        published = ' / '.join(f'{length:g}' for length in facts.middle_finger_mm)
        text += f'; published samples {published}'
    low, high = facts.reference_mm
    if low <= middle[1] <= high:
        return Row(CHECK, table.split, OK, text)
    advice = 'is this another dataset, or a scaled one? Results in mm depend on it'
    text = f'|9-10| is outside {low:g} to {high:g} mm: {text}'
    return Row(CHECK, table.split, WRONG, text, advice)


def _constant(table: LabelTable, facts: DatasetFacts, embedded: bool) -> list[Row]:
    groups = np.full(len(table), '', object) if table.groups is None else table.groups
    worst, changing, other = 0.0, [], []
    for name in np.unique(groups[table.labelled].astype(str)):
        lengths = bone_lengths(table.joints[table.labelled & (groups == name)], PHALANGES)
        spread = lengths.std(axis=0) / np.maximum(lengths.mean(axis=0), 1e-12)
        worst = max(worst, float(spread.max()))
        if spread.max() > CONSTANT:
            bone = PHALANGES[int(spread.argmax())]
            changing.append(f'{name or "the set"} ({JOINT_NAMES[bone[0]]} to {JOINT_NAMES[bone[1]]})')
        if facts.finger_bones_mm and np.abs(lengths.mean(axis=0) - facts.finger_bones_mm).max() > KNOWN_MM:
            other.append(name or 'the set')
    advice = 'the labels of this dataset are a rigid skeleton: get the label files again'
    if changing:
        text = f'bones change their length within a recording by up to {worst:.1%}: {listed(changing)}'
        return [Row(CONSTANT_CHECK, table.split, WRONG, text, advice)]
    rows = [Row(CONSTANT_CHECK, table.split, OK, f'within each recording to {worst:.2%}')]
    if other and not embedded:
        text = f'finger bones are not those of the published B1Counting in {listed(other)}'
        rows.append(Row('published skeleton', table.split, WARNING, text, 'is this a scaled copy?'))
    elif facts.finger_bones_mm and not embedded:
        text = f'all {len(PHALANGES)} finger bones within {KNOWN_MM} mm of the published ones'
        rows.append(Row('published skeleton', table.split, OK, text))
    return rows


def _stored(table: LabelTable) -> Row:
    lengths = np.asarray(table.lengths, np.float64)
    known = table.labelled & np.isfinite(lengths)
    own, stored = reference_lengths(table.joints[known]), lengths[known]
    wrong = np.abs(own - stored) > LENGTH_TOLERANCE * stored
    text = f'|9-10| of the joints and stored length agree in {int((~wrong).sum())} of {len(wrong)}'
    if wrong.any():
        text += f'; not in {listed(table.ids[known][wrong])}'
        advice = 'the two files come from different versions or orders: get both again'
        return Row(STORED_CHECK, table.split, WRONG if wrong.mean() > FEW_WRONG else WARNING, text, advice)
    return Row(STORED_CHECK, table.split, OK, text)
