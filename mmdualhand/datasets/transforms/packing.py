"""From arrays to the tensors that leave the worker."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData

from mmdualhand.codecs import GRID_SIZE, Pose25D
from mmdualhand.datasets.transforms.depth import root_and_length
from mmdualhand.registry import TRANSFORMS
from mmdualhand.structures import HandDataSample, to_grid

_META = (
    'sample_id', 'sample_index', 'img_path', 'hand_side', 'mirrored', 'crop_rule', 'input_size',
    'dataset_name', 'depth_half_range',
)  # fmt: skip
_DEPTH_INPUTS = {'depth': 'depth_map', 'depth_plain': 'depth_plain', 'depth_augmented': 'depth_augmented'}


@TRANSFORMS.register_module()
class PackHandInputs(BaseTransform):
    """Pack one cropped sample.

    Returns a dictionary of

    * ``inputs``: ``img`` uint8 (3, H, W) RGB and, where there, ``depth`` uint16
      (1, H, W) = round(65535 depth_map), ``mask`` uint8 (1, H, W), and the views of
      ``TextureViews``: ``img_augmented``, ``depth_plain``, ``depth_augmented``;
    * ``targets``, float32: ``crop_matrix`` (3, 3) from source to crop pixels,
      ``mirrored`` () bool, ``side`` () +1 where the crop shows a right hand (also a
      mirrored left one) and -1 where a left one, and where known ``sample_index``
      () int64, ``camera`` (3, 3) of the crop, ``pose25d`` (21, 3), ``visible``
      (21,), ``root_depth`` () and ``ref_length`` () in mm;
    * ``data_samples``: a :class:`HandDataSample` whose ``gt_instances`` hold numpy
      float32 ``keypoints`` (1, 21, 2) in pixels of the original image,
      ``keypoints_3d`` (1, 21, 3) mm in the original camera frame,
      ``keypoints_visible`` (1, 21) and ``pose25d`` (1, 21, 3) of the crop.

    A sample with 2D labels alone has no ``pose25d`` among its targets: nothing
    can be learnt from it. That of its ``gt_instances`` has u, v to measure and
    NaN for d.
    """

    def __init__(self) -> None:
        self._codecs: dict[tuple[int, int], Pose25D] = {}

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack one sample that ``HandCrop`` has cropped."""
        root, length = root_and_length(results)
        pose = self._encode(results, length)
        targets = {
            'crop_matrix': _float(results['crop'].matrix),
            'mirrored': torch.tensor(bool(results['mirrored'])),
            'side': _float(_shown_side(results)),
        }
        if 'sample_index' in results:
            targets['sample_index'] = torch.tensor(int(results['sample_index']))
        optional = {
            'camera': results.get('camera'),
            'pose25d': pose if 'keypoints_3d' in results else None,
            'visible': _visible(results),
            'root_depth': root,
            'ref_length': length,
        }
        targets.update({key: _float(value) for key, value in optional.items() if value is not None})
        return {
            'inputs': _inputs(results),
            'targets': targets,
            'data_samples': _data_sample(results, pose, root, length),
        }

    def _encode(self, results: dict[str, Any], length: float | None) -> np.ndarray | None:
        if 'keypoints_2d' not in results:
            return None
        size = results['crop'].output_size
        if 'keypoints_3d' not in results:
            uv = to_grid(results['keypoints_2d'], size, (GRID_SIZE, GRID_SIZE))
            return np.concatenate([uv, np.full_like(uv[:, :1], np.nan)], axis=-1)
        codec = self._codecs.setdefault(size, Pose25D(input_size=size))
        return codec.encode(results['keypoints_2d'], results['keypoints_3d'], length)


def _float(value: Any) -> torch.Tensor:
    return torch.from_numpy(np.array(value, dtype=np.float32))


def _shown_side(results: dict[str, Any]) -> float:
    """+1 for a hand that looks like a right one in the crop, -1 for a left one."""
    return 1.0 if (results['hand_side'] == 'right') != bool(results['mirrored']) else -1.0


def _visible(results: dict[str, Any]) -> np.ndarray | None:
    """Visibility (21,); a labelled sample that says nothing about it counts as visible."""
    if 'keypoints_visible' in results:
        return results['keypoints_visible']
    return np.ones(len(results['keypoints_2d']), np.float32) if 'keypoints_2d' in results else None


def _inputs(results: dict[str, Any]) -> dict[str, torch.Tensor]:
    inputs: dict[str, torch.Tensor] = {
        key: torch.from_numpy(np.ascontiguousarray(results[key].transpose(2, 0, 1)))
        for key in ('img', 'img_augmented')
        if key in results
    }
    for key, source in _DEPTH_INPUTS.items():
        if source in results:
            code = np.rint(results[source] * np.float32(65535)).astype(np.uint16)
            inputs[key] = torch.from_numpy(code[None])
    if 'mask' in results:
        inputs['mask'] = torch.from_numpy(results['mask'][None])
    return inputs


def _data_sample(
    results: dict[str, Any], pose: np.ndarray | None, root: float | None, length: float | None
) -> HandDataSample:
    labels = {
        'keypoints': results.get('orig_keypoints_2d'),
        'keypoints_3d': results.get('orig_keypoints_3d'),
        'keypoints_visible': _visible(results),
        'pose25d': pose,
    }
    instances = InstanceData()
    for key, value in labels.items():
        if value is not None:
            instances.set_field(np.asarray(value, np.float32)[None], key)
    meta = {key: results[key] for key in _META if key in results}
    meta.update(root_depth=root, ref_length=length, crop_matrix=results['crop'].matrix.tolist())
    sample = HandDataSample(metainfo=meta)
    sample.gt_instances = instances
    return sample
