"""CC-SSL's and AnimalDA's choice of keypoints, against the printed rule and values of the original code."""

from __future__ import annotations

import math

import pytest
import torch

from mmdualhand.errors import ConfigError
from mmdualhand.pseudo_labels import CurriculumQuantile


def printed_threshold(confidence, epoch):
    """The rule of the paper's code: a zero is put before the confidences, then sorted."""
    p = max(1 - 0.02 * (epoch + 10), 0.2)
    return sorted([0.0, *confidence])[math.floor(p * (len(confidence) + 1) + 1e-9)]


@pytest.mark.parametrize(
    ('epoch', 'threshold', 'kept'),
    [(0, 0.8, 2), (10, 0.6, 4), (20, 0.4, 6), (30, 0.2, 8), (40, 0.2, 8), (50, 0.2, 8)],
)
def test_thresholds_of_the_original_for_tenths(epoch, threshold, kept):
    confidence = torch.arange(1, 11) / 10
    assert printed_threshold(confidence.tolist(), epoch) == pytest.approx(threshold)
    weight = CurriculumQuantile().of_dataset(1 - confidence.view(2, 5), epoch / 60).view(-1)
    assert int(weight.sum()) == kept
    assert confidence[weight > 0].min() > threshold + 0.05 and set(weight.tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize('size', [1, 2, 3, 4, 5, 7, 16, 99, 630])
@pytest.mark.parametrize('epoch', [0, 10, 20, 30, 50])
def test_as_printed_for_any_number_of_keypoints(size, epoch):
    confidence = torch.rand(size, generator=torch.Generator().manual_seed(size)).double()
    expected = confidence > printed_threshold(confidence.tolist(), epoch)
    weight = CurriculumQuantile().of_dataset(1 - confidence, epoch / 60)
    assert (weight > 0).tolist() == expected.tolist()


def test_equal_confidences_are_all_refused():
    assert CurriculumQuantile().of_dataset(torch.full((10,), 0.3), 0.5).sum() == 0


def test_fixed_share_of_animal_da():
    """Above the 60th percentile whatever the progress; what is not finite never counts."""
    gate = CurriculumQuantile(schedule=[(0, 0.4)])
    confidence = torch.arange(1, 11) / 10
    for progress in (0.0, 0.7):
        assert gate.of_dataset(1 - confidence, progress).tolist() == [0] * 6 + [1] * 4
    broken = torch.where(confidence > 0.95, torch.nan, 1 - confidence)
    assert gate.of_dataset(broken)[-1] == 0


def test_wrong_shares():
    with pytest.raises(ConfigError, match='share'):
        CurriculumQuantile(schedule=[(0, 1.2)])
