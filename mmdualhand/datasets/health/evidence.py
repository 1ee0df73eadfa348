"""What a sample's mask and depth pictures say about where its joints can be."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mmdualhand.datasets.depth_decoders import DEPTH_DECODERS
from mmdualhand.datasets.health.table import LabelTable, move, project
from mmdualhand.datasets.image_io import read_picture
from mmdualhand.errors import DataError, MissingFileError

BEHIND_MM = 10.0
"""How far the surface may lie behind a joint: thin fingers, labels a few mm off."""
IN_FRONT_MM = 120.0
"""How far it may lie in front: another finger, or the palm, hides the joint."""
SEARCH_PX = 16
"""Shifts of up to so many pixels each way are tried."""
_CAP_PX = 10
_MARGIN = SEARCH_PX + _CAP_PX + 2


@dataclass(frozen=True)
class Evidence:
    """Mask and depth of one sample.

    Attributes:
        mask: (H, W) bool, this hand's pixels; None where there is no mask.
        depth: (H, W) float32 mm, 0 where nothing was measured; None where there is none.
    """

    mask: np.ndarray | None
    depth: np.ndarray | None

    @property
    def empty(self) -> float:
        """What a pixel without measured depth says: nothing beside a mask (NaN), else no hand (0)."""
        return 0.0 if self.mask is None else np.nan


def places(table: LabelTable) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Where the joints are in the pictures of each kind.

    Args:
        table: N samples.

    Returns:
        ``'mask'`` and ``'depth'``: pixels (N, 21, 2) and depth (N, 21) mm in the camera that took it.
    """
    xyz = table.xyz
    pixels = table.pixels()
    result = {'mask': (pixels, xyz[..., 2])}
    if table.depth_cameras is None or table.depth_motion is None:
        result['depth'] = result['mask']
    else:
        there = move(table.depth_motion, xyz)
        result['depth'] = (project(table.depth_cameras, there), there[..., 2])
    return result


def samples_with_evidence(table: LabelTable) -> np.ndarray:
    """Numbers of the labelled samples that name a mask or a depth picture."""
    named = (table.pictures('mask') != '') | (table.pictures('depth') != '')
    return np.nonzero(named & table.labelled & np.isfinite(table.cameras).all(axis=(1, 2)))[0]


def read_evidence(table: LabelTable, row: int) -> Evidence:
    """Read the pictures of one sample; one that cannot be read, or does not decode, is left out.

    Which files are broken is the concern of another check.
    """
    mask = depth = None
    name = str(table.ids[row])
    path = table.pictures('mask')[row]
    if path:
        picture = _read(path, name)
        if picture is not None and table.mask_values is not None:
            low, high = table.mask_values[row]
            flat = picture if picture.ndim == 2 else picture[..., 0]
            mask = (flat >= low) & (flat <= high)
    path = table.pictures('depth')[row]
    if path:
        picture = _read(path, name)
        if picture is not None:
            try:
                depth = DEPTH_DECODERS[table.depth_encoding](picture)
            except (ValueError, KeyError):
                depth = None
    return Evidence(mask, depth)


def _read(path: str, name: str) -> np.ndarray | None:
    try:
        return read_picture(path, name)
    except (DataError, MissingFileError):
        return None


def possible(evidence: Evidence, where: dict[str, tuple[np.ndarray, np.ndarray]], row: int) -> np.ndarray:
    """(21,) float: 1 where a joint is on the hand, 0 where it is not, NaN where nothing tells."""
    verdicts = []
    if evidence.mask is not None:
        uv, _ = where['mask']
        verdicts.append(_look_up(evidence.mask.astype(np.float32), uv[row], outside=0.0))
    if evidence.depth is not None:
        uv, z = where['depth']
        surface = _look_up(evidence.depth, uv[row], outside=np.inf)
        verdicts.append(_fits(surface, z[row], evidence.empty))
    if not verdicts:
        return np.full(len(where['mask'][0][row]), np.nan)
    stacked = np.stack(verdicts)
    told = np.isfinite(stacked)
    lowest = np.where(told, stacked, 1.0).min(axis=0)
    return np.where(told.any(axis=0), lowest, np.nan)


