"""The same pictures as several networks see them: Figure 5 (a) of the paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmdualhand.apis.figures.cells import (
    OFF_WORDS,
    picture_cell,
    pose_cell,
    space_cell,
    true_space_cell,
    truth_cell,
)
from mmdualhand.apis.figures.looks import Look, NamedNetwork, look_twice
from mmdualhand.errors import ConfigError
from mmdualhand.visualization.figure_grid import Block, Cell, figure_grid

WORDS = {'front': 'the front', 'side': 'the side', 'top': 'above', 'orbit': 'aside and above'}
"""Views of the poses in space, in words."""


def compare_figure(
    networks: Sequence[NamedNetwork], rows: Sequence[int], *, view: str | None = 'side', chosen: str = ''
) -> np.ndarray:
    """A column for every network beside the picture and its true pose.

    Red needles lead from joints that are far off to where they should be. The caption of a
    pose is its 3D error (camera frame, no alignment), in 3D the true pose is grey.

    Args:
        networks: Two or more to be compared, or one.
        rows: Sample numbers.
        view: Of the poses in space below each picture, a key of :data:`WORDS`;
            None leaves them out.
        chosen: How the pictures were chosen, for the note.

    Returns:
        The figure, uint8 RGB.

    Raises:
        ConfigError: Unknown view.
    """
    if view is not None and view not in WORDS:
        raise ConfigError(f'--view must be one of {", ".join(WORDS)}, or none; got {view!r}')
    looks = [look_twice(one.network, rows) for one in networks]
    blocks = [Block(_rows(same, view), title=same[0].name) for same in zip(*looks, strict=True)]
    columns = ['picture', 'true pose', *(one.name for one in networks)]
    note = OFF_WORDS if view is None else f'{OFF_WORDS} In space, from {WORDS[view]}: grey is the true pose.'
    return figure_grid(blocks, columns, note=f'{note}\nPictures: {chosen}.' if chosen else note)


def _rows(same: Sequence[Look], view: str | None) -> list[list[Cell]]:
    first = [picture_cell(same[0]), truth_cell(same[0]), *(pose_cell(look, mark=True) for look in same)]
    if view is None:
        return [first]
    spaces = [space_cell(look, view) for look in same]
    if all(cell.picture is None for cell in spaces):
        return [first]
    blank = Cell(np.full((16, 16, 3), 255, np.uint8))
    return [first, [blank, true_space_cell(same[0], view), *spaces]]
