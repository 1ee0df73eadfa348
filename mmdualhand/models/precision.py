"""Islands of full precision inside mixed-precision training."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

_AUTOCAST_DEVICES = ('cpu', 'cuda', 'xpu', 'mps')


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Context in which autocast is off, so that float32 stays float32.

    Args:
        device: Where the computation runs; devices without autocast (``meta``)
            need nothing.
    """
    if device.type in _AUTOCAST_DEVICES:
        return torch.autocast(device.type, enabled=False)
    return nullcontext()
