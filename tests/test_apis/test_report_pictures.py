"""Pictures of a report: which ones, and what is seen on them."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData, PixelData

from mmdualhand.apis.evaluate import evaluate
from mmdualhand.apis.report.pictures import compare, quantile_rows, verdict, worst_rows
from mmdualhand.apis.report.predictions import load_network, second_pass_attention
from mmdualhand.apis.report.tiles import (
    SIDE,
    Tile,
    attention_limits,
    attention_tile,
    depth_tile,
    mask_tile,
    pose_tile,
    space_tile,
)
from mmdualhand.errors import ConfigError
from mmdualhand.models.estimators.predicted_depth import depth_input
from mmdualhand.structures import HandDataSample
from mmdualhand.visualization import DEPTH_ANCHORS, FINGER_COLOURS
from tests.fixtures.report_networks import write_checkpoint

NAN = float('nan')


def test_quantiles_and_worst_cases_by_hand():
    errors = np.array([50.0, NAN, 10.0, 30.0, 20.0, 40.0, np.inf])
    assert quantile_rows(errors, (0.0, 0.5, 1.0)) == [2, 3, 0]
    assert quantile_rows(errors, (0.1, 0.2, 0.9)) == [2, 4, 0]  # nearest ranks of 5: 0, 1, 4
    assert quantile_rows(np.array([3.0]), (0.1, 0.5, 0.9)) == [0]
    assert worst_rows(errors, 2) == [0, 5] and worst_rows(np.array([NAN]), 2) == []
    assert quantile_rows(np.array([NAN, NAN])) == []


def test_equal_errors_are_taken_in_their_order():
    assert quantile_rows(np.array([5.0, 5.0, 5.0]), (0.0, 0.5, 1.0)) == [0, 1, 2]


def test_verdict_by_hand():
    text = verdict(np.array([10.0, 20.0, 30.0, NAN]), np.array([8.0, 25.0, 12.0, 1.0]))
    assert text == 'The error falls on 2 of 3 test pictures; its median goes from 20.0 to 12.0 mm.'
    assert 'No prediction' in verdict(np.array([NAN]), np.array([1.0]))


@pytest.fixture
def hand():
    """A crop of the right half of a photo of 64 x 32 px, seven times as large as a tile."""
    matrix = [[1.0, 0.0, -32.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    sample = HandDataSample(metainfo=dict(crop_matrix=matrix, input_size=(32, 32)))
    row = np.full((1, 21, 2), NAN)
    row[0, 5], row[0, 6] = (36.0, 8.0), (60.0, 8.0)
    sample.gt_instances = InstanceData(keypoints=row)
    sample.pred_instances = InstanceData(keypoints=torch.tensor(row + [0.0, 16.0]))
    mask, depth = torch.zeros(1, 4, 4), torch.ones(1, 4, 4)
    mask[:, :, 2:], depth[:, 0, 0] = 1.0, 0.0
    sample.pred_fields = PixelData(mask=mask, depth_map=depth)
    weights = torch.linspace(0.5, 1.5, 16).view(1, 4, 4)
    sample.set_field(PixelData(weights=weights), 'pred_attention', dtype=PixelData)
    return np.full((32, 64, 3), 90, np.uint8), sample


def test_tiles_show_the_crop_in_its_own_frame(hand):
    photo, sample = hand
    truth = pose_tile(photo, sample, 'truth', truth=True).picture
    predicted = pose_tile(photo, sample, 'after').picture
    assert truth.shape == (SIDE, SIDE, 3)
    # photo (36..60, 8) is crop (4..28, 8) and tile (31..199, 59) at 7 px a px; 16 px lower for the prediction
    assert (truth[59, 45:185] == FINGER_COLOURS['index']).all() and (truth[171, 10:210] == 90).all()
    assert (predicted[171, 45:185] == FINGER_COLOURS['index']).all() and (predicted[59, 10:210] == 90).all()
    mask = mask_tile(photo, sample, 'after').picture
    assert (mask[10:210, 10:80] == 90).all() and (mask[:210, 150:210, 1] > mask[:210, 150:210, 0] + 60).all()


def test_maps_keep_their_pixels_and_share_their_scale(hand):
    photo, sample = hand
    depth = depth_tile(photo, sample, 'before')
    assert depth.picture.shape == (4, 4, 3) and tuple(depth.picture[0, 0]) == DEPTH_ANCHORS[0][1]
    assert (depth.picture[1:] == DEPTH_ANCHORS[-1][1]).all() and 'class="coarse"' in str(depth)
    low, high = attention_limits([sample])  # 2 percent of the way along 16 weights, 15 steps from 0.5 to 1.5
    assert (low, high) == pytest.approx((0.52, 1.48))
    seen = attention_tile(photo, sample, 'after', (low, high)).picture.astype(int)
    assert seen[-1, -1, 0] > seen[0, 0, 0] + 60  # yellow against dark blue
    assert attention_limits([HandDataSample()]) is None


def test_a_tile_without_anything_to_show():
    empty = HandDataSample()
    photo = np.zeros((8, 8, 3), np.uint8)
    for draw in (pose_tile, space_tile, mask_tile, depth_tile):
        assert draw(photo, empty, 'after').picture is None
    assert 'class="empty"' in str(Tile(None, 'mask', 'after'))


def test_errors_are_those_of_the_test(stb_comparison):
    network = load_network(stb_comparison.before, stb_comparison.config)
    with DefaultScope.overwrite_default_scope('mmdualhand'):
        expected = evaluate(network.model, network.config).per_sample_epe
    assert len(expected) == 4
    np.testing.assert_allclose(network.errors(), expected, atol=0.006)


def test_attention_is_that_of_the_second_pass(stb_comparison):
    network = load_network(stb_comparison.after, stb_comparison.config)
    model = network.model
    with torch.no_grad():
        rgb = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
        first = model.backbone.encode(rgb)
        depth = depth_input(model.extract({'rgb': rgb})['rgb'], (64, 64))
        second = model.backbone.second_pass(first.stem, depth)
        weights = second_pass_attention(model, rgb)
    assert torch.equal(weights, second.attention[0])
    torch.testing.assert_close(weights.mean((2, 3)), torch.ones(2, 1))
    sample = network.look([2])[0]
    assert sample.pred_attention.weights.shape[0] == 1 and sample.metainfo['sample_index'] == 2


def test_a_network_without_a_depth_encoder(stb_comparison, tmp_path):
    path = write_checkpoint(tmp_path / 'rgb.pth', 3, branches=('rgb',))
    network = load_network(path, stb_comparison.config)
    assert second_pass_attention(network.model, torch.zeros(1, 3, 64, 64)) is None
    html = compare(replace(stb_comparison, before=path)).chosen
    assert 'attention <small>after' in html
    both = compare(replace(stb_comparison, before=path, after=path))
    assert 'attention' not in both.chosen and 'The error falls on 0 of 4' in both.chosen


def test_before_and_after_on_the_same_pictures(stb_comparison):
    found = compare(stb_comparison)
    again = compare(stb_comparison)
    assert found == again  # nothing is drawn by chance
    before, after = (
        load_network(path, stb_comparison.config) for path in (stb_comparison.before, stb_comparison.after)
    )
    first, second = before.errors(), after.errors()
    headings = re.findall(r'<b>([^<]*)</b> ([\d.]+) mm before, ([\d.]+) mm after', found.chosen)
    rows = quantile_rows(first)
    assert [one[1:] for one in headings] == [(f'{first[r]:.1f}', f'{second[r]:.1f}') for r in rows]
    worst = re.findall(r'([\d.]+) mm after', found.worst)
    assert worst == [f'{one:.1f}' for one in sorted(second)[::-1][:3]]
    assert found.chosen.count('<img') == 12 * len(rows) and found.worst.count('<img') == 3 * 3
    pictures = re.findall(r'base64,([^"]*)"', found.chosen)[:4]
    photo, truth, old, new = (cv2.imdecode(np.frombuffer(base64.b64decode(p), np.uint8), 1) for p in pictures)
    assert photo.shape == (SIDE, SIDE, 3)
    # a skeleton covers a part of the same picture; those of untrained networks are small
    for drawn, least in ((truth, 0.02), (old, 0.0005), (new, 0.0005)):
        assert least < (drawn != photo).any(-1).mean() < 0.5
    assert (old != new).any()


def test_what_hinders_a_comparison_is_said(stb_comparison, tmp_path):
    found = compare(replace(stb_comparison, after=tmp_path / 'gone.pth'))
    assert 'No pictures' in found.chosen and 'gone.pth' in found.chosen and not found.worst
    with pytest.raises(ConfigError, match='test_dataloader'):
        load_network(stb_comparison.before, type(stb_comparison.config)({}))
