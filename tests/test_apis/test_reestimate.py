"""The unlabelled target images that batch normalisation is re-estimated on."""

from __future__ import annotations

import pytest

from mmdualhand.apis.model_zoo import get_config
from mmdualhand.apis.reestimate import target_batches, target_dataset
from mmdualhand.errors import ConfigError

LABELS = ('pose25d', 'visible', 'mask', 'depth_map')


@pytest.fixture
def cfg(embedded_sets, tmp_path, monkeypatch):
    (tmp_path / 'mini').symlink_to(embedded_sets)
    monkeypatch.setenv('HAND_DATA', str(tmp_path))
    return get_config('mini/finetune_stb')


def test_the_train_images_as_the_test_looks_at_them(cfg):
    dataset = target_dataset(cfg)
    assert [step['type'] for step in dataset['pipeline']] == [
        'LoadHandModalities', 'HandCrop', 'DropLabels', 'PackHandInputs',
    ]  # fmt: skip
    assert dataset['split'] == 'train' and cfg.test_dataloader.dataset.split == 'test'
    assert not dataset['pipeline'][1].get('augment')
    assert cfg.train_dataloader.streams.target.dataset.pipeline[1].augment  # left as it was
    assert len(cfg.test_dataloader.dataset.pipeline) == 3


def test_pictures_have_the_size_of_the_network(cfg):
    cfg.model.head.codec.input_size = (64, 64)
    assert tuple(target_dataset(cfg)['pipeline'][1]['input_size']) == (64, 64)


def test_batches_of_one_size_without_labels(cfg):
    # 12 train pictures of STB.
    for batch_size, sizes in ((5, [5, 5]), (50, [12])):
        batches = list(target_batches(cfg, batch_size))
        assert [len(batch['inputs']['img']) for batch in batches] == sizes
        assert not any(label in batch['targets'] for batch in batches for label in LABELS)
    ids = [sample.sample_id for batch in target_batches(cfg, 4) for sample in batch['data_samples']]
    assert ids == sorted(ids, key=ids.index) and len(set(ids)) == 12


def test_configs_without_a_target_are_refused():
    with pytest.raises(ConfigError, match='name one of the finetune configs'):
        target_dataset(get_config('mini/pretrain_rhd'))
