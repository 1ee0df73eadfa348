"""Means and deviations over seeds, by method and target."""

from __future__ import annotations

import math

import pytest

from mmdualhand.apis.experiments.results import Statistic, target_of
from mmdualhand.apis.report.results import Results, training_title
from mmdualhand.errors import DataError
from tests.fixtures.report_cells import cell, two_targets


def test_what_a_benchmark_measures():
    names = ['mini/pretrain_rhd', 'small/finetune_stb', 'finetune_ge_real', 'benchmarks/mvhand', 'mine']
    assert [target_of(name) for name in names] == ['rhd', 'stb', 'ge_real', 'mvhand', 'mine']


def test_names_for_readers():
    names = ['finetune_ge_real', 'baseline', 'one_pass_stb', 'pretrain_rhd', 'my run']
    titles = [
        'Fine-tuned, Ge et al., real',
        'Baseline',
        'Stage 2 with one pass, STB',
        'pretrain_rhd',
        'my run',
    ]
    assert [training_title(name) for name in names] == titles


def test_order_of_what_is_shown():
    results = Results([*two_targets(), cell('equal_compute', 'stb', 1.0), cell('mine', 'zoo', 1.0)])
    assert results.benchmarks == ['stb', 'h3d', 'rhd', 'zoo'] and results.targets == ['stb', 'h3d', 'zoo']
    assert results.methods == ['baseline', 'pretrain', 'finetune', 'equal_compute', 'mine']
    assert results.trainings == [
        'baseline', 'pretrain', 'finetune_stb', 'finetune_h3d', 'equal_compute', 'mine'
    ]  # fmt: skip


def test_a_fine_tuned_network_counts_on_its_own_target():
    results = Results(two_targets())
    assert results.value('finetune', 'stb', 'EPE').values == (21.0,)
    assert results.value('finetune', 'h3d', 'EPE').values == (30.0,)
    assert results.value('finetune', 'rhd', 'EPE').values == (17.5,)  # the mean of both
    assert results.of_training('finetune_h3d', 'stb', 'EPE').values == (28.0,)
    assert results.value('pretrain', 'stb', 'EPE', reestimated=True).values == (24.0,)
    assert results.value('finetune', 'stb', 'EPE', root_depth='solve').values == (26.0,)
    assert results.value('baseline', 'mvhand', 'EPE') is None


def test_seeds():
    results = Results([*two_targets(0), *two_targets(1, shift=2.0)])
    value = results.value('baseline', 'stb', 'EPE')
    assert value.values == (30.0, 32.0) and value.mean == 31.0
    assert value.deviation == pytest.approx(math.sqrt(2))
    assert results.mean_of_targets('finetune', 'EPE').values == (25.5, 27.5)
    assert Statistic((3.0,)).deviation is None


def test_mean_of_targets_needs_all_of_them_and_leaves_out_real_photos():
    cells = [*two_targets(), cell('baseline', 'ge_real', 90.0)]
    assert Results(cells).mean_of_targets('baseline', 'EPE').values == (35.0,)
    cells.append(cell('baseline', 'mvhand', 20.0))
    results = Results(cells)
    assert results.mean_of_targets('baseline', 'EPE').values == (30.0,)
    assert results.mean_of_targets('pretrain', 'EPE') is None
    one = Results([cell('baseline', 'stb', 20.0)])
    assert one.mean_of_targets('baseline', 'EPE') is None
    half = Results(
        [*two_targets(0), *two_targets(1), cell('source_only', 'stb', 1), cell('source_only', 'h3d', 1)]
    )
    assert half.mean_of_targets('source_only', 'EPE') is None  # of one seed of two


def test_broken_and_repeated_cells():
    with pytest.raises(DataError, match=r"measurement 0 .* lacks \['benchmark'\]"):
        Results([dict(training='baseline', seed=0, metrics={})])
    again = Results([cell('baseline', 'stb', 30.0), cell('small/baseline', 'stb', 31.0)])
    assert again.value('baseline', 'stb', 'EPE').values == (31.0,)
    for unknown in (None, math.nan):
        value = Results([cell('baseline', 'stb', unknown)]).value('baseline', 'stb', 'EPE')
        assert not value.known and len(value.values) == 1
