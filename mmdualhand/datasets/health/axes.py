"""What may have happened to labels on their way, each as a change that would undo it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mmdualhand.datasets.health.table import LabelTable
from mmdualhand.structures import HandSkeleton

Change = Callable[[LabelTable], LabelTable]

SWAPPED, MIRRORED, NEXT_CAMERA, PREVIOUS_CAMERA = 'swapped', 'mirrored', 'next camera', 'previous camera'
OTHER_ORDER, OTHER_VIEW = 'other order', 'other view'


@dataclass(frozen=True)
class Suspicion:
    """One thing that may be wrong.

    Attributes:
        kind: Which one, for code.
        text: In plain words, as a statement.
        advice: What to do about it.
        undo: Makes the table that there would be without it.
        touches: ``'3d'``, ``'2d'``, ``'camera'`` or ``'motion'``: what is changed.
    """

    kind: str
    text: str
    advice: str
    undo: Change
    touches: str


def swap_3d(table: LabelTable) -> LabelTable:
    """Exchange x and y of the 3D labels, in the frame of the label files."""
    return replace(table, joints=table.joints[..., [1, 0, 2]])


def swap_2d(table: LabelTable) -> LabelTable:
    """Exchange u and v of the stored pixels."""
    return table if table.uv is None else replace(table, uv=table.uv[..., ::-1])


def mirror_3d(table: LabelTable) -> LabelTable:
    """Change the sign of x of the 3D labels, in the frame of the label files."""
    return replace(table, joints=table.joints * np.array([-1.0, 1.0, 1.0]))


def mirror_2d(table: LabelTable) -> LabelTable:
    """Mirror the stored pixels about the principal point."""
    if table.uv is None:
        return table
    uv = table.uv.copy()
    uv[..., 0] = 2 * table.cameras[:, None, 0, 2] - uv[..., 0]
    return replace(table, uv=uv)


def shifted_cameras(table: LabelTable, step: int) -> LabelTable:
    """Give every sample the intrinsics ``step`` rows on in the label file; the file is taken as a ring."""
    if table.file_cameras is None or table.file_rows is None:
        return table
    return replace(table, cameras=table.file_cameras[(table.file_rows + step) % len(table.file_cameras)])


def suspicions(table: LabelTable) -> list[Suspicion]:
    """What can be wrong with labels of this kind, the simplest first."""
    axes = 'give the 3D labels in the order x, y, z: x right, y down, z forward'
    found = [
        Suspicion(SWAPPED, 'x and y are swapped (3D labels)', axes, swap_3d, '3d'),
        Suspicion(
            MIRRORED, 'hands are mirrored (x of the 3D labels has the wrong sign)',
            'mirror pictures, 2D, 3D and principal point together or not at all', mirror_3d, '3d',
        ),
    ]  # fmt: skip
    if table.uv is not None:
        pixels = 'store pixels as u (column), v (row) of the picture beside them'
        found = [
            Suspicion(SWAPPED, 'x and y are swapped (2D labels)', pixels, swap_2d, '2d'),
            Suspicion(MIRRORED, 'hands are mirrored (u of the 2D labels)', pixels, mirror_2d, '2d'),
            *found,
        ]
    if _cameras_vary(table):
        advice = 'K and labels have come apart by one row: write them from the same list again'
        for step, kind, fits, wants in ((-1, NEXT_CAMERA, 'i+1', 'i-1'), (1, PREVIOUS_CAMERA, 'i-1', 'i+1')):
            text = f'K of record i fits record {fits} (record i wants the K of {wants})'
            found.append(Suspicion(kind, text, advice, _camera_step(step), 'camera'))
    for step in range(1, 0 if table.other_motions is None else table.other_motions.shape[1]):
        text = f'camera poses belong to other views (view v wants the pose of view v+{step})'
        advice = 'order the views by the serial numbers of their cameras'
        found.append(Suspicion(OTHER_VIEW, text, advice, _view_step(step), 'motion'))
    return found


def order_suspicions(table: LabelTable) -> list[Suspicion]:
    """2D labels in another joint order than 3D ones; nothing where there is no 2D."""
    if table.uv is None:
        return []
    found, seen = [], {tuple(range(21))}
    for name in HandSkeleton.known_datasets():
        gather = HandSkeleton.from_dataset(name).gather % 21
        for order in (gather, np.argsort(gather)):
            if tuple(order.tolist()) in seen:
                continue
            seen.add(tuple(order.tolist()))
            text = f"joint order is not the dataset's: 2D and 3D differ as by the order of {name}"
            found.append(Suspicion(OTHER_ORDER, text, 'gather 2D and 3D alike', _order_step(order), '2d'))
    return found


def _camera_step(step: int) -> Change:
    return lambda table: shifted_cameras(table, step)


def _view_step(step: int) -> Change:
    return lambda table: (
        table if table.other_motions is None else replace(table, motion=table.other_motions[:, step])
    )


def _order_step(order: np.ndarray) -> Change:
    return lambda table: replace(table, uv=None if table.uv is None else table.uv[:, order])


def _cameras_vary(table: LabelTable) -> bool:
    """Whether neighbours in the label file have different intrinsics, so that mixing them up would show."""
    if table.file_cameras is None or len(table.file_cameras) < 2:
        return False
    step = np.abs(np.diff(table.file_cameras, axis=0)).max(axis=(1, 2))
    return bool((step > 0.5).mean() > 0.2)
