"""Whether an estimator can be trained, saved and tested."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmdualhand.registry import MODELS
from mmdualhand.structures import NUM_JOINTS, HandDataSample
from mmdualhand.testing.batches import tiny_batch
from mmdualhand.testing.contract import (
    check_gradients,
    difference,
    disturb,
    require,
    restore,
    saved_state,
)

REPROJECTION_PX = 0.1
"""Largest distance between predicted 2D and projected 3D keypoints."""


def check_estimator(
    estimator: Mapping[str, Any] | nn.Module, *, batch: Mapping[str, Any] | None = None, seed: int = 0
) -> None:
    """Check one training step, the checkpoint and the predictions of an estimator.

    Losses must be finite, named ``loss_*``, and reach every trainable parameter;
    the state dict must load with ``weights_only=True`` and restore the
    predictions exactly; predictions must be complete, in the frames of the
    original image, and need no depth where only the rgb branch is asked for.

    Args:
        estimator: Config for ``MODELS`` (weights named by ``init_cfg`` are not
            loaded), or a module (a copy of it is used).
        batch: A collated batch; one of made-up hands of the codec's input size
            by default.
        seed: Of weights and texture; torch's own generator is left alone.

    Raises:
        ContractError: A contract is broken.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: Any = (
            copy.deepcopy(estimator).cpu()
            if isinstance(estimator, nn.Module)
            else MODELS.build(dict(estimator))
        )
        name = type(model).__name__
        require(isinstance(model, BaseModel), f'{name} must be a subclass of BaseHandEstimator.')
        data = dict(batch) if batch is not None else tiny_batch(size=_input_size(model, name))
        _check_step(model, data, name)
        samples = _predict(model, data)
        _check_predictions(model, samples, name)
        _check_rgb_only(model, data, samples, name)
        _check_state(model, data, samples, name)


def _input_size(model: Any, name: str) -> tuple[int, int]:
    codec = getattr(model, 'codec', None)
    require(
        hasattr(codec, 'input_size'),
        f'{name} has no codec with an input_size: pass batch=... to check_estimator.',
    )
    return model.codec.input_size


def _check_step(model: Any, batch: dict[str, Any], name: str) -> None:
    model.train()
    model.zero_grad(set_to_none=True)
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    require(isinstance(losses, dict) and bool(losses), f"{name}: mode='loss' must return a dict of losses.")
    for key, value in losses.items():
        require(
            'loss' not in key or key.startswith('loss_'),
            f'{name}: {key!r} would be added to the loss, because mmengine sums every key that contains '
            '"loss"; call losses loss_* and nothing else by that word.',
        )
        values = value if isinstance(value, list | tuple) else [value]
        require(
            all(isinstance(v, Tensor) and bool(torch.isfinite(v).all()) for v in values),
            f'{name}: {key} must be finite tensors, got {value}.',
        )
    total, _ = model.parse_losses(losses)
    require(total.requires_grad, f'{name}: the sum of its losses carries no gradient.')
    total.backward()
    check_gradients(model, name)
    model.zero_grad(set_to_none=True)


def _predict(model: Any, batch: Mapping[str, Any]) -> list[HandDataSample]:
    model.eval()
    fresh = {**batch, 'data_samples': [sample.clone() for sample in batch['data_samples']]}
    with torch.no_grad():
        return model(**model.data_preprocessor(fresh, False), mode='predict')


def _check_predictions(model: Any, samples: Sequence[HandDataSample], name: str) -> None:
    require(
        all(isinstance(sample, HandDataSample) for sample in samples),
        f"{name}: mode='predict' must return the data samples, with predictions on them.",
    )
    shapes = {
        'keypoints': (1, NUM_JOINTS, 2),
        'keypoint_scores': (1, NUM_JOINTS),
        'pose25d': (1, NUM_JOINTS, 3),
    }
    for sample in samples:
        require(
            hasattr(sample, '_pred_instances'),
            f'{name}: a data sample has no pred_instances after predict.',
        )
        found = sample.pred_instances
        if sample.metainfo.get('prediction_dims') == 2:
            _check_flat(sample, name)
            continue
        lifted = all(sample.metainfo.get(key) is not None for key in ('root_depth', 'ref_length'))
        wanted = {**shapes, 'keypoints_3d': (1, NUM_JOINTS, 3)} if lifted else shapes
        for key, shape in wanted.items():
            value = np.asarray(found.get(key)) if key in found else np.zeros(0)
            require(
                value.shape == shape and bool(np.isfinite(value).all()),
                f'{name}: pred_instances.{key} must be finite with shape {shape}, got {value.shape}.',
            )
        scores = np.asarray(found.keypoint_scores)
        require(
            bool((scores >= 0).all() and (scores <= 1).all()),
            f'{name}: keypoint_scores must lie in 0..1, got {scores.min():.3g} to {scores.max():.3g}.',
        )
        fields = sample.pred_fields if hasattr(sample, '_pred_fields') else {}
        for key in ('mask', 'depth_map'):
            value = np.asarray(fields.get(key)) if key in fields else np.zeros(0)
            require(
                value.ndim == 3 and len(value) == 1 and bool((value >= 0).all() and (value <= 1).all()),
                f'{name}: pred_fields.{key} must be (1, h, w) with values in 0..1, got {value.shape}.',
            )
    _check_frames(samples, name)


