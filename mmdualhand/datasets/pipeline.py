"""A dataset's pipeline: its transforms from their configs, and the crop rule that they follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mmdualhand.errors import ConfigError
from mmdualhand.registry import TRANSFORMS

Transform = Callable[[dict[str, Any]], dict[str, Any]]


def build_pipeline(transforms: Iterable[Mapping[str, Any] | Transform]) -> list[Transform]:
    """Every transform, ready to be called.

    Args:
        transforms: Configs of registered transforms, or callables, in the order of use.

    Raises:
        ConfigError: One is neither, or its config fits no transform.
    """
    return [_build(transform) for transform in transforms]


def crop_rule(pipeline: Iterable[Transform]) -> str:
    """What the first transform that crops says of its rule; ``'none'`` where none does."""
    rules = (getattr(transform, 'rule_text', None) for transform in pipeline)
    return str(next((rule for rule in rules if rule is not None), 'none'))


def _build(transform: Mapping[str, Any] | Transform) -> Transform:
    if isinstance(transform, Mapping):
        return TRANSFORMS.build(dict(transform))
    if not callable(transform):
        raise ConfigError(f'a transform must be a config with a type or a callable, got {transform!r}')
    return transform
