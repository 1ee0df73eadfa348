"""Measuring a network without a Runner: the errors that are kept one by one, and what a config becomes."""

from __future__ import annotations

import numpy as np
from mmengine.config import Config

from mmdualhand.apis.evaluate import _errors, evaluators, fit_test, take_network
from mmdualhand.apis.model_zoo import get_config


def test_errors_by_hand():
    true = [np.zeros((21, 3)) + 100.0 for _ in range(3)]
    pred = [one.copy() for one in true]
    pred[0][:, 0] += 10.0  # 10 mm everywhere
    pred[1][0] += (3.0, 4.0, 0.0)  # 5 mm at one joint
    true[1][7:] = np.nan  # 7 joints have labels
    true[2][:] = np.nan  # none has
    curve, errors = _errors(pred, true)
    assert errors == [10.0, 0.71]
    assert curve['thresholds_mm'] == [2.0 * step for step in range(41)]
    # 28 joints: 6 exact, one 5 mm, 21 of 10 mm.
    wanted = [6 / 28] * 3 + [7 / 28] * 2 + [1.0] * 36
    np.testing.assert_allclose(curve['pck'], wanted, atol=1e-6)


def test_no_label_no_errors():
    assert _errors([], []) == ({}, [])
    nothing = [np.full((21, 3), np.nan)]
    assert _errors([np.zeros((21, 3))], nothing) == ({}, [])


def test_a_benchmark_takes_the_network_of_the_checkpoint():
    cfg = get_config('benchmarks/stb')
    assert not take_network(cfg, {'meta': {}})
    saved = dict(type='Some', head=dict(codec=dict(input_size=(96, 96))), test_cfg=dict(branches=('rgb',)))
    assert take_network(cfg, {'meta': {'model': saved}})
    fit_test(cfg, ('fused',), 'solve')
    assert cfg.test_dataloader.dataset.pipeline[1].input_size == (96, 96)
    assert cfg.test_dataloader.dataset.pipeline[0].modalities == ('rgb', 'depth', 'mask')
    assert cfg.model.test_cfg == dict(branches=('rgb', 'fused'), root_depth='solve')
    assert [metric.branches for metric in evaluators(cfg)] == [('rgb', 'fused')] * 3
    assert cfg.train_dataloader is cfg.load_from is None


def test_a_network_of_its_own_stays():
    cfg = Config(dict(model=dict(type='Own'), test_evaluator=dict(type='EPE')))
    assert take_network(cfg, {})
    assert cfg.model.type == 'Own' and evaluators(cfg) == [dict(type='EPE')]
