"""Short runs of CC-SSL and AnimalDA: labels of a dataset, training on them, going on after a stop."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmdualhand import compat
from mmdualhand.errors import ConfigError
from mmdualhand.pseudo_labels import CurriculumQuantile, PseudoLabelBank
from mmdualhand.registry import MODELS
from tests.fixtures import self_training_run

CODEC = dict(type='Heatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=1.0)
BACKBONE = dict(type='DualResNet', depth=18, base_channels=4, branches=('rgb',))
HEADS = {
    'ccssl': dict(type='HeatmapHead', deconv_channels=(8, 8, 8), codec=CODEC),
    'animalda': dict(type='RefineHeatmapHead', deconv_channels=(8, 8, 8), codec=CODEC),
}
ANIMALDA = dict(
    consistency=dict(type='RefinementConsistency'),
    perturbation=dict(rotation=45.0),
    teacher=dict(momentum=0.999, warm_up=True),
    mixup=dict(type='DomainMixup'),
    discriminator=dict(type='DomainDiscriminatorHead', channels=(4, 4)),
    loss_label=dict(type='KeypointCurriculumMSELoss', top_k=10),
)
LABELER = dict(type='EquivariantHeatmapLabeler', num_views=3)


def stage1(path, method):
    torch.manual_seed(4)
    model = MODELS.build(dict(type='HeatmapEstimator', backbone=BACKBONE, head=HEADS[method]))
    kinds = torch.nn.Conv2d | torch.nn.ConvTranspose2d
    for part in (m for m in model.head.modules() if isinstance(m, kinds)):
        torch.nn.init.normal_(part.weight, std=0.1)
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return str(path)


def config(folder, data, method, hook=None, **changes) -> Config:
    """Three steps an epoch, 12 images."""
    folder.parent.mkdir(exist_ok=True)
    hook = {'labeler': LABELER, **(hook or {})}
    base = self_training_run.config(folder, data, 'epoch', epochs=2, hook=hook)
    more = dict(head=HEADS[method])
    if method == 'animalda':
        more = {**ANIMALDA, 'head': {**HEADS[method], 'num_branches': 2}}
    model = dict(
        type='HeatmapSelfTrainingEstimator',
        backbone=BACKBONE,
        data_preprocessor={**base.model.data_preprocessor, 'clean_view': True},
        **more,
    )
    load_from = stage1(folder.parent / f'{method}_stage1.pth', method)
    settings = {**base.to_dict(), 'model': model, 'load_from': load_from}
    return Config({**settings, **changes})


def run(cfg) -> Runner:
    compat.apply_patches()
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def history(runner, name):
    return np.array(runner.message_hub.get_scalar(f'train/{name}').data[0], float)


def test_cc_ssl_labels_before_every_epoch_and_keeps_a_growing_share(tmp_path, rhd_root):
    runner = run(config(tmp_path / 'ccssl' / 'run', rhd_root, 'ccssl'))
    bank = PseudoLabelBank(tmp_path / 'ccssl' / 'run' / 'pseudo_labels.bank', writable=False)
    assert bank.header.per_joint and bank.active == 1
    for refresh, progress in ((0, 0.0), (1, 0.5)):
        rows = bank.read(range(12), refresh=refresh)
        assert rows.written.all() and np.all(rows.labels[..., 2] == 0)
        expected = CurriculumQuantile().of_dataset(torch.from_numpy(rows.confidence), progress)
        assert np.array_equal(rows.weight, expected.numpy())
        count = 252 - int((1 - (0.2 if refresh == 0 else 0.8)) * 253)
        assert rows.weight.sum() == pytest.approx(count, abs=2)
    assert np.isfinite(history(runner, 'loss')).all() and (history(runner, 'loss_label') > 0).all()
    assert history(runner, 'accepted_joints')[-1] > history(runner, 'accepted_joints')[0]


def test_animal_da_labels_once_and_goes_on_after_a_stop(tmp_path, rhd_root):
    """The whole run, and one that is resumed from its first epoch, end with the same weights."""
    hook = dict(
        interval=1000, labeler={**LABELER, 'selector': dict(type='CurriculumQuantile', schedule=[(0, 0.4)])}
    )
    whole = tmp_path / 'whole' / 'run'
    runner = run(config(whole, rhd_root, 'animalda', hook))
    for name in ('heatmap', 'label', 'inner', 'outer', 'domain'):
        values = history(runner, f'loss_{name}')
        assert np.isfinite(values).all() and (values > 0).all(), name
    agreement = history(runner, 'loss_agreement')
    assert agreement[0] == 0 and (agreement[1:] > 0).all(), 'the branches begin alike'
    assert history(runner, 'loss_outer')[-1] > history(runner, 'loss_outer')[0], 'its weight has risen'
    bank = PseudoLabelBank(whole / 'pseudo_labels.bank', writable=False)
    assert bank.active == 0 and bank.count(1) == 0
    again = tmp_path / 'again' / 'run'
    again.mkdir(parents=True)
    for name in ('epoch_1.pth', 'pseudo_labels.bank'):
        shutil.copy(whole / name, again / name)
    (again / 'last_checkpoint').write_text(str(again / 'epoch_1.pth'))
    resumed = run(config(again, rhd_root, 'animalda', hook, resume=True, load_from=None))
    first, second = runner.model.state_dict(), resumed.model.state_dict()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
    assert int(runner.model.teacher.steps) == 6


def test_a_network_without_3d_has_no_probe(tmp_path, rhd_root):
    probe = dict(type='RHDDataset', data_root=str(rhd_root), split='evaluation')
    with pytest.raises(ConfigError, match='probe'):
        run(config(tmp_path / 'probe' / 'run', rhd_root, 'ccssl', dict(probe=probe)))
