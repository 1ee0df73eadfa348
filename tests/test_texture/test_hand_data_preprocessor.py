"""Views, order of rows, normalisation and messages of the data preprocessor."""

from __future__ import annotations

import pytest
import torch

from mmdualhand import get_config
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.models.data_preprocessor import HandDataPreprocessor

MEAN, STD = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])
TEXTURE = get_config('pretrain_rhd').to_dict()['texture']


def batch(size: int = 32, depth: bool = True) -> dict:
    """Two samples: grey levels 0 and 255, a hand of depth 13107 / 65535 = 0.2 on background."""
    image = torch.zeros(2, 3, size, size, dtype=torch.uint8)
    image[1] = 255
    inputs = dict(img=image)
    if depth:
        inputs['depth'] = torch.full((2, 1, size, size), 65535, dtype=torch.int32).to(torch.uint16)
        stored = torch.full((2, 1, 8, 8), 13107, dtype=torch.int32).to(torch.uint16)
        inputs['depth'][:, :, 8:16, 8:16] = stored
        inputs['mask'] = torch.zeros(2, 1, size, size, dtype=torch.uint8)
        inputs['mask'][:, :, 8:16, 8:16] = 1
    return dict(inputs=inputs, targets=dict(pose25d=torch.ones(2, 21, 3)), data_samples=['a', 'b'])


def check_clean(targets: dict) -> None:
    assert set(targets) == {'pose25d', 'mask', 'depth_map'}
    assert targets['mask'].dtype == torch.float32 and targets['mask'].sum() == 128
    depth = targets['depth_map']
    assert depth[:, :, 8:16, 8:16].eq(torch.tensor(0.2)).all()
    assert depth.eq(1).sum() == 2 * (32 * 32 - 64)


def test_test_mode_normalises_and_leaves_texture_out() -> None:
    out = HandDataPreprocessor(texture=TEXTURE)(batch(), training=False)
    inputs = out['inputs']
    assert inputs['views'] == 1
    torch.testing.assert_close(inputs['rgb'][0, :, 5, 5], -MEAN / STD)
    torch.testing.assert_close(inputs['rgb'][1, :, 5, 5], (255 - MEAN) / STD)
    torch.testing.assert_close(inputs['depth'], out['targets']['depth_map'], rtol=0, atol=0)
    check_clean(out['targets'])
    assert out['data_samples'] == ['a', 'b']


def test_training_gives_plain_rows_first_and_clean_targets() -> None:
    # holes mark the plain depth, erased boxes the augmented RGB
    erase = dict(erase_prob=1.0, erase_fill=51.0)
    texture = dict(plain=dict(depth=dict(hole_prob=1.0)), augmented=dict(rgb=erase))
    torch.manual_seed(0)
    out = HandDataPreprocessor(texture=texture)(batch(), training=True)
    rgb, depth = out['inputs']['rgb'] * STD.view(3, 1, 1) + MEAN.view(3, 1, 1), out['inputs']['depth']
    assert out['inputs']['views'] == 2
    assert rgb.shape == (4, 3, 32, 32) and depth.shape == (4, 1, 32, 32)
    torch.testing.assert_close(rgb[0], torch.zeros(3, 32, 32), rtol=0, atol=1e-4)
    torch.testing.assert_close(rgb[1], torch.full((3, 32, 32), 255.0), rtol=0, atol=1e-4)
    for index, level in ((2, 0), (3, 255)):
        erased = (rgb[index] - 51).abs() < 1e-3
        assert 0.015 < erased.float().mean() < 0.17
        assert ((rgb[index] - level).abs() < 1e-3).logical_or(erased).all()
    torch.testing.assert_close(depth[2:], out['targets']['depth_map'], rtol=0, atol=0)
    assert depth.unique().tolist() == [pytest.approx(0.2), 1.0]
    check_clean(out['targets'])


