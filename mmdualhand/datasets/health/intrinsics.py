"""Whether intrinsics are those of an ordinary camera, and have the dataset's principal point."""

from __future__ import annotations

import numpy as np

from mmdualhand.datasets.health.facts import DatasetFacts
from mmdualhand.datasets.health.pictures import PictureScan
from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WARNING, WRONG, Row
from mmdualhand.datasets.health.table import LabelTable, listed

CHECK, CENTRE_CHECK = 'intrinsics', 'principal point'
CENTRE_PX = 2.0
"""How far a principal point may lie from the published one."""
ASPECT = 0.02
"""How far fy / fx may be from 1; FreiHAND has up to 0.0024."""
SKEW = 1e-3
FOCAL_SLACK = 1.25


def check_intrinsics(table: LabelTable, scan: PictureScan, facts: DatasetFacts) -> list[Row]:
    """Judge the matrices by themselves.

    Args:
        table: Labels whose matrices are pinhole cameras.
        scan: What is known of the picture files.
        facts: Of the dataset.
    """
    given = np.isfinite(table.cameras).all(axis=(1, 2))
    if not given.any():
        return [Row(CHECK, table.split, NOT_APPLICABLE, 'no intrinsics')]
    part = table.keep(given)
    sizes = scan.sizes_of(part.pictures('rgb'))
    return [_focal_row(part, facts), *_centre_rows(part, sizes, facts)]


def _focal_row(table: LabelTable, facts: DatasetFacts) -> Row:
    fx, fy, skew = table.cameras[:, 0, 0], table.cameras[:, 1, 1], table.cameras[:, 0, 1]
    text = (
        f'{len(table)} matrices: fx {fx.min():.1f} to {fx.max():.1f} px (median {np.median(fx):.1f}), fy/fx '
        f'{(fy / fx).min():.4f} to {(fy / fx).max():.4f}'
    )
    odd = (np.abs(fy / fx - 1) > ASPECT) | (np.abs(skew) > SKEW * fx)
    if odd.any():
        text = f'pixels are not square in {int(odd.sum())} ({listed(table.ids[odd])}): {text}'
        return Row(CHECK, table.split, WRONG, text, 'was K resized in one direction only?')
    if facts.focal_px is not None:
        low, high = facts.focal_px[0] / FOCAL_SLACK, facts.focal_px[1] * FOCAL_SLACK
        if fx.min() < low or fx.max() > high:
            text = f'fx outside the published {facts.focal_px[0]:g} to {facts.focal_px[1]:g} px: {text}'
            return Row(CHECK, table.split, WARNING, text, 'were the pictures resized?')
    return Row(CHECK, table.split, OK, text)


def _centre_rows(table: LabelTable, sizes: np.ndarray, facts: DatasetFacts) -> list[Row]:
    """The principal point of a dataset whose pictures all have the same."""
    if facts.principal_point is None or facts.picture_size is None:
        return []
    expected = np.tile(np.asarray(facts.principal_point, np.float64), (len(table), 1))
    known = np.isfinite(sizes).all(axis=1)
    expected[known] *= sizes[known] / facts.picture_size  # an embedded set may be smaller
    off = table.cameras[:, :2, 2] - expected
    far = np.linalg.norm(off, axis=1) > CENTRE_PX
    if not far.any():
        place = ', '.join(f'{value:g}' for value in np.median(table.cameras[:, :2, 2], axis=0))
        return [Row(CENTRE_CHECK, table.split, OK, f'({place}) px, as published')]
    shift = np.round(np.median(off[far], axis=0), 1) + 0.0  # + 0.0: no minus zero in print
    place = ', '.join(f'{value:g}' for value in facts.principal_point)
    text = (
        f'principal point is off by about ({shift[0]:.1f}, {shift[1]:.1f}) px in {int(far.sum())} of '
        f'{len(far)}: this dataset has it at ({place}) in every picture'
    )
    return [Row(CENTRE_CHECK, table.split, WRONG, text, 'get the file of K again, or undo the crop')]