def _check_flat(sample: HandDataSample, name: str) -> None:
    """Predictions of a network of 2D keypoints: no depth, and nothing in its place."""
    found = sample.pred_instances
    parts = {key: np.asarray(found.get(key)) for key in ('keypoints', 'keypoint_scores', 'pose25d')}
    require(
        parts['pose25d'].shape == (1, NUM_JOINTS, 3) and bool(np.isnan(parts['pose25d'][..., 2]).all()),
        f'{name}: pred_instances.pose25d of a 2D network must be (1, {NUM_JOINTS}, 3) with NaN for d.',
    )
    require(
        parts['keypoints'].shape == (1, NUM_JOINTS, 2)
        and bool(np.isfinite(parts['keypoints']).all() and np.isfinite(parts['pose25d'][..., :2]).all()),
        f'{name}: pred_instances.keypoints must be finite with shape (1, {NUM_JOINTS}, 2).',
    )
    scores = parts['keypoint_scores']
    require(
        scores.shape == (1, NUM_JOINTS) and bool(((scores >= 0) & (scores <= 1)).all()),
        f'{name}: keypoint_scores must be (1, {NUM_JOINTS}) in 0..1.',
    )
    require('keypoints_3d' not in found, f'{name}: a network of 2D keypoints must not predict keypoints_3d.')


def _check_frames(samples: Sequence[HandDataSample], name: str) -> None:
    """Predicted 3D must project onto predicted 2D with the camera that the labels reveal."""
    for sample in samples:
        labels: Any = sample.gt_instances if hasattr(sample, '_gt_instances') else {}
        found = sample.pred_instances
        if not all('keypoints_3d' in part and 'keypoints' in part for part in (labels, found)):
            continue
        camera = _camera_from_labels(np.asarray(labels.keypoints_3d[0]), np.asarray(labels.keypoints[0]))
        xyz = np.asarray(found.keypoints_3d[0], np.float64)
        near = np.abs(xyz[:, 2]) < 1
        rays = np.c_[xyz[:, :2] / np.where(near, 1, xyz[:, 2])[:, None], np.ones(len(xyz))]
        error = np.linalg.norm(rays @ camera - np.asarray(found.keypoints[0]), axis=-1)[~near]
        require(
            not error.size or float(error.max()) < REPROJECTION_PX,
            f'{name}: keypoints_3d of {sample.metainfo.get("sample_id")!r} project {error.max():.2f} px from '
            'keypoints; both must be in the frame of the original image, left hands un-mirrored.',
        )


def _camera_from_labels(xyz: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(3, 2) matrix from homogeneous rays to pixels, fitted to labels."""
    rays = np.c_[xyz[:, :2] / xyz[:, 2:], np.ones(len(xyz))].astype(np.float64)
    return np.linalg.lstsq(rays, uv.astype(np.float64), rcond=None)[0]


def _check_rgb_only(
    model: Any, batch: Mapping[str, Any], samples: Sequence[HandDataSample], name: str
) -> None:
    if tuple(getattr(model, 'test_branches', ('rgb',))) != ('rgb',):
        return
    rgb_only = {**batch, 'inputs': {'img': batch['inputs']['img']}}
    for first, second in zip(samples, _predict(model, rgb_only), strict=True):
        same = np.allclose(
            first.pred_instances.keypoints, second.pred_instances.keypoints, rtol=1e-4, atol=1e-2
        )
        require(same, f'{name}: predictions of the rgb branch change when depth is in the batch.')


def _check_state(
    model: nn.Module, batch: Mapping[str, Any], samples: Sequence[HandDataSample], name: str
) -> None:
    state = saved_state(model, name)
    twin = copy.deepcopy(model)
    disturb(twin)
    restore(twin, state, name)
    for first, second in zip(samples, _predict(twin, batch), strict=True):
        where = difference(first.to_dict(), second.to_dict())
        require(
            where is None,
            f'{name}: a copy that has loaded the state dict predicts something else ({where}); what matters '
            'must be a parameter or a persistent buffer.',
        )
