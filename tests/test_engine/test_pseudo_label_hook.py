"""Labels in both refresh modes: killed and resumed, watched, measured, and without a trace of true labels."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mmdualhand.engine import PseudoLabelHook
from mmdualhand.errors import ConfigError
from mmdualhand.models import DualModalityEstimator
from mmdualhand.pseudo_labels import PseudoLabelBank
from mmdualhand.registry import MODELS
from mmdualhand.structures import JOINT_NAMES
from tests.fixtures import self_training_run
from tests.fixtures.runs import REPO, run_command

PROBE = dict(
    type='RHDDataset',
    split='evaluation',
    selection=dict(min_visible=0, min_crop_side=1.0),
    pipeline=[
        dict(type='LoadHandModalities', modalities=('rgb',)),
        dict(type='HandCrop', input_size=self_training_run.SIZE),
        dict(type='PackHandInputs'),
    ],
)
ESTIMATE = dict(type='AveragedLabels', correction=dict(template='estimate'))
MONITOR = {'accepted', 'accepted_joints', 'confidence', 'pose_std'}
SIZES = {'correction_px', 'correction_depth', 'drift_px', 'drift_depth'}


@pytest.fixture(scope='module', params=['iter', 'epoch'])
def undisturbed(request, tmp_path_factory, rhd_root):
    """A run of three epochs that also measures a probe, which must change nothing."""
    folder = tmp_path_factory.mktemp(f'labels_{request.param}') / 'run'
    hook = dict(probe=dict(PROBE, data_root=str(rhd_root)))
    return request.param, folder, self_training_run.train(folder, rhd_root, request.param, hook=hook)


def load(folder: Path, name: str = 'epoch_3.pth') -> dict:
    return torch.load(folder / name, weights_only=True)


def same(one, other) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, torch.Tensor):
        return torch.equal(one.nan_to_num(nan=-7.0), other.nan_to_num(nan=-7.0))
    return one == other


def scalars(folder: Path) -> list[dict]:
    return [
        json.loads(line) for file in sorted(folder.glob('*/vis_data/scalars.json')) for line in file.open()
    ]


def test_a_killed_run_goes_on_as_if_nothing_had_happened(undisturbed, tmp_path, rhd_root):
    refresh, before, _ = undisturbed
    folder = tmp_path / 'run'
    # sums in as many threads as here, where the undisturbed run was made
    env = dict(os.environ, OMP_NUM_THREADS=str(torch.get_num_threads()), PYTHONPATH=str(REPO))
    (tmp_path / 'stage1.pth').write_bytes((before.parent / 'stage1.pth').read_bytes())
    options = [str(folder), str(rhd_root), '--refresh', refresh, '--kill-in', '1']
    command = [sys.executable, '-m', 'tests.fixtures.self_training_run', *options]
    killed = subprocess.run(command, cwd=REPO, env=env, capture_output=True, text=True, timeout=600)
    assert killed.returncode == -9, killed.stderr[-2000:]
    assert not (folder / 'epoch_2.pth').exists()
    self_training_run.train(folder, rhd_root, refresh, resume=True)
    one, other = load(before), load(folder)
    for part in ('state_dict', 'optimizer', 'pseudo_labels'):
        assert same(one[part], other[part]), part
    state = one['pseudo_labels']
    if refresh == 'iter':
        assert float(state['labeler']['selector.filled']) == 10 and state['memory'].isfinite().any()
    else:
        banks = [PseudoLabelBank(place / 'pseudo_labels.bank', writable=False) for place in (before, folder)]
        assert [bank.active for bank in banks] == [2, 2]
        assert all(
            np.array_equal(*pair) for pair in zip(*(bank.read(range(12)) for bank in banks), strict=True)
        )


def test_what_is_logged(undisturbed):
    refresh, folder, _ = undisturbed
    lines = scalars(folder)
    steps = [line for line in lines if 'loss' in line]
    assert len(steps) == 9
    for line in steps:
        assert set(line) >= MONITOR | (SIZES if refresh == 'iter' else set())
        assert line['loss_label_rgb'] > 0 and 0 <= line['accepted'] <= 1
    means = [line for line in lines if 'labels/accepted' in line]
    assert [line['epoch'] for line in means] == [1, 2, 3]
    for number, line in enumerate(means):
        of_epoch = [step['accepted'] for step in steps[3 * number : 3 * number + 3]]
        assert line['labels/accepted'] == pytest.approx(np.mean(of_epoch), abs=1e-3)
    kind = 'labels' if refresh == 'iter' else 'refresh'
    drift = [line[f'{kind}/drift_px'] for line in lines if f'{kind}/drift_px' in line]
    assert drift[-1] > 0 and len(drift) == (3 if refresh == 'iter' else 2)
    if refresh == 'iter':
        assert drift[0] == 0  # every image is seen once in the first epoch


def test_probe(undisturbed):
    """The mean error is that of both groups by their share; branches are measured by themselves."""
    lines = [line for line in scalars(undisturbed[1]) if 'probe/label' in line]
    assert [line['epoch'] for line in lines] == [1, 2, 3]
    for line in lines:
        share = line['probe/accepted_share']
        both = share * line.get('probe/accepted', 0) + (1 - share) * line.get('probe/rejected', 0)
        assert line['probe/label'] == pytest.approx(both, rel=1e-4)
        assert {'probe/rgb', 'probe/fused', 'probe/depth', 'probe/confidence'} <= set(line)


def test_the_network_of_the_checkpoint_is_that_of_stage_one(undisturbed):
    network = MODELS.build(dict(type='DualModalityEstimator', **self_training_run.MODEL))
    assert isinstance(network, DualModalityEstimator)
    network.load_state_dict(load(undisturbed[1])['state_dict'], strict=True)


def test_a_checkpoint_of_stage_two_is_tested_on_a_benchmark(undisturbed, tmp_path, rhd_root):
    """The benchmark's config knows nothing of streams or labels, and says whose root depth it took."""
    refresh, folder, runner = undisturbed
    if refresh == 'epoch':
        pytest.skip('the same network')
    options = ['test_dataloader.num_workers=0', 'test_dataloader.dataset.selection.min_crop_side=1.0']
    for source in ('given', 'solve'):
        out = tmp_path / f'{source}.json'
        result = run_command(
            ['test', 'benchmarks/rhd', folder / 'epoch_3.pth', '--out', out, '--root-depth', source,
             '--work-dir', tmp_path / 'work', '--cfg-options', *options],
            tmp_path, data=rhd_root.parent,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr[-2000:]
    given, solved = (json.loads((tmp_path / f'{name}.json').read_text()) for name in ('given', 'solve'))
    for key in ('PCK@0.05', 'EPE_root'):
        assert key in given['metrics']
    assert given['metrics']['PCK@0.05'] == solved['metrics']['PCK@0.05']
    assert given['metrics']['EPE'] != solved['metrics']['EPE']
    for record, source in ((given, 'given'), (solved, 'solve')):
        lines = [line for line in record['protocol'] if 'root_depth' in line]
        assert len(lines) == 2 and all(f'(root_depth={source})' in line for line in lines)


@pytest.mark.parametrize('dropped', [True, False], ids=['dropped', 'kept'])
def test_no_target_label_can_leak(dropped, tmp_path, rhd_root):
    """Joints, mask and depth of the target replaced after root depth, length and crop were taken: equal bits.

    Once as configured, and once with labels that are left in the batch.
    """
    end = [dict(type='DropLabels')] if dropped else [dict(type='NormalizeDepth')]
    states = []
    for spoil in (False, True):
        folder = tmp_path / f'run{spoil}'
        target = [dict(type='SpoilLabels', spoil=spoil), *end]
        self_training_run.train(folder, rhd_root, epochs=1, target=target)
        states.append(load(folder, 'epoch_1.pth'))
    assert same(states[0]['state_dict'], states[1]['state_dict'])
    assert same(states[0]['pseudo_labels'], states[1]['pseudo_labels'])
    assert all(value.isfinite().all() for value in states[1]['state_dict'].values())


def test_a_running_mean_of_the_weights_makes_the_labels(tmp_path, rhd_root, capfd):
    """A checkpoint of stage 1 has no copy of the network, and 98 % of the rest must match."""
    settings = dict(label_view='clean', teacher_momentum=0.5)
    runner = self_training_run.train(tmp_path / 'run', rhd_root, epochs=1, self_training=settings)
    assert 'missing keys' not in ''.join(capfd.readouterr())  # nor a list of its 200 names
    student, teacher = runner.model.backbone.state_dict(), runner.model.teacher.parts['backbone'].state_dict()
    first = torch.load(tmp_path / 'stage1.pth', weights_only=True)['state_dict']
    name = 'rgb_encoder.conv1.weight'
    start, end, middle = first[f'backbone.{name}'], student[name], teacher[name]
    assert not torch.equal(start, middle) and (middle - start).norm() < (end - start).norm()
    resumed = self_training_run.train(
        tmp_path / 'run', rhd_root, epochs=1, self_training=settings, resume=True
    )
    assert torch.equal(resumed.model.teacher.parts['backbone'].state_dict()[name], middle)


def test_joints_by_themselves_through_the_bank(tmp_path, rhd_root):
    gate = dict(type='AveragedLabels', selector=dict(type='Quantile', keep=0.25, per_joint=True))
    self_training_run.train(tmp_path / 'run', rhd_root, 'epoch', epochs=1, hook=dict(labeler=gate))
    bank = PseudoLabelBank(tmp_path / 'run' / 'pseudo_labels.bank', writable=False)
    weight = bank.read(range(12)).weight
    assert weight.shape == (12, 21) and weight.mean() == 0.25
    (line,) = [line for line in scalars(tmp_path / 'run') if 'labels/accepted_joints' in line]
    assert line['labels/accepted_joints'] == pytest.approx(0.25)
    shares = {key.removeprefix('labels/keep/'): line[key] for key in line if '/keep/' in key}
    expected = dict(zip(JOINT_NAMES, weight.mean(0), strict=True))  # an epoch is every image once
    assert shares == pytest.approx(expected, abs=1e-6)


def test_labels_every_second_epoch(tmp_path, rhd_root):
    runner = self_training_run.train(tmp_path / 'run', rhd_root, 'epoch', hook=dict(interval=2))
    bank = PseudoLabelBank(tmp_path / 'run' / 'pseudo_labels.bank', writable=False)
    assert runner.epoch == 3 and bank.active == 1 and bank.count(0) == bank.count(1) == 12
    refreshes = [line['epoch'] for line in scalars(tmp_path / 'run') if 'refresh/accepted' in line]
    assert refreshes == [1, 3]


def test_collapse_is_a_warning_with_advice(tmp_path, rhd_root, monkeypatch):
    said = []
    monkeypatch.setattr(
        PseudoLabelHook, '_say', staticmethod(lambda text, level=logging.INFO: said.append((level, text)))
    )
    gate = dict(type='AveragedLabels', selector=dict(type='VarianceThreshold', epsilon=-1.0))
    self_training_run.train(tmp_path / 'run', rhd_root, epochs=1, hook=dict(labeler=gate), load_from=None)
    (last,) = [line for line in scalars(tmp_path / 'run') if line.get('step') == 3 and 'loss' in line]
    assert last['loss_label_rgb'] == 0 and last['accepted'] == 0
    warned = [text for level, text in said if level == logging.WARNING]
    assert any('set load_from' in text for text in warned)
    (collapse,) = [text for text in warned if 'no pseudo-label was accepted in epoch 1' in text]
    assert "selector=dict(type='Quantile', keep=0.6)" in collapse


@pytest.mark.parametrize(
    ('refresh', 'changes', 'message'),
    [
        ('iter', dict(hook=dict(interval=2)), "interval .*refresh='iter'"),
        ('iter', dict(hook=dict(stream='real')), "stream 'real' .*'source', 'target'"),
        ('epoch', dict(hook=dict(labeler=ESTIMATE)), "estimated on the way .*refresh='iter'"),
        ('epoch', dict(hook=dict(dataset=dict(PROBE, num_samples=5))), 'labels 5 images and .* 12'),
    ],
)  # fmt: skip
def test_settings_without_meaning_are_refused(refresh, changes, message, tmp_path, rhd_root):
    if 'dataset' in changes['hook']:
        changes['hook']['dataset']['data_root'] = str(rhd_root)
    with pytest.raises(ConfigError, match=message):
        self_training_run.train(tmp_path / 'run', rhd_root, refresh, epochs=1, **changes)


def test_a_bank_that_nobody_reads_and_a_model_that_takes_no_labels(tmp_path, rhd_root):
    settings = self_training_run.config(tmp_path / 'run', rhd_root, 'epoch', epochs=1)
    settings.train_dataloader.streams.target.dataset.pipeline.pop()
    from mmengine.runner import Runner

    with pytest.raises(ConfigError, match="type='LoadPseudoLabel'.*at the end"):
        Runner.from_cfg(settings).train()
    with pytest.raises(ConfigError, match='refresh of PseudoLabelHook'):
        PseudoLabelHook(refresh='step')
