"""Looking at a dataset in the middle of a training run, without a trace in its random numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mmdualhand.datasets import collate_hand_batch


def clean_batches(
    dataset: Dataset, rows: Sequence[int], batch_size: int, num_workers: int = 0
) -> Iterator[dict[str, Any]]:
    """Collated batches of some rows, in their order.

    A DataLoader draws from torch's generator even where it does not shuffle; this
    one has its own, so that a training goes on as if nobody had looked.

    Args:
        dataset: Gives packed samples; some may lack labels that others have.
        rows: Sample numbers.
        batch_size: Rows of a batch, but for the last.
        num_workers: Processes that read.
    """
    if not len(rows):
        return iter(())
    loader = DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=list(rows),
        num_workers=num_workers,
        collate_fn=partial(collate_hand_batch, partial_labels=True),
        generator=torch.Generator().manual_seed(0),
    )
    return iter(loader)


@torch.no_grad()
def look_at(
    model: Any, batch: dict[str, Any], labeler: Any = None
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Poses that labels are made of, and the facts of a batch.

    Args:
        model: A :class:`~mmdualhand.models.SelfTrainingEstimator`, or another with a method
            ``look``.
        batch: Collated.
        labeler: One with a method ``look(model, rgb, sample_ids)`` looks for itself, and adds
            facts; else the model looks.

    Returns:
        Branch to ``(B, 21, 3)`` 2.5D poses, and the targets on the device.
    """
    data = model.data_preprocessor(batch, training=False)
    rgb, targets = data['inputs']['rgb'], data['targets']
    if hasattr(labeler, 'look'):
        names = [sample.metainfo['sample_id'] for sample in batch['data_samples']]
        poses, facts = labeler.look(model, rgb, names)
        return poses, {**targets, **facts}
    return {branch: one.pose25d for branch, one in model.look(rgb).items()}, targets
