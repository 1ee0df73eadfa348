from __future__ import annotations

import numpy as np
import pytest
import torch

from mmdualhand.datasets.transforms import NormalizeDepth, TextureViews
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.models import HandDataPreprocessor
from mmdualhand.structures import HandDataSample


def sample(**extra):
    depth = np.array([[500, 620, 380, 440, 900, 100, 0, 500]], np.float32)
    mask = np.array([[1, 1, 1, 1, 1, 1, 1, 0]], np.uint8)
    return {'sample_id': 's', 'depth': depth, 'mask': mask, 'root_depth': 500.0, 'ref_length': 40.0, **extra}


def test_hand_values():
    results = NormalizeDepth(half_range=3.0)(sample())
    # clip((Z - 500) / (2 * 3 * 40) + 1/2, 0, 1); no measurement and background are far
    expected = [0.5, 1.0, 0.0, 0.25, 1.0, 0.0, 1.0, 1.0]
    np.testing.assert_allclose(results['depth_map'][0], expected, atol=1e-6)
    assert results['depth_map'].dtype == np.float32 and results['depth_half_range'] == 3.0


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
    with pytest.raises(DataError, match=r"'s'.*root_depth and ref_length, and root_depth is unknown"):
        NormalizeDepth()(data)
    with pytest.raises(ConfigError, match='half_range'):
        NormalizeDepth(0)


def test_length_is_40_mm_where_only_the_root_is_known():
    data = sample()
    del data['ref_length']
    np.testing.assert_allclose(NormalizeDepth()(data)['depth_map'][0, 3], 0.5 - 60 / 240, atol=1e-6)


def test_texture_of_another_range_is_refused():
    def run(normalised, **depth):
        data = sample(img=np.zeros((1, 8, 3), np.uint8), rng=np.random.default_rng(0))
        views = dict(plain=dict(), augmented=dict(depth=depth))
        return TextureViews(views)(NormalizeDepth(normalised)(data))

    text = r'half_range of NormalizeDepth is 5, but augmented\.depth\.half_range of the texture is 3;'
    with pytest.raises(ConfigError, match=text):
        run(5.0, offset=0.1)
    assert run(5.0, offset=0.1, half_range=5.0)['depth_augmented'].shape == (1, 8)
    assert run(5.0)['depth_augmented'].shape == (1, 8)  # a texture that changes nothing has no unit


def test_preprocessor_compares_its_texture_with_the_samples():
    def batch(half_range, **extra):
        far = torch.full((1, 1, 8, 8), 65535, dtype=torch.int32).to(torch.uint16)
        inputs = dict(img=torch.zeros(1, 3, 8, 8, dtype=torch.uint8), depth=far, **extra)
        return dict(inputs=inputs, data_samples=[HandDataSample(metainfo=dict(depth_half_range=half_range))])

    texture = dict(plain=dict(depth=dict(offset=0.1)))
    preprocessor = HandDataPreprocessor(texture=texture, augmented_view=False)
    with pytest.raises(ConfigError, match=r'NormalizeDepth is 5, but plain\.depth\.half_range of the'):
        preprocessor(batch(5.0), training=True)
    assert preprocessor(batch(3.0), training=True)['inputs']['depth'].shape == (1, 1, 8, 8)
    assert preprocessor(batch(5.0), training=False)['inputs']['views'] == 1  # no texture at test time
