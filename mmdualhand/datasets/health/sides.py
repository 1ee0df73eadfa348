"""Whether hands bend as the side they are labelled with."""

from __future__ import annotations

import numpy as np

from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WARNING, WRONG, Row
from mmdualhand.datasets.health.table import LabelTable
from mmdualhand.structures import chirality_scores

CHECK = 'side of the hands'
CLEAR, AGAINST = 0.65, 0.3
"""Shares of votes for the labelled side: real sets have 1.00, rendered ones 0.88 and more of 20 hands."""
FEW_HANDS = 6


def check_sides(table: LabelTable) -> list[Row]:
    """Let the joints vote: two votes a hand, finger bend and thumb.

    Args:
        table: Labels in canonical order.

    Returns:
        A row for each labelled side; one for a set that stores no side.
    """
    rows = []
    for side in ('left', 'right', ''):
        picked = table.labelled & (table.sides == side)
        if picked.any():
            votes = np.sign(chirality_scores(table.xyz[picked]))
            rows.append(_stored(table, side, votes) if side else _not_stored(table, votes))
    return rows or [Row(CHECK, table.split, NOT_APPLICABLE, 'no 3D labels')]


def _stored(table: LabelTable, side: str, votes: np.ndarray) -> Row:
    sign, other = (1, 'left') if side == 'right' else (-1, 'right')
    share = float((votes == sign).mean())
    text = f'{share:.0%} of the votes of {len(votes)} {side} hands say {side}'
    if share >= CLEAR:
        return Row(CHECK, table.split, OK, text)
    advice = (
        'was a picture mirrored, or an axis turned round, without the label of the side? Mirror all or '
        'nothing; z must point away from the camera'
    )
    if len(votes) < FEW_HANDS:
        return Row(CHECK, table.split, WARNING, f'{text}; too few to be sure', advice)
    if share <= AGAINST:
        text = f'hands are mirrored (labels say {side}, joints bend as {other} hands): {text}'
        return Row(CHECK, table.split, WRONG, text, advice)
    text = f'some hands are mirrored (labels say {side}): {text}'
    return Row(CHECK, table.split, WARNING, text, advice)


def _not_stored(table: LabelTable, votes: np.ndarray) -> Row:
    share = float((votes > 0).mean())
    side = 'right' if share > 0.5 else 'left'
    text = f'the set does not say; {max(share, 1 - share):.0%} of the votes of {len(votes)} hands say {side}'
    if max(share, 1 - share) >= CLEAR or len(votes) < FEW_HANDS:
        return Row(CHECK, table.split, OK, text)
    text = f'both sides seem to be mixed: {text}'
    return Row(CHECK, table.split, WARNING, text, 'sort the two sides apart')
