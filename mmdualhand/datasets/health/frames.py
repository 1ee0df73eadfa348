"""Whether the joints lie inside the pictures, and the pictures have the size of the dataset."""

from __future__ import annotations

import numpy as np

from mmdualhand.datasets.health.axes import suspicions
from mmdualhand.datasets.health.facts import DatasetFacts
from mmdualhand.datasets.health.pictures import PictureScan
from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WARNING, WRONG, Row
from mmdualhand.datasets.health.table import LabelTable

CHECK = 'joints inside the picture'
SIZE_CHECK = 'picture size'
INSIDE, HARDLY_INSIDE = 0.9, 0.6


def inside_shares(table: LabelTable, sizes: np.ndarray) -> np.ndarray:
    """Share of visible joints inside the picture of each sample (N,); NaN where unknown.

    Args:
        table: The labels.
        sizes: (N, 2) width and height, NaN where unknown.
    """
    uv = table.pixels()
    told = np.isfinite(uv).all(axis=-1) & table.seen & np.isfinite(sizes).all(axis=1)[:, None]
    with np.errstate(invalid='ignore'):
        inside = ((uv >= -0.5) & (uv <= sizes[:, None] - 0.5)).all(axis=-1)
    count = told.sum(axis=1)
    return np.where(count > 0, (inside & told).sum(axis=1) / np.maximum(count, 1), np.nan)


def check_frames(table: LabelTable, scan: PictureScan, facts: DatasetFacts, embedded: bool) -> list[Row]:
    """Judge picture sizes and where the joints are.

    Args:
        table: Labels in canonical order and millimetres.
        scan: What is known of the picture files.
        facts: Of the dataset.
        embedded: A rendered stand-in, whose pictures may be smaller.
    """
    sizes = scan.sizes_of(table.pictures('rgb'))
    return [
        _inside_row(table, sizes),
        *_size_rows(table, sizes, facts, embedded),
    ]


def _inside_row(table: LabelTable, sizes: np.ndarray) -> Row:
    shares = inside_shares(table, sizes)
    told = np.isfinite(shares)
    if not told.any():
        return Row(CHECK, table.split, NOT_APPLICABLE, 'no picture that can be read with joints in it')
    share = float(shares[told].mean())
    text = f'{share:.1%} of the joints of {int(told.sum())} samples'
    if share >= INSIDE:
        return Row(CHECK, table.split, OK, text)
    for suspicion in suspicions(table):
        if suspicion.touches in ('2d', '3d'):
            after = inside_shares(suspicion.undo(table), sizes)
            undone = float(np.nanmean(after[told]))
            if undone >= INSIDE:
                text = f'only {text}; undoing this puts {undone:.0%} inside: {suspicion.text}'
                break
    verdict = WRONG if share < HARDLY_INSIDE else WARNING
    return Row(CHECK, table.split, verdict, text, 'do camera, pictures and labels belong together?')


def _size_rows(table: LabelTable, sizes: np.ndarray, facts: DatasetFacts, embedded: bool) -> list[Row]:
    known = sizes[np.isfinite(sizes).all(axis=1)].astype(np.int64)
    if not len(known):
        return []
    kinds, counts = np.unique(known, axis=0, return_counts=True)
    text = (
        f'{kinds[0][0]}x{kinds[0][1]} px'
        if len(kinds) == 1
        else (f'{len(kinds)} sizes from {known.min()} to {known.max()} px')
    )
    if facts.picture_size is None or embedded:
        return [Row(SIZE_CHECK, table.split, OK, text)]
    other = (kinds != facts.picture_size).any(axis=1)
    if not other.any():
        return [Row(SIZE_CHECK, table.split, OK, text)]
    width, height = facts.picture_size
    text = f'{int(counts[other].sum())} pictures are not {width}x{height} px as published: {text}'
    return [Row(SIZE_CHECK, table.split, WARNING, text, 'were they resized? Then K and 2D must be, too')]
