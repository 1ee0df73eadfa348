"""Pseudo-labels of a whole dataset in one memory-mapped file.

A hook writes them on every process, workers read them (``LoadPseudoLabel``), persistent ones too: a
map of a file is shared by all processes of a machine. The life of a bank::

    bank = PseudoLabelBank.shared(path, dataset.metainfo['dataset_name'], len(dataset), fresh=not resumed)
    if bank.count(refresh) < len(bank):        # else a killed run had finished it
        for indices in batches of rows_of_rank(len(bank)):         # disjoint over the ranks
            bank.write(refresh, indices, sample_ids, labels, weight, confidence)
    bank.publish(refresh)                      # every rank; readers see it from here on
    bank.read(indices)                         # what was published last
    bank.read(indices, refresh=refresh - 1)    # the one before, for drift or a running mean

Refreshes are numbered from 0. Two are kept: writing number n leaves n - 1 whole. A run
that is killed while it writes, or resumed from a checkpoint before the last refresh,
can therefore write n again from the same n - 1, or publish n - 1 again.

Labels are ``(u, v, d)`` with u, v in pixels of the original image and d in reference
bones relative to the root, so that they fit any crop (``pose_to_image``). A row's index
is the ``sample_index`` of the record, and every row remembers its ``sample_id``: another
sample at the same index is refused.

The ranks of one machine share the file. Maps of one file on several machines see each
other's changes on few file systems, network ones seldom.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.dist import barrier, get_dist_info, is_main_process

from mmdualhand.errors import ConfigError, DataError
from mmdualhand.pseudo_labels.bank_file import (
    HEADER_BYTES,
    LABEL_COLUMNS,
    PUBLISHED_AT,
    BankHeader,
    create_file,
    read_header,
    sample_key,
)
from mmdualhand.structures import NUM_JOINTS


class BankRows(NamedTuple):
    """Rows of a bank, copied.

    Attributes:
        labels: (N, 21, 3) float32; u, v px of the original image, d reference bones;
            0 where not written.
        weight: (N,) or, kept by joint, (N, 21) float32; 0 where not written.
        confidence: The same shape; infinite where not written.
        written: (N,) bool.
    """

    labels: np.ndarray
    weight: np.ndarray
    confidence: np.ndarray
    written: np.ndarray


def rows_of_rank(size: int) -> range:
    """The rows that this process fills: every world-size-th, from its rank."""
    rank, world = get_dist_info()
    return range(rank, size, world)


class PseudoLabelBank:
    """One bank that is there; see the module. Use :meth:`shared`, :meth:`create` or :meth:`open`.

    Args:
        path: The file.
        writable: False for readers.

    Attributes:
        path: The file.
        header: Dataset, size and form of the rows.

    Raises:
        MissingFileError: There is no such file.
        DataError: It is not a bank, or is cut off.
        ConfigError: Another version wrote it.
    """

    def __init__(self, path: str | Path, writable: bool = True) -> None:
        self.path = Path(path)
        self.header = read_header(self.path)
        self._writable = writable
        self._map()

    @classmethod
    def create(cls, path: str | Path, dataset: str, size: int, per_joint: bool = False) -> PseudoLabelBank:
        """Make an empty bank; the file appears whole or not at all.

        Args:
            path: The file.
            dataset: Name of the dataset, ``dataset.metainfo['dataset_name']``.
            size: Number of its samples.
            per_joint: Keep weight and confidence for every joint.

        Raises:
            ConfigError: The file is there already, or ``size`` is below 1.
        """
        create_file(Path(path), BankHeader(dataset, size, per_joint))
        return cls(path)

    @classmethod
    def open(
        cls, path: str | Path, dataset: str, size: int, per_joint: bool = False, writable: bool = True
    ) -> PseudoLabelBank:
        """Open a bank and be sure that it belongs to a dataset; arguments as for :meth:`create`.

        Raises:
            MissingFileError: There is no such file.
            DataError: It is not a bank, or is cut off.
            ConfigError: It belongs to another dataset, its rows are of the other form,
                or another version wrote it.
        """
        bank, wanted = cls(path, writable), BankHeader(dataset, size, per_joint)
        if bank.header != wanted:
            raise ConfigError(
                f'{path} holds pseudo-labels of another kind, {bank.header}, here they are {wanted}: '
                'delete it, or use another path or work dir'
            )
        return bank

    @classmethod
    def shared(
        cls, path: str | Path, dataset: str, size: int, per_joint: bool = False, fresh: bool = False
    ) -> PseudoLabelBank:
        """Open a bank on every process; the first makes it where it is not there.

        Args:
            path: The file.
            dataset: See :meth:`create`.
            size: See :meth:`create`.
            per_joint: See :meth:`create`.
            fresh: Delete what is there; for a run that begins anew.

        Raises:
            ConfigError: As for :meth:`open`.
        """
        if is_main_process():
            if fresh:
                Path(path).unlink(missing_ok=True)
            if not Path(path).is_file():
                cls.create(path, dataset, size, per_joint)
        barrier()
        return cls.open(path, dataset, size, per_joint)

    def __len__(self) -> int:
        return self.header.size

    @property
    def active(self) -> int | None:
        """Number of the refresh that readers see; None before there is one."""
        number = int(self._published[0])
        return None if number < 0 else number

    def write(
        self,
        refresh: int,
        indices: Sequence[int] | np.ndarray,
        sample_ids: Sequence[str],
        labels: np.ndarray,
        weight: np.ndarray,
        confidence: np.ndarray,
    ) -> None:
        """Fill rows of a refresh.

        Args:
            refresh: Its number, from 0. What refresh - 2 had in these rows goes.
            indices: (N,) rows.
            sample_ids: (N,) ids of the samples at these rows.
            labels: (N, 21, 3), see :class:`BankRows`. One that is not finite becomes
                zeros with weight 0.
            weight: (N,) or, kept by joint, (N, 21).
            confidence: The same shape.

        Raises:
            ValueError: Wrong shapes, a negative number, or a row that is not there.
        """
        rows = self._checked(indices)
        if refresh < 0 or len(sample_ids) != len(rows):
            raise ValueError(f'refresh {refresh} with {len(rows)} rows and {len(sample_ids)} sample ids')
        poses = np.asarray(labels, dtype=np.float32).reshape(len(rows), LABEL_COLUMNS)
        shape = (len(rows), self.header.joints)
        weights, values = (np.asarray(x, dtype=np.float32).reshape(shape) for x in (weight, confidence))
        finite = np.isfinite(poses).all(axis=1, keepdims=True)
        keys = np.array([sample_key(name) for name in sample_ids], np.float32)[:, None]
        stamps = np.full_like(keys, refresh + 1)
        content = [np.where(finite, poses, 0), np.where(finite, weights, 0), values, keys, stamps]
        self._rows[refresh % 2, rows] = np.concatenate(content, axis=1)

    def set_weight(self, refresh: int, indices: Sequence[int] | np.ndarray, weight: np.ndarray) -> None:
        """Replace the weights of rows that :meth:`write` has filled, once all their confidences are known.

        Args:
            refresh: Its number.
            indices: (N,) rows.
            weight: (N,) or, kept by joint, (N, 21).

        Raises:
            ValueError: Wrong shape, or a row that is not there.
        """
        rows, width = self._checked(indices), self.header.joints
        place = slice(LABEL_COLUMNS, LABEL_COLUMNS + width)
        self._rows[refresh % 2, rows, place] = np.asarray(weight, np.float32).reshape(len(rows), width)

    def publish(self, refresh: int) -> None:
        """Let readers see a refresh; every process calls this, and waits for the others.

        Args:
            refresh: One of the two written last.
        """
        self._rows.flush()
        barrier()
        if is_main_process():
            self._published[0] = refresh
            self._published.flush()
        barrier()

    def read(
        self,
        indices: Sequence[int] | np.ndarray,
        sample_ids: Sequence[str] | None = None,
        refresh: int | None = None,
    ) -> BankRows:
        """Copy rows.

        Args:
            indices: (N,) rows.
            sample_ids: (N,) ids, to be sure that the rows were made for these samples.
            refresh: Number of the refresh; the published one where None. Rows that it
                has not written, or no longer has, count as not written.

        Raises:
            DataError: A row was made for another sample.
            ValueError: A row that is not there.
        """
        rows = self._checked(indices)
        chosen = self.active if refresh is None else refresh
        number = -1 if chosen is None else chosen
        content = np.array(self._rows[number % 2, rows])
        written = (content[:, -1] == number + 1) & (number >= 0)
        for place, name in enumerate(sample_ids or ()):
            if written[place] and content[place, -2] != sample_key(name):
                raise DataError(
                    f'row {rows[place]} of {self.path} was made for another sample than {name!r}: the '
                    'dataset has other samples or another order now; delete the file'
                )
        content[~written] = 0
        weight, values = np.split(content[:, LABEL_COLUMNS:-2], 2, axis=1)
        values[~written] = np.inf
        if not self.header.per_joint:
            weight, values = weight[:, 0], values[:, 0]
        return BankRows(content[:, :LABEL_COLUMNS].reshape(-1, NUM_JOINTS, 3), weight, values, written)

    def count(self, refresh: int) -> int:
        """How many rows of a refresh are written."""
        return int((self._rows[refresh % 2, :, -1] == refresh + 1).sum())

    def _checked(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        rows = np.asarray(indices, dtype=np.int64)
        if rows.ndim != 1 or (rows.size and not (0 <= rows.min() and rows.max() < len(self))):
            raise ValueError(f'{self.path} has rows 0..{len(self) - 1}, got {rows.tolist()}')
        return rows

    def _map(self) -> None:
        mode: Any = 'r+' if self._writable else 'r'
        shape = (2, len(self), self.header.columns)
        self._published: np.memmap = np.memmap(self.path, np.int64, mode, PUBLISHED_AT, (1,))
        self._rows: np.memmap = np.memmap(self.path, np.float32, mode, HEADER_BYTES, shape)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key not in ('_published', '_rows')}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._map()
