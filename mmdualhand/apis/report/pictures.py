"""Test pictures before and after fine-tuning, and the worst ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mmdualhand.apis.report.content import Comparison
from mmdualhand.apis.report.html import escape, figure, note, paragraph
from mmdualhand.apis.report.predictions import load_network
from mmdualhand.apis.report.tiles import (
    Tile,
    attention_limits,
    attention_tile,
    depth_tile,
    mask_tile,
    photo_tile,
    pose_tile,
    space_tile,
)
from mmdualhand.datasets.image_io import read_photo
from mmdualhand.errors import HandUserError
from mmdualhand.structures import HandDataSample
from mmdualhand.visualization import sample_epe

QUANTILES = (0.1, 0.5, 0.9)
"""Pictures that are shown: at these quantiles of the error before fine-tuning."""
WORST = 3
"""Worst cases of a target."""


@dataclass(frozen=True)
class Pair:
    """A test picture as two networks see it."""

    before: HandDataSample
    after: HandDataSample

    @property
    def photo(self) -> np.ndarray:
        """The picture as it is on disk, ``(H, W, 3)`` RGB."""
        meta = self.before.metainfo
        return read_photo(meta['img_path'], str(meta.get('sample_id', '')))

    @property
    def heading(self) -> str:
        """Name and errors."""
        errors = [sample_epe(sample) for sample in (self.before, self.after)]
        first, second = ('?' if error is None else f'{error:.1f}' for error in errors)
        name = escape(self.before.metainfo.get('sample_id', 'picture'))
        return f'<b>{name}</b> {first} mm before, {second} mm after'


def quantile_rows(errors: np.ndarray, quantiles: Sequence[float] = QUANTILES) -> list[int]:
    """Samples at some quantiles of an error; those without one are left out.

    Args:
        errors: ``(N,)``, NaN where there is none.
        quantiles: In 0..1; the nearest rank, each sample once.
    """
    order = _order(errors)
    if not order:
        return []
    ranks = (round(quantile * (len(order) - 1)) for quantile in quantiles)
    return list(dict.fromkeys(order[rank] for rank in ranks))


def worst_rows(errors: np.ndarray, count: int = WORST) -> list[int]:
    """Samples of the largest errors, the worst first."""
    return _order(errors)[::-1][:count]


def _order(errors: np.ndarray) -> list[int]:
    """Samples from the least to the largest error."""
    known = np.flatnonzero(np.isfinite(errors))
    return [int(row) for row in known[np.argsort(errors[known], kind='stable')]]


@dataclass(frozen=True)
class ComparedPictures:
    """HTML of a target: chosen pictures, and worst cases."""

    chosen: str
    worst: str


def compare(comparison: Comparison) -> ComparedPictures:
    """Run both networks on a target's test pictures and draw some of them.

    What hinders it (a checkpoint or a photo that is not there) becomes a sentence of
    the report: results that took long to measure are not lost with it.
    """
    heading = f'<h3>{escape(comparison.title)}</h3>'
    try:
        before = load_network(comparison.before, comparison.config)
        after = load_network(comparison.after, comparison.config)
        first, second = before.errors(), after.errors()
        chosen, worst = quantile_rows(first), worst_rows(second)
        if not chosen:
            return ComparedPictures(heading + note('No test picture has a 3D label.'), '')
        both = list(dict.fromkeys([*chosen, *worst]))
        seen = zip(before.look(both), after.look(both), strict=True)
        pairs = dict(zip(both, (Pair(*one) for one in seen), strict=True))
        top = ''.join(_sample(pairs[row], _columns, 'compared') for row in chosen)
        low = ''.join(_sample(pairs[row], _worst_columns, 'worst') for row in worst)
    except HandUserError as error:
        return ComparedPictures(heading + note(f'No pictures: {error}'), '')
    return ComparedPictures(heading + paragraph(verdict(first, second)) + top, heading + low)


def verdict(before: np.ndarray, after: np.ndarray) -> str:
    """A sentence on the errors of all test pictures, mm."""
    known = np.isfinite(before) & np.isfinite(after)
    if not known.any():
        return 'No prediction of both networks is finite.'
    better = int((after[known] < before[known]).sum())
    first, second = (float(np.median(errors[known])) for errors in (before, after))
    return (
        f'The error falls on {better} of {int(known.sum())} test pictures; its median goes from '
        f'{first:.1f} to {second:.1f} mm.'
    )


def _sample(pair: Pair, columns: Callable[[Pair], list[Tile]], kind: str) -> str:
    tiles = ''.join(map(str, columns(pair)))
    heading = f'<p class="name">{pair.heading}</p>'
    return figure(f'<div class="{kind}">{tiles}</div>', '', 'sample', heading=heading)


def _columns(pair: Pair) -> list[Tile]:
    """Pairs of tiles, before and after, one below the other or side by side."""
    photo, samples = pair.photo, (pair.before, pair.after)
    limits = attention_limits(samples)
    tiles = [photo_tile(photo, pair.before, 'picture'), pose_tile(photo, pair.before, 'truth', truth=True)]
    for draw in (pose_tile, space_tile, mask_tile, depth_tile):
        tiles += [
            draw(photo, sample, when) for sample, when in zip(samples, ('before', 'after'), strict=True)
        ]
    if limits is not None:
        tiles += [
            attention_tile(photo, sample, when, limits)
            for sample, when in zip(samples, ('before', 'after'), strict=True)
        ]
    return tiles


def _worst_columns(pair: Pair) -> list[Tile]:
    photo = pair.photo
    return [
        pose_tile(photo, pair.before, 'truth', truth=True),
        pose_tile(photo, pair.after, 'after'),
        space_tile(photo, pair.after, 'after'),
    ]
