"""Pre-train a little, test every branch, test on real photos where they are: the whole path."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.fixtures.runs import REPO, TINY, run_command

GE_REAL = REPO.parent / 'shared' / 'data' / 'ge_real'


@pytest.fixture(scope='module')
def trained(tmp_path_factory, rhd_root):
    """Work dir of one epoch in bfloat16, without validation."""
    folder = tmp_path_factory.mktemp('train') / 'run'
    options = ['--amp', '--no-validate', '--cfg-options', 'train_cfg.max_epochs=1']
    arguments = ['train', TINY, '--work-dir', folder, *options]
    result = run_command(arguments, folder.parent, data=rhd_root.parent)
    assert result.returncode == 0, result.stderr[-2000:]
    return folder


def test_losses_are_logged_and_finite(trained):
    (log,) = trained.glob('*/vis_data/scalars.json')
    steps = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(steps) >= 3
    for branch in ('rgb', 'depth', 'fused'):
        assert np.isfinite([step[f'loss_pose_{branch}'] for step in steps]).all()
    assert np.isfinite([step['loss_contrast'] for step in steps]).all()


def test_every_branch_is_measured_and_predictions_are_data_samples(trained, rhd_root, tmp_path):
    arguments = [
        'test', 'benchmarks/rhd', trained / 'epoch_1.pth', '--work-dir', tmp_path / 'test',
        '--branches', 'rgb', 'depth', 'fused', '--out', tmp_path / 'metrics.json',
        '--dump', tmp_path / 'predictions.pkl', '--show-dir', 'pictures',
        '--cfg-options', 'test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False',
    ]  # fmt: skip
    result = run_command(arguments, tmp_path, data=rhd_root.parent)
    assert result.returncode == 0, result.stderr[-2000:]
    record = json.loads((tmp_path / 'metrics.json').read_text())
    assert record['dataset']['embedded'] is True
    metrics = record['metrics']
    for key in ('EPE', 'EPE_root', 'EPE_PA', 'AUC', 'PCK@0.05'):
        for prefix in ('', 'depth/', 'fused/'):
            assert np.isfinite(metrics[f'{prefix}{key}']), prefix + key
    assert metrics['EPE_PA'] <= metrics['EPE_root']
    predictions = pickle.loads((tmp_path / 'predictions.pkl').read_bytes())
    sample = predictions[0]
    assert sample['pred_instances']['keypoints_3d'].shape == (1, 21, 3)
    errors = []
    for item in predictions:
        difference = item['pred_instances']['keypoints_3d'] - item['gt_instances']['keypoints_3d']
        errors.append(np.linalg.norm(difference, axis=-1).mean())
    assert np.mean(errors) == pytest.approx(metrics['EPE'], rel=1e-4)
    pictures = sorted((tmp_path / 'test' / 'pictures').rglob('*.png'))
    assert len(pictures) == len(predictions)
    assert cv2.imread(str(pictures[0])).std() > 10


def test_real_photos(trained, tmp_path):
    if not GE_REAL.is_dir():
        pytest.skip(f'the real photos are not here: {GE_REAL}')
    arguments = [
        'test', 'benchmarks/ge_real', trained / 'epoch_1.pth', '--work-dir', tmp_path / 'test',
        '--out', tmp_path / 'metrics.json', '--cfg-options', 'test_dataloader.num_workers=0',
    ]  # fmt: skip
    result = run_command(arguments, tmp_path, data=GE_REAL.parent)
    assert result.returncode == 0, result.stderr[-2000:]
    record = json.loads((tmp_path / 'metrics.json').read_text())
    assert record['dataset']['embedded'] is False
    assert 20 < record['metrics']['EPE_root'] < 200
    assert '150 of 150 samples' in result.stdout + result.stderr
    again = run_command([*arguments, '--branches', 'rgb', 'fused'], tmp_path, data=GE_REAL.parent)
    assert again.returncode == 2 and 'Traceback' not in again.stderr


def test_a_checkpoint_of_another_network_is_refused(trained, tmp_path, rhd_root):
    other = [trained / 'epoch_1.pth', '--cfg-options', 'model.backbone.depth=34']
    result = run_command(['test', 'benchmarks/rhd', *other], tmp_path, data=rhd_root.parent)
    assert result.returncode == 2
    assert 'belongs to another network' in result.stderr and 'Traceback' not in result.stderr


def test_a_foreign_pickle_is_refused_as_checkpoint(tmp_path):
    path = Path(tmp_path) / 'a.pth'
    path.write_bytes(pickle.dumps(print))
    result = run_command(['test', 'benchmarks/rhd', path], tmp_path)
    assert result.returncode == 2 and '--trust-checkpoint' in result.stderr


def test_unlabelled_photos_are_predicted_and_dumped(trained, tmp_path):
    if not GE_REAL.is_dir():
        pytest.skip(f'the real photos are not here: {GE_REAL}')
    arguments = [
        'test', 'benchmarks/ge_real', trained / 'epoch_1.pth', '--work-dir', tmp_path / 'test',
        '--dump', tmp_path / 'out.pkl', '--out', tmp_path / 'metrics.json',
        '--cfg-options', 'test_dataloader.num_workers=0', 'test_dataloader.dataset.split=all',
    ]  # fmt: skip
    result = run_command(arguments, tmp_path, data=GE_REAL.parent)
    assert result.returncode == 0, result.stderr[-2000:]
    predictions = pickle.loads((tmp_path / 'out.pkl').read_bytes())
    labelled = ['keypoints_3d' in item['pred_instances'] for item in predictions]
    assert len(predictions) == 450 and sum(labelled) == 150
    record = json.loads((tmp_path / 'metrics.json').read_text())
    assert any('150 of 450 samples' in line for line in record['protocol'])


def test_depth_branches_can_be_named_alone(trained, tmp_path, rhd_root):
    arguments = [
        'test', 'benchmarks/rhd', trained / 'epoch_1.pth', '--branches', 'depth',
        '--out', tmp_path / 'm.json',
        '--cfg-options', 'test_dataloader.num_workers=0',
    ]  # fmt: skip
    result = run_command(arguments, tmp_path, data=rhd_root.parent)
    assert result.returncode == 0, result.stderr[-2000:]
    metrics = json.loads((tmp_path / 'm.json').read_text())['metrics']
    assert 'depth/EPE' in metrics and 'EPE' in metrics and 'fused/EPE' not in metrics


def test_modules_of_a_checkpoint_are_named_not_imported(trained, tmp_path, rhd_root):
    import torch

    checkpoint = torch.load(trained / 'epoch_1.pth', weights_only=True)
    checkpoint['meta']['model']['backbone']['type'] = 'SeparableNet'
    checkpoint['meta']['custom_imports'] = ['my_nets']
    torch.save(checkpoint, tmp_path / 'a.pth')
    result = run_command(['test', 'benchmarks/rhd', tmp_path / 'a.pth'], tmp_path, data=rhd_root.parent)
    assert result.returncode == 2
    assert "custom_imports.imports=\"['my_nets']\"" in result.stderr
