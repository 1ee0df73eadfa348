"""The 21 joints of a hand, their tree, and the joint order of every dataset."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

ArrayT = TypeVar('ArrayT', np.ndarray, torch.Tensor)

NUM_JOINTS = 21
ROOT_JOINT = 9
REFERENCE_BONE = (9, 10)
DEFAULT_REFERENCE_LENGTH_MM = 40.0

JOINT_NAMES: tuple[str, ...] = (
    'wrist',
    'thumb_cmc', 'thumb_mcp', 'thumb_ip', 'thumb_tip',
    'index_mcp', 'index_pip', 'index_dip', 'index_tip',
    'middle_mcp', 'middle_pip', 'middle_dip', 'middle_tip',
    'ring_mcp', 'ring_pip', 'ring_dip', 'ring_tip',
    'pinky_mcp', 'pinky_pip', 'pinky_dip', 'pinky_tip',
)  # fmt: skip

FINGERS: dict[str, tuple[int, int, int, int]] = {
    'thumb': (1, 2, 3, 4),
    'index': (5, 6, 7, 8),
    'middle': (9, 10, 11, 12),
    'ring': (13, 14, 15, 16),
    'pinky': (17, 18, 19, 20),
}

PARENTS: tuple[int, ...] = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)

BONES: tuple[tuple[int, int], ...] = tuple(
    (parent, child) for child, parent in enumerate(PARENTS) if parent >= 0
)

_IDENTITY = tuple(range(NUM_JOINTS))
_TIP_TO_BASE = (0, 4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13, 20, 19, 18, 17)
_PINKY_FIRST = (0, 17, 18, 19, 20, 13, 14, 15, 16, 9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4)
_THUMB_LAST = (0, 17, 18, 19, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
_WRIST_LAST = (20, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16)

# Gather indices of each dataset as published: canonical[i] = raw[gather[i]].
_DATASETS: dict[str, tuple[tuple[int, ...], int]] = {
    'rhd_left': (_TIP_TO_BASE, 42),
    'rhd_right': (tuple(21 + joint for joint in _TIP_TO_BASE), 42),
    'stb': (_PINKY_FIRST, 21),
    'freihand': (_IDENTITY, 21),
    'h3d': (_IDENTITY, 21),
    'mvhand': (_THUMB_LAST, 21),
    'ge_real': (_IDENTITY, 21),
    'interhand_right': (_WRIST_LAST, 42),
    'interhand_left': (tuple(21 + joint for joint in _WRIST_LAST), 42),
}


@dataclass(frozen=True, eq=False)
class HandSkeleton:
    """The joint order of one dataset, checked to be a bijection onto its hand.

    Canonical order: wrist, thumb CMC MCP IP TIP, index MCP PIP DIP TIP, middle,
    ring, pinky.

    Args:
        name: Name of the order, for messages.
        gather: (21,) raw index of each canonical joint:
            ``canonical = raw[gather]``.
        num_raw_joints: Number of joints of a raw record (42 where one record
            holds both hands).

    Raises:
        ValueError: ``gather`` is not 21 different indices into the raw record,
            or they do not form one block of 21 neighbours.
    """

    name: str
    gather: np.ndarray
    num_raw_joints: int = NUM_JOINTS

    def __post_init__(self) -> None:
        gather = np.array(self.gather)
        if gather.shape != (NUM_JOINTS,) or not np.issubdtype(gather.dtype, np.integer):
            raise ValueError(
                f'gather of {self.name!r} must be {NUM_JOINTS} integers, '
                f'got shape {gather.shape} of {gather.dtype}'
            )
        gather = gather.astype(np.int64)
        if len(set(gather.tolist())) != NUM_JOINTS:
            raise ValueError(f'gather of {self.name!r} names a raw joint twice: {gather.tolist()}')
        if gather.min() < 0 or gather.max() >= self.num_raw_joints:
            raise ValueError(
                f'gather of {self.name!r} must lie in 0..{self.num_raw_joints - 1}, got {gather.tolist()}'
            )
        if gather.max() - gather.min() != NUM_JOINTS - 1:
            raise ValueError(
                f'gather of {self.name!r} must cover one block of {NUM_JOINTS} raw joints, '
                f'got {gather.tolist()}'
            )
        gather.setflags(write=False)
        object.__setattr__(self, 'gather', gather)

    @classmethod
    def from_dataset(cls, name: str) -> HandSkeleton:
        """Joint order of a published dataset.

        Args:
            name: One of ``rhd_left rhd_right stb freihand h3d mvhand ge_real
                interhand_right interhand_left``.

        Returns:
            The skeleton whose ``gather`` leads from the dataset's raw order to
            the canonical one.

        Raises:
            ValueError: Unknown name; the message lists the nearest ones.
        """
        if name not in _DATASETS:
            near = difflib.get_close_matches(str(name), _DATASETS, n=3, cutoff=0.4)
            hint = f'did you mean {" or ".join(map(repr, near))}?' if near else (
                f'known: {", ".join(_DATASETS)}'
            )
            raise ValueError(f'no joint order is known for dataset {name!r}; {hint}')
        gather, num_raw_joints = _DATASETS[name]
        return cls(name=name, gather=np.array(gather, dtype=np.int64), num_raw_joints=num_raw_joints)

    @classmethod
    def known_datasets(cls) -> tuple[str, ...]:
        """Names that :meth:`from_dataset` knows."""
        return tuple(_DATASETS)

    @property
    def names(self) -> tuple[str, ...]:
        """The 21 canonical joint names."""
        return JOINT_NAMES

    @property
    def parents(self) -> tuple[int, ...]:
        """Parent of each canonical joint, -1 for the wrist."""
        return PARENTS

    @property
    def scatter(self) -> np.ndarray:
        """(21,) int64: this hand's raw block in ascending raw order = ``canonical[scatter]``."""
        return np.argsort(self.gather)

    def to_canonical(self, raw: ArrayT, axis: int = -2) -> ArrayT:
        """Bring raw joints into canonical order.

        Args:
            raw: Array with ``num_raw_joints`` joints along ``axis``, or with
                this hand's block of 21 alone (a file that stores one hand).
            axis: The joint axis; -2 for ``(..., joints, coordinates)``.

        Returns:
            The same with 21 canonical joints along ``axis``.

        Raises:
            ValueError: The axis has another number of joints.
        """
        count = raw.shape[axis]
        if count == self.num_raw_joints:
            return _take(raw, self.gather, axis)
        if count == NUM_JOINTS:
            return _take(raw, self.gather - self.gather.min(), axis)
        raise ValueError(
            f'raw joints of {self.name!r} must number {self.num_raw_joints} (or {NUM_JOINTS}, one hand) '
            f'along axis {axis}, got {count}'
        )

    def to_raw_block(self, canonical: ArrayT, axis: int = -2) -> ArrayT:
        """Bring canonical joints into this hand's raw order (for writers).

        Args:
            canonical: Array with 21 joints along ``axis``.
            axis: The joint axis.

        Returns:
            This hand's block of 21 joints in ascending raw order.

        Raises:
            ValueError: The axis does not hold 21 joints.
        """
        if canonical.shape[axis] != NUM_JOINTS:
            raise ValueError(
                f'canonical joints must number {NUM_JOINTS} along axis {axis}, got {canonical.shape[axis]}'
            )
        return _take(canonical, self.scatter, axis)


def _take(values: ArrayT, index: Sequence[int] | np.ndarray, axis: int) -> ArrayT:
    if isinstance(values, torch.Tensor):
        return values.index_select(axis, torch.as_tensor(np.array(index), device=values.device))
    return np.take(values, index, axis=axis)
