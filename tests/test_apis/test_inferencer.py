"""Pictures in, hands out: frames, sides, boxes, batches, and what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import mmdualhand
from mmdualhand.apis.hand_crops import LINEAR_DOWN_TO, box_crop, cut, read_boxes, spread_boxes
from mmdualhand.apis.inferencer import HandPoseInferencer, inference_hand
from mmdualhand.apis.model_zoo import get_config
from mmdualhand.apis.read_image import read_image
from mmdualhand.apis.report.predictions import load_network
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.structures import CropTransform, HandResult
from tests.fixtures.dot_runner import DotRunner, dot_picture
from tests.fixtures.report_networks import write_checkpoint

BOX = (40.0, 20.0, 80.0, 60.0)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp('networks') / 'tiny.pth', 1)


def dots(**options) -> HandPoseInferencer:
    return HandPoseInferencer(DotRunner(), **options)


@pytest.mark.parametrize('side', ['right', 'left'])
def test_joints_are_pixels_of_the_picture(side):
    (result,) = dots().infer(dot_picture(70, 33), boxes=BOX, side=side)
    (hand,) = result.hands
    np.testing.assert_allclose(hand.keypoints, np.tile([70.0, 33.0], (21, 1)), atol=0.1)
    assert (hand.side, hand.side_score, hand.crop.mirror) == (side, None, side == 'left')
    assert result.size == (160, 120) and result.note == '' and hand.box.tolist() == list(BOX)


def test_the_crop_is_square_and_wider_than_the_box_by_box_scale():
    (result,) = dots(box_scale=2.0).infer(dot_picture(50, 30), boxes=(30, 20, 70, 30), side='right')
    corners = result.hands[0].crop.inverse_points_2d(np.array([[-0.5, -0.5], [63.5, 63.5]]))
    np.testing.assert_allclose(corners, [[10.0, -15.0], [90.0, 65.0]])  # 2 x 40 px about (50, 25)


def test_without_a_box_the_whole_picture_is_the_crop():
    (result,) = dots().infer(dot_picture(120, 90), side='left')
    hand = result.hands[0]
    assert hand.box.tolist() == [0, 0, 159, 119]
    corners = hand.crop.inverse_points_2d(np.array([[63.5, -0.5], [-0.5, 63.5]]))
    np.testing.assert_allclose(corners, [[-0.5, -20.5], [159.5, 139.5]])
    np.testing.assert_allclose(hand.keypoints, [[120.0, 90.0]] * 21, atol=1.3)  # samples 2.5 px apart


def test_both_sides_are_tried_and_the_surer_one_is_kept():
    # The dot is in the right half of the box: sure unmirrored, unsure mirrored.
    right, left = (next(dots().infer(dot_picture(x, 40), boxes=BOX)).hands[0] for x in (75, 45))
    assert (right.side, left.side) == ('right', 'left')
    assert right.side_score == left.side_score == pytest.approx(0.6)
    np.testing.assert_allclose(left.keypoints, np.tile([45.0, 40.0], (21, 1)), atol=0.1)
    assert right.confidence.tolist() == pytest.approx([0.8] * 21) and not right.calibrated


def test_a_mirrored_hand_has_its_3d_mirrored_back():
    (result,) = dots().infer(dot_picture(60, 40), boxes=BOX, side='left', camera=(100, 100, 80, 60),
                             ref_length=40, root_depth=500)  # fmt: skip
    hand = result.hands[0]
    assert hand.metric == 'given'
    z = 500 + 40 * 0.1 * (np.arange(21) - 9)
    expected = np.stack([(60 - 80) / 100 * z, (40 - 60) / 100 * z, z], -1)
    np.testing.assert_allclose(hand.keypoints_3d, expected, rtol=2e-3)
    np.testing.assert_allclose(hand.keypoints_3d_relative[:, 2], 0.1 * (np.arange(21) - 9), atol=1e-6)


def test_batches_are_filled_across_pictures_and_results_keep_their_order():
    inferencer = dots(batch_size=4)
    pictures = [dot_picture(50 + n, 40) for n in range(7)]
    results = list(inferencer.infer(pictures, boxes=[BOX, (30, 20, 90, 60)], side='right', keep_images=True))
    assert inferencer.runner.batches == [4, 4, 4, 2]
    assert [r.frame for r in results] == list(range(7))
    for n, result in enumerate(results):
        assert (result.image == pictures[n]).all() and len(result.hands) == 2
        np.testing.assert_allclose([h.keypoints[0, 0] for h in result.hands], [50 + n] * 2, atol=0.2)
    assert next(inferencer.infer(pictures, side='right')).image is None


def test_boxes_for_each_picture_by_place_or_name(tmp_path):
    for name in ('a.png', 'b.png'):
        cv2.imwrite(str(tmp_path / name), dot_picture(60, 40))
    by_place = list(dots().infer(tmp_path, boxes=[None, [BOX, BOX]], side='right'))
    assert [len(r.hands) for r in by_place] == [1, 2]
    assert by_place[0].hands[0].box.tolist() == [0, 0, 159, 119]
    by_name = list(dots().infer(tmp_path, boxes={'b.png': BOX, str(tmp_path / 'a.png'): [BOX, BOX]}))
    assert [len(r.hands) for r in by_name] == [2, 1]
    with pytest.raises(ConfigError, match='entries for 3 pictures, and there are 2'):
        dots().infer(tmp_path, boxes=[None, None, BOX])
    other = (30.0, 20.0, 90.0, 60.0)
    one_each = list(dots().infer(tmp_path, boxes=[BOX, other], side='right'))
    assert [[tuple(h.box) for h in r.hands] for r in one_each] == [[BOX], [other]]
    both = list(dots().infer(tmp_path, boxes=np.array([BOX, other]), side='right'))
    assert [[tuple(h.box) for h in r.hands] for r in both] == [[BOX, other]] * 2


def test_a_picture_that_a_mapping_does_not_name_is_not_searched(tmp_path):
    for name in ('a.png', 'b.png', 'c.png'):
        cv2.imwrite(str(tmp_path / name), dot_picture(60, 40))
    results = list(dots().infer(tmp_path, boxes={Path('b.png'): BOX, 'c.png': None}, side='right'))
    assert [len(r.hands) for r in results] == [0, 1, 1]
    assert results[0].note == f'boxes has no entry for {tmp_path / "a.png"}'
    assert results[2].hands[0].box.tolist() == [0, 0, 159, 119]
    with pytest.raises(ConfigError, match=r'no entry for .*a\.png, only for b\.png'):
        list(dots().infer(tmp_path / 'a.png', boxes={'b.png': BOX}))
    (unnamed,) = dots().infer(iter([dot_picture(60, 40)]), boxes={'b.png': BOX})
    assert unnamed.hands == () and 'a picture without a name' in unnamed.note


def test_pictures_of_the_caller_are_kept_as_they_were():
    image = dot_picture(60, 40)
    inferencer = dots()
    inferencer.set_image(image)
    (result,) = inferencer.infer(image, boxes=BOX, side='right', keep_images=True)
    image[:] = 0
    np.testing.assert_array_equal(result.image, dot_picture(60, 40))
    (hand,) = inferencer.predict(BOX, 'right')
    np.testing.assert_allclose(hand.keypoints, np.tile([60.0, 40.0], (21, 1)), atol=0.1)


def test_a_detector_is_asked_where_no_boxes_are_given():
    seen = []

    def detector(image):
        seen.append(image.shape)
        return np.array([BOX, (np.nan, 0, 1, 1), (500, 500, 520, 520)]), ['left', None, None]

    (result,) = dots(detector=detector).infer(dot_picture(60, 40))
    assert [h.side for h in result.hands] == ['left'] and seen == [(120, 160, 3)]
    results = list(dots(detector=detector).infer([dot_picture(60, 40)] * 2))
    assert all(len(r.hands) == 1 and 'outside of the picture' in r.note for r in results)
    list(dots(detector=detector).infer([dot_picture(60, 40)] * 2, boxes=BOX))
    assert len(seen) == 3
    (empty,) = dots(detector=lambda image: np.zeros((0, 4))).infer(dot_picture(60, 40))
    assert empty.hands == () and 'no hand' in empty.note
    with pytest.raises(DataError, match=r'boxes \(N, 4\)'):
        list(dots(detector=lambda image: np.zeros((1, 5))).infer(dot_picture(60, 40)))


def test_broken_and_tiny_pictures_of_a_folder_get_notes(tmp_path):
    cv2.imwrite(str(tmp_path / '1.png'), dot_picture(60, 40))
    (tmp_path / '2.jpg').write_bytes(b'\xff\xd8 broken')
    cv2.imwrite(str(tmp_path / '3.png'), np.zeros((4, 5, 3), np.uint8))
    cv2.imwrite(str(tmp_path / '4.png'), dot_picture(60, 40)[..., 0])
    results = list(dots().infer(tmp_path))
    assert [len(r.hands) for r in results] == [1, 0, 0, 1]
    assert '2.jpg' in results[1].note and '5 x 4 px are too small' in results[2].note
    assert [r.size for r in results] == [(160, 120), (0, 0), (5, 4), (160, 120)]
    with pytest.raises(DataError, match=r'2\.jpg'):
        list(dots().infer(tmp_path / '2.jpg'))
    with pytest.raises(MissingFileError):
        dots().infer(tmp_path / 'none.png')


def test_a_huge_picture_is_averaged_before_it_is_cut():
    image = np.zeros((3000, 4000, 3), np.uint8)
    image[:, 1::2] = 255  # fine stripes: sampling would see black or white, averaging sees gray
    crop = CropTransform.from_box((1999.5, 1499.5), 4000, (64, 64), (4000, 3000))
    pixels = cut(image, crop)
    assert pixels[32].mean() == pytest.approx(127.5, abs=1) and pixels[:7].max() == 0
    tall = np.zeros((40_000, 20, 3), np.uint8)  # beyond OpenCV's 16-bit coordinates
    tall[30_000:30_010] = 255
    (result,) = dots().infer(tall, boxes=(0, 29_990, 20, 30_019), side='right')
    assert result.hands[0].keypoints[0, 1] == pytest.approx(30_004.5, abs=0.6)


def test_ordinary_crops_are_those_of_training():
    image = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    crop = CropTransform.from_box((210, 140), 64 / LINEAR_DOWN_TO, (64, 64), (400, 300), mirror=True)
    np.testing.assert_array_equal(cut(image, crop), crop.image(image, 'linear'))


def test_set_image_then_predict():
    inferencer = dots()
    with pytest.raises(ConfigError, match='set_image'):
        inferencer.predict()
    inferencer.set_image(dot_picture(60, 40))
    first, second = inferencer.predict(np.array([BOX, BOX]), 'right')
    np.testing.assert_allclose(first.keypoints, second.keypoints)
    (whole,) = inferencer.predict()
    assert isinstance(whole, HandResult) and whole.metric == 'none' and whole.keypoints_3d is None
    with pytest.raises(ConfigError, match='outside of the picture'):
        inferencer.predict((300, 300, 340, 340))
    with pytest.raises(DataError, match='too small'):
        inferencer.set_image(np.zeros((3, 3), np.uint8))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(side='up'), "'right', 'left' or None"),
        (dict(boxes=(10, 10, 5, 20)), 'x1 > x0'),
        (dict(boxes=(10, 10, 5)), r'\(N, 4\)'),
        (dict(camera=(1, 2, 3)), 'fx, fy, cx, cy'),
        (dict(camera=(0, 0, 3, 4)), 'cannot be inverted'),
        (dict(camera=(100, -100, 3, 4)), 'positive focal lengths, got fx 100 and fy -100'),
        (dict(ref_length=-1), 'ref_length must be a positive number'),
        (dict(ref_length=40), 'ref_length says nothing without camera'),
        (dict(root_depth=500), 'says nothing without camera'),
    ],
)
def test_arguments_without_meaning(options, message):
    with pytest.raises(ConfigError, match=message):
        dots().infer(dot_picture(60, 40), **options)


@pytest.mark.parametrize('options', [dict(batch_size=0), dict(box_scale=0), dict(box_scale=np.nan)])
def test_settings_without_meaning(options):
    with pytest.raises(ConfigError):
        dots(**options)


def test_boxes_are_told_apart():
    assert read_boxes([1, 2, 3, 4]).shape == (1, 4)
    two = [[1, 2, 3, 4], [1, 2, 3, 5]]
    for boxes, count in ((two, 3), (two, 1), (two, None), (np.array(two), 2)):
        shared, each = spread_boxes(boxes, count)
        assert shared.tolist() == two and each is None
    assert spread_boxes(two, 2) == (None, two)
    assert spread_boxes([1, 2, 3, 4], 4)[0].tolist() == [[1, 2, 3, 4]]
    assert spread_boxes([[1, 2, 3, 4]], 1)[0].tolist() == [[1, 2, 3, 4]]
    shared, each = spread_boxes([np.array([1, 2, 3, 4]), None], 2)
    assert shared is None and len(each) == 2
    with pytest.raises(ConfigError, match='outside'):
        box_crop(np.array([-50.0, 0, -40, 10]), (64, 64), (64, 64), 1.5, False)


def test_results_are_json(tmp_path):
    calibration = dict(format=1, temperature=1.0, bias=[0.0] * 21, threshold=0.05, score='', fitted_on='')
    (tmp_path / 'c.json').write_text(json.dumps(calibration))
    for inferencer in (HandPoseInferencer(DotRunner(calibration)), dots(calibration=tmp_path / 'c.json')):
        (result,) = inferencer.infer(dot_picture(60, 40), boxes=BOX, side='right')
        record = json.loads(json.dumps(result.to_dict(maps=True)))
        (hand,) = record['hands']
        assert hand['calibrated'] is True and hand['confidence'] == pytest.approx([0.2] * 21, abs=1e-5) or (
            hand['confidence'] == pytest.approx([0.8] * 21, abs=1e-5)
        )
        assert hand['keypoints_3d'] is None and len(hand['mask']) == 8 and record['size'] == [160, 120]
        assert hand['crop']['size'] == [64, 64] and np.shape(hand['crop']['matrix']) == (3, 3)


def test_a_network_says_what_the_benchmark_says(checkpoint, rhd_root):
    """Boxes about the true joints: the same crop, so the same prediction."""
    config = get_config('mini/pretrain_rhd')
    config.test_dataloader.dataset.update(data_root=str(rhd_root), split='training')
    network = load_network(checkpoint, config)
    inferencer = HandPoseInferencer(checkpoint, device='cpu')
    sides = set()
    for row, sample in enumerate(network.look(range(5))):
        record = network.dataset.labels_only(row)
        uv, xyz = np.asarray(record['keypoints_2d']), np.asarray(record['keypoints_3d'])
        (result,) = inferencer.infer(
            record['img_path'],
            boxes=np.concatenate([uv.min(0), uv.max(0)]),
            side=record['hand_side'],
            camera=record['camera'],
            ref_length=sample.metainfo['ref_length'],
            root_depth=xyz[9, 2],
        )
        hand, expected = result.hands[0], sample.pred_instances
        sides.add(hand.side)
        np.testing.assert_allclose(hand.keypoints, expected.keypoints[0], atol=0.01)
        np.testing.assert_allclose(hand.keypoints_3d, expected.keypoints_3d[0], atol=0.05)
        np.testing.assert_allclose(hand.confidence, expected.keypoint_scores[0], atol=1e-4)
        np.testing.assert_allclose(hand.mask, np.asarray(sample.pred_fields.mask)[0], atol=1e-4)
        np.testing.assert_allclose(hand.depth_map, np.asarray(sample.pred_fields.depth_map)[0], atol=1e-4)
        assert result.path == record['img_path'] and hand.metric == 'given'
    assert sides == {'right', 'left'}


def test_public_functions(checkpoint, tmp_path):
    model = mmdualhand.init_model(checkpoint, device='cpu')
    assert not model.training and model.checkpoint_meta['model']['type'] == 'DualModalityEstimator'
    cv2.imwrite(str(tmp_path / 'p.png'), dot_picture(60, 40))
    result = mmdualhand.inference_hand(model, tmp_path / 'p.png', BOX, side='right')
    same = inference_hand(HandPoseInferencer(model), read_image(tmp_path / 'p.png'), BOX, side='right')
    assert result.path.endswith('p.png') and same.path is None
    np.testing.assert_allclose(result.hands[0].keypoints, same.hands[0].keypoints, atol=1e-4)
