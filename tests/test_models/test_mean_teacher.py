"""The running mean of weights, and what becomes of batch statistics."""

from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS as UPSTREAM
from torch import nn

from mmdualhand.errors import ConfigError
from mmdualhand.models import MeanTeacher


def net(value=0.0):
    module = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.BatchNorm2d(1))
    nn.init.constant_(module[0].weight, value)
    return module


def follow(teacher, student, values):
    found = []
    for value in values:
        nn.init.constant_(student[0].weight, value)
        teacher.follow({'net': student})
        found.append(round(float(teacher.parts['net'][0].weight), 6))
    return found


def test_warm_up_is_the_running_mean_without_the_first_weights():
    """AnimalDA's min(1 - 1 / (t + 1), 0.999), started from the student: 1, 1.5, 2, 2.5 of 1, 2, 3, 4."""
    student = net(100.0)
    teacher = MeanTeacher({'net': student}, 0.999, warm_up=True)
    assert follow(teacher, student, [1.0, 2.0, 3.0, 4.0]) == [1.0, 1.5, 2.0, 2.5]


def test_warm_up_is_that_of_mmengine():
    student = net()
    teacher = MeanTeacher({'net': student}, 0.9, warm_up=True)
    other = UPSTREAM.build(dict(type='MomentumAnnealingEMA', model=student, momentum=0.1, gamma=1))
    for value in torch.rand(15, generator=torch.Generator().manual_seed(0)).tolist():
        nn.init.constant_(student[0].weight, value)
        teacher.follow({'net': student})
        other.update_parameters(student)
        assert float(teacher.parts['net'][0].weight) == pytest.approx(float(other.module[0].weight))


def test_warm_up_ends_at_the_momentum():
    student = net()
    teacher = MeanTeacher({'net': student}, 0.5, warm_up=True)
    assert follow(teacher, student, [0.0, 0.0, 8.0, 8.0]) == [0.0, 0.0, 4.0, 6.0]
    plain = MeanTeacher({'net': student}, 0.5)
    assert follow(plain, student, [1.0, 2.0, 3.0]) == [1.0, 1.5, 2.25]


def test_a_copy_goes_on_where_the_state_was_saved():
    student = net()
    teacher, again = (MeanTeacher({'net': student}, 0.999, warm_up=True) for _ in range(2))
    follow(teacher, student, [1.0, 2.0])
    again.load_state_dict(teacher.state_dict())
    assert follow(again, student, [3.0, 4.0]) == follow(teacher, student, [3.0, 4.0]) == [2.0, 2.5]


def test_a_look_before_the_first_step_does_not_count():
    student = net(50.0)
    teacher = MeanTeacher({'net': student}, 0.999, warm_up=True)
    teacher.start({'net': student})
    assert follow(teacher, student, [1.0, 3.0]) == [1.0, 2.0]


@pytest.mark.parametrize(('buffers', 'expected'), [('copy', 8.0), ('mean', 6.0), ('own', 4.0)])
def test_batch_statistics(buffers, expected):
    student = net()
    student[1].running_mean.fill_(4.0)
    teacher = MeanTeacher({'net': student}, 0.5, buffers=buffers)
    teacher.start({'net': student})
    student[1].running_mean.fill_(8.0)
    student[1].num_batches_tracked.fill_(7)
    teacher.follow({'net': student})
    assert float(teacher.parts['net'][1].running_mean) == expected
    assert int(teacher.parts['net'][1].num_batches_tracked) == (0 if buffers == 'own' else 7)


@pytest.mark.parametrize('buffers', ['copy', 'own'])
def test_only_own_statistics_move_with_what_the_teacher_sees(buffers):
    teacher = MeanTeacher({'net': net(1.0)}, 0.5, buffers=buffers)
    part = teacher.train().parts['net']
    with teacher.own_statistics():
        part(torch.full((2, 1, 3, 3), 10.0))
    assert float(part[1].running_mean) == pytest.approx(1.0 if buffers == 'own' else 0.0)
    assert not part[1].training


def test_settings_without_meaning():
    with pytest.raises(ConfigError, match='buffers'):
        MeanTeacher({}, 0.9, buffers='none')
    with pytest.raises(ConfigError, match='momentum'):
        MeanTeacher({}, 1.0)
