"""Reader of MVHand, the four-view set of Yu, Yang, Chen and Yao (BMVC 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.datasets.broken_files import find_broken_pictures, raise_or_skip
from mmdualhand.datasets.mask_polarity import BRIGHT, DARK, hand_values
from mmdualhand.datasets.missing_data import where_to_get
from mmdualhand.datasets.mvhand_files import NUM_VIEWS, Views, read_joints, read_views
from mmdualhand.datasets.seeded_subset import check_subset, seeded_subset
from mmdualhand.errors import ConfigError, MissingFileError
from mmdualhand.registry import DATASETS
from mmdualhand.structures import Camera, HandSample, HandSkeleton
from mmdualhand.structures.mvhand_cameras import IMAGE_SIZE

MVHAND_PAGE = 'the folder linked at https://github.com/ShichengChen/multiviewDataset'
SPLITS = {'train': ('7-14-1-2', '9-10-1-2'), 'test': ('9-17-1-2', '9-25-1-2')}
SEQUENCES = (*SPLITS['train'], *SPLITS['test'])
PICTURES = {'rgb': 'rgb/{:05d}_{}.jpg', 'depth': 'depth/{:05d}_{}.png', 'mask': 'mask/{:05d}_{}.jpg'}
POLARITIES = {'hand_bright': BRIGHT, 'hand_dark': DARK}
_MASKS_LOOKED_AT = 16


@DATASETS.register_module()
class MVHandDataset(BaseHandDataset):
    """MVHand as published: one folder a sequence, four calibrated 640x480 cameras, right hands.

    Joints are in millimetres of the world, which is the frame of the root camera;
    they go to each view by the inverse of its pose in ``calib.pkl``, in float64.
    Intrinsics are the published constants of each camera's serial number; view v
    is the v-th serial in ascending order. One sample is one view of one frame,
    with ids such as ``'7-14-1-2/00012_3'``, view by view within a frame. Depth is
    taken as aligned with the colour picture.

    Which subjects the 42k pictures to train and to test on are was never
    published; here they are the first two sequences and the last two.

    Args:
        data_root: The folder of the sequences.
        split: ``'train'``, ``'test'`` or ``'all'``.
        pipeline: Transforms.
        sequences: Folders to read instead of those of the split.
        views: Views to use, of 0 to 3.
        modalities: What the records name: ``rgb`` and any of ``depth``, ``mask``.
        mask_polarity: ``'hand_bright'``, ``'hand_dark'``, or ``'auto'`` to look
            at the masks where the joints are.
        num_subset: At most so many pictures, drawn at random from the split.
        subset_seed: Seed of this draw.
        **kwargs: See :class:`BaseHandDataset`. ``on_error='skip'`` leaves out
            pictures whose label is not finite or one of whose files is missing
            or truncated.

    Raises:
        ConfigError: An option has no meaning here.
        MissingFileError: The dataset, or a part of it, is not there.
        UnsafeFileError: ``calib.pkl`` could run code.
        DataError: A label file has not the published content, or pictures are
            missing; the message names the file.
    """

    dataset_name = 'MVHand'
    picture_size = IMAGE_SIZE

    def __init__(
        self,
        data_root: str | Path = 'data/MVHand',
        split: str = 'train',
        pipeline: Sequence[Any] = (),
        *,
        sequences: Sequence[str] | None = None,
        views: Sequence[int] = (0, 1, 2, 3),
        modalities: Sequence[str] = ('rgb',),
        mask_polarity: str = 'auto',
        num_subset: int | None = None,
        subset_seed: int = 0,
        **kwargs: Any,
    ) -> None:
        if split not in (*SPLITS, 'all'):
            raise ConfigError(f"split of MVHand must be 'train', 'test' or 'all', got {split!r}")
        if not views or sorted(set(views)) != sorted(views) or not set(views) <= set(range(NUM_VIEWS)):
            raise ConfigError(f'views of MVHand must be different ones of 0..3, got {views!r}')
        if 'rgb' not in modalities or set(modalities) - set(PICTURES):
            raise ConfigError(
                f"modalities of MVHand must be 'rgb' and any of 'depth', 'mask', got {tuple(modalities)}"
            )
        if mask_polarity not in (*POLARITIES, 'auto'):
            raise ConfigError(
                f'mask_polarity must be one of auto, {", ".join(POLARITIES)}, got {mask_polarity!r}'
            )
        check_subset(num_subset, subset_seed)
        self.split, self.views, self.modalities = split, tuple(sorted(views)), tuple(modalities)
        self.sequences = SPLITS.get(split, SEQUENCES) if sequences is None else _as_names(sequences)
        self.mask_polarity = mask_polarity
        self.num_subset, self.subset_seed = num_subset, subset_seed
        self._skeleton = HandSkeleton.from_dataset('mvhand')
        super().__init__(data_root, pipeline, **kwargs)

    @property
    def metainfo(self) -> dict[str, Any]:
        """See :class:`BaseHandDataset`; the split says sequences, views and subset too."""
        parts = [' '.join(self.sequences)]
        if len(self.views) < NUM_VIEWS:
            parts.append('views ' + ' '.join(map(str, self.views)))
        if self.num_subset is not None:
            parts.append(f'at most {self.num_subset} pictures by seed {self.subset_seed}')
        return {**super().metainfo, 'split': f'{self.split} ({", ".join(parts)})'}

    def prepare(self) -> None:
        """Read joints and cameras of every sequence, draw the subset, look for its pictures."""
        labels = [self._read_sequence(name) for name in self.sequences]
        self._joints = [joints for joints, _ in labels]
        self._cameras = [views for _, views in labels]
        picks = [
            (sequence, frame, view)
            for sequence, joints in enumerate(self._joints)
            for frame in range(len(joints))
            for view in self.views
        ]
        chosen = seeded_subset(len(picks), self.num_subset, self.subset_seed)
        self._samples = np.array(picks, np.int32)[chosen]
        problems = self._find_problems()
        names = [self._sample_id(place) for place in range(len(self._samples))]
        raise_or_skip(self, {name: problems[name] for name in names if name in problems})
        self._samples = self._samples[np.array([name not in problems for name in names], bool)]
        self._mask_values = self._find_polarity() if 'mask' in self.modalities else BRIGHT

    def num_records(self) -> int:
        """Number of pictures."""
        return len(self._samples)

    def load_record(self, index: int) -> HandSample:
        """One view of one frame; see :class:`BaseHandDataset`."""
        sequence, _, view = self._samples[index].tolist()
        camera, joints = self._cameras[sequence].camera[view], self._view_joints(index)
        record: HandSample = {
            'sample_id': self._sample_id(index),
            'img_path': self._path('rgb', index),
            'hand_side': 'right',
            'camera': camera.copy(),
            'keypoints_2d': Camera(camera).project(joints),
            'keypoints_3d': joints,
            'keypoints_visible': np.ones(len(joints), np.float32),
        }
        if 'depth' in self.modalities:
            record['depth_path'] = self._path('depth', index)
            record['depth_encoding'] = 'mvhand'
        if 'mask' in self.modalities:
            record['mask_path'] = self._path('mask', index)
            record['mask_values'] = self._mask_values
        return record

    def _view_joints(self, index: int) -> np.ndarray:
        sequence, frame, view = self._samples[index].tolist()
        raw = self._cameras[sequence].joints(self._joints[sequence][frame], view)
        return self._skeleton.to_canonical(raw, axis=0)

    def _sample_id(self, place: int) -> str:
        sequence, frame, view = self._samples[place].tolist()
        return f'{self.sequences[sequence]}/{frame:05d}_{view}'

    def _path(self, modality: str, place: int) -> str:
        sequence, frame, view = self._samples[place].tolist()
        return str(self.data_root / self.sequences[sequence] / PICTURES[modality].format(frame, view))

    def _label_paths(self, name: str) -> tuple[Path, Path]:
        """Joints and camera poses of a sequence."""
        folder = self.data_root / name
        return folder / 'mlresults' / f'{name}-joints.npy', folder / 'calib.pkl'

    def _read_sequence(self, name: str) -> tuple[np.ndarray, Views]:
        paths = self._label_paths(name)
        for path in paths:
            if not path.is_file():
                here = [other for other in SEQUENCES if all(map(Path.is_file, self._label_paths(other)))]
                advice = where_to_get(self.data_root, name='MVHand', page=MVHAND_PAGE, layout='mvhand')
                if here:
                    advice = f'get the rest of this sequence, or use what is here with sequences={here}.'
                raise MissingFileError(f'{path.absolute()} is missing: {advice}')
        return read_joints(paths[0]), read_views(paths[1])

    def _find_problems(self) -> dict[str, str]:
        """Sample to a label that is not finite, or a picture that is missing or truncated."""
        problems: dict[str, str] = {}
        for number, name in enumerate(self.sequences):
            places = np.nonzero(self._samples[:, 0] == number)[0]
            finite = np.isfinite(self._joints[number]).all(axis=(1, 2))
            for place in places[~finite[self._samples[places, 1]]].tolist():
                problems[self._sample_id(place)] = (
                    f'{self.data_root / name}/mlresults/{name}-joints.npy: frame '
                    f'{self._samples[place, 1]} holds NaN or infinite numbers'
                )
            for modality in self.modalities:
                problems = {**self._broken_pictures(modality, number, places), **problems}
        return problems

    def _broken_pictures(self, modality: str, number: int, places: np.ndarray) -> dict[str, str]:
        folder = self.data_root / self.sequences[number] / modality
        if not folder.is_dir():
            away = '' if modality == 'rgb' else f', or leave {modality!r} out of modalities'
            raise MissingFileError(
                f'the folder {folder} is missing: get all of this sequence from {MVHAND_PAGE}{away}.'
            )
        names = {self._sample_id(place): Path(self._path(modality, place)).name for place in places.tolist()}
        return find_broken_pictures(folder, names, look_inside=self.on_error == 'skip')

    def _find_polarity(self) -> tuple[int, int]:
        count = len(self._samples)
        if self.mask_polarity in POLARITIES or not count:
            return POLARITIES.get(self.mask_polarity, BRIGHT)
        places = np.unique(np.linspace(0, count - 1, min(count, _MASKS_LOOKED_AT)).astype(int))
        looked_at = [
            (self._path('mask', place), self._sample_id(place), self._pixels(place))
            for place in places.tolist()
        ]
        return hand_values(looked_at, f'MVHand at {self.data_root}')

    def _pixels(self, index: int) -> np.ndarray:
        sequence, _, view = self._samples[index].tolist()
        return Camera(self._cameras[sequence].camera[view]).project(self._view_joints(index))


def _as_names(sequences: Sequence[str]) -> tuple[str, ...]:
    names = (sequences,) if isinstance(sequences, str) else tuple(str(name) for name in sequences)
    if not names or len(set(names)) != len(names):
        raise ConfigError(f'sequences of MVHand must be different folder names, got {sequences!r}')
    return names
