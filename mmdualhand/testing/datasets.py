"""Whether a dataset hands out canonical records, reproducibly."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmdualhand.datasets import BaseHandDataset, check_record, collate_hand_batch
from mmdualhand.datasets.transforms import HandCrop, LoadHandModalities, NormalizeDepth, PackHandInputs
from mmdualhand.errors import DataError
from mmdualhand.registry import DATASETS
from mmdualhand.structures import Camera, HandSample
from mmdualhand.testing.contract import ContractError, difference, require

MAX_IDS = 500
"""Records whose sample ids are compared."""
_META = (
    'dataset_name', 'joint_names', 'parents', 'root_joint', 'reference_bone', 'units', 'crop_rule',
    'wrist_convention', 'embedded',
)  # fmt: skip
_DTYPES = {
    'camera': np.float64,
    'keypoints_2d': np.float64,
    'keypoints_3d': np.float64,
    'keypoints_visible': np.float32,
}


def check_dataset(
    dataset: Mapping[str, Any] | BaseHandDataset,
    *,
    num_samples: int = 4,
    depth_tolerance: float | None = 60.0,
) -> None:
    """Check records, pictures, pipeline and batches of a dataset.

    Looks at metainfo, keys, shapes, types and units of records, unique ids, 2D
    against projected 3D, depth and mask against the joints, pickling (workers
    need it), that a pipeline repeats under the same seed and leaves the records
    alone, and at a collated batch.

    Args:
        dataset: Config for ``DATASETS`` or a dataset. Without a pipeline a
            usual one with a random 64 px crop is used.
        num_samples: How many samples, spread over the set, are looked at.
        depth_tolerance: Largest median distance, mm, between measured depth and
            joints on the hand's mask; None leaves this check out.

    Raises:
        ContractError: A contract is broken; the message names the sample.
        DataError: The dataset itself refuses its data at construction.
        MissingFileError: A file is not there.
    """
    built = DATASETS.build(dict(dataset)) if isinstance(dataset, Mapping) else dataset
    name = type(built).__name__
    require(isinstance(built, BaseHandDataset), f'{name} must be a subclass of BaseHandDataset.')
    require(len(built) > 0, f'{name} is empty.')
    _check_metainfo(built, name)
    places = np.unique(np.linspace(0, len(built) - 1, min(num_samples, len(built))).astype(int)).tolist()
    records = [_check_record(built, place, name) for place in places]
    _check_ids(built, name)
    _check_projection(records, built.reprojection_tolerance, name)
    for record in records:
        _check_pictures(record, depth_tolerance, name)
    copies = [_copy(built, name) for _ in range(3)]
    for copied in copies:
        copied.pipeline = copied.pipeline or _usual_pipeline(records[0])
    _check_batch(copies.pop(), places, name)
    _check_pipeline(copies, places, name)


def _check_metainfo(dataset: BaseHandDataset, name: str) -> None:
    info = dataset.metainfo
    missing = [key for key in _META if key not in info]
    require(not missing, f'{name}.metainfo lacks {", ".join(missing)}; extend super().metainfo.')
    try:
        plain = json.loads(json.dumps(info))
    except (TypeError, ValueError) as error:
        raise ContractError(
            f'{name}.metainfo must hold plain numbers, strings, lists and dicts ({error}).'
        ) from error
    where = difference(plain, dict(info))
    require(where is None, f'{name}.metainfo[{where!r}] must be a list, not a tuple, with plain values.')
    require(info['units'] == 'mm', f"{name}.metainfo['units'] must be 'mm', got {info['units']!r}.")


def _check_record(dataset: BaseHandDataset, place: int, name: str) -> HandSample:
    try:
        record = dataset.labels_only(place)
        check_record(record, name)
    except DataError as error:
        raise ContractError(f'{name}, sample {place}: {error}') from error
    where = f'{name}, sample {record["sample_id"]!r}'
    known = HandSample.__required_keys__ | HandSample.__optional_keys__
    unknown = sorted(set(record) - known)
    require(
        not unknown,
        f'{where}: nothing reads {", ".join(unknown)}; known keys: {", ".join(sorted(known))}.',
    )
    for key, dtype in _DTYPES.items():
        value = record.get(key)
        require(
            value is None or (isinstance(value, np.ndarray) and value.dtype == dtype),
            f'{where}: {key} must be a numpy array of {np.dtype(dtype).name}, got '
            f'{getattr(value, "dtype", type(value).__name__)}.',
        )
    visible = record.get('keypoints_visible', np.ones(1))
    require(
        bool(np.isin(visible, (0, 1)).all()), f'{where}: keypoints_visible must be 0 or 1, got {visible}.'
    )
    return record


def _check_ids(dataset: BaseHandDataset, name: str) -> None:
    seen: dict[str, int] = {}
    for place in range(min(len(dataset), MAX_IDS)):
        sample = dataset.labels_only(place)['sample_id']
        require(
            sample not in seen,
            f'{name}: samples {seen.get(sample)} and {place} are both called {sample!r}; dumps and pseudo '
            'labels need unique ids.',
        )
        seen[sample] = place


def _check_projection(records: Sequence[HandSample], tolerance: float | None, name: str) -> None:
    for record in records:
        if tolerance is None or 'keypoints_2d' not in record or 'keypoints_3d' not in record:
            continue
        projected = Camera(record['camera']).project(record['keypoints_3d'])
        error = float(np.median(np.linalg.norm(projected - record['keypoints_2d'], axis=-1)))
        require(
            error <= tolerance,
            f'{name}, sample {record["sample_id"]!r}: keypoints_3d project {error:.1f} px (median) from '
            f'keypoints_2d, {tolerance:g} are allowed (reprojection_tolerance); check camera, frame and '
            'joint order.',
        )


def _usual_pipeline(record: HandSample) -> list[Any]:
    labelled = 'keypoints_2d' in record
    modalities = ['rgb']
    if 'depth_path' in record and ('keypoints_3d' in record or 'root_depth' in record):
        modalities += ['depth'] + (['mask'] if 'mask_path' in record else [])
    rule = 'keypoints' if labelled else 'whole'
    augment = dict(rotation=180.0, scale=(0.8, 1.2), translation=0.1, prob=1.0)
    return [
        LoadHandModalities(modalities),
        HandCrop(64, rule, augment=augment),
        NormalizeDepth(),
        PackHandInputs(),
    ]


def _check_pictures(record: HandSample, tolerance: float | None, name: str) -> None:
    modalities = [key for key in ('rgb', 'depth', 'mask') if key == 'rgb' or f'{key}_path' in record]
    where = f'{name}, sample {record["sample_id"]!r}'
    try:
        loaded = LoadHandModalities(modalities).transform(dict(record))
    except DataError as error:
        raise ContractError(f'{name}: {error}') from error
    mask = loaded.get('mask')
    require(mask is None or bool(mask.any()), f'{where}: the mask is empty; check mask_values.')
    if 'depth' not in loaded or 'keypoints_2d' not in record or 'keypoints_3d' not in record:
        return
    depth = loaded['depth']
    require(depth.dtype == np.float32, f'{where}: decoded depth must be float32 mm, got {depth.dtype}.')
    u, v = np.rint(record['keypoints_2d']).astype(int).T
    inside = (u >= 0) & (v >= 0) & (u < depth.shape[1]) & (v < depth.shape[0])
    u, v, z = u[inside], v[inside], record['keypoints_3d'][inside, 2]
    hit = (depth[v, u] > 0) & (True if mask is None else mask[v, u] > 0)
    require(bool(hit.any()), f'{where}: no joint lies on the mask where depth was measured.')
    distance = float(np.median(np.abs(depth[v, u] - z)[hit]))
    require(
        tolerance is None or distance <= tolerance,
        f'{where}: measured depth is {distance:.0f} mm (median) from the joints, {tolerance} are allowed; '
        'check the decoder, its unit (mm) and the alignment of depth and photo.',
    )


def _copy(dataset: BaseHandDataset, name: str) -> BaseHandDataset:
    try:
        return pickle.loads(pickle.dumps(dataset))
    except Exception as error:  # pickle raises PicklingError, TypeError, AttributeError ...
        raise ContractError(
            f'{name} cannot be pickled, which worker processes need ({error}); keep no open files, locks or '
            'lambdas on it.'
        ) from error


def _check_pipeline(copies: Sequence[BaseHandDataset], places: Sequence[int], name: str) -> None:
    for place in places:
        before = pickle.loads(pickle.dumps(copies[0].labels_only(place)))
        samples = []
        for copied in copies:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(7)
                samples.append(copied[place])
        where = difference(samples[0], samples[1])
        require(
            where is None,
            f'{name}: sample {place} differs between two runs of the same seed ({where}); random transforms '
            "must draw from results['rng'], not from numpy's or Python's global generator.",
        )
        where = difference(before, copies[0].labels_only(place))
        require(
            where is None,
            f'{name}: the pipeline changed {where} of record {place}, so the next epoch sees other labels; '
            'load_record must return copies, or transforms new arrays.',
        )


def _check_batch(dataset: BaseHandDataset, places: Sequence[int], name: str) -> None:
    samples = [dataset[place] for place in places]
    parts = {'inputs', 'targets', 'data_samples'}
    require(
        all(isinstance(sample, dict) and parts <= set(sample) for sample in samples),
        f'{name}: samples must be packed: end the pipeline in PackHandInputs.',
    )
    try:
        batch = collate_hand_batch(samples)
    except DataError as error:
        raise ContractError(f'{name}: its samples do not go into one batch: {error}') from error
    image = batch['inputs'].get('img')
    require(
        isinstance(image, Tensor) and image.dtype == torch.uint8 and image.dim() == 4 and image.shape[1] == 3,
        f"{name}: inputs['img'] must be (3, H, W) uint8, as PackHandInputs leaves it.",
    )
    for part in ('inputs', 'targets'):
        for key, value in batch[part].items():
            finite = not value.is_floating_point() or bool(torch.isfinite(value).all())
            require(finite, f'{name}: {part}[{key!r}] holds values that are not finite.')
