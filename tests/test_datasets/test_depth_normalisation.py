from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.datasets.transforms import NormalizeDepth
from mmdualhand.errors import ConfigError, DataError


def sample(**extra):
    depth = np.array([[500, 620, 380, 440, 900, 100, 0, 500]], np.float32)
    mask = np.array([[1, 1, 1, 1, 1, 1, 1, 0]], np.uint8)
    return {'sample_id': 's', 'depth': depth, 'mask': mask, 'root_depth': 500.0, 'ref_length': 40.0, **extra}


def test_hand_values():
    results = NormalizeDepth(half_range=3.0)(sample())
    # clip((Z - 500) / (2 * 3 * 40) + 1/2, 0, 1); no measurement and background are far
    expected = [0.5, 1.0, 0.0, 0.25, 1.0, 0.0, 1.0, 1.0]
    np.testing.assert_allclose(results['depth_map'][0], expected, atol=1e-6)
    assert results['depth_map'].dtype == np.float32


def test_other_range():
    np.testing.assert_allclose(NormalizeDepth(5.0)(sample())['depth_map'][0, 1], 0.5 + 120 / 400, atol=1e-6)


def test_root_and_scale_come_from_the_joints():
    joints = np.zeros((21, 3))
    joints[9], joints[10] = (0, 0, 400), (24, 32, 400)
    data = sample(keypoints_3d=joints)
    del data['root_depth'], data['ref_length']
    np.testing.assert_allclose(NormalizeDepth()(data)['depth_map'][0, 3], 0.5 + 40 / 240, atol=1e-6)
    data['ref_length'] = 80.0  # what the record says comes first
    np.testing.assert_allclose(NormalizeDepth()(data)['depth_map'][0, 3], 0.5 + 40 / 480, atol=1e-6)


def test_without_mask_the_range_tells_the_hand():
    data = sample()
    del data['mask']
    expected = [0.5, 1.0, 0.0, 0.25, 1.0, 1.0, 1.0, 0.5]  # 900 and 100 mm are no hand
    np.testing.assert_allclose(NormalizeDepth()(data)['depth_map'][0], expected, atol=1e-6)


def test_without_depth_nothing_happens():
    assert NormalizeDepth()({'sample_id': 's'}) == {'sample_id': 's'}


def test_unknown_root_is_an_error():
    data = sample()
    del data['root_depth']
    with pytest.raises(DataError, match=r"'s'.*root_depth and ref_length"):
        NormalizeDepth()(data)
    with pytest.raises(ConfigError, match='half_range'):
        NormalizeDepth(0)
