"""A running mean of a network's weights (Tarvainen and Valpola, NeurIPS 2017)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


class MeanTeacher(nn.Module):
    """Copies of modules whose weights follow the originals slowly.

    Always in eval mode, whatever ``train()`` is called with: a teacher in train
    mode would move its own batch statistics. The first call of :meth:`start` or
    :meth:`follow` copies, so weights that were loaded after construction count.

    Args:
        parts: Modules to copy.
        momentum: Share of the old weights that stays at every step.
    """

    started: torch.Tensor

    def __init__(self, parts: Mapping[str, nn.Module], momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.parts = nn.ModuleDict({name: copy.deepcopy(part) for name, part in parts.items()})
        self.parts.requires_grad_(False)
        self.register_buffer('started', torch.zeros((), dtype=torch.bool))
        self._started: bool | None = None
        self.eval()

    def train(self, mode: bool = True) -> MeanTeacher:
        """Stay in eval mode."""
        return super().train(False)

    @torch.no_grad()
    def start(self, parts: Mapping[str, nn.Module]) -> None:
        """Copy the originals, unless that was done before; see :meth:`follow`."""
        if self._started is None:
            self._started = bool(self.started)  # asked once a process, so a resumed run goes on
        if not self._started:
            self._move(parts, 1.0)

    @torch.no_grad()
    def follow(self, parts: Mapping[str, nn.Module]) -> None:
        """Move towards the originals; once a training step.

        Args:
            parts: The originals, by the names of construction. Weights are
                averaged, buffers (batch statistics) copied.
        """
        self.start(parts)
        self._move(parts, 1.0 - self.momentum)

    def _move(self, parts: Mapping[str, nn.Module], share: float) -> None:
        for name, part in parts.items():
            own: Any = self.parts[name]
            for mean, value in zip(own.parameters(), part.parameters(), strict=True):
                mean.lerp_(value, share)
            for kept, new in zip(own.buffers(), part.buffers(), strict=True):
                kept.copy_(new)
        self.started.fill_(True)
        self._started = True
