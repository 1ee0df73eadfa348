"""Putting packed samples together, in the worker."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from mmdualhand.errors import DataError
from mmdualhand.registry import COLLATE_FUNCTIONS

Targets = dict[str, torch.Tensor]
_Part = tuple[dict[str, Any], Mapping[str, torch.Tensor]]


_LABELS = {
    'camera': math.nan, 'pose25d': math.nan, 'visible': 0.0, 'root_depth': math.nan, 'ref_length': math.nan,
}  # fmt: skip
"""Targets that a sample may lack, and what then stands for them."""


@COLLATE_FUNCTIONS.register_module()
def collate_hand_batch(batch: Sequence[dict[str, Any]], partial_labels: bool = False) -> dict[str, Any]:
    """Stack packed samples into a batch.

    In a config: ``collate_fn=dict(type='mmdualhand.collate_hand_batch')``.

    Args:
        batch: Samples of ``PackHandInputs``.
        partial_labels: Accept batches in which some samples have labels that
            others lack, to predict on a partly labelled set. A missing
            ``camera``, ``pose25d``, ``root_depth`` or ``ref_length`` is NaN
            there, a missing ``visible`` 0; a label that no sample has stays
            absent. Not for training: the losses do not look for NaN.

    Returns:
        ``inputs`` and ``targets`` with a leading batch axis on every tensor, and
        ``data_samples`` as a list.

    Raises:
        DataError: The samples have different keys or sizes; the message names
            the sample ids and the keys.
    """
    targets = [sample['targets'] for sample in batch]
    if partial_labels:
        targets = _fill_labels(targets)
    merged: dict[str, Any] = {}
    for part, values in (('inputs', [sample['inputs'] for sample in batch]), ('targets', targets)):
        for place, value in enumerate(values):
            if value.keys() != values[0].keys():
                raise DataError(_different_keys((batch[0], values[0]), (batch[place], value), part))
        merged[part] = {key: _stack([value[key] for value in values], batch, key) for key in values[0]}
    merged['data_samples'] = [sample['data_samples'] for sample in batch]
    return merged


def _fill_labels(targets: Sequence[Targets]) -> list[Targets]:
    """Copies of the targets that all have every label which one of them has."""
    filled = [dict(target) for target in targets]
    for key, missing in _LABELS.items():
        known = next((target[key] for target in targets if key in target), None)
        if known is not None:
            for target in filled:
                target.setdefault(key, torch.full_like(known, missing))
    return filled


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


def _different_keys(first: _Part, second: _Part, part: str) -> str:
    parts = []
    for (sample, one), (_, other) in ((first, second), (second, first)):
        extra = sorted(set(one) - set(other))
        if extra:
            parts.append(f'{_name(sample)} has {", ".join(extra)}')
    return (
        f'samples {_name(first[0])} and {_name(second[0])} of one batch have different {part}: '
        f'{"; ".join(parts)}. Put labelled and unlabelled data, or different modalities, into different '
        'dataloaders; to predict on a partly labelled set, give collate_hand_batch partial_labels=True.'
    )
