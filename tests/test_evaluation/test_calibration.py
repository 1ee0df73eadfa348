"""The map from scores to probabilities: its values, its fit, its file."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.evaluation import Calibration, expected_calibration_error, fit_calibration

BIASES = np.linspace(-1.0, 1.5, 21)


def happened(hands: int, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, errors (0 right, 1 wrong) and the probabilities that they were drawn with."""
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.02, 0.98, (hands, 21))
    chance = 1 / (1 + np.exp(-(np.log(score / (1 - score)) / temperature + BIASES)))
    return score, (rng.random(chance.shape) >= chance).astype(float), chance


def test_values_by_hand() -> None:
    bias = [0.0] * 20 + [float(np.log(3.0))]
    found = Calibration(2.0, tuple(bias))(np.full((2, 21), 0.8))
    # logit(0.8) = log 4, halved log 2: 2 / 3; three times the odds: 6 / 7.
    np.testing.assert_allclose(found[:, :20], 2 / 3, rtol=1e-6)
    np.testing.assert_allclose(found[:, 20], 6 / 7, rtol=1e-6)
    assert found.dtype == np.float32


def test_identity_and_edges() -> None:
    same = Calibration(1.0, (0.0,) * 21)
    score = np.linspace(0.01, 0.99, 21)
    np.testing.assert_allclose(same(score), score, rtol=1e-5)
    edges = same(np.stack([np.zeros(21), np.ones(21), np.full(21, np.nan)]))
    np.testing.assert_allclose(edges[:2, 0], [1e-6, 1 - 1e-6], rtol=1e-4)
    assert np.isnan(edges[2]).all()
    with pytest.raises(ValueError, match='21'):
        same(np.zeros(20))


def test_the_fit_finds_what_the_data_were_drawn_with() -> None:
    score, error, chance = happened(6000, 0.5)
    found = fit_calibration(score, error, name='a score', fitted_on='a draw')
    assert found.temperature == pytest.approx(0.5, rel=0.03)
    np.testing.assert_allclose(found.bias, BIASES, atol=0.15)
    np.testing.assert_allclose(found(score), chance, atol=0.04)
    assert (found.score, found.fitted_on, found.threshold) == ('a score', 'a draw', 0.05)


def test_mean_confidence_is_the_share_that_is_right() -> None:
    # The common bias has no prior, so the likelihood is flat in it at the optimum.
    score, error, _ = happened(40, 0.7)
    for per_joint in (True, False):
        found = fit_calibration(score, error, per_joint=per_joint)
        assert float(found(score).mean()) == pytest.approx(float((error < 0.05).mean()), abs=1e-5)
        assert (len(set(found.bias)) == 21) is per_joint


def test_a_bias_for_each_joint_is_needed_where_joints_differ() -> None:
    score, error, _ = happened(2000, 0.5)
    test_score, test_error, _ = happened(2000, 0.5, seed=1)
    gaps = []
    for per_joint in (True, False):
        found = fit_calibration(score, error, per_joint=per_joint)
        first = test_error[:, 0] < 0.05
        gaps.append(expected_calibration_error(found(test_score)[:, 0], first))
    assert gaps[0] < 0.04 < 0.12 < gaps[1]


def test_labels_that_are_missing_do_not_count() -> None:
    score, error, _ = happened(300, 0.5)
    seen = np.random.default_rng(2).random(error.shape) < 0.5
    seen[:, 4] = False
    found = fit_calibration(np.where(seen, score, np.nan), np.where(seen, error, np.nan))
    again = fit_calibration(np.where(seen, score, 0.3), np.where(seen, error, np.nan))
    assert found == again
    # A joint nobody has labels of gets the mean of the others.
    others = np.delete(found.bias, 4)
    assert found.bias[4] == pytest.approx(others.mean(), abs=1e-6)


def test_a_joint_that_is_always_right_gets_a_finite_bias() -> None:
    score, error, _ = happened(100, 0.5)
    error[:, 7] = 0.0
    found = fit_calibration(score, error)
    assert np.isfinite(found.bias).all() and int(np.argmax(found.bias)) == 7
    assert found(np.full(21, 0.5))[7] > 0.95


def test_a_score_the_wrong_way_round_is_not_used() -> None:
    score, error, _ = happened(500, 0.5)
    found = fit_calibration(1 - score, error)
    assert found.temperature == pytest.approx(1000.0)
    low, high = found(np.full(21, 0.1)), found(np.full(21, 0.9))
    np.testing.assert_allclose(low, high, atol=2e-3)
    np.testing.assert_allclose(low, (error < 0.05).mean(0), atol=0.02)


def test_threshold() -> None:
    score, error, _ = happened(400, 0.5)
    np.testing.assert_allclose(
        fit_calibration(score, error * 0.2, threshold=0.1).bias, fit_calibration(score, error).bias
    )


def test_what_cannot_be_fitted() -> None:
    score = np.full((4, 21), 0.5)
    for error, words in ((0.0, 'all joints are right'), (1.0, 'all joints are wrong'), (np.nan, 'no joint')):
        with pytest.raises(DataError, match=words):
            fit_calibration(score, np.full((4, 21), error))
    error = np.zeros((4, 21))
    error[0] = 1.0
    with pytest.raises(ValueError, match='finite'):
        fit_calibration(np.full((4, 21), np.nan), error)
    with pytest.raises(ValueError, match='shape of score'):
        fit_calibration(score, error[:3])


def test_file_and_meta_data(tmp_path) -> None:
    one = Calibration(0.5, tuple(BIASES.tolist()), 0.05, 'Pose25D spread', '232 pictures')
    one.save(tmp_path / 'a' / 'calibration.json')
    assert Calibration.load(tmp_path / 'a' / 'calibration.json') == one
    torch.save({'meta': {'calibration': one.to_dict()}}, tmp_path / 'checkpoint.pth')
    meta = torch.load(tmp_path / 'checkpoint.pth', weights_only=True)['meta']
    assert Calibration.from_dict(meta['calibration']) == one
    assert [path.name for path in (tmp_path / 'a').iterdir()] == ['calibration.json']


def test_broken_files(tmp_path) -> None:
    with pytest.raises(MissingFileError, match='mmdualhand calibrate'):
        Calibration.load(tmp_path / 'none.json')
    file = tmp_path / 'broken.json'
    good = Calibration(0.5, (0.0,) * 21).to_dict()
    cases = {
        'no JSON': '{',
        'no calibration of format 1': '[1]',
        'lacks bias, score': json.dumps({k: v for k, v in good.items() if k not in ('bias', 'score')}),
        'got 20': json.dumps({**good, 'bias': [0.0] * 20}),
        'positive': json.dumps({**good, 'temperature': 0.0}),
        'finite': json.dumps({**good, 'bias': [float('nan')] * 21}),
        'are numbers': json.dumps({**good, 'bias': ['a'] * 21}),
        'broken.json': json.dumps({**good, 'bias': None}),
    }
    for words, text in cases.items():
        file.write_text(text)
        with pytest.raises(ConfigError, match=words):
            Calibration.load(file)
