"""Whether the joints lie on the hand that mask and depth pictures show."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mmdualhand.datasets.health.axes import Suspicion, suspicions
from mmdualhand.datasets.health.evidence import (
    SEARCH_PX,
    depth_gaps,
    places,
    possible,
    read_evidence,
    samples_with_evidence,
    shift_scores,
)
from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WARNING, WRONG, Row
from mmdualhand.datasets.health.table import LabelTable, spread

CHECK = 'joints on the hand'
DEPTH_CHECK = 'joints behind the surface'
SHIFT_CHECK = 'labels centred on the hand'
MOST_SAMPLES = 96
FEW_SAMPLES = 6
ON_HAND = 0.75
"""Share of joints that must lie on the hand; held objects and sleeves hide some."""
GAIN = 0.08
"""By how much an explanation must raise this share; the share of right labels is above 0.9."""
CLEAR = 2.0
"""... and by how many standard errors; every explanation lowers the share of right labels by 0.1 and more."""
SHIFT_WARNING_PX, SHIFT_WRONG_PX = 4.0, 6.0
GAP_RANGE_MM = (-12.0, 45.0)
"""Median depth of a joint under the skin: half a finger to half a palm, and the labels' own error."""


@dataclass(frozen=True)
class OnHand:
    """Measurements over a sample of a split.

    Attributes:
        rows: (S,) sample numbers that had evidence.
        shares: (1 + H, S) share of joints on the hand, for the table as it is and under each suspicion.
        gaps: (S, 21) mm behind the surface, NaN where not measured.
    """

    rows: np.ndarray
    shares: np.ndarray
    gaps: np.ndarray


def measure(table: LabelTable, found: list[Suspicion]) -> OnHand:
    """Look up the joints of up to 96 samples in their pictures, as they are and with each change."""
    named = samples_with_evidence(table)
    rows = named[spread(len(named), MOST_SAMPLES)] if len(named) else named
    part = table.keep(rows)
    wheres = [places(part), *(places(suspicion.undo(part)) for suspicion in found)]
    kept, shares, gaps = [], [], []
    for place in range(len(part)):
        evidence = read_evidence(part, place)
        if evidence.mask is None and evidence.depth is None:
            continue
        told = np.stack([possible(evidence, where, place) for where in wheres])
        told[:, ~part.seen[place]] = np.nan
        counted = np.isfinite(told).sum(axis=1)
        kept.append(rows[place])
        shares.append(np.nansum(told, axis=1) / np.maximum(counted, 1))
        gaps.append(depth_gaps(evidence, wheres[0], place))
    joints = part.joints.shape[1]
    return OnHand(
        np.array(kept, np.int64),
        np.array(shares).reshape(-1, len(wheres)).T,
        np.array(gaps).reshape(-1, joints),
    )


def check_silhouette(table: LabelTable) -> tuple[list[Row], LabelTable]:
    """Look the joints up in mask and depth pictures.

    Args:
        table: Labels in canonical order and millimetres.

    Returns:
        The rows, and the table with the fault undone where it was recognised.
    """
    found = suspicions(table)
    seen = measure(table, found)
    if len(seen.rows) < FEW_SAMPLES:
        text = (
            'no mask or depth pictures beside 3D labels'
            if not len(seen.rows)
            else (f'only {len(seen.rows)} samples with mask or depth pictures')
        )
        return [Row(CHECK, table.split, NOT_APPLICABLE, text)], table
    own = float(seen.shares[0].mean())
    measured = f'{own:.0%} of the joints on the hand of mask and depth ({len(seen.rows)} samples)'
    best = _explanation(seen)
    if best is not None:
        text = f'{found[best].text}: {measured}, undone {seen.shares[1 + best].mean():.0%}'
        fixed = found[best].undo(table)
        rows = [Row(CHECK, table.split, WRONG, text, found[best].advice)]
        after = measure(fixed, [])
        return [*rows, *_depth_rows(fixed, after)], fixed
    shift_rows, fixed = check_shift(table, seen.rows)
    shifted = any(row.verdict == WRONG for row in shift_rows)
    if own < ON_HAND and not shifted:
        text = f'the joints do not lie on the hand: {measured}'
        row = Row(CHECK, table.split, WRONG if own < ON_HAND - 0.15 else WARNING, text, _ADVICE)
    else:
        row = Row(CHECK, table.split, OK, measured)
    return [row, *shift_rows, *_depth_rows(table, seen)], fixed


