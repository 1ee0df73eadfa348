"""A learning rate that falls with an inverse power of the steps."""

from __future__ import annotations

from typing import Any

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import INF, _ParamScheduler

from mmdualhand.errors import ConfigError
from mmdualhand.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class InverseDecayLR(LRSchedulerMixin, _ParamScheduler):
    r"""Inverse decay of Ganin and Lempitsky (ICML 2015), as RegDA uses it.

    .. math:: lr_i = lr_0 \cdot (1 + \gamma i)^{-p}

    with i the epoch, or the step where ``by_epoch=False`` (give that in the config: mmengine
    reads from there where the schedule ends).

    Args:
        optimizer: Optimiser or its wrapper; filled in.
        gamma: gamma.
        power: p.
        total: Steps of the run that ``gamma`` is written for; a run that ends after another
            number of them is stretched to it. None: counted as they are.
        **kwargs: ``begin``, ``end``, ``last_step``, ``by_epoch``, ``verbose`` of mmengine.

    Raises:
        ConfigError: A negative ``gamma`` or ``power``, or a ``total`` that is not positive.
    """

    def __init__(
        self,
        optimizer: Any,
        *args: Any,
        gamma: float = 1e-4,
        power: float = 0.75,
        total: float | None = None,
        **kwargs: Any,
    ) -> None:
        if gamma < 0 or power < 0 or (total is not None and not total > 0):
            raise ConfigError(
                'gamma and power of InverseDecayLR must not be negative and total is a number of steps, got '
                f'{gamma}, {power}, {total}'
            )
        self.gamma = gamma
        self.power = power
        self.total = total
        super().__init__(optimizer, *args, **kwargs)

    def _get_value(self) -> list[float]:
        """Learning rate of every group, from that of the step before."""
        rates = [group[self.param_name] for group in self.optimizer.param_groups]
        if self.last_step == 0:
            return rates
        stretch = 1.0 if self.total is None or self.end >= INF else self.total / (self.end - self.begin)
        rise = self.gamma * stretch
        factor = (1.0 + rise * self.last_step) / (1.0 + rise * (self.last_step - 1))
        return [rate * factor**-self.power for rate in rates]
