"""Epochs of a given number of steps: what comes when, on one loader and on streams, and after a stop."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmdualhand import compat
from mmdualhand.engine import FixedEpochLoader, StreamLoader
from mmdualhand.errors import ConfigError
from mmdualhand.registry import MODELS
from tests.fixtures import stream_run
from tests.fixtures.stream_run import NumberDataset


def shuffled(count: int, batch: int, **options: Any) -> DataLoader:
    dataset = NumberDataset(size=count)
    return DataLoader(dataset, batch, sampler=DefaultSampler(dataset, seed=3), **options)


def epoch(loader: Any, number: int, seed: int = 0) -> list[Any]:
    loader.set_epoch(number, seed)
    steps = list(loader)
    return [s.tolist() if torch.is_tensor(s) else {k: v.tolist() for k, v in s.items()} for s in steps]


@pytest.mark.parametrize('length', [1, 2, 4, 7])
def test_an_epoch_is_the_next_part_of_a_row_of_passes(length: int) -> None:
    """Three batches of three a pass, one row left out, as a loader that goes round gives them."""
    loader = FixedEpochLoader(shuffled(10, 3, drop_last=True), length)
    assert len(loader) == length and loader.batch_size == 3 and len(loader.dataset) == 10
    whole = FixedEpochLoader(shuffled(10, 3, drop_last=True), 3)
    passes = [batch for number in range(5) for batch in epoch(whole, number)]
    row = [batch for number in range(2) for batch in epoch(loader, number)]
    assert row == passes[: 2 * length]
    for number in range(len(row) // 3):
        seen = [index for batch in row[3 * number : 3 * number + 3] for index, _ in batch]
        assert len(set(seen)) == 9
    assert passes[:3] != passes[3:6]  # another order and other random numbers


@pytest.mark.parametrize('workers', [0, 1])
def test_any_epoch_can_be_asked_for_first(workers: int) -> None:
    options = dict(num_workers=workers, persistent_workers=workers > 0)
    through = FixedEpochLoader(shuffled(8, 2), 3)
    expected = [epoch(through, number, seed=5) for number in range(4)]
    later = FixedEpochLoader(shuffled(8, 2, **options), 3)
    for number in (2, 3, 1):
        assert epoch(later, number, seed=5) == expected[number]
    assert epoch(later, 2, seed=6) != expected[2]


def test_streams_go_round_below_a_given_length() -> None:
    """The same row of steps, whether an epoch is a pass of the driver or not; also beyond its end."""

    def streams(length: int | None) -> StreamLoader:
        loaders = {'source': shuffled(10, 3, drop_last=True), 'target': shuffled(4, 2)}
        return StreamLoader(loaders, 'target', epoch_length=length)

    passes, longer, shorter = streams(None), streams(3), streams(1)
    assert (len(passes), len(longer), len(shorter)) == (2, 3, 1)
    row = [step for number in range(3) for step in epoch(passes, number)]
    assert [step for number in range(2) for step in epoch(longer, number)] == row
    assert [step for number in range(6) for step in epoch(shorter, number)] == row


@pytest.mark.parametrize(('drop', 'steps'), [(True, 3), (False, 4)])
def test_a_share_of_a_dataset_has_the_steps_of_all_of_it(drop: bool, steps: int) -> None:
    """11 samples in batches of 3, of which a share has 4; it is gone through more than once."""
    share = shuffled(4, 3, drop_last=drop)
    share.dataset.whole_length = 11
    assert len(FixedEpochLoader(share, 'whole')) == steps
    streams = StreamLoader({'source': shuffled(9, 3), 'target': share}, 'target', epoch_length='whole')
    assert len(streams) == steps
    seen = [index for step in epoch(streams, 0) for index, _ in step['target']]
    assert set(seen) <= {0, 1, 2, 3} and len(epoch(streams, 0)) == steps


def test_the_length_of_a_whole_dataset_that_is_not_known() -> None:
    with pytest.raises(
        ConfigError, match=r'there is no whole_length \(NumberDataset\): give a number of steps'
    ):
        FixedEpochLoader(shuffled(4, 2), 'whole')
    small = shuffled(4, 3, drop_last=True)
    small.dataset.whole_length = 2
    with pytest.raises(ConfigError, match='2 samples do not fill a batch of 3'):
        FixedEpochLoader(small, 'whole')


@pytest.mark.parametrize('length', [0, -1, 2.0, True, '500'])
def test_lengths_without_meaning(length: Any) -> None:
    with pytest.raises(ConfigError, match=r'train_cfg\.epoch_length must be a number of steps'):
        FixedEpochLoader(shuffled(4, 2), length)
    with pytest.raises(ConfigError, match=r'train_cfg\.epoch_length must be a number of steps'):
        StreamLoader({'target': shuffled(4, 2)}, 'target', epoch_length=length)


def test_loaders_that_cannot_go_round() -> None:
    for loader, message in (
        (shuffled(2, 4, drop_last=True), 'train_dataloader gives no batch'),
        (DataLoader(range(4), 2, shuffle=True), 'the order of RandomSampler cannot be repeated'),
        (DataLoader(range(4), 2, sampler=InfiniteSampler(range(4), seed=0)), 'InfiniteSampler has no passes'),
    ):
        with pytest.raises(ConfigError, match=message):
            FixedEpochLoader(loader, 3)


class Rows(torch.nn.Module):
    """Hands the rows of a step on, and writes them down."""

    seen: list[Any] = []

    def forward(self, data: torch.Tensor, training: bool = False) -> dict[str, torch.Tensor]:
        self.seen.append(data.tolist())
        return dict(rows=data)


@MODELS.register_module()
class OneStreamModel(BaseModel):
    """A weight that the rows pull at, with noise from torch's generator."""

    def __init__(self) -> None:
        super().__init__(data_preprocessor=Rows())
        self.weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, rows: torch.Tensor, mode: str = 'loss') -> dict[str, torch.Tensor]:
        drawn = rows[:, 1:] + torch.rand(1, dtype=torch.float64)
        return dict(loss_pull=(self.weight - drawn).square().mean())