_ADVICE = 'do the pictures belong to these labels? Look at the contact sheet'


def _explanation(seen: OnHand) -> int | None:
    """Number of the suspicion that puts clearly more joints on the hand, None if none does."""
    gains = seen.shares[1:] - seen.shares[0]
    if not len(gains):
        return None
    mean = gains.mean(axis=1)
    error = gains.std(axis=1) / np.sqrt(gains.shape[1])
    clear = (mean > GAIN) & (mean > CLEAR * error) & (seen.shares[1:].mean(axis=1) > ON_HAND)
    if not clear.any():
        return None
    return int(np.argmax(np.where(clear, mean, -np.inf)))


def check_shift(table: LabelTable, rows: np.ndarray) -> tuple[list[Row], LabelTable]:
    """Find the shift of all labels that centres them on the hands.

    Args:
        table: The labels.
        rows: Samples to use.

    Returns:
        The row, and the table with the shift undone where it is large.
    """
    part = table.keep(rows)
    where = places(part)
    total = np.zeros((2 * SEARCH_PX + 1,) * 2)
    for place in range(len(part)):
        total += shift_scores(read_evidence(part, place), where, place)
    dv, du = (int(value) - SEARCH_PX for value in np.unravel_index(int(total.argmax()), total.shape))
    length = float(np.hypot(du, dv))
    off = f'({-du:g}, {-dv:g}) px'  # by which the labels lie beside the hand
    at_rim = max(abs(du), abs(dv)) == SEARCH_PX
    if length >= SHIFT_WRONG_PX:
        text = f'principal point is off by about {off}, or the pictures were moved against their labels' + (
            ' (or more: the search ends there)' if at_rim else ''
        )
        advice = 'move the principal point back by this much, or undo the change of the pictures'
        return [Row(SHIFT_CHECK, table.split, WRONG, text, advice)], _shifted(table, du, dv)
    text = f'the joints sit best on the hands when moved by ({du}, {dv}) px'
    verdict = WARNING if length >= SHIFT_WARNING_PX else OK
    advice = 'labels this far off cost accuracy; look at the contact sheet' if verdict == WARNING else ''
    return [Row(SHIFT_CHECK, table.split, verdict, text, advice)], table


def _shifted(table: LabelTable, du: int, dv: int) -> LabelTable:
    uv = None if table.uv is None else table.uv + np.array([du, dv])
    depth = table.depth_cameras
    return replace(
        table,
        cameras=_with_shift(table.cameras, du, dv),
        depth_cameras=None if depth is None else _with_shift(depth, du, dv),
        uv=uv,
    )


def _with_shift(cameras: np.ndarray, du: int, dv: int) -> np.ndarray:
    cameras = cameras.copy()
    cameras[:, :2, 2] += (du, dv)
    return cameras


def _depth_rows(table: LabelTable, seen: OnHand) -> list[Row]:
    """Whether the joints lie under the measured surface; nothing where no depth was measured."""
    measured = np.isfinite(seen.gaps)
    if measured.sum() < 21:
        return []
    gaps = seen.gaps[measured & (np.abs(seen.gaps) < 300.0)]
    if not len(gaps):
        text = 'depth pictures and labels are more than 300 mm apart at every joint'
        return [Row(DEPTH_CHECK, table.split, WRONG, text, _DEPTH_ADVICE)]
    median = float(np.median(gaps))
    text = f'joints lie {median:.1f} mm (median) behind the measured surface'
    if GAP_RANGE_MM[0] <= median <= GAP_RANGE_MM[1]:
        return [Row(DEPTH_CHECK, table.split, OK, text)]
    return [Row(DEPTH_CHECK, table.split, WRONG, f'depth and labels disagree: {text}', _DEPTH_ADVICE)]


_DEPTH_ADVICE = 'is the depth decoded with the right formula and unit, and taken by the camera of the labels?'
