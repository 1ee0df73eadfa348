"""Batch normalisation and the division by the standard deviation as part of the convolutions' weights."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from mmdualhand.models.branch_norm import BranchBatchNorm
from mmdualhand.models.rgb_path import RGBPath

_LINEAR = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def fold(path: RGBPath) -> RGBPath:
    """A copy of a path with its normalisations folded into the weights.

    Which batch normalisation follows which convolution is seen from one forward pass, whatever the
    names of the layers: a convolution is changed only where its result goes to one batch
    normalisation and nowhere else. Others stay as they are, with the statistics of the rgb branch.

    Of the normalisation of the picture, the division goes into the first convolution. The
    subtraction of the mean stays, because the zeros that a convolution pads with stand for the mean
    colour: as a bias it would be wrong along the rim of the crop.

    Args:
        path: Not changed.

    Returns:
        A path without shared weights, in eval mode, whose parameters need no gradient.
    """
    folded = copy.deepcopy(path).eval().requires_grad_(False)
    _use_rgb_statistics(folded)
    width, height = folded.input_size
    probe = torch.zeros(1, 3, height, width, device=folded.mean.device)
    for maker, user in _follow(folded, probe).pairs():
        if maker is not None and isinstance(user, _NORMS):
            _fold_norm(maker, user)
            _replace(folded, user, nn.Identity())
        elif maker is None and isinstance(user, nn.Conv2d) and user.groups == 1 and not folded.folded:
            user.weight.copy_(user.weight.double() / folded.std.double())
            folded.folded = True
    return folded


def _use_rgb_statistics(module: nn.Module) -> None:
    """Make every branch-aware batch normalisation an ordinary one, that of the rgb branch."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, BranchBatchNorm):
                setattr(parent, name, _plain_norm(child))


def _plain_norm(norm: BranchBatchNorm) -> nn.Module:
    plain = nn.BatchNorm2d(norm.num_features, norm.eps, norm.momentum).to(norm.weight)
    mean, var = norm.statistics(norm.branches[0])
    state = dict(weight=norm.weight, bias=norm.bias, running_mean=mean, running_var=var)
    plain.load_state_dict(state, strict=False)
    return plain.eval().requires_grad_(False)


@dataclass
class _Result:
    """A tensor that is watched, and kept alive so that its identity stays its own.

    Attributes:
        value: The tensor.
        maker: The convolution that made it; None for the picture.
        uses: How many operations have taken it.
    """

    value: Tensor
    maker: nn.Module | None
    uses: int = 0


@dataclass
class _Trace:
    """What one forward pass showed.

    Attributes:
        results: What convolutions made, by identity, and the picture.
        inputs: Convolution or batch normalisation to what it took.
        calls: Calls of each.
    """

    results: dict[int, _Result] = field(default_factory=dict)
    inputs: dict[nn.Module, _Result] = field(default_factory=dict)
    calls: Counter[nn.Module] = field(default_factory=Counter)

    def taken(self, value: Any) -> _Result | None:
        """The watched result that this tensor is, if it is one."""
        found = self.results.get(id(value))
        return found if found is not None and found.value is value else None

    def pairs(self) -> list[tuple[Any, nn.Module]]:
        """Convolutions (None: the picture) with the module that alone takes their result."""
        return [
            (taken.maker, module)
            for module, taken in self.inputs.items()
            if taken.uses == 1
            and self.calls[module] == 1
            and (taken.maker is None or self.calls[taken.maker] == 1)
        ]


class _CountUses(TorchDispatchMode):
    """Counts the operations that take a watched tensor."""

    def __init__(self, trace: _Trace) -> None:
        super().__init__()
        self._trace = trace

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the operation."""
        keywords = dict(kwargs or {})
        for leaf in tree_leaves((list(args), keywords)):
            taken = self._trace.taken(leaf)
            if taken is not None:
                taken.uses += 1
        return func(*args, **keywords)


@torch.no_grad()
def _follow(path: RGBPath, rgb: Tensor) -> _Trace:
    """Run once on a normalised crop ``(1, 3, H, W)`` and note who takes whose result."""
    trace = _Trace(results={id(rgb): _Result(rgb, None)})

    def before(module: nn.Module, args: tuple[Any, ...]) -> None:
        trace.calls[module] += 1
        taken = trace.taken(args[0])
        if taken is not None:
            trace.inputs[module] = taken

    def after(module: nn.Module, args: tuple[Any, ...], value: Tensor) -> None:
        trace.results[id(value)] = _Result(value, module)

    hooks: list[Any] = []
    for module in path.modules():
        if isinstance(module, (*_LINEAR, *_NORMS)):
            hooks.append(module.register_forward_pre_hook(before))
        if isinstance(module, _LINEAR):
            hooks.append(module.register_forward_hook(after))
    try:
        with _CountUses(trace):
            path.decode(rgb)
    finally:
        for hook in hooks:
            hook.remove()
    return trace


@torch.no_grad()
def _fold_norm(linear: Any, norm: Any) -> None:
    """``norm(linear(x))`` by ``linear`` alone; computed in float64."""
    scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    out_axis = 1 if isinstance(linear, nn.ConvTranspose2d) else 0
    shape = [1] * linear.weight.ndim
    shape[out_axis] = -1
    bias = torch.zeros_like(scale) if linear.bias is None else linear.bias.double()
    bias = (bias - norm.running_mean.double()) * scale + norm.bias.double()
    linear.weight.copy_(linear.weight.double() * scale.view(shape))
    linear.bias = nn.Parameter(bias.to(linear.weight.dtype), requires_grad=False)


def _replace(root: nn.Module, old: nn.Module, new: nn.Module) -> None:
    for parent in list(root.modules()):
        for name, child in list(parent.named_children()):
            if child is old:
                setattr(parent, name, new)
