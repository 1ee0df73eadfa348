"""A layer that changes gradients alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.models.weight_schedules import WeightSchedule
from mmdualhand.registry import MODELS


class _Scaled(torch.autograd.Function):
    """Identity whose gradient is multiplied by a number."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.scale * gradients[0], None


def scale_gradient(x: Tensor, scale: float) -> Tensor:
    """``x`` itself; what flows back is multiplied by ``scale`` (with 0: zeros, not nothing)."""
    scaled: Any = _Scaled.apply(x, scale)
    return scaled


@MODELS.register_module()
class GradientScale(nn.Module):
    """Identity forwards, ``sign * schedule`` times the gradient backwards.

    With ``sign=1`` the warm start of RegDA (Jiang et al., CVPR 2021), with ``sign=-1``
    gradient reversal (Ganin and Lempitsky, ICML 2015). The schedule reads the progress of
    the run at every call, so it goes on where a run is resumed.

    Args:
        sign: 1 or -1.
        schedule: Number, or config of a
            :class:`~mmdualhand.models.weight_schedules.WeightSchedule`.

    Raises:
        ConfigError: Another sign, or a schedule without meaning.
    """

    def __init__(self, sign: int = 1, schedule: Mapping[str, Any] | float = 1.0) -> None:
        super().__init__()
        if sign not in (1, -1):
            raise ConfigError(f'sign of GradientScale must be 1 or -1, got {sign!r}')
        self.sign = int(sign)
        self.schedule = WeightSchedule.from_config(schedule)

    def forward(self, x: Tensor) -> Tensor:
        """``x`` of any shape, unchanged."""
        return scale_gradient(x, self.sign * self.schedule())

    def extra_repr(self) -> str:
        """Arguments for printing."""
        return f'sign={self.sign}, schedule={self.schedule!r}'
