"""Runs over two streams: killed and resumed, on two processes, and by the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.config import Config
from mmengine.dataset import DefaultSampler
from mmengine.runner import Runner
from torch.utils.data import BatchSampler, DataLoader

from mmdualhand.cli.common import check_data
from mmdualhand.engine import StreamLoader, StreamTrainLoop
from mmdualhand.errors import ConfigError, MissingFileError
from tests.fixtures import stream_run
from tests.fixtures.runs import REPO, TINY, run_command


@pytest.fixture(scope='module')
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp('streams_undisturbed') / 'run'
    return folder, stream_run.train(folder)


def test_steps_epochs_and_rows(undisturbed):
    folder, runner = undisturbed
    assert isinstance(runner.train_loop, StreamTrainLoop) and runner.iter == runner.max_iters == 12
    rows = stream_run.rows(folder)
    assert [line[:2] for line in rows] == [[epoch, step] for epoch in range(3) for step in range(4)]
    for number in range(3):
        seen = [row for epoch, _, step in rows if epoch == number for row, _ in step['target']]
        assert sorted(seen) == list(range(8))
    source = [[row for row, _ in step['source']] for *_, step in rows]
    for number in range(4):
        assert len({row for batch in source[3 * number : 3 * number + 3] for row in batch}) == 9


def test_checkpoints_name_the_streams(undisturbed):
    meta = torch.load(undisturbed[0] / 'epoch_3.pth', weights_only=True)['meta']['dataset_meta']
    assert meta['dataset_name'] == 'target' and meta['streams']['source'] == dict(dataset_name='source')


def test_a_killed_run_goes_on_as_if_nothing_had_happened(undisturbed, tmp_path):
    folder = tmp_path / 'run'
    folder.mkdir()
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(REPO))
    command = [sys.executable, '-m', 'tests.fixtures.stream_run', str(folder), '--kill-in', '1']
    killed = subprocess.run(command, cwd=REPO, env=env, capture_output=True, text=True, timeout=300)
    assert killed.returncode == -9, killed.stderr[-2000:]
    before = stream_run.rows(folder)
    assert [line[:2] for line in before] == [[0, 0], [0, 1], [0, 2], [0, 3], [1, 0], [1, 1]]
    (folder / 'rows.jsonl').unlink()
    runner = stream_run.train(folder, resume=True)
    assert stream_run.rows(undisturbed[0]) == before[:4] + stream_run.rows(folder)
    assert torch.equal(runner.model.weight, undisturbed[1].model.weight)
    last = [torch.load(place / 'epoch_3.pth', weights_only=True) for place in (folder, undisturbed[0])]
    assert last[0]['optimizer'] == last[1]['optimizer']
    assert last[0]['param_schedulers'] == last[1]['param_schedulers']


def test_an_ordinary_dataloader_is_refused(tmp_path):
    settings = stream_run.config(tmp_path / 'run')
    settings['train_dataloader'] = dict(batch_size=2, dataset=dict(type='NumberDataset'))
    runner = Runner(**settings)
    with pytest.raises(ConfigError, match=r'StreamTrainLoop needs train_dataloader=dict\(driver='):
        runner.train()


def numbers(count: int, batch: int, **options) -> DataLoader:
    dataset = stream_run.NumberDataset(size=count)
    return DataLoader(dataset, batch, sampler=DefaultSampler(dataset, seed=4, **options))


def deal(rank: int, folder: str) -> None:
    """Two epochs in one of two processes, and what only processes can get wrong."""
    dist.init_process_group('gloo', init_method=f'file://{folder}/init', rank=rank, world_size=2)
    loader = StreamLoader({'source': numbers(12, 2), 'target': numbers(8, 2)}, driver='target')
    steps = []
    for epoch in range(3):
        loader.set_epoch(epoch, seed=1)
        steps += [{name: batch[:, 0].tolist() for name, batch in step.items()} for step in loader]
    errors = []
    for name, wrong in (
        ('uneven', numbers(7, 1, round_up=False)),
        ('same', DataLoader(stream_run.NumberDataset(size=4), 1)),
    ):
        try:
            StreamLoader({'source': wrong, 'target': numbers(8, 2)}, driver='target')
        except ConfigError as error:
            errors.append(f'{name}: {error}')
    dealt = BatchSampler(range(2 * rank, 2 * rank + 2), 1, False)
    dealt.set_epoch = lambda epoch: None
    StreamLoader({'target': DataLoader(stream_run.NumberDataset(size=2), batch_sampler=dealt)}, 'target')
    torch.save(dict(steps=steps, errors=errors), Path(folder) / f'{rank}.pt')
    dist.destroy_process_group()


def test_two_processes_share_the_rows(tmp_path):
    mp.start_processes(deal, args=(str(tmp_path),), nprocs=2, start_method='fork')
    first, second = (torch.load(tmp_path / f'{rank}.pt') for rank in range(2))
    assert len(first['steps']) == len(second['steps']) == 6
    for name, per_pass in (('source', 3), ('target', 2)):
        for number in range(6 // per_pass):
            steps = slice(number * per_pass, (number + 1) * per_pass)
            halves = [{r for step in part['steps'][steps] for r in step[name]} for part in (first, second)]
            assert not halves[0] & halves[1]
            assert sorted(halves[0] | halves[1]) == list(range(4 * per_pass))
    for errors in (first['errors'], second['errors']):
        assert 'streams.source gives the processes different numbers of batches, [4, 3]' in errors[0]
        assert 'SequentialSampler gives all 4 rows to each of the 2 processes' in errors[1]


CONFIG = f"""
_base_ = ['{TINY}']
custom_imports = dict(imports=['tests.fixtures.stream_hands'])
model = dict(_delete_=True, type='StreamHandModel')
hands = {{{{_base_.train_dataloader.dataset}}}}
train_dataloader = dict(
    _delete_=True, batch_size=4, num_workers=1, persistent_workers=True, drop_last=True,
    collate_fn=dict(type='mmdualhand.collate_hand_batch'), driver='target',
    streams=dict(source=dict(dataset=hands), target=dict(num_workers=0, dataset=hands)))
val_dataloader = val_cfg = val_evaluator = None
train_cfg = dict(_delete_=True, type='StreamTrainLoop', max_epochs=2)
default_hooks = dict(checkpoint=dict(save_best=None))
"""


def test_the_train_command_takes_streams(tmp_path, rhd_root):
    config = tmp_path / 'streams.py'
    config.write_text(CONFIG)
    result = run_command(['train', config, '--work-dir', tmp_path / 'run'], tmp_path, data=rhd_root.parent)
    assert result.returncode == 0, result.stderr[-3000:]
    assert (tmp_path / 'run' / 'epoch_2.pth').is_file()


def test_the_train_command_checks_every_stream(rhd_root):
    hands = dict(type='RHDDataset', data_root=str(rhd_root), split='evaluation')
    streams = dict(source=dict(batch_size=400, dataset=hands), target=dict(dataset=hands))
    cfg = Config(dict(train_dataloader=dict(driver='target', batch_size=2, drop_last=True, streams=streams)))
    with pytest.raises(ConfigError, match=r'train_dataloader\.streams\.source has \d+ samples, fewer than'):
        check_data(cfg, 'train_dataloader', 'val_dataloader')
    cfg.train_dataloader.streams.source.batch_size = 2
    cfg.train_dataloader.streams.target.dataset.data_root = str(rhd_root / 'nowhere')
    with pytest.raises(MissingFileError, match='nowhere'):
        check_data(cfg, 'train_dataloader')
