"""Fitting on one part of the source, testing on the rest and on targets."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mmdualhand.apis.calibrate import (
    JointScores,
    calibrate,
    collect_scores,
    measure_trust,
    split_pictures,
    trust_table,
)
from mmdualhand.apis.evaluate import evaluate, fit_test, take_network
from mmdualhand.apis.model_zoo import get_config
from mmdualhand.compat import load_from_local
from mmdualhand.engine.weights import load_weights
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.registry import MODELS
from tests.fixtures.report_networks import write_checkpoint


def drawn(hands: int, seed: int, shift: float = 0.0) -> JointScores:
    """Two hands a picture; fingertips are right less often than knuckles at the same score."""
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.02, 0.98, (hands, 21))
    logits = 2 * np.log(score / (1 - score)) + np.linspace(3, 0, 21) - shift
    right = rng.random(score.shape) < 1 / (1 + np.exp(-logits))
    pictures = np.array([f'{row // 2:05d}.png' for row in range(hands)])
    return JointScores('set', score, np.where(right, 0.01, 0.2), pictures, {}, 'a score')


def test_both_hands_of_a_picture_fall_into_one_part() -> None:
    scores = drawn(200, 0)
    first, rest = split_pictures(scores, 0.3)
    assert len(set(first.picture)) == 30 and len(set(rest.picture)) == 70
    assert not set(first.picture) & set(rest.picture)
    assert len(first.score) == 60 and len(rest.score) == 140
    assert (first.name, rest.name) == ('set, fitted on', 'set, held out')
    np.testing.assert_array_equal(split_pictures(scores, 0.3)[0].picture, first.picture)
    assert set(split_pictures(scores, 0.3, seed=1)[0].picture) != set(first.picture)
    # The rows of a part keep their own values.
    row = int(np.flatnonzero(scores.picture == rest.picture[0])[0])
    np.testing.assert_array_equal(rest.score[0], scores.score[row])


def test_a_cut_needs_pictures_on_both_sides() -> None:
    with pytest.raises(ConfigError, match=r'share of 0\.1 of 2 pictures'):
        split_pictures(drawn(4, 0), 0.1)


def test_calibrated_on_the_source_and_not_on_a_harder_target() -> None:
    report = calibrate(drawn(3000, 1), {'alike': drawn(1000, 2), 'harder': drawn(1000, 3, shift=2.0)})
    assert report.calibration.temperature == pytest.approx(0.5, rel=0.05)
    assert report.calibration.fitted_on == '750 pictures of set, seed 0'
    assert report.source.bins.calibration_error < 0.02 and report.source.wrong.ratio < 0.5
    alike, harder = report.targets
    assert alike.bins.calibration_error < 0.03
    excess = harder.mean_confidence - harder.share_right
    assert excess > 0.1 and harder.bins.calibration_error == pytest.approx(excess, abs=0.02)
    raw, shared, blind = report.controls
    assert shared.bins.calibration_error < raw.bins.calibration_error
    assert shared.wrong.ratio == pytest.approx(raw.wrong.ratio)  # one bias changes no order
    assert report.source.wrong.ratio < min(shared.wrong.ratio, blind.wrong.ratio) < 1
    lines = trust_table(report).splitlines()
    assert len(lines) == 2 + 6 and lines[2].startswith('| set, held out | 31500 |')


def test_trust_by_hand() -> None:
    confidence, error = np.full((1, 21), 0.25), np.full((1, 21), np.nan)
    confidence[0, :2], error[0, :4] = (0.9, 0.7), (0.0, 0.06, 0.04, 0.3)
    found = measure_trust('four joints', confidence, error, 0.05)
    assert found.joints == 4 and found.share_right == 0.5
    assert found.mean_confidence == pytest.approx((0.9 + 0.7 + 0.25 + 0.25) / 4)
    # Sorted 0.9, 0.7, then a tie: wrong 0, 1, 1/2, 1/2.
    np.testing.assert_allclose(found.wrong.risk, [0, 1 / 2, 1 / 2, 1 / 2])
    np.testing.assert_allclose(found.distance.risk, [0, 0.03, (0.06 + 0.17) / 3, 0.1])
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain['coverage'] == [0.25, 0.5, 0.75, 1.0] and plain['area_over_random']['wrong'] == 0.75
    with pytest.raises(DataError, match='nothing has no 2D label'):
        measure_trust('nothing', confidence, np.full((1, 21), np.nan), 0.05)


def test_scores_and_errors_are_those_of_the_test(rhd_root, tmp_path) -> None:
    cfg = get_config('benchmarks/rhd')
    cfg.test_dataloader.dataset.update(data_root=str(rhd_root), selection=None)
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.test_evaluator = [dict(type='PCK', threshold=0.3)]
    checkpoint = write_checkpoint(tmp_path / 'epoch_1.pth', 1)
    found = collect_scores(checkpoint, cfg, 'RHD')
    assert found.score_name == 'Pose25D spread' and found.score.shape == (12, 21)
    assert len(set(found.picture)) == 6  # both hands of each
    assert ((found.score > 0) & (found.score < 1)).all()
    content = load_from_local(str(checkpoint), map_location='cpu')
    take_network(cfg, content)
    fit_test(cfg, ('rgb',))
    model = MODELS.build(cfg.model)
    load_weights(model, content, source='checkpoint')
    metrics = evaluate(model, cfg).metrics
    assert 0 < metrics['PCK@0.3'] < 1
    assert float((found.error < 0.3).mean()) == pytest.approx(metrics['PCK@0.3'])
    mass = collect_scores(checkpoint, cfg, 'RHD', score='mass', limit=2)
    assert mass.score_name == 'Pose25D mass' and len(mass.score) == 2
    nearest = np.abs(found.error[None] - mass.error[:, None]).max(-1)
    assert (nearest.min(1) < 1e-4).all()  # two of the hands
    assert np.abs(mass.score[0] - found.score[nearest[0].argmin()]).max() > 1e-3
