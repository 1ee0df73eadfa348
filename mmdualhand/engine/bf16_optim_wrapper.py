"""Mixed precision that works with and without a GPU."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from torch import nn

from mmdualhand.compat import cpu_has_bf16
from mmdualhand.registry import OPTIM_WRAPPERS


def precision_on(device: str, emulate: bool = False) -> str:
    """What mixed precision is on a kind of device: ``'bf16'``, or ``'fp32'`` where bfloat16 is emulated.

    A processor without instructions for bfloat16 takes several times as long for it as for float32.

    Args:
        device: ``'cpu'``, ``'cuda'``, ...
        emulate: Also where it is slow.
    """
    return 'bf16' if emulate or device != 'cpu' or cpu_has_bf16() else 'fp32'


def mixed_precision(device: str, emulate: bool = False) -> torch.autocast:
    """Context of a forward pass in the precision of :func:`precision_on`."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=precision_on(device, emulate) == 'bf16')


@OPTIM_WRAPPERS.register_module()
class BF16OptimWrapper(OptimWrapper):
    """Runs the forward pass under bfloat16 autocast; no gradient scaling is needed.

    mmengine's ``AmpOptimWrapper`` asserts on a CPU. Losses, softmax, attention
    weights and embeddings stay in float32. On a processor without instructions for
    bfloat16 everything does, because emulation is several times slower; a warning says so.

    Args:
        optimizer: The optimiser.
        emulate: Compute in bfloat16 on such a processor too.
        **kwargs: Others of mmengine's ``OptimWrapper``.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, *, emulate: bool = False, **kwargs: Any) -> None:
        super().__init__(optimizer, **kwargs)
        self._emulate = emulate
        self._said = False

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Context of the forward pass."""
        device = next(model.parameters()).device.type
        if not self._said and precision_on(device, self._emulate) == 'fp32':
            print_log(
                'This processor has no instructions for bfloat16 (avx512_bf16 or AMX) and emulates it: '
                'training in float32 instead. With --cfg-options optim_wrapper.emulate=True, --amp computes '
                'in bfloat16 all the same.',
                logger='current',
                level=logging.WARNING,
            )
        self._said = True
        with super().optim_context(model), mixed_precision(device, self._emulate):
            yield
