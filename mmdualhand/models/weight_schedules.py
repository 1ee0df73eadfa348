"""Weights that change in the course of training, as the compared methods print them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mmengine.logging import MessageHub

from mmdualhand.errors import ConfigError, near_names

UNITS = ('share', 'iter', 'epoch')


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        iter: Steps that are done.
        max_iters: Steps of the run.
        epoch: Epochs that are done.
        max_epochs: Epochs of the run.
    """

    iter: int = 0
    max_iters: int = 1
    epoch: int = 0
    max_epochs: int = 1

    @classmethod
    def current(cls) -> Progress:
        """That of the run in this process, from mmengine's ``MessageHub``; a beginning without one."""
        hub = MessageHub.get_current_instance()
        iters, epochs = hub.get_info('max_iters'), hub.get_info('max_epochs')
        return cls(
            int(hub.get_info('iter') or 0), int(iters or 1), int(hub.get_info('epoch') or 0), int(epochs or 1)
        )

    def position(self, unit: str, total: float | None = None) -> float:
        """Place in the run, in epochs, steps, or as a share in 0..1.

        Args:
            unit: ``'share'`` (of the steps), ``'iter'`` or ``'epoch'``.
            total: Length of the run, in the unit, that the place is counted in: a run of
                another length is stretched to it. None: as it is.
        """
        if unit == 'share':
            return self.iter / self.max_iters
        done, length = (self.iter, self.max_iters) if unit == 'iter' else (self.epoch, self.max_epochs)
        return float(done) if total is None else done * total / length


def const(x: float, value: float = 1.0) -> float:
    """The same number always."""
    return value


def linear(
    x: float,
    start: float = 0.0,
    slope: float = 1.0,
    begin: float = 0.0,
    low: float = -math.inf,
    high: float = math.inf,
) -> float:
    """``start`` until ``begin``, then by ``slope`` a unit, held within ``low`` and ``high``."""
    return min(max(start + slope * max(x - begin, 0.0), low), high)


def cosine_rampdown(x: float, high: float = 1.0, low: float = 0.0, length: float = 1.0) -> float:
    """Half a cosine from ``high`` to 0 within ``length``, not below ``low`` (Li and Lee, CVPR 2021)."""
    return max(high * 0.5 * (math.cos(math.pi * min(x, length) / length) + 1.0), low)


def sigmoid_rampup(x: float, high: float = 1.0, length: float = 1.0, sharpness: float = 5.0) -> float:
    """``high * exp(-sharpness * (1 - x / length)^2)``, from ``length`` on ``high`` (mean teacher)."""
    return high * math.exp(-sharpness * (1.0 - min(x, length) / length) ** 2)


def warm_start(
    x: float, high: float = 1.0, low: float = 0.0, alpha: float = 1.0, length: float = 1000.0
) -> float:
    """``2 (high - low) / (1 + exp(-alpha x / length)) - (high - low) + low`` (RegDA, CVPR 2021)."""
    return (high - low) * (2.0 / (1.0 + math.exp(-alpha * x / length)) - 1.0) + low


def dann(x: float, high: float = 1.0, sharpness: float = 10.0) -> float:
    """``high * (2 / (1 + exp(-sharpness x)) - 1)`` of a share x (Ganin and Lempitsky, ICML 2015)."""
    return high * (2.0 / (1.0 + math.exp(-sharpness * x)) - 1.0)


FORMS: dict[str, Callable[..., float]] = {
    form.__name__: form for form in (const, linear, cosine_rampdown, sigmoid_rampup, warm_start, dann)
}


class WeightSchedule:
    """A number that changes with the progress of a run; computed on the host.

    In a config: a number, or a mapping of these arguments, for example
    ``dict(form='cosine_rampdown', unit='epoch', high=15.0, low=8.0, length=15, total=80)``.

    Args:
        form: ``const``, ``linear``, ``cosine_rampdown``, ``sigmoid_rampup``,
            ``warm_start`` or ``dann``: a function of this module.
        unit: What its argument counts: ``'share'`` of the run in 0..1, ``'iter'`` or
            ``'epoch'``, both from 0.
        total: Length of the run, in the unit, that the numbers are written for; a run of
            another length is stretched to it. None: counted as they are.
        numbers: Of the form.

    Raises:
        ConfigError: Unknown form, unit or number, or one that is not finite, or a ``length`` or
            ``total`` that is not positive.
    """

    def __init__(self, form: str, unit: str = 'share', total: float | None = None, **numbers: float) -> None:
        if form not in FORMS:
            raise ConfigError(f'a weight schedule has no form {form!r}; {near_names(form, FORMS)}')
        if unit not in UNITS:
            raise ConfigError(f'unit of a weight schedule must be one of {UNITS}, got {unit!r}')
        if total is not None and (unit == 'share' or not total > 0):
            raise ConfigError(
                f'total of a weight schedule is a positive number of epochs or steps, got {total}'
            )
        known = list(inspect.signature(FORMS[form]).parameters)[1:]
        for name, value in numbers.items():
            if name not in known:
                raise ConfigError(f'the weight schedule {form!r} has no {name!r}; {near_names(name, known)}')
            number = isinstance(value, int | float) and not math.isnan(value)
            if not number or (name == 'length' and not value > 0):
                raise ConfigError(f'{name} of the weight schedule {form!r} has no meaning as {value!r}')
        self.form, self.unit, self.total, self.numbers = form, unit, total, dict(numbers)

    @classmethod
    def from_config(cls, config: WeightSchedule | Mapping[str, Any] | float) -> WeightSchedule:
        """Read a number (constant) or a mapping of the arguments.

        Raises:
            ConfigError: As the class, or neither of both.
        """
        if isinstance(config, WeightSchedule):
            return config
        if isinstance(config, Mapping):
            if 'form' not in config:
                raise ConfigError(f'a weight schedule needs form=, one of {tuple(FORMS)}; got {dict(config)}')
            return cls(**config)
        if isinstance(config, int | float) and math.isfinite(config):
            return cls('const', value=float(config))
        raise ConfigError(f'a weight schedule is a number or a mapping with form=, got {config!r}')

    def __call__(self, progress: Progress | None = None) -> float:
        """The value now.

        Args:
            progress: Of the run; that of the run in this process where None.
        """
        progress = Progress.current() if progress is None else progress
        return FORMS[self.form](progress.position(self.unit, self.total), **self.numbers)

    def __repr__(self) -> str:
        numbers = ''.join(f', {name}={value}' for name, value in self.numbers.items())
        return f'WeightSchedule({self.form!r}, unit={self.unit!r}, total={self.total}{numbers})'
