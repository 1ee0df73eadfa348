"""Several optimisers in one run, and the learning rate of RegDA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor, nn

from mmdualhand import compat
from mmdualhand.engine import HandDataParallel, InverseDecayLR, PartsOptimWrapperConstructor
from mmdualhand.errors import ConfigError
from mmdualhand.registry import MODELS

PARTS = dict(body=dict(modules=('body', 'tail.first'), lr_mult=0.1), tail=dict(modules=('tail',)))
OPTIM = dict(constructor='PartsOptimWrapperConstructor', optimizer=dict(type='SGD', lr=0.1), parts=PARTS)


@MODELS.register_module()
class TwoPartModel(BaseModel):
    """Two parts, of which the second is stepped alone."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(2, 2)
        self.tail = nn.ModuleDict(dict(first=nn.Linear(2, 2), second=nn.Linear(2, 1)))

    def forward(self, x: Tensor, mode: str = 'loss') -> dict[str, Tensor]:
        return dict(loss=self.tail['second'](self.tail['first'](self.body(x))).square().mean())

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, Tensor]:
        optim_wrapper.zero_grad()
        loss = self(torch.stack(list(data)))['loss']
        optim_wrapper['tail'].backward(loss)
        optim_wrapper['tail'].step()
        return dict(loss=loss.detach())


def config(**changes: Any) -> dict[str, Any]:
    return {**{key: value for key, value in OPTIM.items() if key != 'constructor'}, **changes}


def test_a_parameter_belongs_to_the_longest_name():
    model = TwoPartModel()
    wrappers = PartsOptimWrapperConstructor(config())(model)
    assert isinstance(wrappers, OptimWrapperDict) and list(wrappers.keys()) == ['body', 'tail']
    body, tail = (wrappers[name].param_groups[0] for name in ('body', 'tail'))
    assert [id(p) for p in body['params']] == [
        id(p) for p in (*model.body.parameters(), *model.tail['first'].parameters())
    ]
    assert [id(p) for p in tail['params']] == [id(p) for p in model.tail['second'].parameters()]
    assert (body['lr'], tail['lr']) == (pytest.approx(0.01), 0.1)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(parts={}), 'parts'),
        (dict(optimizer=dict(type='SGD')), 'lr'),
        (dict(parts=dict(body=dict(modules='body'))), 'parts.body'),
        (dict(parts=dict(body=dict(modules=('body',), lr=1.0))), 'parts.body'),
        (dict(type='AmpOptimWrapper'), 'BF16OptimWrapper'),
        (dict(accumulative_counts=2), 'accumulate'),
    ],
)
def test_settings_without_meaning(changes, message):
    with pytest.raises(ConfigError, match=message):
        PartsOptimWrapperConstructor(config(**changes))


def test_every_parameter_has_a_part_and_every_part_parameters():
    with pytest.raises(ConfigError, match=r'tail\.first'):
        PartsOptimWrapperConstructor(config(parts=dict(body=dict(modules=('body', 'tail.second')))))(
            TwoPartModel()
        )
    nobody = dict(PARTS, nobody=dict(modules=('bod',)))
    with pytest.raises(ConfigError, match='nobody'):
        PartsOptimWrapperConstructor(config(parts=nobody))(TwoPartModel())
    with pytest.raises(ConfigError, match='paramwise_cfg'):
        PartsOptimWrapperConstructor(config(), dict(bias_lr_mult=2.0))


@pytest.mark.parametrize(('steps', 'expected'), [(0, 0.01), (500, 0.009641), (15000, 0.005030)])
def test_inverse_decay_of_regda(steps, expected):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.01)
    scheduler = InverseDecayLR(optimizer, gamma=1e-4, power=0.75, by_epoch=False)
    for _ in range(steps):
        scheduler.step()
    assert optimizer.param_groups[0]['lr'] == pytest.approx(expected, abs=1e-6)


def test_inverse_decay_of_a_shorter_run_ends_where_the_long_one_does():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.01)
    scheduler = InverseDecayLR(optimizer, total=15000, end=301, by_epoch=False)
    for _ in range(300):
        scheduler.step()
    assert optimizer.param_groups[0]['lr'] == pytest.approx(0.01 * 2.5**-0.75, rel=2e-3)


def test_inverse_decay_refuses_growth():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.01)
    with pytest.raises(ConfigError, match='gamma'):
        InverseDecayLR(optimizer, gamma=-1e-4)


def test_a_run_with_two_optimisers_is_saved_and_resumed(tmp_path: Path):
    compat.apply_patches()

    def runner(epochs: int, **changes: Any) -> Runner:
        return Runner(
            model=dict(type='TwoPartModel'),
            work_dir=str(tmp_path),
            default_scope='mmdualhand',
            experiment_name=f'two_parts_{epochs}',
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=[torch.ones(2), torch.zeros(2), -torch.ones(2), torch.ones(2)],
            ),
            train_cfg=dict(by_epoch=True, max_epochs=epochs),
            optim_wrapper=dict(OPTIM, type='BF16OptimWrapper'),
            param_scheduler=[dict(type='InverseDecayLR', gamma=1.0, power=1.0, by_epoch=False, end=9)],
            default_hooks=dict(checkpoint=dict(type='SafeCheckpointHook', interval=1)),
            randomness=dict(seed=0),
            log_level='WARNING',
            **changes,
        )

    def rates(run: Runner) -> dict[str, list[float]]:
        return {name: value for name, value in run.optim_wrapper.get_lr().items()}

    first = runner(1)
    body = first.model.body.weight.detach().clone()
    first.train()
    assert torch.equal(first.model.body.weight, body)
    assert rates(first) == {'body.lr': [pytest.approx(0.01 / 3)], 'tail.lr': [pytest.approx(0.1 / 3)]}
    second = runner(2, resume=True)
    second.train()
    assert second.iter == 4
    assert rates(second) == {'body.lr': [pytest.approx(0.01 / 5)], 'tail.lr': [pytest.approx(0.1 / 5)]}


def test_in_several_processes_the_network_takes_the_steps_itself():
    store = dist.HashStore()
    dist.init_process_group('gloo', store=store, rank=0, world_size=1)
    try:
        torch.manual_seed(0)
        model = TwoPartModel()
        wrapped = HandDataParallel(model)
        wrappers = PartsOptimWrapperConstructor(config())(wrapped)
        before = {name: p.detach().clone() for name, p in model.named_parameters()}
        wrapped.train_step(torch.ones(3, 2), wrappers)
        changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
        assert changed == {'tail.second.weight', 'tail.second.bias'}
    finally:
        dist.destroy_process_group()
