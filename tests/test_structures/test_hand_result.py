"""The records of the inference interface."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mmdualhand.structures import CropTransform, HandResult, PictureResult


@pytest.fixture
def hand() -> HandResult:
    return HandResult(
        keypoints=np.arange(42.0).reshape(21, 2),
        confidence=np.linspace(0, 1, 21),
        keypoints_3d_relative=np.full((21, 3), np.nan),
        keypoints_3d=None,
        metric='none',
        side='left',
        side_score=np.float32(0.25),
        box=[1, 2, 3, 4],
        crop=CropTransform.from_box((5, 5), 8, 16, (20, 10), mirror=True),
        pose25d=np.zeros((21, 3)),
    )


def test_arrays_are_float32_and_cannot_be_changed(hand):
    assert hand.keypoints.dtype == hand.box.dtype == np.float32 and hand.mask is None
    with pytest.raises(ValueError, match='read-only'):
        hand.keypoints[0] = 0
    assert hand.score == pytest.approx(0.5) and not hand.has_3d
    assert replace(hand, keypoints_3d_relative=np.zeros((21, 3))).has_3d


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(side='both'), 'side must be one of'),
        (dict(metric='guessed'), 'metric must be one of'),
        (dict(metric='given'), 'contradicts keypoints_3d'),
        (dict(keypoints_3d=np.zeros((21, 3))), 'contradicts keypoints_3d'),
        (dict(keypoints=np.zeros((20, 2))), 'keypoints must have shape'),
        (dict(mask=np.zeros(3)), 'mask must have shape'),
    ],
)
def test_contradictions_are_refused(hand, changes, message):
    with pytest.raises(ValueError, match=message):
        replace(hand, **changes)


def test_to_dict_is_json_without_nan(hand):
    result = PictureResult('a.png', 3, (20, 10), (hand,), image=np.zeros((10, 20, 3), np.uint8))
    text = json.dumps(result.to_dict(), allow_nan=False)
    record = json.loads(text)
    (found,) = record['hands']
    assert found['keypoints'][1] == [2.0, 3.0] and found['keypoints_3d_relative'][0] == [None] * 3
    assert found['keypoints_3d'] is None and found['side_score'] == 0.25 and 'mask' not in found
    assert found['raw_confidence'] is None
    assert replace(hand, raw_confidence=np.float32(0.5)).to_dict()['raw_confidence'] == 0.5
    assert found['crop'] == dict(matrix=hand.crop.matrix.tolist(), size=[16, 16], mirror=True)
    assert (record['path'], record['frame'], record['size'], record['note']) == ('a.png', 3, [20, 10], '')
    with_maps = replace(hand, mask=np.ones((2, 2)), depth_map=np.zeros((2, 2))).to_dict(maps=True)
    assert with_maps['mask'] == [[1.0, 1.0], [1.0, 1.0]]
