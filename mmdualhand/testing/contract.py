"""The error of all checks, and what several of them need."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.structures import BaseDataElement
from torch import Tensor, nn


class ContractError(AssertionError):
    """A plug-in breaks what mmdualhand expects of it; the message says what to do."""


def require(condition: bool, message: str) -> None:
    """Raise a :class:`ContractError` unless ``condition`` holds."""
    if not condition:
        raise ContractError(message)


def short(names: Sequence[str], limit: int = 4) -> str:
    """The first names of a list, and how many there are beyond them."""
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return ', '.join(names[:limit]) + more


def check_gradients(module: nn.Module, name: str) -> None:
    """Check the gradients after a backward pass.

    Args:
        module: Its trainable parameters are looked at.
        name: Named in the error.

    Raises:
        ContractError: A trainable parameter has no gradient, or one that is
            not finite.
    """
    gradients = {key: value.grad for key, value in module.named_parameters() if value.requires_grad}
    without = [key for key, grad in gradients.items() if grad is None]
    require(
        not without,
        f'{name}: {len(without)} parameters get no gradient ({short(without)}); do not build what is not '
        'trained (distributed training stops at it), or set requires_grad=False.',
    )
    bad = [key for key, grad in gradients.items() if grad is not None and not torch.isfinite(grad).all()]
    require(
        not bad,
        f'{name}: {len(bad)} parameters get a gradient that is not finite ({short(bad)}); look for a '
        'division, a square root or a logarithm at zero.',
    )


def saved_state(module: nn.Module, name: str) -> dict[str, Any]:
    """The state dict, written to a file and read back with ``weights_only=True``.

    Raises:
        ContractError: It holds more than tensors, numbers and containers.
    """
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    try:
        return torch.load(file, weights_only=True)
    except Exception as error:  # torch raises UnpicklingError, RuntimeError ...
        raise ContractError(
            f'{name}: its state dict does not load with weights_only=True ({error}); keep nothing but '
            'tensors, numbers, strings and containers in it (see get_extra_state).'
        ) from error


@torch.no_grad()
def disturb(module: nn.Module) -> None:
    """Change every floating-point parameter and buffer of a state dict, in place."""
    for value in module.state_dict().values():
        if isinstance(value, Tensor) and value.is_floating_point():
            value.mul_(1.25).add_(0.125)


def restore(module: nn.Module, state: Mapping[str, Any], name: str) -> None:
    """Load a state dict strictly.

    Raises:
        ContractError: Keys or shapes differ from those of the network that wrote it.
    """
    try:
        module.load_state_dict(dict(state), strict=True)
    except Exception as error:  # RuntimeError, or anything from a third party's own hook
        raise ContractError(
            f'{name}: a copy does not load the state dict of its original ({error}); parameters and '
            'buffers must be made in the constructor, with names that do not change.'
        ) from error


def difference(first: Any, second: Any, path: str = '') -> str | None:
    """Where two structures differ.

    Args:
        first: Containers, arrays, tensors, data elements and plain values.
        second: What to compare it with; equality is exact, NaN equals NaN.
        path: Put before the keys that lead to the difference.

    Returns:
        The path to the first difference, for example ``'inputs.img'``, or None.
    """
    if type(first) is not type(second):
        return path or 'type'
    if isinstance(first, BaseDataElement):
        first, second = first.to_dict(), second.to_dict()
    if isinstance(first, Mapping):
        if set(first) != set(second):
            return path or 'keys'
        pairs = [(f'{path}.{key}'.lstrip('.'), first[key], second[key]) for key in first]
    elif isinstance(first, list | tuple):
        if len(first) != len(second):
            return path or 'length'
        pairs = [(f'{path}[{i}]', a, b) for i, (a, b) in enumerate(zip(first, second, strict=True))]
    else:
        return None if _same_value(first, second) else (path or 'value')
    found = (difference(a, b, where) for where, a, b in pairs)
    return next((where for where in found if where is not None), None)


def _same_value(first: Any, second: Any) -> bool:
    if isinstance(first, Tensor):
        first, second = first.detach().cpu().numpy(), second.detach().cpu().numpy()
    if isinstance(first, np.ndarray):
        floating = first.dtype.kind in 'fc'
        return first.dtype == second.dtype and np.array_equal(first, second, equal_nan=floating)
    if hasattr(first, '__dict__') and type(first).__eq__ is object.__eq__:
        return difference(vars(first), vars(second)) is None
    same = first == second
    return bool(np.all(same))
