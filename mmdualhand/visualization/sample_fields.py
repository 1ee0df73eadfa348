"""Looking into a data sample, whatever it holds."""

from __future__ import annotations

import numpy as np

from mmdualhand.structures import HandDataSample
from mmdualhand.visualization.images import Array, to_numpy


def first_field(sample: HandDataSample, element: str, name: str) -> np.ndarray | None:
    """A field of the first hand of a sample.

    Args:
        sample: Of any content.
        element: ``'gt_instances'``, ``'pred_fields'`` and so on.
        name: Field of it, arrays or tensors with a leading axis.

    Returns:
        The field without the leading axis; None where the sample has no such thing.
    """
    instances = sample.get(element)
    value: Array | None = None if instances is None else instances.get(name)
    if value is None or len(value) == 0:
        return None
    return to_numpy(value)[0]
