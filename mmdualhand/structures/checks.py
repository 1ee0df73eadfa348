"""One check of array shapes, with an error that names the argument."""

from __future__ import annotations

from typing import Any


def check_shape(value: Any, pattern: str, *, name: str) -> None:
    """Check the shape of an array or tensor against a short pattern.

    The pattern is a list of axes separated by blanks. An integer must match, a
    letter stands for any size and the same letter for the same size, ``'...'``
    in front stands for any number of leading axes.

    Args:
        value: Anything with a ``shape`` (numpy array, torch tensor).
        pattern: For example ``'B 21 3'``, ``'3 3'`` or ``'... 21 3'``.
        name: Name of the argument, used in the message.

    Raises:
        TypeError: ``value`` has no shape.
        ValueError: The shape does not fit, or the pattern itself is wrong.
    """
    shape = getattr(value, 'shape', None)
    if shape is None:
        raise TypeError(f'{name} must be a numpy array or torch tensor, got {type(value).__name__}')
    sizes = tuple(shape)  # as they are: int() would fix a size that an export leaves open
    axes = pattern.split()
    open_front = bool(axes) and axes[0] == '...'
    axes = axes[1:] if open_front else axes
    if '...' in axes:
        raise ValueError(f"a shape pattern may hold '...' only in front, got {pattern!r}")
    if len(sizes) < len(axes) or (len(sizes) > len(axes) and not open_front):
        raise ValueError(f'{name} must have shape ({_spell(pattern)}), got {sizes}')
    bound: dict[str, int] = {}
    for axis, size in zip(axes, sizes[len(sizes) - len(axes):], strict=True):
        wanted = int(axis) if axis.isdigit() else bound.setdefault(axis, size)
        if size != wanted:
            raise ValueError(f'{name} must have shape ({_spell(pattern)}), got {sizes}')


def _spell(pattern: str) -> str:
    axes = pattern.split()
    return ', '.join(axes) + (',' if len(axes) == 1 else '')
