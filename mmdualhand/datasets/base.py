"""The dataset base class: a third party writes how many records there are and how to load one."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from mmengine.logging import MMLogger
from torch.utils.data import Dataset, get_worker_info

from mmdualhand.datasets.image_io import read_photo
from mmdualhand.datasets.pipeline import Transform, build_pipeline, crop_rule
from mmdualhand.datasets.seeded_subset import check_fraction, seeded_fraction
from mmdualhand.datasets.validate import check_record, find_mixups
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.structures import JOINT_NAMES, PARENTS, REFERENCE_BONE, ROOT_JOINT, HandSample

EMBEDDED_MARKER = 'SYNTHETIC.json'


class BaseHandDataset(Dataset):
    """Records of single hands, run through a pipeline of transforms.

    A subclass implements :meth:`load_record` and :meth:`num_records`, usually
    after reading its tables in :meth:`prepare`; it sets its own options before it
    calls ``super().__init__``. Everything else is done here: the pipeline, a
    reproducible generator for each sample, checks of the records, metainfo.

    A sample's ``results['rng']`` depends on seed, epoch and index alone once
    :meth:`set_epoch` was called (``EpochSeedHook`` does so), whatever the number
    of workers; a resumed run repeats the undisturbed one. Before that it depends
    on the torch seed (in a worker: the seed that the DataLoader gives it), on the
    index and on how many samples this copy of the dataset has made.

    Args:
        data_root: Folder of the dataset.
        pipeline: Transforms, as configs or callables.
        indices: Record numbers to use, in this order; all by default.
        num_samples: Use only the first so many of them.
        real_fraction: Use only so large a share of what is left, in (0, 1], drawn at
            random; a smaller share lies in every larger one of the same seed. None for all.
        fraction_seed: Seed of this draw.
        on_error: ``'raise'``, or ``'skip'`` to go on without broken records;
            they are counted in :attr:`num_skipped` and logged. A sample that
            cannot be read is replaced by the next that can.
        test_mode: For data that are measured: no sample is replaced by another,
            one that cannot be read is an error whatever ``on_error`` says.
        num_checked: How many records, spread over the set, are examined together
            at construction (0: none).
        lazy_init: Put reading off until :meth:`full_init` or first use.

    Raises:
        ConfigError: An argument has no meaning here.
        MissingFileError: The data is not there.
        DataError: A record is broken; the message names file and record.
    """

    dataset_name: ClassVar[str] = ''
    reprojection_tolerance: ClassVar[float | None] = 2.0
    split: str = ''
    """Part of the dataset that is read; set it before ``super().__init__``. Printed with every result."""
    wrist_convention: str = 'wrist'
    """What joint 0 is: ``'wrist'``, ``'palm'``, or a formula; printed with every result."""
    picture_size: tuple[int, int] | None = None
    """(width, height) of every photo where the set fixes it, with intrinsics that fit no other size."""
    lifting: str = 'true root depth, true |9-10|'
    """Where the root depth and the reference length of the records come from; printed with every result."""

    def __init__(
        self,
        data_root: str | Path = '',
        pipeline: Sequence[Mapping[str, Any] | Transform] = (),
        *,
        indices: Sequence[int] | None = None,
        num_samples: int | None = None,
        real_fraction: float | None = None,
        fraction_seed: int = 0,
        on_error: str = 'raise',
        test_mode: bool = False,
        num_checked: int = 8,
        lazy_init: bool = False,
    ) -> None:
        if on_error not in ('raise', 'skip'):
            raise ConfigError(f"on_error must be 'raise' or 'skip', got {on_error!r}")
        if num_samples is not None and num_samples < 1:
            raise ConfigError(f'num_samples must be at least 1, got {num_samples}; leave it out for all')
        check_fraction(real_fraction, fraction_seed)
        self.data_root = Path(data_root)
        self.on_error = on_error
        self.test_mode = test_mode
        self.num_skipped = 0
        self.pipeline = build_pipeline(pipeline)
        self._wanted, self._num_samples, self._num_checked = indices, num_samples, num_checked
        self._fraction = (real_fraction, fraction_seed)
        self._indices = np.zeros(0, np.int64)
        self._whole_length = 0
        self._ready = False
        self._draws = 0
        # shared memory, so that persistent workers see a new epoch
        self._clock = torch.full((2,), -1, dtype=torch.int64).share_memory_()
        if not lazy_init:
            self.full_init()

    @abstractmethod
    def load_record(self, index: int) -> HandSample:
        """Return record ``index`` in canonical joint order, mm and pixels.

        Args:
            index: 0 <= index < :meth:`num_records`.

        Returns:
            The canonical record; a label that is unknown is an absent key.
        """
        raise NotImplementedError

    @abstractmethod
    def num_records(self) -> int:
        """Number of records, before ``indices`` and ``num_samples``."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Read annotation tables; called once, before anything else."""

    def full_init(self) -> None:
        """Read and check the dataset, once; mmengine's Runner calls this."""
        if self._ready:
            return
        self.prepare()
        self._indices = self._pick(self.num_records())
        self._ready = True
        try:
            self._examine()
        except BaseException:
            self._ready = False
            raise

    def set_epoch(self, epoch: int, seed: int = 0) -> None:
        """Make the random numbers of every sample follow from seed, epoch and index.

        Args:
            epoch: Number of the epoch, from 0.
            seed: Seed of the run.
        """
        self._clock[0], self._clock[1] = seed, epoch

    @property
    def metainfo(self) -> dict[str, Any]:
        """Plain description that goes into checkpoints and beside results."""
        return {
            'dataset_name': self._name,
            'split': str(self.split),
            'joint_names': list(JOINT_NAMES),
            'parents': list(PARENTS),
            'root_joint': int(ROOT_JOINT),
            'reference_bone': list(REFERENCE_BONE),
            'units': 'mm',
            'crop_rule': crop_rule(self.pipeline),
            'lifting': self.lifting,
            'wrist_convention': self.wrist_convention,
            'embedded': (self.data_root / EMBEDDED_MARKER).is_file(),
        }

    def __len__(self) -> int:
        self.full_init()
        return len(self._indices)

    @property
    def whole_length(self) -> int:
        """Number of samples if ``real_fraction`` took all of them."""
        self.full_init()
        return self._whole_length

    def labels_only(self, index: int) -> HandSample:
        """The checked record of a sample, without reading a picture.

        Args:
            index: Sample number, negative from the end.

        Returns:
            See :class:`mmdualhand.structures.HandSample`.

        Raises:
            IndexError: There is no such sample.
            DataError: The record is broken.
        """
        number = len(self)
        place = operator.index(index)
        if not -number <= place < number:
            raise IndexError(f'sample {place} of {number}')
        record = self.load_record(int(self._indices[place]))
        check_record(record, f'{self._name} at {self.data_root}')
        return record

    def __getitem__(self, index: int) -> Any:
        number = len(self)
        place = operator.index(index)
        if not -number <= place < number:
            raise IndexError(f'sample {place} of {number}')
        place %= number
        rng = self._generator(place)
        if self.on_error == 'raise':
            return self._make(place, rng)
        if self.test_mode:
            return self._make_or_say(place, rng)
        for offset in range(number):
            try:
                return self._make((place + offset) % number, rng)
            except (DataError, MissingFileError) as error:
                self.skip(str(error))
        raise DataError(f'none of the {number} samples of {self.data_root} can be read')

    def skip(self, reason: str, count: int = 1) -> None:
        """Count and log records that are left out under ``on_error='skip'``."""
        self.num_skipped += count
        MMLogger.get_current_instance().warning(
            f'{self._name}: {count} skipped ({self.num_skipped} in all): {reason}'
        )

    @property
    def _name(self) -> str:
        return self.dataset_name or type(self).__name__

    def _make(self, place: int, rng: np.random.Generator) -> Any:
        results: dict[str, Any] = {**self.labels_only(place)}
        results.update(rng=rng, sample_index=place, dataset_name=self._name)
        if self.picture_size is not None:
            results['picture_size'] = self.picture_size
        for transform in self.pipeline:
            results = transform(results)
        return results

    def _make_or_say(self, place: int, rng: np.random.Generator) -> Any:
        try:
            return self._make(place, rng)
        except (DataError, MissingFileError) as error:
            raise type(error)(
                f'sample {place} of {self._name} cannot be read, and with test_mode=True no other takes its '
                f'place: {error}'
            ) from error

    def _generator(self, place: int) -> np.random.Generator:
        run_seed, epoch = self._clock.tolist()
        if epoch >= 0:
            return np.random.default_rng([run_seed % 2**32, epoch, place])
        worker = get_worker_info()
        # mmengine gives a worker the same torch seed in every epoch; the DataLoader's own seed is new
        seed = torch.initial_seed() if worker is None else worker.seed
        self._draws += 1
        return np.random.default_rng([seed % 2**32, place, self._draws])

    def _pick(self, count: int) -> np.ndarray:
        if self._wanted is None:
            picked = np.arange(count)
        else:
            picked = np.asarray(self._wanted, dtype=np.int64)
            if picked.ndim != 1 or (picked.size and not (0 <= picked.min() and picked.max() < count)):
                raise ConfigError(f'indices must be record numbers in 0..{count - 1}')
        picked = picked[: self._num_samples]
        self._whole_length = len(picked)
        picked = picked[seeded_fraction(len(picked), *self._fraction)]
        if not len(picked):
            raise DataError(f'{self._name} at {self.data_root} has no usable record')
        return picked

    def _examine(self) -> None:
        """Check a few records, spread over the set, together."""
        places = np.unique(np.linspace(0, len(self) - 1, min(self._num_checked, len(self))).astype(int))
        records: list[HandSample] = []
        sizes: list[tuple[int, int] | None] = []
        for place in places:
            try:
                record = self.labels_only(int(place))
                picture = read_photo(record['img_path'], record['sample_id'], self.picture_size)
            except (DataError, MissingFileError):
                if self.on_error == 'raise':
                    raise
                continue
            records.append(record)
            sizes.append((picture.shape[1], picture.shape[0]))
        findings = find_mixups(records, sizes, self.reprojection_tolerance)
        if findings:
            listed = '\n'.join(f'  - {finding}' for finding in findings)
            raise DataError(f'{self._name} at {self.data_root} looks wrong:\n{listed}')
