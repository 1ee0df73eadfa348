"""How a parameter of a synthetic domain is written down, and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mmdualhand.errors import ConfigError


def draw(rng: np.random.Generator, spec: Any) -> Any:
    """Draw one value of a parameter.

    Args:
        rng: Generator to draw from; a constant draws nothing.
        spec: ``(low, high)``, a tuple of two numbers, for a uniform float;
            ``{choice: weight}`` for one of the choices; anything else is the
            value itself (write a constant pair as a list).

    Returns:
        The value.

    Raises:
        ConfigError: An empty or unweighted choice, or a range upside down.
    """
    if isinstance(spec, Mapping):
        return _draw_choice(rng, spec)
    if isinstance(spec, tuple) and len(spec) == 2 and all(_is_number(value) for value in spec):
        low, high = float(spec[0]), float(spec[1])
        if not low <= high:
            raise ConfigError(f'a range is written (low, high), got {spec!r}')
        return float(rng.uniform(low, high))
    return spec


def draw_all(rng: np.random.Generator, specs: Mapping[str, Any]) -> dict[str, Any]:
    """Draw every parameter of a config.

    Args:
        rng: Generator to draw from.
        specs: Name to spec; see :func:`draw`. Names are drawn in alphabetical
            order, so the order of writing changes nothing.

    Returns:
        Name to value.

    Raises:
        ConfigError: As :func:`draw`, with the name of the parameter.
    """
    values: dict[str, Any] = {}
    for name in sorted(specs):
        try:
            values[name] = draw(rng, specs[name])
        except ConfigError as error:
            raise ConfigError(f'parameter {name!r}: {error}') from error
    return values


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _draw_choice(rng: np.random.Generator, spec: Mapping[Any, float]) -> Any:
    choices = list(spec)
    weights = np.array([float(spec[choice]) for choice in choices])
    if not choices or not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() <= 0:
        raise ConfigError(
            f'a choice is written {{value: weight}} with weights >= 0 and one above 0, got {dict(spec)!r}'
        )
    return choices[int(rng.choice(len(choices), p=weights / weights.sum()))]


def children(rng: np.random.Generator, number: int) -> list[np.random.Generator]:
    """Independent generators made from ``rng``; what one draws does not move the others."""
    return [np.random.default_rng(rng.integers(2**63, size=4)) for _ in range(number)]


def check_spec(name: str, spec: Any) -> None:
    """Check the form of a parameter before anything is drawn from it.

    Raises:
        ConfigError: As :func:`draw`; the message starts with ``name``.
    """
    try:
        draw(np.random.default_rng(0), spec)
    except (ConfigError, TypeError, ValueError) as error:
        raise ConfigError(f'{name}: {error}') from error
