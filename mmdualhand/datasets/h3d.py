"""Reader of H3D, Hand-3D-Studio of Zhao et al. (ICASSP 2020), in the crops of the RegDA authors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from mmengine.logging import MMLogger

from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.datasets.broken_files import find_broken_files, raise_or_skip
from mmdualhand.datasets.h3d_table import H3DTable, read_h3d_table
from mmdualhand.datasets.label_cameras import UNITS_MM, LabelCameras, detect_unit, recover_cameras
from mmdualhand.datasets.missing_data import where_to_get
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.registry import DATASETS
from mmdualhand.structures import HandSample, HandSkeleton, chirality_scores, chirality_vote
from mmdualhand.structures.h3d_split import MAX_TEST, SPLIT_SEED, TEST_FRACTION, h3d_split

H3D_PAGE = (
    'the archive H3D_crop.tar of Transfer-Learning-Library '
    '(https://github.com/thuml/Transfer-Learning-Library; its link is reported dead)'
)
RECORD_TOLERANCE_PX = 5.0
CLEAR_VOTE = 0.75


@DATASETS.register_module()
class H3DDataset(BaseHandDataset):
    """H3D_crop: ``annotation.json`` and the pictures in ``part1`` to ``part5``.

    What the files leave open is found from the labels and kept in
    :attr:`metainfo`: the unit of the 3D joints (``unit``), the intrinsics where
    the stored ones were not moved with the crop (``intrinsics``) and the side of
    the hands (``hand_side``). Files know no split; it is drawn with a seed, so
    that frames of one recording may be on both sides of it.

    Args:
        data_root: The folder ``H3D_crop``.
        split: ``'train'``, ``'test'`` or ``'all'``.
        pipeline: Transforms.
        without_object: Use frames without an object in the hand only; False
            takes every frame.
        split_seed: Seed of the shuffle before the split.
        test_fraction: Share of the frames to test on.
        max_test: At most so many of them.
        hand_side: ``'auto'`` for the majority vote over the joints of the set,
            or ``'right'`` or ``'left'``.
        intrinsics: ``'auto'`` to find them from the labels where the stored ones
            do not reproduce those, ``'stored'`` to take these whatever they give.
        **kwargs: See :class:`BaseHandDataset`. ``on_error='skip'`` leaves out
            frames whose label is broken or whose picture is missing or
            truncated (some of the published ones are).

    Raises:
        ConfigError: An option has no meaning here.
        MissingFileError: The dataset is not there.
        DataError: A label or picture is broken; the message names file and
            record.
    """

    dataset_name = 'H3D'

    def __init__(
        self,
        data_root: str | Path = 'data/H3D_crop',
        split: str = 'train',
        pipeline: Sequence[Any] = (),
        *,
        without_object: bool = True,
        split_seed: int = SPLIT_SEED,
        test_fraction: float = TEST_FRACTION,
        max_test: int = MAX_TEST,
        hand_side: str = 'auto',
        intrinsics: str = 'auto',
        **kwargs: Any,
    ) -> None:
        for name, value, known in (
            ('split', split, ('train', 'test', 'all')),
            ('hand_side', hand_side, ('auto', 'right', 'left')),
            ('intrinsics', intrinsics, ('auto', 'stored')),
        ):
            if value not in known:
                raise ConfigError(f'{name} of H3D must be one of {", ".join(known)}, got {value!r}')
        if not 0 < test_fraction < 1 or max_test < 1:
            raise ConfigError(
                'test_fraction of H3D must lie between 0 and 1 and max_test be at least 1, got '
                f'{test_fraction} and {max_test}'
            )
        self.split, self.without_object = split, without_object
        self._split_rule = (int(split_seed), float(test_fraction), int(max_test))
        self.hand_side, self.intrinsics = hand_side, intrinsics
        self._found: dict[str, str] = {}
        self._skeleton = HandSkeleton.from_dataset('h3d')
        super().__init__(data_root, pipeline, **kwargs)

    @property
    def metainfo(self) -> dict[str, Any]:
        """See :class:`BaseHandDataset`; also what was found from the labels, once they are read."""
        parts = ['frames without object' if self.without_object else 'all frames']
        if self.split != 'all':
            parts.append(f'split by seed {self._split_rule[0]}')
        return {**super().metainfo, 'split': f'{self.split} ({", ".join(parts)})', **self._found}

    def prepare(self) -> None:
        """Read the annotation, make the split, find unit, cameras and side, look for the pictures."""
        path = self.data_root / 'annotation.json'
        if not path.is_file():
            advice = where_to_get(self.data_root, name='H3D', page=H3D_PAGE, layout='h3d')
            raise MissingFileError(f'{path.absolute()} is missing: {advice}')
        table, problems = read_h3d_table(path)
        kept = np.nonzero(table.without_object | (not self.without_object))[0]
        if not len(kept):
            raise DataError(f'{path} has no frame with without_object = 1; use without_object=False for all.')
        good = kept[np.isfinite(table.camera[kept, 0, 0])]
        if not len(good):
            raise DataError(f'{next(iter(problems.values()))}; no other frame is readable.')
        cameras = self._cameras(table.keep(good), path)
        self._say_side(table.keypoints_3d[good])
        camera = table.camera.copy()
        camera[good] = cameras.camera
        for row, error in zip(good.tolist(), cameras.errors.tolist(), strict=True):
            if self.intrinsics == 'auto' and error > RECORD_TOLERANCE_PX:
                name, what = table.names[row], f'keypoint3d is {error:.1f} px (median) from keypoint2d'
                problems[name] = f'{path}, picture {name!r}: {what}'
        rows = kept if self.split == 'all' else kept[h3d_split(len(kept), *self._split_rule)[self.split]]
        self._choose(table, camera, rows, problems)

    def _choose(
        self, table: H3DTable, camera: np.ndarray, rows: np.ndarray, problems: dict[str, str]
    ) -> None:
        """Keep the readable rows of the split."""
        names = [table.names[row] for row in rows.tolist()]
        broken = {**self._broken_pictures(names), **problems}
        raise_or_skip(self, {name: broken[name] for name in names if name in broken})
        usable = rows[np.array([name not in broken for name in names], bool)]
        self._table, self._camera = table.keep(usable), camera[usable]

    def num_records(self) -> int:
        """Number of frames."""
        return len(self._table.names)

    def load_record(self, index: int) -> HandSample:
        """One frame; see :class:`BaseHandDataset`."""
        name, canonical = self._table.names[index], self._skeleton.to_canonical
        return {
            'sample_id': str(PurePosixPath(name).with_suffix('')),
            'img_path': str(self.data_root / name),
            'hand_side': self._found['hand_side'],
            'camera': self._camera[index].copy(),
            'keypoints_2d': canonical(self._table.keypoints_2d[index], axis=0),
            'keypoints_3d': self._factor * canonical(self._table.keypoints_3d[index], axis=0),
            'keypoints_visible': np.ones(21, np.float32),
        }

    def _cameras(self, table: H3DTable, path: Path) -> LabelCameras:
        unit = detect_unit(self._skeleton.to_canonical(table.keypoints_3d, axis=1), str(path))
        self._factor = UNITS_MM[unit]
        if self.intrinsics == 'stored':
            cameras = LabelCameras(table.camera, np.zeros(len(table.names)), 'as stored, not looked at')
        else:
            cameras = recover_cameras(table.camera, table.keypoints_2d, table.keypoints_3d, str(path))
        self._found.update(unit=unit, intrinsics=cameras.note)
        return cameras

    def _say_side(self, raw: np.ndarray) -> None:
        joints = self._skeleton.to_canonical(raw, axis=1)
        try:
            side = chirality_vote(joints) if self.hand_side == 'auto' else self.hand_side
        except ValueError as error:
            raise DataError(f"H3D at {self.data_root}: {error}; say hand_side='right' or 'left'.") from error
        votes = np.sign(chirality_scores(joints)) == (1 if side == 'right' else -1)
        self._found['hand_side'] = side
        unit, intrinsics = self._found['unit'], self._found['intrinsics']
        text = f'H3D: 3D labels in {unit}, intrinsics {intrinsics}, {side} hands'
        logger = MMLogger.get_current_instance()
        if votes.mean() < CLEAR_VOTE:
            logger.warning(f'{text}, though only {votes.mean():.0%} of the votes of the joints say so')
        elif 'found' in intrinsics:
            logger.info(text)

    def _broken_pictures(self, names: Sequence[str]) -> dict[str, str]:
        """Picture name to what is wrong with the file."""
        paths = {name: self.data_root / name for name in names}
        skipping = self.on_error == 'skip'
        for folder in sorted({path.parent for path in paths.values()}):
            if not (skipping or folder.is_dir()):
                raise MissingFileError(
                    f'the folder {folder} is missing: unpack all of H3D_crop.tar, or leave its frames out '
                    "with on_error='skip'."
                )
        return find_broken_files(paths, look_inside=skipping)
