"""Two tiny networks and the test pictures of a target for them."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from mmdualhand.apis.model_zoo import get_config
from mmdualhand.apis.report import Comparison
from tests.fixtures.report_networks import write_checkpoint


@pytest.fixture(scope='session')
def stb_test(embedded_sets) -> Config:
    cfg = get_config('mini/finetune_stb')
    cfg.test_dataloader.dataset.data_root = str(embedded_sets / 'STB')
    cfg.test_dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
    return cfg


@pytest.fixture(scope='session')
def stb_comparison(stb_test, tmp_path_factory) -> Comparison:
    folder = tmp_path_factory.mktemp('networks')
    before = write_checkpoint(folder / 'before.pth', 1)
    after = write_checkpoint(folder / 'after.pth', 2, type='SelfTrainingEstimator')
    return Comparison('STB', stb_test, before, after)