def settings(folder: Path, **changes: Any) -> Config:
    """Epochs of three steps over two batches a pass."""
    base = stream_run.config(folder, epochs=3)
    base.update(
        model=dict(type='OneStreamModel'),
        train_dataloader=dict(
            batch_size=4,
            num_workers=1,
            persistent_workers=True,
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type='default_collate'),
            dataset=dict(type='NumberDataset', size=8),
        ),
        train_cfg=dict(type='FixedEpochTrainLoop', max_epochs=3, epoch_length=3),
        param_scheduler=dict(type='MultiStepLR', milestones=[2], gamma=0.1, by_epoch=True),
        custom_hooks=[],
        experiment_name=f'fixed_epochs_{folder.parent.name}_{folder.name}_{len(changes)}',
    )
    base.update(changes)
    return Config(base)


def train(folder: Path, **changes: Any) -> tuple[Runner, list[Any]]:
    compat.apply_patches()
    Rows.seen = []
    runner = Runner.from_cfg(settings(folder, **changes))
    runner.train()
    return runner, Rows.seen


def test_a_resumed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """Steps, schedule, rows and weights of three epochs of three steps, in one go and after a stop."""
    whole, rows = train(tmp_path / 'whole')
    assert (whole.iter, whole.max_iters, len(rows)) == (9, 9, 9)
    for number in range(4):
        assert sorted(index for batch in rows[2 * number : 2 * number + 2] for index, _ in batch) == [
            *range(8)
        ]
    # what was there when the first epoch was over
    (tmp_path / 'parts').mkdir()
    begun = shutil.copy(tmp_path / 'whole' / 'epoch_1.pth', tmp_path / 'parts')
    (tmp_path / 'parts' / 'last_checkpoint').write_text(str(begun))
    second, after = train(tmp_path / 'parts', resume=True)
    assert second.iter == 9 and after == rows[3:]
    assert torch.equal(second.model.weight, whole.model.weight)
    rate = whole.optim_wrapper.get_lr()['lr'][0]
    assert rate == second.optim_wrapper.get_lr()['lr'][0] == pytest.approx(0.01)


def test_streams_are_sent_to_their_own_loop(tmp_path: Path) -> None:
    loader = dict(batch_size=2, driver='a', streams=dict(a=dict(dataset=dict(type='NumberDataset'))))
    with pytest.raises(ConfigError, match=r"needs train_cfg=dict\(type='StreamTrainLoop', epoch_length="):
        train(tmp_path / 'run', train_dataloader=loader)


def test_the_loop_of_streams_takes_a_length(tmp_path: Path) -> None:
    folder = tmp_path / 'run'
    base = stream_run.config(folder, epochs=2)
    base['train_cfg'] = dict(type='StreamTrainLoop', max_epochs=2, epoch_length=3)
    base['experiment_name'] = f'fixed_streams_{tmp_path.name}'
    compat.apply_patches()
    runner = Runner.from_cfg(Config(base))
    runner.train()
    assert runner.iter == runner.max_iters == 6
    assert [line[:2] for line in stream_run.rows(folder)] == [
        [e, step] for e in range(2) for step in range(3)
    ]