def test_strong_texture_under_autocast_stays_float32() -> None:
    preprocessor = HandDataPreprocessor(texture=TEXTURE)
    torch.manual_seed(0)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        cast = preprocessor(batch(), training=True)['inputs']
    torch.manual_seed(0)
    plain = preprocessor(batch(), training=True)['inputs']
    for key in ('rgb', 'depth'):
        assert cast[key].dtype == torch.float32
        torch.testing.assert_close(cast[key], plain[key], rtol=0, atol=0)


def test_rgb_alone_and_one_view() -> None:
    data = batch(depth=False)
    out = HandDataPreprocessor(texture=TEXTURE)(data, training=True)
    assert set(out['inputs']) == {'rgb', 'views'} and out['inputs']['rgb'].shape[0] == 4
    assert set(out['targets']) == {'pose25d'} and set(data['targets']) == {'pose25d'}
    baseline = HandDataPreprocessor(texture=dict(plain={}), augmented_view=False)(data, training=True)
    assert baseline['inputs']['views'] == 1
    torch.testing.assert_close(baseline['inputs']['rgb'][0, :, 5, 5], -MEAN / STD)


def worker_batch() -> dict:
    data = batch()
    data['inputs']['img_augmented'] = torch.full((2, 3, 32, 32), 51, dtype=torch.uint8)
    for key, value in (('depth_plain', 6553), ('depth_augmented', 52428)):
        data['inputs'][key] = torch.full((2, 1, 32, 32), value, dtype=torch.int32).to(torch.uint16)
    return data


@pytest.mark.parametrize('texture', [None, TEXTURE])
def test_worker_views_are_only_stacked(texture: dict | None) -> None:
    out = HandDataPreprocessor(texture=texture)(worker_batch(), training=True)
    rgb, depth = out['inputs']['rgb'], out['inputs']['depth']
    assert out['inputs']['views'] == 2
    torch.testing.assert_close(rgb[1, :, 0, 0], (255 - MEAN) / STD)
    torch.testing.assert_close(rgb[2:, :, 7, 9], ((51 - MEAN) / STD).expand(2, 3))
    assert depth[:2].eq(torch.tensor(6553 / 65535)).all() and depth[2:].eq(torch.tensor(0.8)).all()
    check_clean(out['targets'])


def test_worker_views_at_test_and_without_augmented_view() -> None:
    tested = HandDataPreprocessor()(worker_batch(), training=False)['inputs']
    assert tested['views'] == 1 and tested['rgb'].shape[0] == 2
    single = HandDataPreprocessor(augmented_view=False)(worker_batch(), training=True)['inputs']
    assert single['views'] == 1
    assert single['depth'].eq(torch.tensor(6553 / 65535)).all()


def test_messages_name_the_ways_out() -> None:
    with pytest.raises(ConfigError, match='(?s)texture=dict.*TextureViews.*augmented_view=False'):
        HandDataPreprocessor()(batch(), training=True)
    with pytest.raises(ConfigError, match="no 'augmented' view"):
        HandDataPreprocessor(texture=dict(plain={}))
    with pytest.raises(ConfigError, match='unknown key'):
        HandDataPreprocessor(texture=dict(plain={}, augmented={}, rgb={}))
    data = worker_batch()
    del data['inputs']['depth_augmented']
    with pytest.raises(ConfigError, match='holds no depth_augmented'):
        HandDataPreprocessor()(data, training=True)
    with pytest.raises(DataError, match='collate_hand_batch'):
        HandDataPreprocessor()(dict(inputs=[torch.zeros(3, 8, 8)]))
    with pytest.raises(DataError, match=r'\(B, 3, H, W\), got \(3, 8, 8\)'):
        HandDataPreprocessor()(dict(inputs=dict(img=torch.zeros(3, 8, 8))))
    with pytest.raises(ValueError, match='three numbers'):
        HandDataPreprocessor(mean=(0.5,))


def test_checkpoint_stays_empty_and_registry_knows_it() -> None:
    from mmdualhand.registry import MODELS

    assert HandDataPreprocessor(texture=TEXTURE).state_dict() == {}
    assert MODELS.module_dict['HandDataPreprocessor'] is HandDataPreprocessor