def depth_gaps(evidence: Evidence, where: dict[str, tuple[np.ndarray, np.ndarray]], row: int) -> np.ndarray:
    """(21,) mm by which each joint lies behind the measured surface; NaN where nothing was measured."""
    uv, z = where['depth']
    if evidence.depth is None:
        return np.full(len(z[row]), np.nan)
    surface = _look_up(evidence.depth, uv[row], outside=np.nan)
    return np.where(surface > 0, z[row] - surface, np.nan)


def shift_scores(evidence: Evidence, where: dict[str, tuple[np.ndarray, np.ndarray]], row: int) -> np.ndarray:
    """How well the joints sit on the hand if all of them are moved alike.

    The score of a joint is its distance to the outline of what it may lie on, positive inside, at
    most 10 px. Joints lie in the middle of fingers, so the best shift of many samples is sharp.

    Returns:
        (2 S + 1, 2 S + 1) mean over the joints for shifts (dv, du) of up to S = ``SEARCH_PX``.
    """
    total = np.zeros((2 * SEARCH_PX + 1, 2 * SEARCH_PX + 1))
    count = len(where['mask'][0][row])
    for joint in range(count):
        fits = np.ones((2 * _MARGIN + 1, 2 * _MARGIN + 1), bool)
        if evidence.mask is not None:
            fits &= _window(evidence.mask, where['mask'][0][row, joint], False)
        if evidence.depth is not None:
            uv, z = where['depth']
            surface = _window(evidence.depth, uv[row, joint], np.inf)
            fits &= _fits(surface, z[row, joint], evidence.empty) != 0
        total += _signed_distance(fits) / count
    return total


def _fits(surface: np.ndarray, z: np.ndarray, empty: float) -> np.ndarray:
    """1 where a joint at depth z may be under a surface, 0 where not, ``empty`` without measurement."""
    gap = z - surface
    fits = ((gap >= -BEHIND_MM) & (gap <= IN_FRONT_MM)).astype(np.float64)
    return np.where(surface > 0, fits, empty)


def _look_up(picture: np.ndarray, uv: np.ndarray, outside: float) -> np.ndarray:
    """(J,) values at the nearest pixels of uv (J, 2)."""
    height, width = picture.shape
    known = np.isfinite(uv).all(axis=-1)
    columns, rows = np.rint(np.where(known[:, None], uv, -1)).clip(-1, 1e6).astype(np.int64).T
    inside = known & (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    values = np.full(len(uv), outside, np.float64)
    values[inside] = picture[rows[inside], columns[inside]]
    return values


def _window(picture: np.ndarray, uv: np.ndarray, outside: float) -> np.ndarray:
    """The pixels about uv (2,), (2 M + 1, 2 M + 1); what lies outside the picture is ``outside``."""
    side = 2 * _MARGIN + 1
    out = np.full((side, side), outside, picture.dtype)
    if not np.isfinite(uv).all():
        return out
    height, width = picture.shape
    left, top = np.rint(uv).clip(-1e6, 1e6).astype(np.int64) - _MARGIN
    rows = slice(max(top, 0), min(top + side, height))
    columns = slice(max(left, 0), min(left + side, width))
    if rows.start < rows.stop and columns.start < columns.stop:
        out[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = picture[
            rows, columns
        ]
    return out


def _signed_distance(fits: np.ndarray) -> np.ndarray:
    """Distance to the outline within ``_CAP_PX``, positive inside; the middle of the window alone."""
    inside = np.pad(fits, 1).astype(np.uint8)  # the window's rim counts as outline, beyond the cap
    near = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
    far = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
    signed = np.minimum(near, _CAP_PX) - np.minimum(far, _CAP_PX)
    middle = slice(_MARGIN - SEARCH_PX, _MARGIN + SEARCH_PX + 1)
    return signed[middle, middle]
