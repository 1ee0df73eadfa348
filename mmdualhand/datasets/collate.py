"""Putting packed samples together, in the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mmdualhand.errors import DataError
from mmdualhand.registry import COLLATE_FUNCTIONS


@COLLATE_FUNCTIONS.register_module()
def collate_hand_batch(batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Stack packed samples into a batch.

    In a config: ``collate_fn=dict(type='mmdualhand.collate_hand_batch')``.

    Args:
        batch: Samples of ``PackHandInputs``.

    Returns:
        ``inputs`` and ``targets`` with a leading batch axis on every tensor, and
        ``data_samples`` as a list.

    Raises:
        DataError: The samples have different keys or sizes; the message names
            the sample ids and the keys.
    """
    merged: dict[str, Any] = {}
    for part in ('inputs', 'targets'):
        keys = list(batch[0][part])
        for sample in batch[1:]:
            if set(sample[part]) != set(keys):
                raise DataError(_different_keys(batch[0], sample, part))
        merged[part] = {key: _stack([sample[part][key] for sample in batch], batch, key) for key in keys}
    merged['data_samples'] = [sample['data_samples'] for sample in batch]
    return merged


def _stack(tensors: list[torch.Tensor], batch: Sequence[dict[str, Any]], key: str) -> torch.Tensor:
    for tensor, sample in zip(tensors, batch, strict=True):
        if tensor.shape != tensors[0].shape:
            raise DataError(
                f'{key} of sample {_name(batch[0])} has shape {tuple(tensors[0].shape)}, that of '
                f'{_name(sample)} '
                f'{tuple(tensor.shape)}; samples of one batch need one size.'
            )
    return torch.stack(tensors)


def _name(sample: dict[str, Any]) -> str:
    return repr(sample['data_samples'].metainfo.get('sample_id'))


def _different_keys(first: dict[str, Any], second: dict[str, Any], part: str) -> str:
    parts = []
    for one, other in ((first, second), (second, first)):
        extra = sorted(set(one[part]) - set(other[part]))
        if extra:
            parts.append(f'{_name(one)} has {", ".join(extra)}')
    return (
        f'samples {_name(first)} and {_name(second)} of one batch have different {part}: '
        f'{"; ".join(parts)}. Put '
        'labelled and unlabelled data, or different modalities, into different dataloaders.'
    )
