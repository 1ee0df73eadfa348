"""Values over training progress, by hand."""

from __future__ import annotations

import pytest

from mmdualhand.errors import ConfigError
from mmdualhand.pseudo_labels import Schedule

POINTS = [(0.2, 6.0), (0.6, 2.0), (0.8, 3.0)]


@pytest.mark.parametrize(
    ('form', 'expected'),
    [
        ('linear', {0.0: 6.0, 0.2: 6.0, 0.3: 5.0, 0.5: 3.0, 0.6: 2.0, 0.7: 2.5, 0.8: 3.0, 1.0: 3.0}),
        ('cosine', {0.0: 6.0, 0.3: 6.0 - 4 * 0.14644661, 0.4: 4.0, 0.6: 2.0, 0.7: 2.5, 1.0: 3.0}),
        ('step', {0.0: 6.0, 0.2: 6.0, 0.59: 6.0, 0.6: 2.0, 0.79: 2.0, 0.8: 3.0, 1.0: 3.0}),
    ],
)
def test_between_the_points(form, expected):
    schedule = Schedule.from_config(dict(points=POINTS, form=form))
    for progress, value in expected.items():
        assert schedule(progress) == pytest.approx(value, abs=1e-7), progress


def test_one_point_is_a_constant():
    schedule = Schedule.from_config([(0.0, 1.5)])
    assert [schedule(progress) for progress in (0.0, 0.5, 1.0, 7.0)] == [1.5] * 4
    assert Schedule.from_config(schedule) is schedule


@pytest.mark.parametrize(
    ('points', 'form', 'message'),
    [
        ([], 'linear', r'needs points \(progress, value\)'),
        ([(0, 1, 2)], 'linear', r'needs points \(progress, value\)'),
        ([(0.5, 1), (0.5, 2)], 'linear', r'must rise within 0\.\.1'),
        ([(0, 1), (1.5, 2)], 'linear', r'must rise within 0\.\.1'),
        ([(0, 1)], 'spline', "must be one of .*'spline'"),
    ],
)
def test_schedules_without_meaning(points, form, message):
    with pytest.raises(ConfigError, match=message):
        Schedule(points, form)
