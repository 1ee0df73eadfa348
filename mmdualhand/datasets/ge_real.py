"""Reader of the real-photo test set of Ge et al. (CVPR 2019, hand-graph-cnn)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from mmdualhand.datasets.base import BaseHandDataset
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.registry import DATASETS
from mmdualhand.structures import REFERENCE_BONE, ROOT_JOINT, Camera, HandSample, HandSkeleton

GE_PAGE = 'https://github.com/3d-hand-shape/hand-graph-cnn'
CROP_SIZE = 256


@DATASETS.register_module()
class GeRealDataset(BaseHandDataset):
    """583 real 256x256 photos of left hands: ``images/``, ``params.mat``, ``pose_gt.mat``.

    Centimetres become millimetres. The photos are crops of 1280x720 images; the
    camera of the crop is s (K - offset) with s = 256 / bbox width, used as printed
    in pixel-centre coordinates. Photos without a label (NaN rows) are unlabelled
    records: no keypoints, no root depth.

    Args:
        data_root: The folder of the set.
        split: ``'all'``, or a list in ``splits.json`` beside the mat files:
            ``'dev'`` (labelled) or ``'train'`` (to be used without labels).
        pipeline: Transforms; use ``HandCrop(rule='whole')``, the photo is the
            crop.
        reference_length: ``'true'`` for each photo's own |9-10|, ``'dataset'``
            for the constant ``pose_scale`` (50 mm).
        test_mode: See :class:`BaseHandDataset`; on here, because this set is there
            to be measured.
        **kwargs: See :class:`BaseHandDataset`.

    Raises:
        ConfigError: An unknown split or reference length.
        MissingFileError: A file is not there.
        DataError: A file has not the published content.
    """

    dataset_name = 'GeReal'

    def __init__(
        self,
        data_root: str | Path = 'data/ge_real',
        split: str = 'dev',
        pipeline: Sequence[Any] = (),
        *,
        reference_length: str = 'true',
        test_mode: bool = True,
        **kwargs: Any,
    ) -> None:
        if split not in ('dev', 'train', 'all'):
            raise ConfigError(f"split of the Ge set must be 'dev', 'train' or 'all', got {split!r}")
        if reference_length not in ('true', 'dataset'):
            raise ConfigError(f"reference_length must be 'true' or 'dataset', got {reference_length!r}")
        self.split = split
        self.reference_length = reference_length
        if reference_length == 'dataset':
            self.lifting = 'true root depth, constant pose_scale of the set'
        self._skeleton = HandSkeleton.from_dataset('ge_real')
        super().__init__(data_root, pipeline, test_mode=test_mode, **kwargs)

    def prepare(self) -> None:
        """Read the mat files and the list of the split."""
        params, pose = self._read_mat('params.mat'), self._read_mat('pose_gt.mat')
        self._pose = self._column(pose, 'pose_gt', 'pose_gt.mat', (-1, 21, 3)) * 10.0
        count = len(self._pose)
        self._paths = [str(name).strip() for name in np.ravel(params.get('image_path', ()))]
        if len(self._paths) != count:
            raise DataError(
                f'{self.data_root / "params.mat"}: image_path names {len(self._paths)} photos, '
                f'pose_gt.mat has {count} rows.'
            )
        self._scale = self._column(params, 'pose_scale', 'params.mat', (count,)) * 10.0
        self._camera = crop_cameras(
            self._column(params, 'cam_param', 'params.mat', (count, 4)),
            self._column(params, 'bbox', 'params.mat', (count, 4)),
        )
        self._rows = self._read_split(count)
        if self.reference_length == 'dataset':
            lengths = ' and '.join(f'{length:g}' for length in np.unique(self._scale))
            self.lifting = f'true root depth, constant {lengths} mm'

    def num_records(self) -> int:
        """Number of photos of the split."""
        return len(self._rows)

    def load_record(self, index: int) -> HandSample:
        """One photo; see :class:`BaseHandDataset`."""
        row = int(self._rows[index])
        record: HandSample = {
            'sample_id': f'{Path(self._paths[row]).stem}/left',
            'img_path': str(self.data_root / self._paths[row]),
            'hand_side': 'left',
            'camera': self._camera[row],
        }
        if self.reference_length == 'dataset':
            record['ref_length'] = float(self._scale[row])
        joints = self._skeleton.to_canonical(self._pose[row], axis=0)
        if np.isnan(joints).any():
            return record
        start, end = REFERENCE_BONE
        record['keypoints_3d'] = joints
        record['keypoints_2d'] = Camera(self._camera[row]).project(joints)
        record['keypoints_visible'] = np.ones(len(joints), np.float32)
        record['root_depth'] = float(joints[ROOT_JOINT, 2])
        record.setdefault('ref_length', float(np.linalg.norm(joints[end] - joints[start])))
        return record

    def _read_mat(self, name: str) -> dict[str, Any]:
        path = self.data_root / name
        if not path.is_file():
            raise MissingFileError(
                f'{path.absolute()} is missing: get the real-photo set from {GE_PAGE} '
                '(data/real_world_testset) and '
                f'put its images, params.mat and pose_gt.mat into {self.data_root}.'
            )
        try:
            return loadmat(str(path))
        except Exception as error:  # scipy raises many kinds for a broken file
            raise DataError(f'{path} cannot be read as a MATLAB file ({error}); copy it again.') from error

    def _column(self, content: dict[str, Any], key: str, file: str, shape: tuple[int, ...]) -> np.ndarray:
        path = self.data_root / file
        if key not in content:
            raise DataError(f'{path} has no {key!r}.')
        values = np.asarray(content[key]).astype(np.float64)
        if len(shape) == 1:
            values = values.ravel()  # stored as one row
        if values.ndim != len(shape) or any(
            want not in (-1, got) for want, got in zip(shape, values.shape, strict=True)
        ):
            raise DataError(f'{path}: {key} must have shape {shape}, got {values.shape}.')
        return values

    def _read_split(self, count: int) -> np.ndarray:
        path = self.data_root / 'splits.json'
        if not path.is_file():
            if self.split == 'all':
                return np.arange(count)
            raise MissingFileError(
                f"{path} is missing, and split={self.split!r} needs it (lists 'train' and 'dev' of photo "
                'numbers); '
                "use split='all' for every photo."
            )
        try:
            lists = json.loads(path.read_text())
            names = ('train', 'dev') if self.split == 'all' else (self.split,)
            rows = np.array(sorted(int(row) for name in names for row in lists[name]), np.int64)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} must hold lists 'train' and 'dev' of photo numbers ({error!r})."
            ) from error
        if rows.size and (rows[0] < 0 or rows[-1] >= count):
            raise DataError(f'{path} names photos outside 0..{count - 1}.')
        return rows


def crop_cameras(cam_param: np.ndarray, bbox: np.ndarray, size: int = CROP_SIZE) -> np.ndarray:
    """Intrinsics of square crops that were scaled to one size.

    Args:
        cam_param: (N, 4) fx, fy, u0, v0 of the full images.
        bbox: (N, 4) x, y, width, height of the crops.
        size: Side of the scaled crops, px.

    Returns:
        (N, 3, 3) float64.
    """
    scale = size / bbox[:, 2]
    camera = np.zeros((len(bbox), 3, 3))
    camera[:, 0, 0], camera[:, 1, 1] = scale * cam_param[:, 0], scale * cam_param[:, 1]
    camera[:, 0, 2] = scale * (cam_param[:, 2] - bbox[:, 0])
    camera[:, 1, 2] = scale * (cam_param[:, 3] - bbox[:, 1])
    camera[:, 2, 2] = 1.0
    return camera
