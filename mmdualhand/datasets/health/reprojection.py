"""Whether stored 2D labels are the projection of the 3D labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mmdualhand.datasets.health.axes import Suspicion, order_suspicions, suspicions
from mmdualhand.datasets.health.facts import DatasetFacts
from mmdualhand.datasets.health.frames import inside_shares
from mmdualhand.datasets.health.pictures import PictureScan
from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WARNING, WRONG, Row
from mmdualhand.datasets.health.table import LabelTable, listed
from mmdualhand.structures import chirality_scores

CHECK = 'reprojection'
FEW_BAD = 0.02
"""Share of labels that do not fit and are bad samples, not a bad set; published sets have some."""
SHIFT_PX = 1.0
"""How far a shift common to all labels may spread about its median and still be one shift."""


def reprojection_errors(table: LabelTable) -> np.ndarray:
    """Mean distance in px between projected 3D and stored 2D of each sample (N,); NaN where either lacks."""
    if table.uv is None:
        return np.full(len(table), np.nan)
    return np.linalg.norm(table.project() - table.uv, axis=-1).mean(axis=1)


def check_reprojection(
    table: LabelTable, scan: PictureScan, facts: DatasetFacts
) -> tuple[list[Row], LabelTable]:
    """Compare 2D with projected 3D labels.

    Args:
        table: Labels whose coordinates are numbers, in canonical order.
        scan: What is known of the picture files.
        facts: Of the dataset.

    Returns:
        The rows, and the table with the fault undone where it was recognised.
    """
    errors = reprojection_errors(table)
    counted = np.isfinite(errors)
    if not counted.any():
        return [Row(CHECK, table.split, NOT_APPLICABLE, 'no 2D labels beside 3D labels')], table
    bad = counted & (errors > facts.reprojection_px)
    measured = (
        f'3D projected with K is {np.median(errors[counted]):.3g} px from 2D (median of {counted.sum()}; '
        f'worst {errors[counted].max():.3g} px)'
    )
    if not bad.any():
        return [Row(CHECK, table.split, OK, measured)], table
    found = _explanation(table.keep(bad), scan, facts)
    which = f'in {bad.sum()} of {counted.sum()} ({listed(table.ids[bad])}) '
    which = '' if bad.sum() == counted.sum() else which
    verdict = WARNING if bad.sum() <= FEW_BAD * counted.sum() else WRONG
    if found is None:
        text = f'{which}2D and 3D labels do not belong together: {measured}'
        return [Row(CHECK, table.split, verdict, text, _LABEL_ADVICE)], table
    if found.kind == UNMOVED and facts.crops:
        verdict, found = OK, replace(found, text=f'{found.text}; the reader finds it', advice='')
    text = f'{which}{found.text}: {measured}'
    return [Row(CHECK, table.split, verdict, text, found.advice)], _merge(table, found, bad)


def _explanation(part: LabelTable, scan: PictureScan, facts: DatasetFacts) -> Suspicion | None:
    """What explains labels that do not fit; None where nothing does."""
    for suspicion in _best_first(part, scan.sizes_of(part.pictures('rgb'))):
        if _median_error(suspicion.undo(part)) <= facts.reprojection_px:
            return suspicion
    shift = _common_shift(part)
    if shift is not None:
        text = f'principal point is off by about ({shift[0]:.1f}, {shift[1]:.1f}) px'
        advice = 'move the principal point, or the 2D labels, back by this much'
        return Suspicion(SHIFTED, text, advice, lambda table: _moved(table, -shift), 'camera')
    if _median_error(_own_cameras(part)) <= facts.reprojection_px:
        text = 'K was not moved with the crop: with a scale and a principal point of its own each label fits'
        return Suspicion(UNMOVED, text, _CAMERA_ADVICE, _own_cameras, 'camera')
    return None


SHIFTED, UNMOVED = 'shifted', 'unmoved'
_CAMERA_ADVICE = 'were pictures cropped or resized without their K? Apply the same change to K'
_LABEL_ADVICE = 'are the labels those of other pictures, or of another camera? Look at the contact sheet'


def _median_error(table: LabelTable) -> float:
    errors = reprojection_errors(table)
    return float(np.median(np.where(np.isfinite(errors), errors, np.inf)))


def _best_first(table: LabelTable, sizes: np.ndarray) -> list[Suspicion]:
    """Suspicions by their error.

    Of two that explain it alike, for example mirrored 2D and mirrored 3D labels, the one comes first
    that leaves more hands their side and more joints in their picture.
    """
    found = suspicions(table) + order_suspicions(table)
    scores = []
    for place, suspicion in enumerate(found):
        changed = suspicion.undo(table)
        inside = inside_shares(changed, sizes)
        share = float(inside[np.isfinite(inside)].mean()) if np.isfinite(inside).any() else 0.0
        scores.append((round(_median_error(changed), 1), -_side_agreement(changed), -share, place))
    return [found[score[-1]] for score in sorted(scores)]


def _side_agreement(table: LabelTable) -> float:
    """Share of votes of the joints for the stored side; a half where no side is stored."""
    known = table.labelled & (table.sides != '')
    if not known.any():
        return 0.5
    sign = np.where(table.sides[known] == 'right', 1.0, -1.0)
    return float((np.sign(chirality_scores(table.xyz[known])) == sign[:, None]).mean())


def _common_shift(table: LabelTable) -> np.ndarray | None:
    """(2,) px by which projections lie beside the stored pixels, if it is the same for all."""
    if table.uv is None or len(table) < 2:
        return None
    offsets = table.project() - table.uv
    own = np.median(offsets, axis=1)
    shift = np.median(own, axis=0)
    spread = np.median(np.linalg.norm(offsets - shift, axis=-1))
    return np.round(shift, 1) + 0.0 if spread <= SHIFT_PX else None  # + 0.0: no minus zero in print


def _moved(table: LabelTable, shift: np.ndarray) -> LabelTable:
    """The table with every principal point moved by ``shift`` (2,) px."""
    cameras = table.cameras.copy()
    cameras[:, :2, 2] += shift
    files = None if table.file_cameras is None else table.file_cameras.copy()
    if files is not None:
        files[:, :2, 2] += shift
    return replace(table, cameras=cameras, file_cameras=files)


def _own_cameras(table: LabelTable) -> LabelTable:
    """The table with a scale and a principal point fitted to each sample."""
    if table.uv is None:
        return table
    xyz = table.xyz
    rays = np.einsum('nij,nkj->nki', table.cameras[:, :2, :2], xyz[..., :2] / xyz[..., 2:])
    centred, pixels = rays - rays.mean(axis=1, keepdims=True), table.uv - table.uv.mean(axis=1, keepdims=True)
    scale = (centred * pixels).sum(axis=(1, 2)) / np.maximum((centred**2).sum(axis=(1, 2)), 1e-12)
    cameras = table.cameras.copy()
    cameras[:, :2, :2] *= scale[:, None, None]
    cameras[:, :2, 2] = (table.uv - scale[:, None, None] * rays).mean(axis=1)
    return replace(table, cameras=cameras)


def _merge(table: LabelTable, suspicion: Suspicion, bad: np.ndarray) -> LabelTable:
    """The table with a suspicion undone in the bad samples alone."""
    fixed = suspicion.undo(table)
    name = {'3d': 'joints', '2d': 'uv', 'camera': 'cameras', 'motion': 'motion'}[suspicion.touches]
    column = np.where(bad.reshape(-1, 1, 1), getattr(fixed, name), getattr(table, name))
    changes: dict[str, Any] = {name: column}
    return replace(table, **changes)
