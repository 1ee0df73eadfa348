from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.datasets.palm_to_wrist import WristRule


def test_known_point():
    joints = np.zeros((1, 21, 3))
    joints[0, 0], joints[0, 9], joints[0, 13] = (1, 2, 3), (10, 0, 0), (0, 10, 0)
    for option, wrist in (
        ('2p-r', (2, -6, 6)),
        ('2p-m', (-8, 4, 6)),
        ('palm', (1, 2, 3)),
        ([13, 2.5], (2.5, -10, 7.5)),
    ):
        moved = WristRule.parse(option).apply(joints)
        np.testing.assert_allclose(moved[0, 0], wrist)
        np.testing.assert_array_equal(moved[0, 1:], joints[0, 1:])
    assert joints[0, 0].tolist() == [1, 2, 3]  # the argument is left alone


def test_names():
    assert WristRule.parse([5, 1.43]).convention == 'wrist = index MCP + 1.43 (palm - index MCP)'
    assert WristRule.parse([13, 2.0]).convention == WristRule.parse('2p-r').convention
    assert WristRule.parse([9, 1.0]).convention == 'palm'


def test_wrong_shape():
    with pytest.raises(ValueError, match='joints'):
        WristRule.parse('2p-r').apply(np.zeros((20, 3)))
