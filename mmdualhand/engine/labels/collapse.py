"""Signs that self-training goes nowhere, and what may help."""

from __future__ import annotations

from collections.abc import Mapping

VANISHING = 0.1
"""Share of the first epoch's spread below which predictions count as collapsed."""


def collapse_warnings(epoch: int, means: Mapping[str, float], first_std: float | None) -> list[str]:
    """Sentences for the log.

    Args:
        epoch: Number of the epoch that is over, from 1.
        means: ``accepted``, ``confidence`` and ``pose_std`` of it.
        first_std: ``pose_std`` of the first epoch.
    """
    found = []
    if means.get('accepted') == 0:
        found.append(
            f'no pseudo-label was accepted in epoch {epoch} (mean C {means.get("confidence", 0.0):.3g}, low '
            'is good), so that target images teach nothing but self-distillation. Take '
            "selector=dict(type='Quantile', keep=0.6), which accepts a share whatever the size of C; raise "
            'epsilon, or let it fall, anneal=dict(start=...); or begin with a better pre-trained network'
        )
    spread = means.get('pose_std')
    if spread is not None and first_std is not None and spread < VANISHING * first_std:
        found.append(
            f'the predictions on target images have nearly become one pose: their spread is {spread:.3g} px '
            f'in epoch {epoch}, and was {first_std:.3g} px in the first. Lower the learning rate or '
            'self_training.label_weight, take labels of a running mean of the weights '
            '(self_training.teacher_momentum=0.99), or accept fewer labels'
        )
    return found
