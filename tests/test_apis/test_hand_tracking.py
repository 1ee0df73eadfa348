"""Smoothing, and following a hand through a video."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmdualhand.apis.hand_tracking import HandTracker, next_box
from mmdualhand.apis.inferencer import HandPoseInferencer
from mmdualhand.apis.smoothing import OneEuroFilter
from mmdualhand.errors import ConfigError
from mmdualhand.evaluation.calibration import Calibration
from tests.fixtures.dot_runner import DotRunner, dot_picture


def test_one_euro_by_hand():
    one = OneEuroFilter(min_cutoff=1.0, beta=0.5, d_cutoff=1.0)
    assert one(np.array([2.0]), 0.0).tolist() == [2.0]
    step = 0.1
    share = 2 * math.pi * step / (2 * math.pi * step + 1)  # of a cutoff of 1 Hz
    speed = share * (3.0 - 2.0) / step
    turn = 2 * math.pi * (1.0 + 0.5 * speed) * step
    expected = 2.0 + turn / (turn + 1) * 1.0
    assert float(one(np.array([3.0]), 0.1)[0]) == pytest.approx(expected, rel=1e-12)


def test_noise_shrinks_and_movement_is_followed():
    rng = np.random.default_rng(0)
    one = OneEuroFilter(min_cutoff=1.0, beta=0.0)
    rest = np.array([one(rng.normal(0, 1, 4), n / 30) for n in range(300)])[60:]
    assert rest.std() < 0.45  # white noise of 30 Hz through 1 Hz
    errors = []
    for beta in (0.0, 5.0):
        moving = OneEuroFilter(min_cutoff=1.0, beta=beta)
        path = [float(moving(np.array([3.0 * n / 30]), n / 30)[0]) for n in range(60)]
        errors.append(abs(path[-1] - 3.0 * 59 / 30))
    assert errors[1] < 0.1 * errors[0]


def test_what_is_not_finite_passes_and_does_not_count():
    one = OneEuroFilter()
    one(np.array([1.0, 1.0]), 0.0)
    hole = one(np.array([np.nan, 1.0]), 0.1)
    assert np.isnan(hole[0]) and hole[1] == 1.0
    after = one(np.array([1.0, 1.0]), 0.2)
    np.testing.assert_allclose(after, [1.0, 1.0])


def test_filters_refuse_nonsense():
    for options in (dict(min_cutoff=0), dict(beta=-1), dict(d_cutoff=-1)):
        with pytest.raises(ConfigError):
            OneEuroFilter(**options)
    one = OneEuroFilter()
    one(np.zeros(2), 1.0)
    with pytest.raises(ValueError, match='time must go on'):
        one(np.zeros(2), 1.0)
    with pytest.raises(ValueError, match='shape'):
        one(np.zeros(3), 2.0)
    one.reset()
    assert one(np.ones(3), 0.5).tolist() == [1.0] * 3


def test_next_box_by_hand():
    points = np.tile([50.0, 40.0], (21, 1))
    points[3], points[8] = (20.0, 35.0), (90.0, 60.0)
    assert next_box(points, (160, 120)).tolist() == [20, 35, 90, 60]
    assert next_box(points - [200, 0], (160, 120)) is None  # outside
    assert next_box(points * 10, (160, 120)) is None  # larger than any hand
    assert next_box(np.tile([50.0, 40.0], (21, 1)), (160, 120)) is None  # a point
    points[4] = np.nan
    assert next_box(points, (160, 120)) is None


class SpreadRunner(DotRunner):
    """Joints in a square of 24 cells about the dot, and sure only where there is one."""

    def __call__(self, crops):
        found = super().__call__(crops)
        found['pose25d'][:, 0, :2] -= 12
        found['pose25d'][:, 20, :2] += 12
        found['confidence_raw'][crops.max((1, 2, 3)) == 0] = 0.0
        return found


def test_the_crop_follows_the_joints_and_is_searched_again_when_lost():
    runner = SpreadRunner()
    tracker = HandTracker(HandPoseInferencer(runner), 'right', min_cutoff=0, lost_below=0.1)
    first = tracker.step(dot_picture(60, 40), 0.0)
    assert first.box.tolist() == [0, 0, 159, 119]  # searched in the whole picture
    second = tracker.step(dot_picture(64, 42), 0.1)
    np.testing.assert_allclose(second.box, next_box(first.keypoints, (160, 120)))
    np.testing.assert_allclose(second.keypoints[5], [64, 42], atol=0.5)
    assert tracker.step(np.zeros((120, 160, 3), np.uint8), 0.2) is None
    assert tracker.step(dot_picture(100, 80), 0.3).box.tolist() == [0, 0, 159, 119]


def test_the_side_is_settled_after_some_frames():
    runner = SpreadRunner()
    tracker = HandTracker(HandPoseInferencer(runner), side_frames=1)
    hands = [tracker.step(dot_picture(110, 60), 0.1 * n) for n in range(4)]
    assert [hand.side for hand in hands] == ['right'] * 4
    assert runner.batches == [2, 1, 1, 1] and hands[0].side_score > 0 and hands[3].side_score is None


def test_the_side_of_a_detector_is_kept_until_the_hand_is_lost():
    answers = iter([('left', [20, 20, 100, 60]), ('right', [20, 20, 100, 60])])

    def detector(image):
        side, box = next(answers)
        return np.array([box]), [side]

    runner = SpreadRunner()
    tracker = HandTracker(HandPoseInferencer(runner, detector=detector), min_cutoff=0, lost_below=0.1)
    hands = [tracker.step(dot_picture(60 + n, 40), 0.1 * n) for n in range(3)]
    assert [hand.side for hand in hands] == ['left'] * 3 and runner.batches == [1, 1, 1]
    tracker.reset()
    assert tracker.step(dot_picture(60, 40), 1.0).side == 'right'


def test_a_calibration_does_not_hide_that_the_hand_is_lost():
    calibration = Calibration(10.0, (2.0,) * 21).to_dict()
    tracker = HandTracker(HandPoseInferencer(SpreadRunner(calibration)), 'right')
    seen = tracker.step(dot_picture(60, 40), 0.0)
    assert seen.calibrated and seen.raw_confidence == pytest.approx(0.2) and seen.score > 0.5
    black = np.zeros((120, 160, 3), np.uint8)
    empty = HandPoseInferencer(SpreadRunner(calibration)).infer(black, side='right')
    assert next(empty).hands[0].score > 0.05
    assert tracker.step(black, 0.1) is None


def test_joints_are_smoothed():
    jitter = [0, 4, -4, 4, -4, 4, -4, 4]
    spans = []
    for min_cutoff in (0, 0.5):
        tracker = HandTracker(HandPoseInferencer(SpreadRunner()), 'right', min_cutoff=min_cutoff, beta=0.0)
        found = [tracker.step(dot_picture(60 + j, 40), n / 30).keypoints[5, 0] for n, j in enumerate(jitter)]
        spans.append(np.ptp(found[4:]))
    assert spans[0] == pytest.approx(8, abs=1.0) and spans[1] < 0.3 * spans[0]


def test_tracker_settings():
    with pytest.raises(ConfigError, match='lost_below'):
        HandTracker(HandPoseInferencer(DotRunner()), lost_below=2)
