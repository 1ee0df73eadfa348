"""The labels of one split as arrays, as they stand in the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from mmdualhand.structures import NUM_JOINTS

MODALITIES = ('rgb', 'depth', 'mask')
"""Kinds of pictures a table names."""


@dataclass(frozen=True)
class LabelTable:
    """N labelled or unlabelled hands of one split.

    Nothing in it has been checked: numbers may be NaN, in another unit or in another order than
    they should be. Finding that out is what the table is for.

    Attributes:
        split: Name of the split.
        ids: (N,) str sample ids, those of the reader.
        sides: (N,) str, ``'left'``, ``'right'`` or ``''`` where the set does not say.
        joints: (N, 21, 3) float64 in the frame of the label files, canonical joint order, mm if the
            files hold the unit they are published in; NaN where there is no label.
        cameras: (N, 3, 3) float64 intrinsics that the labels are used with, NaN where there are none.
        motion: (N, 3, 4) float64 from the frame of the label files to the camera, mm; the identity
            where None.
        uv: (N, 21, 2) float64 stored pixels, NaN where not stored; None where the set stores none.
        visible: (N, 21) bool.
        groups: (N,) str: recording that a sample belongs to.
        paths: Kind of picture to (N,) str file names, ``''`` where there is none.
        depth_encoding: Name of the decoder of the depth pictures.
        depth_cameras: (N, 3, 3) intrinsics of depth pictures that a camera of their own took.
        depth_motion: (N, 3, 4) from the colour camera to that one, mm.
        mask_values: (N, 2) inclusive range of this hand's labels in the mask.
        file_cameras: (M, 3, 3) intrinsics in the order of the label file, None where no file has them.
        file_rows: (N,) int64 row of ``file_cameras`` of each sample.
        other_motions: (N, V, 3, 4) motions to all cameras of a rig, beginning with the sample's own.
        lengths: (N,) length of the bone 9-10 that the set stores, mm; None where it stores none.
    """

    split: str
    ids: np.ndarray
    sides: np.ndarray
    joints: np.ndarray
    cameras: np.ndarray
    motion: np.ndarray | None = None
    uv: np.ndarray | None = None
    visible: np.ndarray | None = None
    groups: np.ndarray | None = None
    paths: dict[str, np.ndarray] = field(default_factory=dict)
    depth_encoding: str = ''
    depth_cameras: np.ndarray | None = None
    depth_motion: np.ndarray | None = None
    mask_values: np.ndarray | None = None
    file_cameras: np.ndarray | None = None
    file_rows: np.ndarray | None = None
    other_motions: np.ndarray | None = None
    lengths: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def xyz(self) -> np.ndarray:
        """(N, 21, 3) joints in the frame of the colour camera."""
        return self.joints if self.motion is None else move(self.motion, self.joints)

    @property
    def labelled(self) -> np.ndarray:
        """(N,) bool: every coordinate of the 3D label is a number."""
        return np.isfinite(self.joints).all(axis=(1, 2))

    @property
    def seen(self) -> np.ndarray:
        """(N, 21) bool visibility, true where the set stores none."""
        return np.ones((len(self), NUM_JOINTS), bool) if self.visible is None else self.visible

    def project(self) -> np.ndarray:
        """(N, 21, 2) pixels of the 3D labels; NaN behind the camera and where a label is missing."""
        return project(self.cameras, self.xyz)

    def pixels(self) -> np.ndarray:
        """(N, 21, 2) stored pixels, the projection where none are stored."""
        projected = self.project()
        return projected if self.uv is None else np.where(np.isfinite(self.uv), self.uv, projected)

    def pictures(self, kind: str) -> np.ndarray:
        """(N,) file names of a kind of picture, ``''`` where there is none."""
        return self.paths.get(kind, np.full(len(self), '', object))

    def keep(self, rows: np.ndarray) -> LabelTable:
        """The table of some samples (a bool mask or numbers); ``file_cameras`` stays whole."""
        changes: dict[str, object] = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, np.ndarray) and entry.name != 'file_cameras':
                changes[entry.name] = value[rows]
        changes['paths'] = {kind: names[rows] for kind, names in self.paths.items()}
        return replace(self, **changes)  # type: ignore[arg-type]


def move(motion: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Apply rigid motions (N, 3, 4) to points (N, J, 3)."""
    return points @ motion[:, :, :3].transpose(0, 2, 1) + motion[:, None, :, 3]


def project(cameras: np.ndarray, xyz: np.ndarray) -> np.ndarray:
    """Pixels (N, J, 2) of camera-frame points (N, J, 3); NaN at and behind the camera."""
    rays = xyz @ cameras.transpose(0, 2, 1)
    depth = np.where(rays[..., 2:] > 0, rays[..., 2:], np.nan)
    return rays[..., :2] / depth


def spread(count: int, wanted: int) -> np.ndarray:
    """At most ``wanted`` of ``count`` numbers, evenly spread."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(wanted, count)).astype(np.int64))


def listed(names: Sequence[object], most: int = 3) -> str:
    """The first few names, and how many more there are."""
    shown = ', '.join(str(name) for name in names[:most])
    return shown + (f' and {len(names) - most} more' if len(names) > most else '')
