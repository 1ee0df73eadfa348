"""Islands of full precision inside mixed-precision training."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Context in which autocast is off, so that float32 stays float32.

    Args:
        device: Where the computation runs; devices without autocast (``meta``)
            need nothing.
    """
    if torch.amp.autocast_mode.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()
