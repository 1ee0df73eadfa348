"""Checks that a plug-in keeps the contracts of mmdualhand, for the tests of its author.

Each ``check_*`` returns quietly or raises a :class:`ContractError` whose
sentence says what is wrong and what to do. Nothing here needs a GPU, a dataset
or weights.
"""

from __future__ import annotations

from mmdualhand.testing.batches import tiny_batch, tiny_estimator, tiny_sample
from mmdualhand.testing.contract import ContractError
from mmdualhand.testing.datasets import check_dataset
from mmdualhand.testing.encoders import check_encoder
from mmdualhand.testing.estimators import check_estimator
from mmdualhand.testing.hands import draw_hand, random_hand

__all__ = [
    'ContractError',
    'check_dataset',
    'check_encoder',
    'check_estimator',
    'draw_hand',
    'random_hand',
    'tiny_batch',
    'tiny_estimator',
    'tiny_sample',
]
