"""A running mean of a network's weights (Tarvainen and Valpola, NeurIPS 2017)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from mmdualhand.errors import ConfigError

BUFFERS = ('copy', 'mean', 'own')


class MeanTeacher(nn.Module):
    """Copies of modules whose weights follow the originals slowly.

    Always in eval mode, whatever ``train()`` is called with: a teacher in train
    mode would move its own batch statistics, which only ``buffers='own'`` wants. The
    first call of :meth:`start` or :meth:`follow` copies, so weights that were loaded
    after construction count.

    Args:
        parts: Modules to copy.
        momentum: Share of the old weights that stays at every step.
        warm_up: Let the weights be the plain mean of all steps until the share of a new
            one has fallen to ``1 - momentum``; the weights of construction are no part
            of it.
        buffers: What becomes of batch statistics: ``'copy'`` takes those of the
            originals, ``'mean'`` lets them follow as weights do, ``'own'`` leaves them to
            what the teacher itself sees inside :meth:`own_statistics`.

    Raises:
        ConfigError: Unknown ``buffers``, or a momentum outside of 0..1.
    """

    started: torch.Tensor
    steps: torch.Tensor

    def __init__(
        self,
        parts: Mapping[str, nn.Module],
        momentum: float,
        warm_up: bool = False,
        buffers: str = 'copy',
    ) -> None:
        super().__init__()
        if buffers not in BUFFERS:
            raise ConfigError(f'buffers of a mean teacher must be one of {BUFFERS}, got {buffers!r}')
        if not 0 <= momentum < 1:
            raise ConfigError(f'momentum of a mean teacher must lie in [0, 1), got {momentum}')
        self.momentum, self.warm_up, self.keep = momentum, warm_up, buffers
        self.parts = nn.ModuleDict({name: copy.deepcopy(part) for name, part in parts.items()})
        self.parts.requires_grad_(False)
        self.register_buffer('started', torch.zeros((), dtype=torch.bool))
        self._started: bool | None = None
        if warm_up:
            self.register_buffer('steps', torch.zeros((), dtype=torch.int64))
        self._steps: int | None = None
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
                averaged; buffers (batch statistics) as ``buffers`` says.
        """
        self.start(parts)
        share = 1.0 - self.momentum
        if self.warm_up:
            if self._steps is None:
                self._steps = int(self.steps)  # asked once a process, as above
            self._steps += 1
            self.steps.fill_(self._steps)
            share = max(share, 1.0 / self._steps)
        self._move(parts, share)

    @contextmanager
    def own_statistics(self) -> Iterator[None]:
        """Train mode inside the ``with`` block for ``buffers='own'``; else nothing."""
        self.parts.train(self.keep == 'own')
        try:
            yield
        finally:
            self.parts.eval()

    def _move(self, parts: Mapping[str, nn.Module], share: float) -> None:
        for name, part in parts.items():
            own: Any = self.parts[name]
            for mean, value in zip(own.parameters(), part.parameters(), strict=True):
                mean.lerp_(value, share)
            if self.keep == 'own' and self._started:
                continue
            for kept, new in zip(own.buffers(), part.buffers(), strict=True):
                if self.keep == 'mean' and kept.is_floating_point():
                    kept.lerp_(new, share)
                else:
                    kept.copy_(new)
        self.started.fill_(True)
        self._started = True
