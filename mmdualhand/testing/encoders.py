"""Whether a network can serve as an encoder."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdualhand.models.backbones import DualEncoder
from mmdualhand.models.backbones.staged import check_staged
from mmdualhand.models.branch_norm import BN_GROUPS
from mmdualhand.registry import MODELS
from mmdualhand.structures import BRANCHES
from mmdualhand.testing.contract import (
    ContractError,
    check_gradients,
    disturb,
    require,
    restore,
    saved_state,
)

Shape = tuple[int, int, int]


def check_encoder(
    encoder: Mapping[str, Any] | nn.Module,
    in_channels: int = 3,
    *,
    size: int = 64,
    batch_size: int = 2,
    seed: int = 0,
) -> list[Shape]:
    """Check that a network keeps the staged protocol and works inside ``DualEncoder``.

    Looks at the shapes and the sign of every stage's features, gradients, the
    difference of train and eval mode, copies, the round trip of the state dict,
    and at training and RGB-only inference of a ``DualEncoder`` of three branches
    and two views under every ``bn_groups``. The other encoder is made up here.

    Args:
        encoder: Config for ``MODELS``, or a module (a copy of it is used).
        in_channels: 3 for an encoder of photos, 1 for one of depth maps.
        size: Side of the square input, px.
        batch_size: Rows of a view.
        seed: Of weights and inputs; torch's own generator is left alone.

    Returns:
        (C, h, w) of the features after the stem and after every stage.

    Raises:
        ContractError: A contract is broken.
        ValueError: ``in_channels`` is neither 3 nor 1.

    Example:
        >>> check_encoder(dict(type='ResNetEncoder', depth=18, base_channels=4))[-1]
        (32, 2, 2)
    """
    if in_channels not in (1, 3):
        raise ValueError(f'in_channels must be 3 (photos) or 1 (depth maps), got {in_channels}')
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built = copy.deepcopy(encoder) if isinstance(encoder, nn.Module) else MODELS.build(dict(encoder))
        subject = built.cpu()
        name = type(subject).__name__
        _check_protocol(subject, name)
        # rows of different brightness, so that a row which depends on the others is noticed
        x = torch.rand(2 * batch_size, in_channels, size, size)
        x *= torch.linspace(0.5, 2.0, 2 * batch_size).view(-1, 1, 1, 1)
        shapes = _check_shapes(subject, x, name)
        _check_ownership(subject, x, name)
        _check_training(subject, x, name)
        _check_evaluation(subject, x, name)
        _check_round_trip(subject, x, name)
        for bn_groups in BN_GROUPS:
            _check_in_dual_encoder(subject, x, shapes, bn_groups, name)
    return shapes


def run_stages(encoder: Any, x: Tensor) -> list[Tensor]:
    """Features after the stem and after every stage."""
    features = [encoder.stem(x)]
    for stage in encoder.stages:
        features.append(stage(features[-1]))
    return features


def _stage_name(index: int) -> str:
    return f'stage {index - 1}' if index else 'the stem'


def _check_protocol(encoder: Any, name: str) -> None:
    try:
        check_staged(encoder)
    except TypeError as error:
        raise ContractError(str(error)) from error
    own = {id(module) for module in encoder.modules()}
    for index, stage in enumerate(encoder.stages):
        require(
            not isinstance(stage, nn.Module) or id(stage) in own,
            f'{name}.stages[{index}] is a module that {name} does not hold, so its parameters are neither '
            'trained nor saved: keep the stages in attributes or in a ModuleList.',
        )


def _check_shapes(encoder: Any, x: Tensor, name: str) -> list[Shape]:
    features = run_stages(encoder.train(), x)
    for index, (feature, channels) in enumerate(zip(features, encoder.stage_channels, strict=True)):
        where = f'{name}: {_stage_name(index)}'
        require(
            isinstance(feature, Tensor) and feature.dim() == 4 and feature.shape[0] == x.shape[0],
            f'{where} must return ({x.shape[0]}, C, h, w) for an input {tuple(x.shape)}, got '
            f'{tuple(feature.shape) if isinstance(feature, Tensor) else type(feature).__name__}.',
        )
        require(
            feature.shape[1] == channels,
            f'{where} returns {feature.shape[1]} channels, but stage_channels[{index}] is {channels}.',
        )
    return [(f.shape[1], f.shape[2], f.shape[3]) for f in features]


def _check_signs(features: Sequence[Tensor], name: str, mode: str) -> None:
    for index, feature in enumerate(features):
        where = f'{name}: features after {_stage_name(index)} in {mode} mode'
        require(bool(torch.isfinite(feature).all()), f'{where} are not finite.')
        lowest = float(feature.detach().min())
        require(
            lowest >= 0,
            f'{where} reach {lowest:.3g}, but depth attention (Eq. 1) needs features that are not negative: '
            'end the stem and every stage in a ReLU.',
        )


def _check_training(encoder: nn.Module, x: Tensor, name: str) -> None:
    encoder.train()
    encoder.zero_grad(set_to_none=True)
    features = run_stages(encoder, x)
    _check_signs(features, name, 'train')
    value = features[-1].square().mean()
    require(value.requires_grad, f'{name}: no gradient reaches a trainable parameter; is something detached?')
    value.backward()
    check_gradients(encoder, name)
    encoder.zero_grad(set_to_none=True)


@torch.no_grad()
def _check_evaluation(encoder: Any, x: Tensor, name: str) -> None:
    encoder.eval()
    first, second = run_stages(encoder, x), run_stages(encoder, x)
    _check_signs(first, name, 'eval')
    require(
        all(torch.equal(a, b) for a, b in zip(first, second, strict=True)),
        f'{name} gives different features for one input in eval mode: dropout and other random parts must '
        'follow self.training.',
    )
    alone = run_stages(encoder, x[:1])
    for index, (a, b) in enumerate(zip(first, alone, strict=True)):
        require(
            torch.allclose(a[:1], b, rtol=1e-3, atol=1e-4),
            f'{name}: in eval mode the features of a row after {_stage_name(index)} depend on the other rows '
            'of the batch; several branches and views share a batch.',
        )
    for index, (stage, feature) in enumerate(zip(encoder.stages, first, strict=False)):
        before = feature.clone()
        stage(feature)
        require(
            torch.equal(before, feature),
            f'{name}: stage {index} changes its input in place, but other branches still need it.',
        )


def _uses_foreign_parameters(features: Tensor, module: nn.Module) -> bool:
    """Whether parameters took part that the module does not hold."""
    own = {id(parameter) for parameter in module.parameters()}
    waiting, seen = [features.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, 'variable') and id(node.variable) not in own:
            return True
        waiting += [following for following, _ in node.next_functions]
    return False


def _check_ownership(encoder: nn.Module, x: Tensor, name: str) -> None:
    """Copies are made for teachers and by every averaging hook; they must be independent."""
    encoder.eval()
    for module in (encoder, copy.deepcopy(encoder)):
        for index, features in enumerate(run_stages(module, x)):
            require(
                not _uses_foreign_parameters(features, module),
                f'{name}: a deep copy computes {_stage_name(index)} with the weights of its original. Make '
                '`stages` a property that is evaluated at each use, and keep its modules in attributes.',
            )


@torch.no_grad()
def _check_round_trip(encoder: nn.Module, x: Tensor, name: str) -> None:
    expected = run_stages(encoder.eval(), x)
    twin = copy.deepcopy(encoder)
    disturb(twin)
    restore(twin, saved_state(encoder, name), name)
    for index, (a, b) in enumerate(zip(expected, run_stages(twin, x), strict=True)):
        require(
            torch.equal(a, b),
            f'{name}: after loading its state dict a copy gives other features after {_stage_name(index)}; '
            'something that matters is neither a parameter nor a persistent buffer.',
        )


class _Companion(nn.Module):
    """An encoder whose stages have given shapes, to stand beside the one under test."""

    def __init__(self, in_channels: int, shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.stage_channels = [shape[0] for shape in shapes]
        self.sizes = [shape[1:] for shape in shapes]
        widths = [in_channels, *self.stage_channels]
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 1), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in zip(widths, widths[1:], strict=False)
        )

    def stem(self, x: Tensor) -> Tensor:
        """First feature map."""
        return self._run(0, x)

    @property
    def stages(self) -> Sequence[Callable[[Tensor], Tensor]]:
        """The other feature maps."""
        return [partial(self._run, index) for index in range(1, len(self.blocks))]

    def _run(self, index: int, x: Tensor) -> Tensor:
        return self.blocks[index](F.adaptive_avg_pool2d(x, self.sizes[index]))


def _check_in_dual_encoder(
    encoder: nn.Module, x: Tensor, shapes: Sequence[Shape], bn_groups: str, name: str
) -> None:
    where = f'{name} in DualEncoder(bn_groups={bn_groups!r})'
    is_rgb = x.shape[1] == 3
    subject, other = copy.deepcopy(encoder), _Companion(1 if is_rgb else 3, shapes)
    y = torch.rand(x.shape[0], 1 if is_rgb else 3, *x.shape[2:])
    rgb, depth = (x.clone(), y) if is_rgb else (y, x.clone())
    depth[0] = 1.0  # a depth map without a hand
    pair = (subject, other) if is_rgb else (other, subject)
    try:
        dual = DualEncoder(rgb_encoder=pair[0], depth_encoder=pair[1], bn_groups=bn_groups)
    except (TypeError, ValueError) as error:
        raise ContractError(f'{where}: {error}') from error
    dual.train()
    out = dual.encode(rgb, depth, views=2, keep_stages=True)
    for branch in BRANCHES:
        features = out.final[branch]
        require(
            tuple(features.shape) == (x.shape[0], *shapes[-1]) and bool(torch.isfinite(features).all()),
            f'{where}: the features of the branch {branch} have the shape {tuple(features.shape)} or are not '
            f'finite; {(x.shape[0], *shapes[-1])} is expected.',
        )
    torch.stack([features.square().mean() for features in out.final.values()]).sum().backward()
    check_gradients(dual, where)
    dual.eval()
    with torch.no_grad():
        together, alone = dual(rgb, depth)['rgb'], dual(rgb)['rgb']
    require(
        torch.allclose(together, alone, rtol=1e-3, atol=1e-4),
        f'{where}: in eval mode the features of the rgb branch change when depth is given; an encoder must '
        'not keep anything from one call to the next.',
    )
