"""STB on the published label file of B1Counting and its first stereo pair."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmdualhand.datasets import STBDataset
from mmdualhand.datasets.stb import read_hand_para
from mmdualhand.errors import DataError
from mmdualhand.structures import BONES, chirality_scores, chirality_vote
from tests.fixtures.stb_writer import save_labels, write_blank_frames

FRAMES = 1500
COLOR_TO_DEPTH = cv2.Rodrigues(np.array([0.00531, -0.01196, 0.00301]))[0]
TRANSLATION = np.array([-24.0381, -0.4563, -1.2326])
OPTIONS = dict(split='test', sequences=['B1Counting'], wrist='palm', num_checked=0)


@pytest.fixture(scope='module')
def root(stb_folder, tmp_path_factory):
    """The real labels, and empty files in place of the pictures that are not here."""
    root = tmp_path_factory.mktemp('stb') / 'STB'
    (root / 'labels').mkdir(parents=True)
    name = 'B1Counting_BB.mat'
    (root / 'labels' / name).write_bytes((stb_folder / 'labels' / name).read_bytes())
    for pattern in ('BB_left_{}.png', 'BB_right_{}.png', 'SK_color_{}.png'):
        write_blank_frames(root, 'B1Counting', FRAMES, pattern)
    return root


def columns(dataset, *keys):
    records = [dataset.labels_only(index) for index in range(len(dataset))]
    return [np.stack([record[key] for record in records]) for key in keys]


def test_fingerprint(stb_folder):
    raw = read_hand_para(stb_folder / 'labels' / 'B1Counting_BB.mat')
    assert raw.shape == (FRAMES, 21, 3)
    known = {
        0: (126.50, 56.84, 664.35),
        4: (134.69, -39.72, 663.60),
        16: (74.61, -41.03, 671.78),
        20: (69.44, 37.17, 663.41),
    }
    for joint, xyz in known.items():
        np.testing.assert_allclose(raw[0, joint], xyz, atol=0.006)


def test_bones_are_constant_and_known(root):
    (joints,) = columns(STBDataset(root, **OPTIONS, stream='BB_left'), 'keypoints_3d')
    start, end = np.array(BONES).T
    lengths = np.linalg.norm(joints[:, end] - joints[:, start], axis=-1)
    assert lengths.std(axis=0).max() < 0.005
    published = [
        *(31.0, 30, 28, 26),
        *(41.9, 34, 22, 20),
        *(39.1, 40, 25, 21),
        *(38.8, 37, 23, 20),
        *(36.8, 32, 15, 19),
    ]
    np.testing.assert_allclose(lengths.mean(axis=0), published, atol=0.06)


@pytest.mark.parametrize(
    ('stream', 'extent'),
    [('BB_left', (341.2, 553.0, 169.7, 389.2)), ('BB_right', (198.4, 404.5, 169.7, 389.2))],
)
def test_projected_extents(root, stream, extent):
    (uv,) = columns(STBDataset(root, **OPTIONS, stream=stream), 'keypoints_2d')
    assert uv.shape == (FRAMES, 21, 2)
    (u0, v0), (u1, v1) = uv.min(axis=(0, 1)), uv.max(axis=(0, 1))
    np.testing.assert_allclose((u0, u1, v0, v1), extent, atol=0.1)


@pytest.mark.parametrize('wrist', ['palm', '2p-r', '2p-m'])
def test_every_frame_is_a_left_hand(root, wrist):
    (joints,) = columns(STBDataset(root, **{**OPTIONS, 'wrist': wrist}, stream='BB_left'), 'keypoints_3d')
    assert (chirality_scores(joints) < 0).all()
    assert chirality_vote(joints) == 'left'


@pytest.mark.parametrize(
    ('wrist', 'length'), [('palm', 39.1), ('2p-r', 76.0), ('2p-m', 78.1), ([9, 2.2], 85.9)]
)
def test_length_from_wrist_to_middle_mcp(root, wrist, length):
    (joints,) = columns(STBDataset(root, **{**OPTIONS, 'wrist': wrist}, stream='BB_left'), 'keypoints_3d')
    lengths = np.linalg.norm(joints[:, 0] - joints[:, 9], axis=-1)
    assert lengths.mean() == pytest.approx(length, abs=0.06)


def test_the_motion_to_the_colour_camera(root):
    """Labels written through colour-to-depth come back; any other reading of them is far off."""
    raw = read_hand_para(root / 'labels' / 'B1Counting_BB.mat')
    depth_frame = raw @ COLOR_TO_DEPTH.T + TRANSLATION
    save_labels(root / 'labels' / 'B1Counting_SK.mat', depth_frame.transpose(2, 1, 0))
    dataset = STBDataset(root, **OPTIONS, stream='SK')
    joints, uv = columns(dataset, 'keypoints_3d', 'keypoints_2d')
    (expected,) = columns(STBDataset(root, **OPTIONS, stream='BB_left'), 'keypoints_3d')
    assert np.abs(joints - expected).max() < 1e-3
    assert chirality_vote(joints) == 'left'

    camera = dataset.load_record(0)['camera']
    order = [0, 17, 18, 19, 20, 13, 14, 15, 16, 9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4]

    def distance(points):
        rays = points[:, order] @ camera.T
        return np.linalg.norm(rays[..., :2] / rays[..., 2:] - uv, axis=-1)

    assert distance((depth_frame - TRANSLATION) @ COLOR_TO_DEPTH).max() < 1e-6  # R^T (X - t)
    assert distance(depth_frame).min() > 10  # no motion
    assert distance((depth_frame - TRANSLATION) @ COLOR_TO_DEPTH.T).min() > 10  # R for R^T
    assert distance(depth_frame @ COLOR_TO_DEPTH + TRANSLATION).min() > 10  # back and forth mixed up


def test_the_frame_that_is_here(stb_folder):
    """Only frame 0 has pictures: an error by default, which names the first and the number."""
    options = dict(split='test', sequences=['B1Counting'], stream='BB_right')
    with pytest.raises(DataError, match=r'BB_right_1\.png of record .* \(1498 more records are broken\)'):
        STBDataset(stb_folder, **options)
    dataset = STBDataset(stb_folder, **options, on_error='skip')
    assert (len(dataset), dataset.num_skipped) == (1, 1499)
    assert dataset.metainfo['embedded'] is False
