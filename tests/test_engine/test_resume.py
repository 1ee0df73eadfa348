"""kill -9 in mid-epoch, then --resume: the run goes on as if nothing had happened."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from tests.fixtures.runs import TINY, run_command


def train(folder: Path, data: Path, *options: str | Path):
    return run_command(['train', TINY, '--work-dir', folder, *options], cwd=folder.parent, data=data)


@pytest.fixture(scope='module')
def undisturbed(tmp_path_factory, rhd_root):
    """Work dir of a run of three epochs."""
    folder = tmp_path_factory.mktemp('undisturbed') / 'run'
    result = train(folder, rhd_root.parent)
    assert result.returncode == 0, result.stderr[-2000:]
    return folder


@pytest.fixture(scope='module')
def resumed(tmp_path_factory, rhd_root):
    """Work dir of a run killed in its third epoch and resumed; the resumed run's output."""
    folder = tmp_path_factory.mktemp('killed') / 'run'
    config = folder.parent / 'killed.py'
    config.write_text(
        f"_base_ = ['{TINY}']\n"
        "custom_imports = dict(imports=['tests.fixtures.kill_hook'])\n"
        "custom_hooks = [dict(type='KillHook', epoch=2)]\n"
    )
    killed = run_command(['train', config, '--work-dir', folder], cwd=folder.parent, data=rhd_root.parent)
    assert killed.returncode == -9
    assert (folder / 'last_checkpoint').read_text().endswith('epoch_2.pth')
    assert not (folder / 'epoch_3.pth').exists()
    result = train(folder, rhd_root.parent, '--resume')
    assert result.returncode == 0, result.stderr[-2000:]
    return folder, result.stdout + result.stderr


def load(folder: Path, name: str = 'epoch_3.pth') -> dict:
    return torch.load(folder / name, weights_only=True)


def test_epoch_iteration_and_learning_rate(undisturbed, resumed):
    before, after = load(undisturbed), load(resumed[0])
    for key in ('epoch', 'iter', 'seed'):
        assert before['meta'][key] == after['meta'][key], key
    assert before['meta']['epoch'] == 3
    rates = [c['optimizer']['param_groups'][0]['lr'] for c in (before, after)]
    assert rates[0] == rates[1] == pytest.approx(2e-4)
    assert before['param_schedulers'] == after['param_schedulers']


def test_weights_and_optimizer_state_are_those_of_the_undisturbed_run(undisturbed, resumed):
    before, after = load(undisturbed), load(resumed[0])
    for key, value in before['state_dict'].items():
        assert torch.equal(value, after['state_dict'][key]), key
    states = [c['optimizer']['state'] for c in (before, after)]
    assert states[0].keys() == states[1].keys() and len(states[0]) > 50
    for index, state in states[0].items():
        for key, value in state.items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(states[1][index][key])), (index, key)


def test_the_log_says_where_it_goes_on(resumed):
    assert 'resumed epoch: 2' in resumed[1]
    assert 'Epoch(train) [3][1/' in resumed[1] and 'Epoch(train) [2][1/' not in resumed[1]


def test_checkpoints_describe_themselves(undisturbed):
    meta = load(undisturbed)['meta']
    assert meta['model']['backbone']['base_channels'] == 4
    dataset = meta['dataset_meta']
    assert dataset['root_joint'] == 9 and dataset['reference_bone'] == [9, 10] and dataset['units'] == 'mm'
    assert dataset['joint_names'][9] == 'middle_mcp' and dataset['wrist_convention'] == 'wrist'
    assert dataset['crop_rule'] == 'square 1.5 x extent of the 21 projected joints'


def test_old_checkpoints_are_pruned_and_nothing_is_half_written(undisturbed):
    names = sorted(path.name for path in undisturbed.glob('*') if path.is_file())
    assert 'epoch_1.pth' not in names and {'epoch_2.pth', 'epoch_3.pth'} <= set(names)
    assert not [name for name in names if 'partial' in name]
    assert len([name for name in names if name.startswith('best_EPE_')]) == 1


def test_foreign_pickle_in_the_own_work_dir_is_refused(tmp_path, rhd_root):
    folder = tmp_path / 'run'
    folder.mkdir()
    (folder / 'epoch_1.pth').write_bytes(pickle.dumps(dict(state_dict={}, meta=print)))
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
    result = train(folder, rhd_root.parent, '--resume')
    assert result.returncode == 2
    assert 'epoch_1.pth was not loaded' in result.stderr and 'Traceback' not in result.stderr
