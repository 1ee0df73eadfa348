"""The temporal check of CC-SSL on pictures whose motion is known."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from mmdualhand.codecs import Heatmap
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.pseudo_labels import EquivariantHeatmapLabeler, OpticalFlowTemporalFilter
from mmdualhand.pseudo_labels.temporal import Frame, frame_place


def picture(shift=(0, 0)):
    """Smooth noise that is moved by whole pixels."""
    noise = np.random.default_rng(0).uniform(0, 255, (320, 320)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    smooth = (smooth - smooth.min()) / np.ptp(smooth) * 255
    x, y = 32 - shift[0], 32 - shift[1]
    return smooth[y : y + 256, x : x + 256].astype(np.uint8)


POINTS = np.array([[100.0, 90.0], [60.0, 150.0], [180.0, 120.0]])


def frames(shift, confidence):
    before = Frame(picture(), POINTS, np.array([0.9, 0.9, 0.9]))
    wrong = POINTS + np.array([40.0, -30.0])
    return before, Frame(picture(shift), wrong, np.array(confidence))


def test_unsure_keypoints_follow_the_picture():
    before, now = frames((6, -3), [0.5, 0.8, 0.82])
    follow = OpticalFlowTemporalFilter()
    follow('clip_8', before)
    found = follow('clip_9', now)
    assert found.confidence.tolist() == pytest.approx([0.81, 0.81, 0.82])  # below 0.9 x 0.9, or kept
    assert np.abs(found.uv[:2] - POINTS[:2] - [6, -3]).max() < 0.1
    assert found.uv[2].tolist() == now.uv[2].tolist()
    # the original overwrites the confidence of the frame before; here nothing given is changed
    assert before.confidence.tolist() == [0.9] * 3 and now.confidence.tolist() == [0.5, 0.8, 0.82]


def test_motions_that_are_too_large_are_not_believed():
    before, now = frames((6, 0), [0.1, 0.1, 0.1])
    far = OpticalFlowTemporalFilter(max_move=5.0)
    far('clip_1', before)
    assert np.array_equal(far('clip_2', now).uv, now.uv)


def test_only_the_frame_before_counts():
    before, now = frames((2, 0), [0.1, 0.1, 0.1])
    for first, second in (('a/SK_1', 'a/SK_3'), ('a/SK_1', 'b/SK_2'), ('a/SK_2', 'a/SK_1')):
        follow = OpticalFlowTemporalFilter()
        follow(first, before)
        assert np.array_equal(follow(second, now).uv, now.uv), (first, second)
    follow = OpticalFlowTemporalFilter()
    follow('a/SK_1', before)
    follow.forget()
    assert np.array_equal(follow('a/SK_2', now).uv, now.uv)


def test_confidence_falls_along_the_chain():
    follow = OpticalFlowTemporalFilter()
    follow('c0', Frame(picture(), POINTS, np.full(3, 1.0)))
    found = [follow(f'c{n}', Frame(picture((n, 0)), POINTS, np.zeros(3))) for n in (1, 2, 3)]
    assert [frame.confidence[0] for frame in found] == pytest.approx([0.9, 0.81, 0.729])
    assert np.abs(found[-1].uv - POINTS - [3, 0]).max() < 0.2


def test_labeler_follows_a_video_in_the_pixels_of_its_crops():
    """Two frames, the second seen nowhere: its keypoints are those of the first, moved."""
    codec = Heatmap(256, 64, sigma=1.0)
    first, _ = codec.encode(torch.tensor([[[20.0, 30.0]]]).expand(1, 21, 2))
    maps = torch.cat([first, 0.01 * first.flip(-1)])

    class Model:
        def look(self, rgb):
            return {'rgb': SimpleNamespace(heatmaps=maps)}

    labeler = EquivariantHeatmapLabeler(codec, num_views=1, temporal={})
    grey = torch.from_numpy(np.stack([picture(), picture((8, 4))])).float()
    rgb = (grey[:, None].expand(2, 3, 256, 256) - 116.3) / 57.4
    poses, facts = labeler.look(Model(), rgb, ['v/SK_4', 'v/SK_5'])
    moved = poses['rgb'][1, 0, :2] - poses['rgb'][0, 0, :2]
    assert moved.tolist() == pytest.approx([2.0, 1.0], abs=0.1)
    assert facts['pred_scores'][:, 0].tolist() == pytest.approx([1.0, 0.9])


def test_places_of_frames():
    assert frame_place('B1Counting/SK_17') == ('B1Counting/SK_', 17)
    assert frame_place('00012') == ('', 12)
    with pytest.raises(DataError, match='video'):
        frame_place('photo')


def test_settings_without_meaning():
    for wrong in (dict(ratio=1.5), dict(max_move=0.0), dict(window=1), dict(levels=-1)):
        with pytest.raises(ConfigError):
            OpticalFlowTemporalFilter(**wrong)
