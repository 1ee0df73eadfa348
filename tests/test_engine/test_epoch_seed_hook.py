"""The numbers that the device draws follow from seed and epoch, however the workers started."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from mmdualhand.engine import EpochSeedHook


def first_draw(epoch: int, loader: DataLoader, hook: EpochSeedHook, seed: int = 3) -> torch.Tensor:
    """What a texture would draw in the first iteration of an epoch."""
    runner = SimpleNamespace(seed=seed, epoch=epoch, train_dataloader=loader)
    hook.before_train_epoch(runner)
    for number, batch in enumerate(loader):
        hook.before_train_iter(runner, number, batch)
        if number == 0:
            drawn = torch.rand(4)
    return drawn


@pytest.mark.parametrize('persistent', [True, False])
def test_second_epoch_is_the_same_with_new_and_with_running_workers(persistent):
    data, hook = TensorDataset(torch.arange(4)), EpochSeedHook()
    undisturbed = DataLoader(data, 2, num_workers=1, persistent_workers=persistent)
    first_draw(0, undisturbed, hook)
    second = first_draw(1, undisturbed, hook)
    resumed = DataLoader(data, 2, num_workers=1, persistent_workers=persistent)
    assert torch.equal(second, first_draw(1, resumed, hook))


def test_epochs_and_seeds_differ():
    data, hook = DataLoader(TensorDataset(torch.arange(4)), 2), EpochSeedHook()
    drawn = [first_draw(epoch, data, hook, seed) for epoch, seed in ((0, 3), (1, 3), (0, 4))]
    assert not torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


def test_iterations_within_an_epoch_are_left_alone():
    hook, runner = EpochSeedHook(), SimpleNamespace(seed=0, epoch=0, train_dataloader=None)
    hook.before_train_iter(runner, 0)
    one = torch.rand(1)
    hook.before_train_iter(runner, 1)
    assert not torch.equal(one, torch.rand(1))
