"""Reading pseudo-labels into training samples, and moving them between crop and image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from mmdualhand.codecs import GRID_SIZE
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.pseudo_labels.bank import PseudoLabelBank
from mmdualhand.registry import TRANSFORMS
from mmdualhand.structures import apply_affine, check_shape, to_grid

_GRID = (GRID_SIZE, GRID_SIZE)
_ABSENT = ('zero', 'raise')
_NEEDED = ('dataset_name', 'sample_index', 'sample_id', 'crop_matrix', 'input_size')


def pose_to_image(pose25d: Tensor, crop_matrix: Tensor, input_size: int | Sequence[int]) -> Tensor:
    """Take 2.5D poses out of their crops, as a bank keeps them.

    Args:
        pose25d: (B, 21, 3) u, v on the 64-grid of the crop, d in reference bones.
        crop_matrix: (B, 3, 3) from original to crop pixels, mirror included.
        input_size: (w, h) of the crops, px, or one integer.

    Returns:
        (B, 21, 3) float64 with u, v in pixels of the original images; d as it was.

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(pose25d, 'B 21 3', name='pose25d')
    pose = pose25d.double()
    inverse = torch.linalg.inv_ex(crop_matrix.double()).inverse  # inv would make the host wait for a device
    uv = apply_affine(inverse, to_grid(pose[..., :2], _GRID, input_size))
    return torch.cat([uv, pose[..., 2:]], dim=-1)


def pose_to_crop(label: np.ndarray, crop_matrix: np.ndarray, input_size: int | Sequence[int]) -> np.ndarray:
    """Put labels of a bank into a crop; the inverse of :func:`pose_to_image`.

    Args:
        label: (..., 21, 3) u, v in pixels of the original image, d in reference bones.
        crop_matrix: (3, 3) from original to crop pixels, mirror included.
        input_size: (w, h) of the crop, px, or one integer.

    Returns:
        (..., 21, 3) float64 with u, v on the 64-grid of the crop; d as it was.

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(label, '... 21 3', name='label')
    pose = np.asarray(label, dtype=np.float64)
    uv = to_grid(apply_affine(np.asarray(crop_matrix), pose[..., :2]), input_size, _GRID)
    return np.concatenate([uv, pose[..., 2:]], axis=-1)


@TRANSFORMS.register_module()
class LoadPseudoLabel(BaseTransform):
    """Add the pseudo-label of a sample; the last step of a pipeline, after ``PackHandInputs``.

    The label was made in another crop of the same image and is moved into this one.
    Adds to ``targets``, float32: ``pseudo_pose25d`` (21, 3) on the 64-grid of the
    crop, ``pseudo_weight`` and ``pseudo_confidence``, () or (21,). The names are not
    those of true labels, so neither can be taken for the other.

    The file is opened when it is first needed, in the worker, and what a hook
    publishes later is seen.

    Args:
        bank: The file of the :class:`~mmdualhand.pseudo_labels.bank.PseudoLabelBank`.
            May be set later, as ``transform.bank``, before the workers start.
        absent: What becomes of a sample without label: ``'zero'`` gives weight 0,
            infinite confidence value and a label of zeros; ``'raise'`` is an error,
            which a dataset with ``on_error='skip'`` answers with the next sample.

    Raises:
        ConfigError: Unknown ``absent``.
    """

    def __init__(self, bank: str | None = None, absent: str = 'zero') -> None:
        if absent not in _ABSENT:
            raise ConfigError(f'absent of LoadPseudoLabel must be one of {_ABSENT}, got {absent!r}')
        self.bank = bank
        self.absent = absent
        self._open: PseudoLabelBank | None = None

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the label of one packed sample.

        Raises:
            ConfigError: No bank is named, it belongs to another dataset, or the
                sample is not packed.
            MissingFileError: The file is not there.
            DataError: The row was made for another sample, or there is no label and
                ``absent='raise'``.
        """
        meta = _meta(results)
        bank = self._opened(meta['dataset_name'])
        index, name = int(meta['sample_index']), str(meta['sample_id'])
        if index >= len(bank):
            raise ConfigError(
                f'{bank.path} has {len(bank)} rows and the dataset a sample {index}: it belongs to another '
                'part of the dataset; use another path'
            )
        rows = bank.read([index], [name])
        if not rows.written[0] and self.absent == 'raise':
            raise DataError(f'sample {name!r} has no pseudo-label in {bank.path}')
        pose = rows.labels[0].astype(np.float64)
        if rows.written[0]:
            pose = pose_to_crop(pose, np.asarray(meta['crop_matrix']), meta['input_size'])
        new = dict(pose25d=pose, weight=rows.weight[0], confidence=rows.confidence[0])
        added = {f'pseudo_{key}': torch.from_numpy(np.array(x, np.float32)) for key, x in new.items()}
        results['targets'] = {**results['targets'], **added}
        return results

    def _opened(self, dataset: str) -> PseudoLabelBank:
        if self._open is None or str(self._open.path) != str(self.bank):
            if self.bank is None:
                raise ConfigError('LoadPseudoLabel has no bank: give it the file that PseudoLabelHook fills')
            try:
                self._open = PseudoLabelBank(self.bank, writable=False)
            except MissingFileError as error:
                raise MissingFileError(f'{error}; PseudoLabelHook makes it before training') from error
        owner = self._open.header.dataset
        if owner != dataset:
            raise ConfigError(
                f'{self.bank} holds pseudo-labels of {owner!r}, and the sample is of {dataset!r}: use '
                'another path for every dataset'
            )
        return self._open

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), '_open': None}


def _meta(results: dict[str, Any]) -> dict[str, Any]:
    meta = dict(getattr(results.get('data_samples'), 'metainfo', {}))
    missing = [key for key in _NEEDED if key not in meta]
    if missing:
        raise ConfigError(
            f'LoadPseudoLabel needs {", ".join(missing)} of the packed sample: put it after PackHandInputs'
        )
    return meta
