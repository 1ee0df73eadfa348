"""Reader of FreiHAND v2, the real photos of Zimmermann et al. (ICCV 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.datasets.broken_files import find_broken_pictures, raise_or_skip
from mmdualhand.datasets.freihand_labels import FreiHANDLabels, find_evaluation, read_training_labels
from mmdualhand.datasets.missing_data import where_to_get
from mmdualhand.datasets.seeded_subset import check_subset, seeded_subset, shuffled
from mmdualhand.errors import ConfigError, MissingFileError
from mmdualhand.registry import DATASETS
from mmdualhand.structures import Camera, HandSample, HandSkeleton

FREIHAND_PAGE = 'https://lmb.informatik.uni-freiburg.de/projects/freihand/'
VERSIONS = ('gs', 'hom', 'sample', 'auto')
EVALUATION_FOLDER = 'FreiHAND_pub_v2_eval'
HOLDOUT_SEED = 0

_MASK_VALUES = {'training': (128, 255), 'evaluation': (1, 255)}


@DATASETS.register_module()
class FreiHANDDataset(BaseHandDataset):
    """FreiHAND as published: 224x224 photos of right hands, labels in metres, 2D = K xyz / z.

    Every training photo comes in four background versions, image number = unique
    number + number of unique photos * version, with one label for all four; splits
    and subsets are made of unique numbers, so that no pose is in two parts.
    Evaluation labels are taken from the release of 2022, unpacked beside the first
    (``FreiHAND_pub_v2_eval``) or into it; without it, evaluation photos are
    unlabelled records. Ids are such as ``'00032915/right'``. K is used as printed,
    in pixel-centre coordinates.

    Args:
        data_root: The folder ``FreiHAND_pub_v2``.
        split: ``'training'`` or ``'evaluation'``.
        pipeline: Transforms.
        versions: Background versions of the training photos, of ``'gs'`` (green
            screen), ``'hom'``, ``'sample'``, ``'auto'``.
        num_subset: At most so many photos at random: different unique numbers
            before a second version of any, versions in equal shares.
        subset_seed: Seed of this draw.
        holdout: Share of the unique training numbers that ``part='holdout'``
            gets, the same ones whatever the other options.
        part: ``'train'`` or ``'holdout'`` with ``holdout``, None for everything.
        modalities: What the records name: ``rgb`` and perhaps ``mask``. There
            are masks of training photos of version ``'gs'`` alone, and of the
            evaluation release with labels.
        **kwargs: See :class:`BaseHandDataset`. ``on_error='skip'`` leaves out
            photos whose label is not finite or one of whose files is missing or
            truncated.

    Raises:
        ConfigError: An option has no meaning here.
        MissingFileError: The dataset, or a part of it, is not there.
        DataError: A file is broken; the message names it.
    """

    dataset_name = 'FreiHAND'
    picture_size = (224, 224)

    def __init__(
        self,
        data_root: str | Path = 'data/FreiHAND_pub_v2',
        split: str = 'training',
        pipeline: Sequence[Any] = (),
        *,
        versions: Sequence[str] = VERSIONS,
        num_subset: int | None = None,
        subset_seed: int = 0,
        holdout: float = 0.0,
        part: str | None = None,
        modalities: Sequence[str] = ('rgb',),
        **kwargs: Any,
    ) -> None:
        if split not in ('training', 'evaluation'):
            raise ConfigError(f"split of FreiHAND must be 'training' or 'evaluation', got {split!r}")
        if 'rgb' not in modalities or set(modalities) - {'rgb', 'mask'}:
            raise ConfigError(
                f"modalities of FreiHAND must be 'rgb' and perhaps 'mask', got {tuple(modalities)}"
            )
        check_subset(num_subset, subset_seed)
        _check_part(split, holdout, part)
        self.split, self.modalities = split, tuple(modalities)
        self.versions = _pick_versions(versions)
        self.num_subset, self.subset_seed = num_subset, subset_seed
        self.holdout, self.part = float(holdout), part
        self._skeleton = HandSkeleton.from_dataset('freihand')
        super().__init__(data_root, pipeline, **kwargs)

    @property
    def metainfo(self) -> dict[str, Any]:
        """See :class:`BaseHandDataset`; the split says versions, part and subset too."""
        parts = []
        if self.split == 'training':
            parts.append(' '.join(self.versions))
        if self.part is not None:
            parts.append(f'{self.part} part with holdout {self.holdout:g}')
        if self.num_subset is not None:
            parts.append(f'at most {self.num_subset} photos by seed {self.subset_seed}')
        text = f'{self.split} ({", ".join(parts)})' if parts else self.split
        return {**super().metainfo, 'split': text}

    def prepare(self) -> None:
        """Read the labels, pick the photos, look for their files."""
        place, self._labels = self._read_labels()
        self._rgb, self._mask = self._find_folders(place)
        numbers = self._pick_numbers()
        names = {number: f'{number:08d}.jpg' for number in numbers.tolist()}
        problems = {
            number: f'{reason} (photo {names[number]})'
            for row, reason in self._labels.problems().items()
            for number in numbers[numbers % self._count == row].tolist()
        }
        look_inside = self.on_error == 'skip'
        found = find_broken_pictures(self._rgb, names, look_inside=look_inside)
        if self._mask is not None:
            masks = {number: self._mask_name(number) for number in names if self._has_mask(number)}
            found = {**find_broken_pictures(self._mask, masks, look_inside=look_inside), **found}
        problems = {**found, **problems}
        raise_or_skip(self, {f'{number:08d}': problems[number] for number in sorted(problems)})
        self._numbers = numbers[~np.isin(numbers, list(problems))]

    def num_records(self) -> int:
        """Number of photos."""
        return len(self._numbers)

    def load_record(self, index: int) -> HandSample:
        """One photo; see :class:`BaseHandDataset`."""
        number = int(self._numbers[index])
        row, labels = number % self._count, self._labels
        record: HandSample = {
            'sample_id': f'{number:08d}/right',
            'img_path': str(self._rgb / f'{number:08d}.jpg'),
            'hand_side': 'right',
            'camera': labels.camera[row].copy(),
        }
        if self._mask is not None and self._has_mask(number):
            record['mask_path'] = str(self._mask / self._mask_name(number))
            record['mask_values'] = _MASK_VALUES[self.split]
        if labels.scale is not None:
            record['ref_length'] = float(labels.scale[row])
        if labels.joints is not None:
            joints = self._skeleton.to_canonical(labels.joints[row], axis=0)
            record['keypoints_3d'] = joints
            record['keypoints_2d'] = Camera(labels.camera[row]).project(joints)
            record['keypoints_visible'] = np.ones(len(joints), np.float32)
        return record

    @property
    def _count(self) -> int:
        """Number of rows of the annotation: of unique photos."""
        return len(self._labels.camera)

    def _has_mask(self, number: int) -> bool:
        return self.split == 'evaluation' or number < self._count

    def _mask_name(self, number: int) -> str:
        return f'{number:08d}.{"jpg" if self.split == "training" else "png"}'

    def _roots(self) -> list[Path]:
        root = self.data_root
        if self.split == 'training':
            return [root]
        beside = [root.parent / EVALUATION_FOLDER, root.with_name(f'{root.name}_eval')]
        return list(dict.fromkeys([root, *beside, root / EVALUATION_FOLDER]))

    def _read_labels(self) -> tuple[Path, FreiHANDLabels]:
        try:
            if self.split == 'training':
                return self.data_root, read_training_labels(self.data_root)
            return find_evaluation(self._roots())
        except MissingFileError as error:
            raise MissingFileError(f'{error}: {self._where_to_get()}') from error

    def _where_to_get(self) -> str:
        return where_to_get(self.data_root, name='FreiHAND v2', page=FREIHAND_PAGE, layout='freihand')

    def _find_folders(self, place: Path) -> tuple[Path, Path | None]:
        """Folders of photos and, if asked for, of masks; those beside the labels come first."""
        roots = [place, *self._roots()]
        photos = [root / self.split / 'rgb' for root in roots]
        rgb = next((folder for folder in photos if folder.is_dir()), None)
        if rgb is None:
            raise MissingFileError(f'the folder {photos[0]} is missing: {self._where_to_get()}')
        if 'mask' not in self.modalities:
            return rgb, None
        masks = [root / self.split / ('mask' if self.split == 'training' else 'segmap') for root in roots]
        mask = next((folder for folder in masks if folder.is_dir()), None)
        if mask is None:
            raise MissingFileError(
                f"the folder {masks[0]} is missing: unpack all of FreiHAND (evaluation masks come with the "
                f"release that has labels, see {FREIHAND_PAGE}), or leave 'mask' out of modalities."
            )
        return rgb, mask

    def _pick_numbers(self) -> np.ndarray:
        """(M,) int64 image numbers, ascending."""
        count = self._count
        if self.split == 'evaluation':
            return seeded_subset(count, self.num_subset, self.subset_seed)
        unique = np.arange(count)
        if self.part is not None:
            held = shuffled(count, HOLDOUT_SEED)[: round(self.holdout * count)]
            unique = np.sort(held) if self.part == 'holdout' else np.setdiff1d(unique, held)
        versions = np.array([VERSIONS.index(name) for name in self.versions])
        if not len(unique):
            return unique
        return np.sort(pick_images(unique, versions, count, self.num_subset, self.subset_seed))


def pick_images(
    unique: np.ndarray, versions: np.ndarray, count: int, num_subset: int | None, seed: int
) -> np.ndarray:
    """Image numbers of a subset: each pose once before any is taken in a second version.

    Args:
        unique: (N,) unique numbers to choose from.
        versions: (V,) numbers of the versions to choose from.
        count: Number of unique photos of the dataset.
        num_subset: How many images to take; all where None or more than there are.
        seed: 0..2**32-1.

    Returns:
        (M,) int64. Of M <= N all poses differ and every version has its share;
        with the same seed a smaller subset is part of a larger one.
    """
    total = len(unique) * len(versions)
    turn, place = np.divmod(np.arange(total if num_subset is None else min(num_subset, total)), len(unique))
    pose = unique[shuffled(len(unique), seed)][place]
    return pose + count * versions[(place + turn) % len(versions)]


def _check_part(split: str, holdout: float, part: str | None) -> None:
    if part not in ('train', 'holdout', None):
        raise ConfigError(f"part of FreiHAND must be 'train', 'holdout' or None, got {part!r}")
    if not 0 <= holdout < 1 or (part is None) != (holdout == 0):
        raise ConfigError(
            f"holdout of FreiHAND goes with part='train' or 'holdout' and lies between 0 and 1, got "
            f'holdout={holdout!r} and part={part!r}'
        )
    if part is not None and split != 'training':
        raise ConfigError(f'holdout and part of FreiHAND divide the training photos, not split={split!r}')


def _pick_versions(versions: Sequence[str]) -> tuple[str, ...]:
    wanted = {versions} if isinstance(versions, str) else set(versions)
    if not wanted or wanted - set(VERSIONS):
        raise ConfigError(f'versions of FreiHAND must be some of {", ".join(VERSIONS)}, got {versions!r}')
    return tuple(name for name in VERSIONS if name in wanted)
