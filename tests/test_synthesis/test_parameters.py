"""Constants, ranges and choices of a domain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mmdualhand.errors import ConfigError
from mmdualhand.synthesis.parameters import children, draw, draw_all


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize('constant', [3, 0.5, 'flat', None, True, [1, 2], (1, 2, 3), ('a', 'b')])
def test_a_constant_is_itself_and_draws_nothing(constant: Any) -> None:
    source = rng()
    assert draw(source, constant) == constant
    assert source.random() == rng().random()


def test_a_range_is_uniform() -> None:
    source = rng()
    values = np.array([draw(source, (2, 6)) for _ in range(4000)])
    assert values.min() >= 2 and values.max() < 6
    # Mean 4 and deviation 4 / sqrt(12) = 1.1547, standard error 0.018.
    assert values.mean() == pytest.approx(4.0, abs=0.08)
    assert values.std() == pytest.approx(1.1547, abs=0.04)


def test_a_choice_follows_its_weights() -> None:
    source = rng()
    values = [draw(source, {'a': 3, 'b': 1, 'never': 0}) for _ in range(4000)]
    assert values.count('a') / 4000 == pytest.approx(0.75, abs=0.03)
    assert values.count('never') == 0


@pytest.mark.parametrize('spec', [(2.0, 1.0), {}, {'a': -1.0}, {'a': 0.0}, {'a': float('nan')}])
def test_malformed(spec: Any) -> None:
    with pytest.raises(ConfigError, match='parameter .noise.'):
        draw_all(rng(), {'noise': spec})


def test_the_order_of_writing_changes_nothing() -> None:
    first = draw_all(rng(), {'a': (0, 1), 'b': {1: 0.5, 2: 0.5}, 'c': (5, 6)})
    second = draw_all(rng(), {'c': (5, 6), 'a': (0, 1), 'b': {1: 0.5, 2: 0.5}})
    assert first == second


def test_children_do_not_move_each_other() -> None:
    first, second = children(rng(), 2)
    again_first, again_second = children(rng(), 2)
    first.random(1000)
    assert second.random() == again_second.random() != again_first.random()
