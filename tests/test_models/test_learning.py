"""A few optimiser steps on eight hands: every branch learns from its own input."""

from __future__ import annotations

import pytest
import torch
from mmengine.config import Config

from mmdualhand.datasets import collate_hand_batch
from mmdualhand.models.heads import MultiModalPrediction
from mmdualhand.registry import DATASETS, MODELS
from mmdualhand.structures import BRANCHES
from tests.fixtures.runs import TINY

HANDS, STEPS = 8, 80


def constant_pose_loss(model, targets: dict) -> float:
    """Loss of the best pose that does not look at the picture: the mean of the eight."""
    pose = targets['pose25d'].mean(0, keepdim=True).expand(HANDS, 21, 3)
    maps = model.head.map_targets(targets, (16, 16))
    constant = MultiModalPrediction(pose, maps['mask'], maps['depth_map'])
    return float(model.head.loss(constant, targets['pose25d'], maps)['loss_pose'])


@pytest.fixture(scope='module')
def losses(rhd_root):
    """Losses of the first and of the last step, and the pose loss of a constant."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('HAND_DATA', str(rhd_root.parent))
        cfg = Config.fromfile(TINY)
    cfg.model.backbone.base_channels = 8
    cfg.model.head.deconv_channels = (32, 32, 32)
    cfg.model.data_preprocessor.texture = dict(plain=dict(), augmented=dict())  # views without texture
    data = cfg.train_dataloader.dataset
    data.pipeline = cfg.test_dataloader.dataset.pipeline  # no augmentation
    dataset = DATASETS.build(data)
    batch = collate_hand_batch([dataset[i] for i in range(HANDS)])
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    history = []
    for _ in range(STEPS):
        prepared = model.data_preprocessor(batch, training=True)
        parts = model(**prepared, mode='loss')
        optimizer.zero_grad()
        sum(parts.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 50.0)
        optimizer.step()
        history.append({name: value.item() for name, value in parts.items()})
    return history[0], history[-1], constant_pose_loss(model, prepared['targets'])


# Measured with three seeds on a processor with AVX-512: the pose falls to 0.003..0.008 of the first loss, the
# mask to 0.38..0.47, the depth map to 0.07..0.09, the contrast to 0.17..0.19. With five seeds on one with
# AVX2: the pose to 0.009..0.024, that of the depth branch, with predicted maps in between, to 0.018..0.115.
@pytest.mark.parametrize(
    ('kind', 'branch', 'share'),
    [
        *(('pose', branch, 0.2 if branch == 'depth' else 0.05) for branch in BRANCHES),
        *(('mask', branch, 0.65) for branch in BRANCHES),
        *(('depth_map', branch, 0.2) for branch in BRANCHES),
    ],
)
def test_losses_of_each_branch_fall(losses, kind, branch, share):
    first, last, _ = losses
    name = f'loss_{kind}_{branch}'
    assert last[name] < share * first[name]


@pytest.mark.parametrize(('branch', 'share'), [('rgb', 0.1), ('depth', 0.35), ('fused', 0.1)])
def test_the_pose_is_read_from_the_picture(losses, branch, share):
    _, last, constant = losses
    assert last[f'loss_pose_{branch}'] < share * constant


def test_the_contrastive_loss_falls(losses):
    first, last, _ = losses
    # Eight equally spread hands with perfect positives: 0.1 * 4 pairs * (ln 14 - (2 / 7) - 2) = 0.14.
    assert 0.1 < last['loss_contrast'] < 0.4 * first['loss_contrast']
