"""What stage 2 may be told, and what a labeler gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from torch import Tensor

from mmdualhand.errors import ConfigError
from mmdualhand.models.estimators.base import Targets
from mmdualhand.structures import BRANCHES


class PseudoLabels(NamedTuple):
    """What a labeler makes of the predictions on B target images.

    Attributes:
        pose25d: ``(B, 21, 3)`` the label r of Eq. 8, finite everywhere.
        weight: ``(B,)`` or ``(B, 21)`` how much it counts, 0 for a rejected one (Eq. 9).
        confidence: The same shape, C of Eq. 9: low is good, infinite where there is none.
        monitor: Scalars worth logging; no name may contain "loss".
        corrected: ``(B, 21, 3)`` a second target, the correction of the label, or None.
        corrected_weight: ``(B,)`` how much that one counts, whatever ``weight`` is.
    """

    pose25d: Tensor
    weight: Tensor
    confidence: Tensor
    monitor: dict[str, Tensor]
    corrected: Tensor | None = None
    corrected_weight: Tensor | None = None


Labeler = Callable[[Mapping[str, Tensor], Targets], PseudoLabels]
"""From 2.5D poses ``(B, 21, 3)`` by branch, and the target batch's camera facts, to labels.

One with an attribute ``uses_poses = False`` has its labels from elsewhere: no look at the
clean view is needed for it.
"""


@dataclass(frozen=True)
class SelfTraining:
    """Switches of stage 2; the defaults are the readings of Algorithm 1 that the project takes.

    Attributes:
        label_weight: lambda_l of Eq. 11.
        distill_weight: lambda_f, the factor of L_d (printed as lambda_d in Eq. 11).
        passes: 2, or 1 to leave out the pass with predicted depth: labels of p_R
            alone and no distillation.
        label_branches: Branches that L_l supervises.
        label_view: ``'student'``: labels come from the predictions that are
            trained (the paper). ``'clean'``: from a second look, without texture
            and in eval mode, at the same images.
        teacher_momentum: 0 for labels of the network itself; above, those of a
            running mean of its weights, with ``label_view='clean'``.
        detach_depth: Cut the gradient from the second pass into predicted depth.
        clean_depth: Put predicted depth to background where the predicted mask is
            below one half.
        distill_detach: None for gradients to both sides of L_d, or the branch
            (``'rgb'``, ``'fused'``) that acts as a constant.
        distill_gated: Let L_d count by the weights of the labels.
        normalize_by_accepted: Divide L_l by the accepted labels instead of the batch.
        statistics: Which images move the running statistics: ``'both'`` streams or
            the ``'target'`` alone.
    """

    label_weight: float = 1.0
    distill_weight: float = 0.2
    passes: int = 2
    label_branches: Sequence[str] = BRANCHES
    label_view: str = 'student'
    teacher_momentum: float = 0.0
    detach_depth: bool = True
    clean_depth: bool = False
    distill_detach: str | None = None
    distill_gated: bool = False
    normalize_by_accepted: bool = False
    statistics: str = 'both'

    def __post_init__(self) -> None:
        choices = {
            'passes': (1, 2),
            'label_view': ('student', 'clean'),
            'distill_detach': (None, 'rgb', 'fused'),
            'statistics': ('both', 'target'),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ConfigError(f'self_training.{name} must be one of {known}, got {getattr(self, name)!r}')
        if not 0 <= self.teacher_momentum < 1:
            raise ConfigError(
                f'self_training.teacher_momentum must lie in [0, 1), got {self.teacher_momentum}'
            )
        if self.teacher_momentum and self.label_view != 'clean':
            raise ConfigError("self_training.teacher_momentum needs label_view='clean'")
        if not self.label_branches or set(self.label_branches) - set(BRANCHES):
            raise ConfigError(
                f'self_training.label_branches must be some of {BRANCHES}, got {self.label_branches!r}'
            )

    @classmethod
    def from_config(cls, config: Mapping[str, Any] | None) -> SelfTraining:
        """Read a config dict.

        Raises:
            ConfigError: Unknown key or value.
        """
        known = [item.name for item in fields(cls)]
        unknown = set(config or {}) - set(known)
        if unknown:
            raise ConfigError(f'self_training: unknown {sorted(unknown)}; known are {", ".join(known)}')
        return cls(**dict(config or {}))
