"""Reader of RHD, the Rendered Handpose Dataset of Zimmermann and Brox (ICCV 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.datasets.broken_files import find_broken_pictures, raise_or_skip
from mmdualhand.datasets.missing_data import RHD_PAGE, where_to_get
from mmdualhand.datasets.rhd_table import RHDTable, read_rhd_table
from mmdualhand.datasets.selection import HandSelection
from mmdualhand.errors import ConfigError, MissingFileError
from mmdualhand.registry import DATASETS
from mmdualhand.structures import HandSample, HandSkeleton

SIDES = ('left', 'right')
PART_LABELS = {'left': (2, 17), 'right': (18, 33)}

_FOLDERS = {'rgb': 'color', 'depth': 'depth', 'mask': 'mask'}


@DATASETS.register_module()
class RHDDataset(BaseHandDataset):
    """RHD as published: ``{training,evaluation}/{anno_*.pickle,color,depth,mask}``.

    Both hands of every image are annotated; one sample is made of every hand that
    ``selection`` calls usable, with ids such as ``'00012/left'``. Metres become
    millimetres. Invisible joints keep their geometry. K and uv are used as
    printed, in pixel-centre coordinates.

    Args:
        data_root: The folder ``RHD_published_v2``.
        split: ``'training'`` or ``'evaluation'``.
        pipeline: Transforms.
        selection: Arguments of :class:`HandSelection`, or None to take every
            annotated hand.
        modalities: What the records name: ``rgb`` and any of ``depth``, ``mask``.
        **kwargs: See :class:`BaseHandDataset`. ``on_error='skip'`` leaves out
            images whose label is broken or one of whose files is missing or
            truncated.

    Raises:
        ConfigError: An unknown split or modality.
        MissingFileError: The dataset is not there.
        UnsafeFileError: The annotation could run code.
        DataError: A label or file is broken; the message names file and record.
    """

    dataset_name = 'RHD'

    def __init__(
        self,
        data_root: str | Path = 'data/RHD_published_v2',
        split: str = 'training',
        pipeline: Sequence[Any] = (),
        *,
        selection: Mapping[str, Any] | None = {},  # noqa: B006  never changed
        modalities: Sequence[str] = ('rgb', 'depth', 'mask'),
        **kwargs: Any,
    ) -> None:
        if split not in ('training', 'evaluation'):
            raise ConfigError(f"split of RHD must be 'training' or 'evaluation', got {split!r}")
        if 'rgb' not in modalities or set(modalities) - set(_FOLDERS):
            raise ConfigError(
                f"modalities of RHD must be 'rgb' and any of 'depth', 'mask', got {tuple(modalities)}"
            )
        self.split = split
        self.modalities = tuple(modalities)
        self.selection = None if selection is None else _read_selection(selection)
        self._skeletons = [HandSkeleton.from_dataset(f'rhd_{side}') for side in SIDES]
        super().__init__(data_root, pipeline, **kwargs)

    def prepare(self) -> None:
        """Read the annotation, drop broken records if allowed, select the usable hands."""
        self._folder = self.data_root / self.split
        annotation = self._folder / f'anno_{self.split}.pickle'
        if not annotation.is_file():
            raise MissingFileError(f'{annotation.absolute()} is missing: {where_to_get(self.data_root)}')
        table, problems = read_rhd_table(annotation)
        bad_files = self._find_bad_files(table.ids)
        problems.update(bad_files)
        raise_or_skip(self, {f'{number:05d}': reason for number, reason in problems.items()})
        if problems:
            table = table.keep(~np.isin(table.ids, list(problems)))
        self._table = table
        self._samples = self._select(table)

    def num_records(self) -> int:
        """Number of usable hands."""
        return len(self._samples)

    def load_record(self, index: int) -> HandSample:
        """One usable hand; see :class:`BaseHandDataset`."""
        row, block = (int(value) for value in self._samples[index])
        side, skeleton, table = SIDES[block], self._skeletons[block], self._table
        uv_vis = skeleton.to_canonical(table.uv_vis[row], axis=0)
        name = f'{table.ids[row]:05d}'
        record: HandSample = {
            'sample_id': f'{name}/{side}',
            'img_path': self._path('rgb', name),
            'hand_side': side,
            'camera': table.camera[row].astype(np.float64),
            'keypoints_2d': uv_vis[:, :2].astype(np.float64),
            'keypoints_3d': skeleton.to_canonical(table.xyz[row], axis=0).astype(np.float64) * 1000.0,
            'keypoints_visible': (uv_vis[:, 2] != 0).astype(np.float32),
        }
        if 'depth' in self.modalities:
            record['depth_path'] = self._path('depth', name)
            record['depth_encoding'] = 'rhd'
        if 'mask' in self.modalities:
            record['mask_path'] = self._path('mask', name)
            record['mask_values'] = PART_LABELS[side]
        return record

    def _path(self, modality: str, name: str) -> str:
        return str(self._folder / _FOLDERS[modality] / f'{name}.png')

    def _select(self, table: RHDTable) -> np.ndarray:
        """Rows and blocks (M, 2) of the usable hands, image by image, left first."""
        if self.selection is None:
            usable = np.ones((len(table.ids), 2), bool)
        else:
            both = np.stack(
                [skeleton.to_canonical(table.uv_vis, axis=1) for skeleton in self._skeletons], axis=1
            )
            usable = self.selection.usable(both[..., :2], both[..., 2])
        return np.argwhere(usable).astype(np.int32)

    def _find_bad_files(self, ids: np.ndarray) -> dict[int, str]:
        """Records whose files are missing or, under ``on_error='skip'``, truncated."""
        bad: dict[int, str] = {}
        look_inside = self.on_error == 'skip'
        for modality in self.modalities:
            folder = self._folder / _FOLDERS[modality]
            if not folder.is_dir():
                away = '' if modality == 'rgb' else f', or leave {modality!r} out of modalities'
                raise MissingFileError(
                    f'the folder {folder} is missing: unpack all of RHD ({RHD_PAGE}){away}.'
                )
            names = {number: f'{number:05d}.png' for number in ids.tolist()}
            for number, reason in find_broken_pictures(folder, names, look_inside=look_inside).items():
                bad.setdefault(number, reason)
        return bad


def _read_selection(selection: Mapping[str, Any]) -> HandSelection:
    try:
        return HandSelection(**selection)
    except (TypeError, ValueError) as error:
        known = ', '.join(HandSelection.__dataclass_fields__)
        raise ConfigError(f'selection of RHD: {error} (known keys: {known})') from error
