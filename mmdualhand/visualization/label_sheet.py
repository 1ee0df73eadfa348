"""A contact sheet of labels as they stand in the files of a dataset."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mmdualhand.datasets.health.evidence import Evidence, read_evidence
from mmdualhand.datasets.health.table import LabelTable, spread
from mmdualhand.datasets.image_io import read_picture
from mmdualhand.errors import DataError, MissingFileError
from mmdualhand.visualization.overlays import colorize_depth, overlay_mask
from mmdualhand.visualization.panels import panel
from mmdualhand.visualization.skeleton_drawing import draw_skeleton_2d

PICTURE_WIDTH, CLOSE_SIDE = 320, 240
CLOSE_UP = 1.7
"""Side of a close-up over the larger extent of its joints."""
_DEPTH_MM = 120.0

Tile = tuple[np.ndarray, str]


def label_sheet(tables: Sequence[LabelTable], number: int, header: str = '') -> np.ndarray | None:
    """Draw labels over their pictures: whole, close, and over mask and depth.

    Args:
        tables: Labels of each split; nothing in them need be right.
        number: How many samples of all splits together, spread over each.
        header: One line above the sheet.

    Returns:
        (H, W, 3) uint8 RGB; None where no picture can be read.
    """
    drawn = [(table, _drawable(table)) for table in tables]
    drawn = [(table, rows) for table, rows in drawn if len(rows)]
    each = -(-number // max(len(drawn), 1))
    samples = [
        tiles
        for table, rows in drawn
        for row in rows[spread(len(rows), each)].tolist()
        if (tiles := _tiles(table, row))
    ]
    if not samples:
        return None
    columns = max(map(len, samples))
    blank = np.full((1, 1, 3), 255, np.uint8)
    cells = [cell for tiles in samples for cell in [*tiles, *[(blank, '')] * (columns - len(tiles))]]
    pictures, titles = zip(*cells, strict=True)
    per_row = 2 if columns <= 2 else 1
    return panel(pictures, titles, columns=columns * per_row, header=header)


def _drawable(table: LabelTable) -> np.ndarray:
    return np.nonzero(table.pictures('rgb') != '')[0]


def _tiles(table: LabelTable, row: int) -> list[Tile]:
    """The pictures of one sample; none where its photo cannot be read."""
    name = str(table.ids[row])
    part = table.keep(np.array([row]))
    try:
        photo = read_picture(table.pictures('rgb')[row], name, color=True)
    except (DataError, MissingFileError):
        return []
    uv = part.pixels()[0]
    scale = PICTURE_WIDTH / photo.shape[1]
    small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if not np.isfinite(uv).any():
        return [(small, f'{table.split}: {name} (no label)')]
    tiles = [(draw_skeleton_2d(small, (uv + 0.5) * scale - 0.5), f'{table.split}: {name}')]
    box = _close_up(uv)
    tiles.append(_close_tile(photo, uv, box, f'{table.sides[row] or "side not stored"}'))
    return tiles + _evidence_tiles(read_evidence(part, 0), part, uv, box)


def _evidence_tiles(evidence: Evidence, table: LabelTable, uv: np.ndarray, box: np.ndarray) -> list[Tile]:
    tiles = []
    if evidence.mask is not None:
        grey = np.full((*evidence.mask.shape, 3), 90, np.uint8)
        picture = overlay_mask(grey, evidence.mask.astype(np.float32), alpha=0.8)
        tiles.append(_close_tile(picture, uv, box, 'mask'))
    if evidence.depth is not None and table.labelled[0]:
        joints, camera = table.xyz[0], table.cameras[0]
        if table.depth_cameras is not None and table.depth_motion is not None:
            joints = joints @ table.depth_motion[0, :, :3].T + table.depth_motion[0, :, 3]
            camera = table.depth_cameras[0]
        rays = joints @ camera.T
        place = rays[:, :2] / np.where(rays[:, 2:] > 0, rays[:, 2:], np.nan)
        level = (evidence.depth - joints[9, 2]) / (2 * _DEPTH_MM) + 0.5
        level[evidence.depth <= 0] = np.nan
        if np.isfinite(place).any():
            tiles.append(_close_tile(colorize_depth(level), place, _close_up(place), 'depth'))
    return tiles


def _close_up(uv: np.ndarray) -> np.ndarray:
    """(3,) left, top and side of a square about the joints."""
    known = uv[np.isfinite(uv).all(axis=-1)]
    low, high = known.min(axis=0), known.max(axis=0)
    side = float(np.clip(CLOSE_UP * (high - low).max(), 16.0, 2000.0))
    return np.append((low + high - side) / 2, side)


def _close_tile(picture: np.ndarray, uv: np.ndarray, box: np.ndarray, title: str) -> Tile:
    """A square cut out of a picture, black outside it, with the joints."""
    left, top, side = box
    scale = CLOSE_SIDE / side
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    close = cv2.warpAffine(picture, matrix, (CLOSE_SIDE, CLOSE_SIDE), flags=cv2.INTER_LINEAR)
    return draw_skeleton_2d(close, (uv - (left, top)) * scale), title
