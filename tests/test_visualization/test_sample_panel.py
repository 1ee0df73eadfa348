"""The sheet of one sample: original pixels, absent parts, the error in the header."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData

from mmdualhand.structures import HandDataSample
from mmdualhand.visualization import DEPTH_ANCHORS, FINGER_COLOURS, MASK_COLOUR, prediction_panel, sample_epe

PHOTO = np.full((256, 256, 3), 90, np.uint8)
TOP = 12 + 30 + 26  # margin, header, title
TOP_BARE = 12 + 26


def line_2d(row: float) -> np.ndarray:
    """Bone 5-6 along a row of the photo, every other joint absent."""
    points = np.full((1, 21, 2), np.nan)
    points[0, 5], points[0, 6] = (50, row), (200, row)
    return points


def pose_3d() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 40, (1, 21, 3)) + np.array([0, 0, 600.0])


def full_sample(**meta: Any) -> HandDataSample:
    sample = HandDataSample(metainfo={'sample_id': '00012/left', **meta})
    truth = pose_3d()
    sample.gt_instances = InstanceData(
        keypoints=line_2d(40.0), keypoints_3d=truth, keypoints_visible=np.ones((1, 21), np.float32)
    )
    sample.pred_instances = InstanceData(
        keypoints=torch.tensor(line_2d(100.0)), keypoints_3d=torch.tensor(truth + np.array([3.0, 4.0, 0.0]))
    )
    sample.pred_fields = PixelData(mask=torch.ones(1, 64, 64), depth_map=torch.zeros(1, 64, 64))
    return sample


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Titles and header that reach the sheet."""
    module = sys.modules[prediction_panel.__module__]
    seen: dict[str, Any] = {}
    lay_out = module.panel

    def spy(images: Any, titles: Any = None, columns: Any = None, *, header: str = '') -> np.ndarray:
        seen.update(titles=list(titles), header=header)
        return lay_out(images, titles, columns, header=header)

    monkeypatch.setattr(module, 'panel', spy)
    return seen


def test_every_part_in_its_place_in_original_pixels() -> None:
    photo = PHOTO.copy()
    sheet = prediction_panel(photo, full_sample())
    assert np.array_equal(photo, PHOTO)
    # six pictures of 384 px in two rows of three
    assert sheet.shape == (TOP + 384 + 12 + 26 + 384 + 12, 12 + 3 * (384 + 12), 3)
    # photo row v is tile row (v + .5) * 1.5 - .5: 40 -> 60.25, 100 -> 150.25
    truth, prediction, mask = (sheet[TOP : TOP + 384, left : left + 384] for left in (12, 408, 804))
    assert (truth[60, 90:290] == FINGER_COLOURS['index']).all()
    assert (truth[150] == 90).all()
    assert (prediction[150, 90:290] == FINGER_COLOURS['index']).all()
    assert (prediction[60] == 90).all()
    assert (mask == MASK_COLOUR).all()
    depth = sheet[TOP + 384 + 12 + 26 :][:384, 12:396]
    assert (depth == DEPTH_ANCHORS[0][1]).all()


def test_mask_and_attention_lie_on_the_crop_where_its_matrix_is_known(captured: dict[str, Any]) -> None:
    photo = PHOTO.copy()
    photo[:, 128:] = 10  # the crop below is the right half of the photo, twice as large
    matrix = [[2.0, 0.0, -256.0], [0.0, 2.0, -128.0], [0.0, 0.0, 1.0]]
    sample = full_sample(crop_matrix=matrix, input_size=(256, 256))
    weights = torch.ones(1, 32, 32)
    weights[0, :16] = 0.0
    sample.set_field(PixelData(weights=weights), 'pred_attention', dtype=PixelData)
    sheet = prediction_panel(photo, sample)
    mask = sheet[TOP : TOP + 384, 804:][:, :384]
    expected = np.rint(0.5 * 10 + 0.5 * np.array(MASK_COLOUR))
    assert np.abs(mask[192, 192].astype(float) - expected).max() <= 1
    assert captured['titles'][4] == 'depth attention, stem (crop)'
    attention = sheet[TOP + 384 + 12 + 26 :][:384, 12:396].astype(float)
    assert np.abs(attention[80, 192] - attention[300, 192]).max() > 20


def test_titles_and_error_in_the_header(captured: dict[str, Any]) -> None:
    prediction_panel(PHOTO, full_sample(dataset_name='RHD', hand_side='left', mirrored=True))
    assert captured['header'] == '00012/left | RHD | left | EPE 5.0 mm'
    assert captured['titles'] == [
        'ground truth',
        'prediction',
        'predicted mask (crop, mirrored)',
        'predicted depth (crop, mirrored)',
        '3D front, truth in grey, grid 50 mm',
        '3D side, truth in grey, grid 50 mm',
    ]


def test_error_counts_labelled_joints_as_the_metric_does() -> None:
    sample = full_sample()
    assert sample_epe(sample) == pytest.approx(5.0)
    # 20 joints off by 5 mm, one by 26 mm
    sample.pred_instances.keypoints_3d[0, 3] += torch.tensor([7.0, 20.0, 0.0])
    off = np.hypot(10.0, 24.0)
    assert off == 26.0
    assert sample_epe(sample) == pytest.approx((20 * 5 + 26) / 21)
    sample.gt_instances.keypoints_visible[0, 3] = 0  # occluded, but labelled
    assert sample_epe(sample) == pytest.approx((20 * 5 + 26) / 21)
    sample.gt_instances.keypoints_3d[0, 3] = np.nan
    assert sample_epe(sample) == pytest.approx(5.0)
    sample.gt_instances.keypoints_3d[:] = np.nan
    assert sample_epe(sample) is None


def test_unlabelled_sample_shows_the_prediction_alone(captured: dict[str, Any]) -> None:
    sample = full_sample()
    del sample.gt_instances
    assert sample_epe(sample) is None
    prediction_panel(PHOTO, sample)
    assert captured['header'] == '00012/left'
    assert captured['titles'][0] == 'prediction'
    assert captured['titles'][-1] == '3D side, prediction, grid 50 mm'


def test_sample_with_nothing_shows_the_photo(captured: dict[str, Any]) -> None:
    sheet = prediction_panel(PHOTO, HandDataSample())
    assert captured == {'titles': ['photo'], 'header': ''}
    assert sheet.shape == (TOP_BARE + 384 + 12, 384 + 24, 3)
    assert (sheet[TOP_BARE : TOP_BARE + 384, 12:396] == 90).all()


def test_not_finite_prediction_draws_no_bone_and_is_called_so(captured: dict[str, Any]) -> None:
    sample = full_sample()
    sample.pred_instances.keypoints[:] = float('nan')
    sample.pred_instances.keypoints_3d[:] = float('inf')
    sample.pred_fields.mask[:] = float('nan')
    sheet = prediction_panel(PHOTO, sample)
    assert (sheet[TOP : TOP + 384, 408:792] == 90).all()
    assert captured['header'] == '00012/left | prediction not finite'


def test_wide_photo_is_fitted_to_the_widest_tile(captured: dict[str, Any]) -> None:
    sheet = prediction_panel(np.full((100, 1280, 3), 90, np.uint8), HandDataSample())
    assert sheet.shape == (TOP_BARE + 50 + 12, 640 + 24, 3)


@pytest.mark.parametrize('picture', [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8)])
def test_other_than_rgb_is_refused_by_name(picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match='image_original must be an RGB picture'):
        prediction_panel(picture, HandDataSample())
