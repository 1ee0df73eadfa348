"""Means over an epoch that cost no wait for the device until they are asked for."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmengine.dist import all_gather_object
from torch import Tensor


class EpochMeans:
    """Weighted means of named values, summed on the device, over all processes."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._rows: dict[str, int] = {}

    @torch.no_grad()
    def add(self, values: Mapping[str, Tensor], rows: int) -> None:
        """Add the values of a batch.

        Args:
            values: Name to a mean over the batch, of any shape.
            rows: Rows of the batch.
        """
        for name, value in values.items():
            total = value.detach().float() * rows
            self._sums[name] = self._sums[name] + total if name in self._sums else total
            self._rows[name] = self._rows.get(name, 0) + rows

    def take(self) -> dict[str, list[float]]:
        """The means since the last call; every process must call, and gets the same.

        Returns:
            Name to its values, flattened; one for a scalar.
        """
        own = {name: (total.flatten().tolist(), self._rows[name]) for name, total in self._sums.items()}
        self._sums, self._rows = {}, {}
        every: list[dict[str, tuple[list[float], int]]] = all_gather_object(own)
        merged: dict[str, list[float]] = {}
        for name in dict.fromkeys(name for part in every for name in part):
            parts = [part[name] for part in every if name in part]
            rows = sum(count for _, count in parts)
            merged[name] = [sum(column) / rows for column in zip(*(sums for sums, _ in parts), strict=True)]
        return merged
