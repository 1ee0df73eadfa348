"""Which pseudo-labels count, and how much: gates over their confidence.

A selector is called with the confidence C of a batch and the progress of training::

    weight = selector(confidence, progress)    # (B,) or (B, 21) -> same shape, float32 in 0..1

C is a distance (:mod:`mmdualhand.pseudo_labels.confidence`): low is good, infinite or
NaN is never accepted. ``progress`` is a Python number in 0..1, ``runner.iter /
runner.max_iters``. ``(B, 21)`` judges every joint by itself. Nothing waits for the
device, nothing has a gradient. ``selector.form`` names the confidence that a selector
is meant for, ``selector.per_joint`` whether it wants one value a joint.

State lives in buffers, so that it is in the checkpoint of the model that holds the
selector, and it changes in training mode alone. Under distributed training every
process must call with as many values; all then decide alike, and as one process with
the whole batch would.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from mmengine.dist import all_gather, is_distributed
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.pseudo_labels.schedules import Schedule
from mmdualhand.registry import SELECTORS


class Selector(nn.Module):
    """Base of the selectors; a subclass implements :meth:`select`.

    Args:
        per_joint: Whether C is wanted joint by joint. Either shape is accepted
            when called.
    """

    form: ClassVar[str] = 'variance'

    def __init__(self, per_joint: bool = False) -> None:
        super().__init__()
        self.per_joint = per_joint

    @abstractmethod
    def select(self, confidence: Tensor, progress: float) -> Tensor:
        """Weights of values that are finite, or infinite where no label can be had.

        Args:
            confidence: ``(B,)`` or ``(B, 21)`` float32.
            progress: 0..1.

        Returns:
            The same shape; a weight of an infinite value is ignored.
        """

    @torch.no_grad()
    def forward(self, confidence: Tensor, progress: float = 0.0) -> Tensor:
        """Weights of a batch.

        Args:
            confidence: ``(B,)`` or ``(B, 21)``, low is good.
            progress: Share of the training that is done.

        Returns:
            The same shape, float32 in 0..1.

        Raises:
            ValueError: Wrong shape.
        """
        values, usable = _checked(confidence)
        return torch.where(usable, self.select(values, float(progress)), 0.0).float()

    @torch.no_grad()
    def of_dataset(self, confidence: Tensor, progress: float = 0.0) -> Tensor:
        """Weights of all samples of a dataset at once; state is neither used nor changed.

        Args:
            confidence: ``(N,)`` or ``(N, 21)``, low is good.
            progress: Share of the training that is done.

        Returns:
            The same shape, float32 in 0..1.

        Raises:
            ValueError: Wrong shape.
        """
        values, usable = _checked(confidence)
        return torch.where(usable, self.select_all(values, float(progress)), 0.0).float()

    def select_all(self, confidence: Tensor, progress: float) -> Tensor:
        """Like :meth:`select`, of a whole dataset; to be replaced where :meth:`select` has state."""
        return self.select(confidence, progress)


@SELECTORS.register_module()
class VarianceThreshold(Selector):
    """1 where C <= epsilon (Eq. 9), in the units of the distance.

    Args:
        epsilon: Threshold at the end. Below 0 nothing is accepted, ``inf`` accepts
            whatever is finite.
        anneal: None, or ``dict(start=6.0, until=0.5, form='linear')``: from
            ``start`` at the beginning to ``epsilon`` at progress ``until``; ``form``
            as in :class:`~mmdualhand.pseudo_labels.schedules.Schedule`.
        per_joint: See :class:`Selector`.

    Raises:
        ConfigError: ``anneal`` is malformed.
    """

    def __init__(
        self, epsilon: float = 1.5, anneal: Mapping[str, Any] | None = None, per_joint: bool = False
    ) -> None:
        super().__init__(per_joint)
        self.threshold = Schedule([(0.0, epsilon)]) if anneal is None else _falling(epsilon, anneal)

    def select(self, confidence: Tensor, progress: float) -> Tensor:
        """See :class:`Selector`."""
        return (confidence <= self.threshold(progress)).float()


@SELECTORS.register_module()
class SemiHandSelection(VarianceThreshold):
    """SemiHand's selection (ICCV 2021, Eq. 8): 1 where the sum of two distances is <= tau.

    C is :func:`~mmdualhand.pseudo_labels.confidence.semihand_confidence`. SemiHand's
    loss has a second term, the distance of the prediction to the correction of the
    label, that is not gated.

    Args:
        epsilon: tau.
        correction_weight: Weight of the second term, for the code that sums the loss.
        anneal: See :class:`VarianceThreshold`.
    """

    form: ClassVar[str] = 'semihand'

    def __init__(
        self, epsilon: float = 1.5, correction_weight: float = 1.0, anneal: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(epsilon, anneal)
        self.correction_weight = correction_weight


@SELECTORS.register_module()
class PerJointWeight(Selector):
    """A soft weight for every joint, 1 / (1 + (C / epsilon)**power): one half at epsilon.

    Args:
        epsilon: C of one joint at which its weight is one half.
        power: How sharply the weight falls.
        min_joints: A hand with fewer joints of at least one half is rejected whole.

    Raises:
        ConfigError: ``epsilon`` or ``power`` is not positive.
    """

    def __init__(self, epsilon: float = 1.5, power: float = 2.0, min_joints: int = 0) -> None:
        super().__init__(per_joint=True)
        if not (epsilon > 0 and power > 0):
            raise ConfigError(f'PerJointWeight needs epsilon and power above 0, got {epsilon} and {power}')
        self.epsilon, self.power, self.min_joints = epsilon, power, min_joints

    def select(self, confidence: Tensor, progress: float) -> Tensor:
        """See :class:`Selector`; values ``(B,)`` have one weight a hand."""
        weight = 1.0 / (1.0 + (confidence / self.epsilon) ** self.power)
        if confidence.ndim == 2 and self.min_joints:
            enough = (confidence <= self.epsilon).sum(1, keepdim=True) >= self.min_joints
            weight = weight * enough
        return weight


@SELECTORS.register_module()
class Quantile(Selector):
    """1 for the best share of the values seen last.

    Works from the first step on, whatever the size of C. Values of joints, ``(B, 21)``,
    share one window.

    Args:
        keep: Share that is accepted, 0..1.
        window: Number of values remembered, those of the batch included.
        schedule: Share over progress in place of ``keep``: points ``(progress,
            share)``, or ``dict(points=..., form='step')``. CC-SSL's curriculum is
            ``points=[(0, .2), (1/6, .4), (1/3, .6), (1/2, .8)], form='step'``.
        ties: ``'keep'`` accepts all values equal to the worst one accepted,
            ``'drop'`` none that equal the best one rejected (CC-SSL: of equal
            values, none).
        per_joint: See :class:`Selector`.

    Raises:
        ConfigError: A share outside 0..1, a window below 1, or unknown ties.
    """

    values: Tensor
    place: Tensor
    filled: Tensor

    def __init__(
        self,
        keep: float = 0.6,
        window: int = 400,
        schedule: Mapping[str, Any] | Sequence[Sequence[float]] | None = None,
        ties: str = 'keep',
        per_joint: bool = False,
    ) -> None:
        super().__init__(per_joint)
        self.share = Schedule([(0.0, keep)]) if schedule is None else Schedule.from_config(schedule)
        if not all(0 <= share <= 1 for _, share in self.share.points):
            raise ConfigError(f'Quantile keeps a share within 0..1, got {self.share.points}')
        if window < 1:
            raise ConfigError(f'window of Quantile must be at least 1, got {window}')
        if ties not in ('keep', 'drop'):
            raise ConfigError(f"ties of Quantile must be 'keep' or 'drop', got {ties!r}")
        self.window, self.ties = window, ties
        self.register_buffer('values', torch.zeros(window))
        self.register_buffer('place', torch.zeros((), dtype=torch.int64))
        self.register_buffer('filled', torch.zeros((), dtype=torch.int64))

    def select(self, confidence: Tensor, progress: float) -> Tensor:
        """See :class:`Selector`."""
        if self.training:
            self._remember(confidence.reshape(-1))
        rank = torch.arange(self.window, device=self.values.device)
        seen = torch.where(rank < self.filled, self.values, torch.inf)
        return self._best(confidence, seen, self.count(self.filled.float(), self.share(progress)))

    def select_all(self, confidence: Tensor, progress: float) -> Tensor:
        """The best share of the whole dataset, whatever ``window``."""
        total = torch.full_like(self.filled, confidence.numel()).double()
        return self._best(confidence, confidence.reshape(-1), self.count(total, self.share(progress)))

    def count(self, total: Tensor, share: float) -> Tensor:
        """How many values are accepted.

        Args:
            total: () how many there are.
            share: Share to accept, 0..1.

        Returns:
            () int64: ``share * total``, rounded up.
        """
        # a thousandth, for 0.6 * 10 is 6.0000002 in float32
        return (total * share - 1e-3).ceil().clamp_min(0).long()

    def _best(self, confidence: Tensor, seen: Tensor, kept: Tensor) -> Tensor:
        """1 where a value is among the ``kept`` smallest of those seen."""
        order = seen.sort().values
        if self.ties == 'drop':
            beyond = torch.cat([order, order.new_full((1,), torch.inf)])
            return (confidence < beyond.gather(0, kept.view(1))).float()
        worst = order.gather(0, (kept - 1).clamp_min(0).view(1))
        return ((confidence <= worst) & (kept > 0)).float()

    def _remember(self, values: Tensor) -> None:
        if is_distributed():
            values = torch.cat(all_gather(values))
        values = values[-self.window :]
        steps = torch.arange(len(values), device=values.device)
        self.values.scatter_(0, (self.place + steps) % self.window, values)
        self.place.copy_((self.place + len(values)) % self.window)
        self.filled.copy_((self.filled + len(values)).clamp_max(self.window))


def _checked(confidence: Tensor) -> tuple[Tensor, Tensor]:
    """C as float32, infinite where it is not finite, and where it is finite."""
    if confidence.ndim not in (1, 2):
        raise ValueError(f'confidence must be (B,) or (B, 21), got {tuple(confidence.shape)}')
    values = confidence.detach().float()
    usable = values.isfinite()
    return torch.where(usable, values, torch.inf), usable


def _falling(epsilon: float, anneal: Mapping[str, Any]) -> Schedule:
    """From ``start`` to ``epsilon``."""
    unknown = set(anneal) - {'start', 'until', 'form'}
    if unknown or 'start' not in anneal or not 0 < anneal.get('until', 1.0) <= 1:
        raise ConfigError(
            f"anneal must be dict(start=..., until=within 0..1, form='linear'), got {dict(anneal)}"
        )
    points = [(0.0, anneal['start']), (anneal.get('until', 1.0), epsilon)]
    return Schedule(points, anneal.get('form', 'linear'))
