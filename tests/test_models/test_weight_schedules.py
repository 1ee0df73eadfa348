"""Weights over training, and the layer that scales gradients by them."""

from __future__ import annotations

import pytest
import torch
from mmengine.logging import MessageHub

from mmdualhand.errors import ConfigError
from mmdualhand.models import GradientScale, Progress, WeightSchedule
from mmdualhand.models.gradient_scale import scale_gradient


def over_epochs(schedule: WeightSchedule, epochs: list[int], total: int = 80) -> list[float]:
    return [schedule(Progress(epoch=epoch, max_epochs=total)) for epoch in epochs]


def over_steps(schedule: WeightSchedule, steps: list[int], total: int = 15000) -> list[float]:
    return [schedule(Progress(iter=step, max_iters=total)) for step in steps]


def test_cosine_rampdown_of_animal_da():
    schedule = WeightSchedule('cosine_rampdown', unit='epoch', high=15, low=8, length=15)
    expected = [15, 14.8361, 13.5676, 11.25, 8.284, 8, 8]
    assert over_epochs(schedule, [0, 1, 3, 5, 7, 8, 40]) == pytest.approx(expected, abs=1e-3)


def test_sigmoid_rampup_of_animal_da():
    schedule = WeightSchedule('sigmoid_rampup', unit='epoch', high=90, length=10)
    expected = [0.6064, 1.568, 7.7664, 25.7854, 57.3865, 85.6106, 90, 90]
    assert over_epochs(schedule, [0, 1, 3, 5, 7, 9, 10, 60]) == pytest.approx(expected, abs=1e-3)


def test_linear_ramps_of_animal_da_and_cc_ssl():
    count = WeightSchedule('linear', unit='epoch', start=18, slope=-1, begin=2, low=9)
    assert over_epochs(count, [0, 2, 3, 5, 11, 40]) == [18, 18, 17, 15, 9, 9]
    quantile = WeightSchedule('linear', unit='epoch', start=0.8, slope=-0.02, low=0.2)
    expected = [0.8, 0.6, 0.4, 0.2, 0.2, 0.2]
    assert over_epochs(quantile, [0, 10, 20, 30, 40, 50], 60) == pytest.approx(expected)


def test_reversal_of_dann():
    schedule = WeightSchedule('dann')
    shares = [schedule(Progress(iter=step, max_iters=100)) for step in (0, 10, 25, 50)]
    assert shares == pytest.approx([0, 0.4621, 0.8483, 0.9866], abs=1e-4)


def test_warm_start_of_regda():
    schedule = WeightSchedule('warm_start', unit='iter', high=0.1, length=1000)
    expected = [0, 0.024492, 0.046212, 0.098661]
    assert over_steps(schedule, [0, 500, 1000, 5000]) == pytest.approx(expected, abs=1e-6)


def test_a_run_of_another_length_is_stretched():
    written = dict(form='warm_start', unit='iter', high=0.1, length=1000, total=15000)
    schedule = WeightSchedule.from_config(written)
    assert over_steps(schedule, [100], 300) == over_steps(schedule, [5000], 15000)
    epochs = WeightSchedule('linear', unit='epoch', start=0.0, slope=1.0, total=80)
    assert over_epochs(epochs, [3], 12) == [20.0]


def test_numbers_are_constant_schedules():
    assert WeightSchedule.from_config(0.3)(Progress(iter=7, max_iters=9)) == 0.3
    schedule = WeightSchedule('const', value=2)
    assert WeightSchedule.from_config(schedule) is schedule
    assert 'const' in repr(schedule)


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (dict(form='cosine'), 'cosine_rampdown'),
        (dict(unit='epoch'), 'form='),
        (dict(form='dann', unit='days'), 'unit'),
        (dict(form='dann', total=4), 'total'),
        (dict(form='const', unit='iter', total=0), 'total'),
        (dict(form='const', high=1), "has no 'high'"),
        (dict(form='sigmoid_rampup', length=0), 'length'),
        (dict(form='const', value='1'), 'value'),
        (float('nan'), 'number'),
        ('dann', 'number'),
    ],
)
def test_schedules_without_meaning(config, message):
    with pytest.raises(ConfigError, match=message):
        WeightSchedule.from_config(config)


def test_gradient_scale_leaves_values_and_scales_gradients():
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    layer = GradientScale(sign=-1, schedule=0.3)
    out = layer(x)
    assert torch.equal(out, x)
    out.sum().backward()
    assert x.grad.tolist() == pytest.approx([-0.3, -0.3])
    assert not list(layer.parameters())


def test_a_factor_of_zero_gives_zeros_and_not_nothing():
    x = torch.ones(3, requires_grad=True)
    scale_gradient(x, 0.0).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]


def test_gradient_scale_follows_the_run():
    hub = MessageHub.get_instance('gradient_scale_follows_the_run')
    hub.update_info_dict({'iter': 1000, 'max_iters': 15000, 'epoch': 2, 'max_epochs': 30})
    layer = GradientScale(schedule=dict(form='warm_start', unit='iter', high=0.1, length=1000))
    for step, expected in ((1000, 0.046212), (5000, 0.098661)):
        hub.update_info('iter', step)
        x = torch.ones(1, requires_grad=True)
        layer(x).backward()
        assert x.grad.item() == pytest.approx(expected, abs=1e-6)
    assert Progress.current() == Progress(5000, 15000, 2, 30)


def test_gradient_scale_refuses_other_signs():
    with pytest.raises(ConfigError, match='sign'):
        GradientScale(sign=0)
