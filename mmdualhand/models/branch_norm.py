"""Batch normalisation whose statistics belong to a branch, not to a call.

The rgb and the fused branch run through the same encoder, and all three
branches through the same decoder. Their convolutions may be batched freely;
their batch statistics may not be mixed without changing the network, so the
grouping is an explicit option, ``bn_groups``:

* ``per_branch`` (default of the classes): shared weight and bias; batch statistics of each
  branch over its plain and augmented view together; running statistics kept
  per branch. The first branch (``rgb``) uses the ordinary buffer names, so an
  exported RGB-only network reads like any ResNet.
* ``joint``: one set of statistics over everything in the call.
* ``separate``: every view of every branch by itself; the running statistics
  of a branch follow its plain view only.

Which rows of a batch belong to which branch is said by :func:`batch_layout`
around the call. Without it the whole batch is the first branch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdualhand.errors import ConfigError

BN_GROUPS = ('per_branch', 'joint', 'separate')


@dataclass(frozen=True)
class Segment:
    """Consecutive rows of a batch that belong to one view of one branch.

    Attributes:
        branch: ``rgb``, ``depth`` or ``fused``.
        size: Number of rows.
        augmented: Whether these rows are the augmented view.
    """

    branch: str
    size: int
    augmented: bool = False


_layout: ContextVar[tuple[Segment, ...] | None] = ContextVar('batch_layout', default=None)
_frozen: ContextVar[bool] = ContextVar('frozen_statistics', default=False)


@contextmanager
def batch_layout(segments: Sequence[Segment]) -> Iterator[None]:
    """Say which branch the rows of every batch inside the ``with`` block belong to.

    Args:
        segments: In row order; their sizes add up to the batch size.
    """
    token = _layout.set(tuple(segments))
    try:
        yield
    finally:
        _layout.reset(token)


@contextmanager
def frozen_statistics() -> Iterator[None]:
    """Leave running statistics as they are inside the ``with`` block; batch statistics still normalise."""
    token = _frozen.set(True)
    try:
        yield
    finally:
        _frozen.reset(token)


def view_segments(branch: str, rows: int, views: int) -> list[Segment]:
    """Segments of one branch whose rows are ``[plain, augmented]``.

    Args:
        branch: Branch name.
        rows: Total number of rows, all views together.
        views: 1 (plain only) or 2.

    Raises:
        ValueError: ``rows`` is not a multiple of ``views``.
    """
    if views not in (1, 2) or rows % views:
        raise ValueError(f'views must be 1 or 2 and divide the batch of {rows} rows, got {views}')
    size = rows // views
    return [Segment(branch, size, augmented=bool(i)) for i in range(views)]


class BranchBatchNorm(nn.Module):
    """Batch normalisation with statistics per branch; see the module's text.

    Args:
        num_features: Channels C.
        branches: Branches this layer will meet; the first owns the buffers
            ``running_mean`` and ``running_var``, the others get a suffix.
        bn_groups: ``per_branch``, ``joint`` or ``separate``.
        eps: Added to the variance.
        momentum: Share of the new batch in the running statistics.

    Shape:
        input and output ``(N, C)`` or ``(N, C, H, W)``.
    """

    _abbr_ = 'bn'
    num_batches_tracked: Tensor

    def __init__(
        self,
        num_features: int,
        branches: Sequence[str] = ('rgb',),
        bn_groups: str = 'per_branch',
        eps: float = 1e-5,
        momentum: float = 0.1,
    ) -> None:
        super().__init__()
        if bn_groups not in BN_GROUPS:
            raise ConfigError(f'bn_groups must be one of {BN_GROUPS}, got {bn_groups!r}')
        if not branches:
            raise ValueError('branches must name at least one branch')
        self.num_features = num_features
        self.branches = tuple(branches)
        self.bn_groups = bn_groups
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        for branch in self._tracked():
            self.register_buffer(self._name('running_mean', branch), torch.zeros(num_features))
            self.register_buffer(self._name('running_var', branch), torch.ones(num_features))
        self.register_buffer('num_batches_tracked', torch.zeros((), dtype=torch.long))

    def _tracked(self) -> tuple[str, ...]:
        return self.branches[:1] if self.bn_groups == 'joint' else self.branches

    def _name(self, buffer: str, branch: str) -> str:
        return buffer if branch == self.branches[0] else f'{buffer}_{branch}'

    def statistics(self, branch: str) -> tuple[Tensor, Tensor]:
        """Running mean and variance of a branch, each ``(C,)``.

        Raises:
            KeyError: The layer was not built for that branch.
        """
        if self.bn_groups == 'joint':
            branch = self.branches[0]
        if branch not in self.branches:
            raise KeyError(f'this layer normalises the branches {self.branches}, not {branch!r}')
        return (
            getattr(self, self._name('running_mean', branch)),
            getattr(self, self._name('running_var', branch)),
        )

    @torch.no_grad()
    def spread_statistics(self) -> None:
        """Copy the first branch's running statistics to all others."""
        mean, var = self.statistics(self.branches[0])
        for branch in self.branches[1:]:
            other_mean, other_var = self.statistics(branch)
            other_mean.copy_(mean)
            other_var.copy_(var)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; see the class."""
        segments = _layout.get() or (Segment(self.branches[0], x.shape[0]),)
        total = sum(segment.size for segment in segments)
        if total != x.shape[0]:
            raise ValueError(f'batch_layout names {total} rows, the batch has {x.shape[0]}')
        if self.training and not _frozen.get():
            self.num_batches_tracked.add_(1)
        parts = self._parts(segments)
        if len(parts) == 1:
            branch, _, track = parts[0]
            return self._normalise(x, branch, track)
        chunks = x.split([size for _, size, _ in parts])
        return torch.cat(
            [
                self._normalise(chunk, branch, track)
                for chunk, (branch, _, track) in zip(chunks, parts, strict=True)
            ]
        )

    def _parts(self, segments: tuple[Segment, ...]) -> list[tuple[str, int, bool]]:
        """Rows that share batch statistics: (branch, rows, update the running statistics)."""
        if self.bn_groups == 'joint':
            return [(self.branches[0], sum(s.size for s in segments), True)]
        if self.bn_groups == 'separate':
            return [(s.branch, s.size, not s.augmented) for s in segments]
        parts: list[tuple[str, int, bool]] = []
        for segment in segments:
            if parts and parts[-1][0] == segment.branch:
                parts[-1] = (segment.branch, parts[-1][1] + segment.size, True)
            else:
                parts.append((segment.branch, segment.size, True))
        if len({branch for branch, _, _ in parts}) != len(parts):
            raise ValueError(f'the views of one branch must be neighbours in a batch, got {segments}')
        return parts

    def _normalise(self, x: Tensor, branch: str, track: bool) -> Tensor:
        mean, var = self.statistics(branch)
        if self.training and x.numel() == x.shape[1]:
            raise ConfigError(
                f'batch normalisation of the {branch} branch has a single value a channel: set '
                'train_dataloader.batch_size to 2 or more and drop_last=True'
            )
        if self.training and (not track or _frozen.get()):
            return F.batch_norm(x, None, None, self.weight, self.bias, True, self.momentum, self.eps)
        return F.batch_norm(
            x, mean, var, self.weight, self.bias, self.training, self.momentum, self.eps
        )

    def extra_repr(self) -> str:
        """Arguments for printing."""
        return f'{self.num_features}, branches={self.branches}, bn_groups={self.bn_groups!r}'


def convert_batch_norm(module: nn.Module, branches: Sequence[str], bn_groups: str) -> nn.Module:
    """Replace every ordinary batch normalisation inside ``module`` by a branch-aware one.

    Weights, biases and running statistics are kept, and so are their names in
    the state dict. Any network, also one from another library, is made ready
    for several branches this way.

    Args:
        module: Network; changed in place.
        branches: See :class:`BranchBatchNorm`.
        bn_groups: See :class:`BranchBatchNorm`.

    Returns:
        ``module``, or the replacement where ``module`` itself is a batch norm.
    """
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        if not module.affine or not module.track_running_stats or module.momentum is None:
            raise ValueError(f'only affine batch norms with running statistics can be branch-aware: {module}')
        new = BranchBatchNorm(module.num_features, branches, bn_groups, module.eps, module.momentum)
        new.load_state_dict(module.state_dict(), strict=False)
        new.spread_statistics()
        return new.train(module.training)
    for name, child in module.named_children():
        setattr(module, name, convert_batch_norm(child, branches, bn_groups))
    return module
