"""SemiHand's labels in a bank, its circles fitted before training, and a run that is gone on with."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from mmdualhand.datasets import RHDDataset
from mmdualhand.engine import CircleRadiiHook
from mmdualhand.engine.labels import BankFiller
from mmdualhand.errors import ConfigError
from mmdualhand.pseudo_labels import PseudoLabelBank, SemiHandLabels, pose_to_image
from mmdualhand.registry import MODELS
from tests.fixtures import self_training_run

LABELER = dict(type='SemiHandLabels', selector=dict(type='Quantile', keep=0.5))
FIT = dict(type='CircleRadiiHook', samples=8, steps=4, batch_size=4, mask_size=16)
CONSISTENCY = [dict(type='ViewConsistencyLoss'), dict(type='SilhouetteCircleLoss')]


def network(consistency=CONSISTENCY):
    model = dict(
        self_training_run.MODEL,
        type='SelfTrainingEstimator',
        branches=('rgb',),
        self_training=dict(passes=1, distill_weight=0.0, label_branches=('rgb',)),
        data_preprocessor=dict(type='StreamDataPreprocessor', streams=dict(source=dict(), target=dict())),
    )
    if consistency:
        motion = dict(shift=5 / 64, quarter_turns=True, choose_one=True)
        model.update(consistency=consistency, perturbation=motion)
    return model


def train(folder, data, epochs, model=None, hooks=(FIT,), **more):
    settings = dict(model=model or network(), custom_hooks=[dict(hook) for hook in hooks])
    return self_training_run.train(
        folder, data, 'epoch', epochs=epochs, hook=dict(labeler=LABELER), **settings, **more
    )


@pytest.fixture(scope='module')
def run(tmp_path_factory, rhd_root):
    folder = tmp_path_factory.mktemp('semihand') / 'run'
    return folder, train(folder, rhd_root, 3)


def test_the_second_refresh_is_half_way_to_the_correction_of_the_first(tmp_path, rhd_root):
    """With a network that stays as it is: p^ = (p + P(p)) / 2."""
    torch.manual_seed(0)
    model = MODELS.build(network(consistency=[]))
    for part in (model.head.final, *(m for m in model.head.deconv if hasattr(m, 'stride'))):
        torch.nn.init.normal_(part.weight, std=0.05)
    pipeline = self_training_run.pipelines('iter', None)[1]
    pipeline[1] = {**pipeline[1], 'augment': None}
    selection = dict(min_visible=0, min_crop_side=1.0)
    dataset = RHDDataset(str(rhd_root), num_samples=5, selection=selection, pipeline=pipeline)
    bank = PseudoLabelBank.create(tmp_path / 'a.bank', 'rhd', 5)
    labeler = SemiHandLabels(model.codec, selector=dict(type='Quantile', keep=0.5))
    filler = BankFiller(model, labeler, dataset, bank, batch_size=2)
    filler.fill(0, 0.0)
    filler.fill(1, 0.5)
    first, second = (bank.read(range(5), refresh=number) for number in (0, 1))
    usable = torch.from_numpy(first.confidence).isfinite()
    assert usable.sum() >= 3
    for i in torch.nonzero(usable)[:, 0].tolist():
        sample = dataset[i]
        targets = {key: value[None] for key, value in sample['targets'].items()}
        data = model.data_preprocessor(
            {'inputs': {'img': sample['inputs']['img'][None]}, 'targets': {}}, training=False
        )
        pose = model.look(data['inputs']['rgb'])['rgb'].pose25d
        corrected, _ = labeler.correct(pose, targets)
        for rows, wanted in ((first, pose), (second, (pose + corrected) / 2)):
            image = pose_to_image(wanted, targets['crop_matrix'], model.codec.input_size)[0]
            assert rows.labels[i] == pytest.approx(image.numpy(), abs=1e-2)  # px, another batch
    assert int((second.weight > 0).sum()) == 3  # the better half of five, rounded up


def test_a_run_trains_with_fitted_circles_and_keeps_them(run):
    folder, runner = run
    state = torch.load(folder / 'epoch_3.pth', weights_only=True)['state_dict']
    assert bool(state['consistency.losses.1.fitted'])
    fitted = runner.model.consistency.losses[1]
    assert torch.equal(state['consistency.losses.1.radii.layers.0.weight'], fitted.radii.layers[0].weight)
    bank = PseudoLabelBank(folder / 'pseudo_labels.bank')
    assert bank.active == 2 and bank.count(2) == 12


def test_a_run_in_two_parts_is_the_same_run(run, tmp_path, rhd_root):
    before, _ = run
    folder = tmp_path / 'run'
    (tmp_path / 'stage1.pth').write_bytes((before.parent / 'stage1.pth').read_bytes())
    train(folder, rhd_root, 2)
    train(folder, rhd_root, 3, resume=True)
    one, other = (torch.load(f / 'epoch_3.pth', weights_only=True)['state_dict'] for f in (before, folder))
    assert one.keys() == other.keys()
    assert not [name for name, value in one.items() if not torch.equal(value, other[name])]


def test_the_hook_wants_a_loss_and_masks(run):
    with pytest.raises(ConfigError, match='SilhouetteCircleLoss'):
        CircleRadiiHook().before_train(SimpleNamespace(model=torch.nn.Linear(1, 1)))
    _, runner = run
    CircleRadiiHook(stream='nowhere').before_train(runner)  # fitted already: nothing is read
    loss = runner.model.consistency.losses[1]
    loss.fitted.fill_(False)
    with pytest.raises(ConfigError, match="'pose25d', 'mask'"):
        CircleRadiiHook(stream='target', samples=2).before_train(runner)
    loss.fitted.fill_(True)


def test_settings_without_meaning():
    with pytest.raises(ConfigError, match='CircleRadiiHook'):
        CircleRadiiHook(samples=0)
