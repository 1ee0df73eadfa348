"""Attention from depth and from RGB features: Figures 1, 5 (b) and 6 of the paper."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from mmdualhand.apis.figures.cells import (
    attention_cell,
    depth_cell,
    mask_cell,
    picture_cell,
    pose_cell,
    truth_cell,
)
from mmdualhand.apis.figures.looks import Look, NamedNetwork, look_twice
from mmdualhand.errors import ConfigError, near_names
from mmdualhand.models.backbones.staged import STAGE_NAMES
from mmdualhand.visualization.figure_grid import Block, Cell, figure_grid

COLUMNS = {
    'picture': 'picture',
    'truth': 'true pose',
    'pose': 'pose',
    'depth': 'depth map',
    'mask': 'mask',
    'depth-attention': 'attention: depth',
    'rgb-attention': 'attention: RGB',
}
"""Columns that there are, and their titles."""

DEFAULT_COLUMNS = ('picture', 'depth', 'mask', 'pose', 'depth-attention', 'rgb-attention')
"""Those of Figure 5 (b)."""

_PLAIN: dict[str, Callable[[Look], Cell]] = {
    'picture': picture_cell,
    'truth': truth_cell,
    'pose': pose_cell,
    'depth': depth_cell,
    'mask': mask_cell,
}
_KINDS = {'depth-attention': 'depth', 'rgb-attention': 'rgb'}


def attention_figure(
    networks: Sequence[NamedNetwork],
    rows: Sequence[int],
    *,
    columns: Sequence[str] = DEFAULT_COLUMNS,
    stage: str = 'stem',
    shared: bool = True,
    chosen: str = '',
) -> np.ndarray:
    """A row for every network below the name of each picture.

    The depth encoder sees the depth map that the network predicts, as in stage 2. RGB
    attention is Eq. 1 on the features of the RGB encoder; the network does not use it.

    Args:
        networks: For example before and after fine-tuning, with and without distillation.
        rows: Sample numbers.
        columns: Keys of :data:`COLUMNS`.
        stage: After which stage: ``stem`` is conv1.
        shared: One range of colours a picture and kind of attention, of the weights of all its
            rows without the border of the map and the outermost 2 %; else each map its own.
        chosen: How the pictures were chosen, for the note.

    Returns:
        The figure, uint8 RGB.

    Raises:
        ConfigError: An unknown column or stage, or no network has a depth encoder.
    """
    for name in columns:
        if name not in COLUMNS:
            raise ConfigError(f'no column {name!r}; {near_names(name, COLUMNS)}')
    looks = [look_twice(one.network, rows) for one in networks]
    place = _stage_place(looks, stage)
    blocks = []
    for same in zip(*looks, strict=True):
        cells = []
        for look in same:
            among = same if shared else (look,)
            limits = {kind: _limits(among, kind, place) for kind in _KINDS.values()}
            cells.append([_cell(look, name, place, limits) for name in columns])
        blocks.append(Block(cells, _heads(networks), same[0].name))
    scale = 'one range of colours a picture' if shared else 'each map in its own range'
    note = f'Attention after {stage}, mean weight 1; blue is little, yellow much; {scale}. '
    note += '\nThe network weights its features by depth attention; RGB attention is shown for comparison.'
    return figure_grid(blocks, [COLUMNS[name] for name in columns], note=_note(note, chosen))


def _note(text: str, chosen: str) -> str:
    return f'{text}\nPictures: {chosen}.' if chosen else text


def _heads(networks: Sequence[NamedNetwork]) -> list[str]:
    return [one.name for one in networks]


def _stage_place(looks: Sequence[Sequence[Look]], stage: str) -> int:
    depths = [len(look.attention['depth']) for some in looks for look in some if look.attention]
    if not depths:
        raise ConfigError('none of these networks has a depth encoder: there is no attention to draw')
    names = STAGE_NAMES[: min(depths)]
    if stage not in names:
        raise ConfigError(f'--stage must be one of {", ".join(names)}, got {stage!r}')
    return names.index(stage)


def _limits(looks: Sequence[Look], kind: str, stage: int) -> tuple[float, float] | None:
    maps = [_inner(look.attention[kind][stage]) for look in looks if look.attention]
    if not maps:
        return None
    low, high = (float(one) for one in np.percentile(np.concatenate(maps), (2, 98)))
    return (low, high) if low < high else None


def _inner(weights: np.ndarray) -> np.ndarray:
    """The weights but for the border, where the padding of the convolutions shows."""
    edge = math.ceil(0.08 * min(weights.shape)) if min(weights.shape) > 4 else 0
    return weights[edge : weights.shape[0] - edge, edge : weights.shape[1] - edge].ravel()


def _cell(look: Look, name: str, stage: int, limits: dict[str, tuple[float, float] | None]) -> Cell:
    if name in _KINDS:
        return attention_cell(look, _KINDS[name], stage, limits[_KINDS[name]])
    return _PLAIN[name](look)
