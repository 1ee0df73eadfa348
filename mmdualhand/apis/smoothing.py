"""The one-euro filter: steady where a hand rests, quick where it moves."""

from __future__ import annotations

import numpy as np

from mmdualhand.errors import ConfigError


class OneEuroFilter:
    """A low pass whose cutoff grows with the speed (Casiez, Roussel, Vogel, CHI 2012).

    Every entry of the array is filtered on its own.

    Args:
        min_cutoff: Cutoff of a resting point, Hz; lower is steadier and slower.
        beta: Hz of cutoff per unit of the signal a second; higher follows fast movements sooner.
        d_cutoff: Cutoff of the speed, Hz.

    Raises:
        ConfigError: A cutoff is not positive, or ``beta`` is negative.
    """

    def __init__(self, min_cutoff: float = 1.0, beta: float = 0.0, d_cutoff: float = 1.0) -> None:
        if not (min_cutoff > 0 and d_cutoff > 0 and beta >= 0):
            raise ConfigError(
                f'cutoffs must be positive and beta not negative, got min_cutoff={min_cutoff}, '
                f'd_cutoff={d_cutoff}, beta={beta}'
            )
        self.min_cutoff, self.beta, self.d_cutoff = float(min_cutoff), float(beta), float(d_cutoff)
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next value passes as it is."""
        self._time: float | None = None
        self._value = self._speed = np.zeros(0)

    def __call__(self, value: np.ndarray, time_s: float) -> np.ndarray:
        """Filter one value.

        Args:
            value: Array of any shape, the same at every call; entries that are not finite pass
                and do not count.
            time_s: When it was taken, seconds, later than the last one.

        Returns:
            The filtered value, float64.

        Raises:
            ValueError: Time does not go on, or the shape changes.
        """
        value = np.asarray(value, np.float64)
        if self._time is None:
            self._time, self._value, self._speed = time_s, value.copy(), np.zeros_like(value)
            return value.copy()
        if value.shape != self._value.shape:
            raise ValueError(f'the value must keep its shape {self._value.shape}, got {value.shape}')
        step = time_s - self._time
        if not step > 0:
            raise ValueError(f'time must go on: {time_s} s after {self._time} s')
        known = np.isfinite(value) & np.isfinite(self._value)
        before = np.where(known, self._value, value)
        speed = np.where(known, (value - before) / step, 0.0)
        self._speed = self._speed + _share(self.d_cutoff, step) * (speed - self._speed)
        cutoff = self.min_cutoff + self.beta * np.abs(self._speed)
        filtered = np.where(known, before + _share(cutoff, step) * (value - before), value)
        self._time, self._value = time_s, np.where(np.isfinite(filtered), filtered, self._value)
        return filtered


def _share(cutoff: np.ndarray | float, step: float) -> np.ndarray:
    """Weight of a new value of a first-order low pass, cutoff in Hz, step in seconds."""
    turn = 2.0 * np.pi * np.asarray(cutoff) * step
    return turn / (turn + 1.0)
