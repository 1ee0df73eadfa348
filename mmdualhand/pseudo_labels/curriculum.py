"""The growing share of keypoints that CC-SSL accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from mmdualhand.pseudo_labels.selectors import Quantile
from mmdualhand.registry import SELECTORS

CC_SSL_SHARES = ((0.0, 0.2), (0.5, 0.8))
"""Share over progress: 20 % at the start, 80 % from half of the run on, evenly between."""


@SELECTORS.register_module()
class CurriculumQuantile(Quantile):
    r"""The most confident share of all keypoints of a dataset (CC-SSL, CVPR 2020, Section 3.3).

    With N keypoints and p = 1 - share the threshold is number
    :math:`\lfloor p (N + 1) \rfloor` of a zero and the N confidences in rising order, and
    what lies strictly above it is accepted; of equal confidences, none. In the original
    :math:`p = max(1 - 0.02 (epoch + 10), 0.2)` of 60 epochs, which is the default ``schedule``
    over progress.

    The quantile is global: joints that are hard to see get fewer labels.

    Args:
        schedule: Share over progress, as in :class:`Quantile`; AnimalDA's fixed 40 % is
            ``[(0, 0.4)]``.
        window: Number of values remembered where labels are not made of a whole dataset.
        per_joint: See :class:`~mmdualhand.pseudo_labels.selectors.Selector`.

    Raises:
        ConfigError: As for :class:`Quantile`.
    """

    def __init__(
        self,
        schedule: Mapping[str, Any] | Sequence[Sequence[float]] = CC_SSL_SHARES,
        window: int = 8400,
        per_joint: bool = True,
    ) -> None:
        super().__init__(window=window, schedule=schedule, ties='drop', per_joint=per_joint)

    def count(self, total: Tensor, share: float) -> Tensor:
        """``N - floor((1 - share) (N + 1))``; see :class:`Quantile`."""
        # a thousandth, for 0.2 * 5 may be 0.99999994 in float32
        below = ((1.0 - share) * (total + 1) + 1e-3).floor()
        return (total - below).clamp_min(0).long()
