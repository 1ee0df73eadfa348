"""The number of passes, pinned by counting the estimator's own loss."""

from __future__ import annotations

import pytest

from mmdualhand import get_config
from mmdualhand.apis.flops import count_complexity


@pytest.mark.parametrize(
    ('name', 'inference', 'training'),
    [('pretrain_rhd', 24.22, 397.5), ('compared/pretrain_res50_rhd', 14.53, 223.0)],
)
def test_published_network_in_the_fewest_passes(name, inference, training):
    counts = count_complexity(get_config(name).model)
    assert counts.inference_gflop == pytest.approx(inference, rel=0.01)
    assert counts.training_gflop == pytest.approx(training, rel=0.01)


def test_parameters():
    counts = count_complexity(get_config('pretrain_rhd').model)
    assert sum(counts.parameters.values()) / 1e6 == pytest.approx(97.7, abs=0.1)
    assert counts.rgb_parameters / 1e6 == pytest.approx(53.0, abs=0.1)
