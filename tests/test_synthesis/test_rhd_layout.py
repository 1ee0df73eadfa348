"""The embedded set through the reader of RHD."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdualhand.datasets import RHDDataset
from mmdualhand.structures import Camera, HandSkeleton, chirality_vote
from mmdualhand.synthesis import SetRequest, render_index
from mmdualhand.synthesis.layouts import RENDERER_2D
from mmdualhand.synthesis.layouts.rhd import encode_depth


def reader(root: Path, split: str = 'training', selection: dict | None = {}) -> RHDDataset:  # noqa: B006
    return RHDDataset(root, split, selection=selection)


@pytest.fixture(scope='module')
def side_file(small_set: Path) -> dict[str, np.ndarray]:
    with np.load(small_set / 'training' / RENDERER_2D) as data:
        return dict(data)


def test_depth_codes_by_hand() -> None:
    """2500 mm is half of the range: 32767.5 rounds to 32768 = 128 * 256; the background is 5 m."""
    code = encode_depth(np.array([[2500.0, 0.0, 5000.0, 9000.0, 500.0]]))
    assert code[0].tolist() == [[128, 0, 0], [255, 255, 0], [255, 255, 0], [255, 255, 0], [25, 154, 0]]


def test_reprojection_with_the_reader_s_camera(small_set: Path, side_file: dict[str, np.ndarray]) -> None:
    dataset = reader(small_set, selection=None)
    assert len(dataset) == 40
    for index in range(len(dataset)):
        record = dataset.load_record(index)
        number, side = record['sample_id'].split('/')
        block = 0 if side == 'left' else 1
        exact = HandSkeleton.from_dataset(f'rhd_{side}').to_canonical(side_file['uv'][int(number)], axis=0)
        projected = Camera(record['camera']).project(record['keypoints_3d'])
        # float32 metres and pixels: far below the 1e-3 px asked for where the hand is in the picture
        limit = 1e-3 if side_file['drawn'][int(number), block] else 1e-2
        assert np.abs(projected - exact).max() < limit
        assert np.abs(record['keypoints_2d'] - exact).max() < limit


def test_hands_that_are_not_drawn(small_set: Path, side_file: dict[str, np.ndarray]) -> None:
    drawn, usable = side_file['drawn'], reader(small_set)
    assert drawn.any(axis=1).all() and (drawn.sum(axis=1) == 2).any() and (drawn.sum(axis=1) == 1).any()
    names = {usable.load_record(i)['sample_id'] for i in range(len(usable))}
    everything = reader(small_set, selection=None)
    for index in range(len(everything)):
        record = everything.load_record(index)
        number, side = record['sample_id'].split('/')
        assert np.isfinite(record['keypoints_3d']).all() and (record['keypoints_3d'][:, 2] > 0).all()
        if not drawn[int(number), int(side == 'right')]:
            assert not record['keypoints_visible'].any()
            assert record['sample_id'] not in names
            u = record['keypoints_2d'][:, 0]
            assert (u < 0).all() or (u > 160).all()
    assert len(names) >= 0.6 * drawn.sum()


def test_mask_depth_and_joints_agree(small_set: Path) -> None:
    seen = 0
    dataset = reader(small_set)
    for index in range(len(dataset)):
        record = dataset.load_record(index)
        mask = cv2.imread(record['mask_path'], cv2.IMREAD_UNCHANGED)
        code = cv2.imread(record['depth_path'], cv2.IMREAD_COLOR)[..., ::-1].astype(np.int64)
        code = code[..., 0] * 256 + code[..., 1]
        assert mask.dtype == np.uint8 and mask.ndim == 2 and mask.max() <= 33
        np.testing.assert_array_equal(mask > 0, code < 65535)
        depth = code / 65535 * 5000
        low, high = record['mask_values']
        hand = (mask >= low) & (mask <= high)
        joints = record['keypoints_3d']
        assert hand.sum() > 200
        assert joints[:, 2].min() - 40 < depth[hand].min() and depth[hand].max() < joints[:, 2].max() + 40
        u, v = np.rint(record['keypoints_2d']).astype(int).T
        shown = record['keypoints_visible'] > 0
        inside = (u >= 0) & (v >= 0) & (u < 160) & (v < 160) & shown
        surface = depth[v[inside], u[inside]]
        assert (surface < joints[inside, 2]).all()  # flesh before every joint
        seen += inside.sum()
    assert seen > 200


def test_pictures_are_what_the_renderer_gave(small_set: Path, small_request: SetRequest) -> None:
    sample = render_index(5, seed=small_request.seed, split='evaluation', image_size=160)
    folder = small_set / 'evaluation'
    stored = cv2.imread(str(folder / 'color' / '00005.png'), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(stored, sample.rgb)
    mask = cv2.imread(str(folder / 'mask' / '00005.png'), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask, sample.mask)


def test_sides(small_set: Path) -> None:
    poses: dict[str, list[np.ndarray]] = {'left': [], 'right': []}
    dataset = reader(small_set, selection=None)
    for index in range(len(dataset)):
        record = dataset.load_record(index)
        poses[record['hand_side']].append(record['keypoints_3d'])
    for side, joints in poses.items():
        assert chirality_vote(np.array(joints)) == side


def test_splits_have_other_hands(small_set: Path) -> None:
    lengths = []
    for split in ('training', 'evaluation'):
        dataset = reader(small_set, split, None)
        records = [dataset.load_record(index)['keypoints_3d'] for index in range(len(dataset))]
        bones = [np.linalg.norm(xyz[[9, 10, 11]] - xyz[[10, 11, 12]], axis=1) for xyz in records]
        lengths.append({tuple(np.round(three, 2).tolist()) for three in bones})
    assert len(lengths[0]) >= 20 and not lengths[0] & lengths[1]


def test_the_set_says_what_it_is(small_set: Path, small_request: SetRequest) -> None:
    note = json.loads((small_set / 'SYNTHETIC.json').read_text())
    assert note['seed'] == 3 and note['domain'] == 'source'
    assert note['counts'] == {'training': 20, 'evaluation': 6}
    assert note['generator'] == 'mmdualhand.synthesis' and 'not the published set' in note['content']
    assert note['look']['background'] and note['scene']['hand_length_mm']
    assert reader(small_set).metainfo['embedded'] is True
