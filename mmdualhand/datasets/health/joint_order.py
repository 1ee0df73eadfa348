"""Whether the joints come in the order that the dataset is published in."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from mmdualhand.datasets.health.hand_template import PAIRS, distance_pattern, relaxed_hand
from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WARNING, WRONG, Row
from mmdualhand.datasets.health.table import LabelTable, spread
from mmdualhand.structures import FINGERS

CHECK = 'joint order'
MARGIN = 0.05
"""By how much another order must fit better. Of 20 and more hands in the right order, real or rendered,
no other order fits better; of eight, drawn at random, one may by 0.015. Wrong orders lose 0.09 and more."""
DOUBT = 0.02
MARGIN_OF_FEW, DOUBT_OF_FEW = 0.15, 0.10
"""The same for fewer than eight hands, of which three fists may prefer another order by 0.09."""
NO_HAND = 0.45
"""Misfit of joints in no order at all: random orders measure 0.53 and more, right ones at most 0.25."""
MOST_HANDS = 2000
FEW_HANDS = 8


@dataclass(frozen=True)
class OrderFit:
    """How an order of joints fits a hand.

    Attributes:
        order: (21,) canonical = given[order].
        text: The order in words, as the labels hold it.
        misfit: Root mean square difference of the distance patterns.
    """

    order: np.ndarray
    text: str
    misfit: float


@lru_cache(maxsize=1)
def candidate_orders() -> list[tuple[np.ndarray, str]]:
    """Gather indices of every order that keeps fingers together, canonical first."""
    orders = []
    names = tuple(FINGERS)
    for wrist_last, backwards, fingers in itertools.product(
        (False, True), (False, True), itertools.permutations(range(5))
    ):
        first = 0 if wrist_last else 1
        blocks = [np.arange(4)[:: -1 if backwards else 1] + first + 4 * place for place in fingers]
        stored = sorted(range(5), key=lambda finger, fingers=fingers: fingers[finger])  # type: ignore[misc]
        words = [*(names[finger] for finger in stored), 'tip to base' if backwards else 'base to tip']
        text = ', '.join(words + ['wrist last'] * wrist_last)
        orders.append((np.concatenate([[20 if wrist_last else 0], *blocks]), text))
    return orders


def fit_orders(joints: np.ndarray, root: str = 'wrist') -> list[OrderFit]:
    """Compare hands with a template under every order.

    Args:
        joints: (N, 21, 3) finite, any unit and frame; N at least 1.
        root: See :func:`relaxed_hand`.

    Returns:
        The canonical order first, then the others, best first.
    """
    pattern = distance_pattern(joints[spread(len(joints), MOST_HANDS)])
    expected = distance_pattern(relaxed_hand(root)[None])
    fits = []
    for order, text in candidate_orders():
        difference = (pattern[np.ix_(order, order)] - expected)[PAIRS]
        fits.append(OrderFit(order, text, float(np.sqrt((difference**2).mean()))))
    return [fits[0], *sorted(fits[1:], key=lambda fit: fit.misfit)]


def check_joint_order(table: LabelTable, root: str = 'wrist') -> tuple[Row, LabelTable]:
    """Judge the order of the joints.

    Args:
        table: Labels whose coordinates are numbers; unlabelled samples are left out.
        root: Where the first joint lies, see :func:`relaxed_hand`.

    Returns:
        The row, and the table with its joints brought into order where another one was recognised.
    """
    joints = table.joints[table.labelled]
    if not len(joints):
        return Row(CHECK, table.split, NOT_APPLICABLE, 'no 3D labels'), table
    own, best = fit_orders(joints, root)[:2]
    gain = own.misfit - best.misfit
    few = len(joints) < FEW_HANDS
    doubt = DOUBT_OF_FEW if few else DOUBT
    measured = (
        f'{len(joints)} hands fit the canonical order to {own.misfit:.2f}, the next best order to '
        f'{best.misfit:.2f}'
    )
    if gain > (MARGIN_OF_FEW if few else MARGIN):
        text = f"joint order is not the dataset's: {measured}; after the reader's gather it is {best.text}"
        advice = (
            'put the joints back into the published order, or do not permute them twice: converters '
            'often have'
        )
        return Row(CHECK, table.split, WRONG, text, advice), reorder(table, best.order)
    if own.misfit > NO_HAND and not few:
        text = f"joint order is not the dataset's: {measured}; in no known order are the joints a hand"
        return Row(CHECK, table.split, WRONG, text, 'get the label file again'), table
    if gain > doubt:
        text = f'{measured}: {best.text} fits a little better'
        return Row(CHECK, table.split, WARNING, text, 'look at the skeletons of the contact sheet'), table
    return Row(CHECK, table.split, OK, measured), table


def reorder(table: LabelTable, order: np.ndarray) -> LabelTable:
    """The table with every joint axis gathered by ``order`` (21,)."""
    return replace(
        table,
        joints=table.joints[:, order],
        uv=None if table.uv is None else table.uv[:, order],
        visible=None if table.visible is None else table.visible[:, order],
    )
