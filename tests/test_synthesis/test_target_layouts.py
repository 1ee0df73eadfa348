"""What is particular to the layouts of STB, FreiHAND, H3D and MVHand."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import loadmat

from mmdualhand.datasets import FreiHANDDataset, H3DDataset, MVHandDataset, STBDataset
from mmdualhand.errors import ConfigError
from mmdualhand.structures import BONES
from mmdualhand.structures.stb_cameras import COLOR_TO_DEPTH_ROTATION, COLOR_TO_DEPTH_TRANSLATION
from mmdualhand.synthesis import LAYOUTS, SetRequest, generate_set
from mmdualhand.synthesis.layouts import freihand, h3d, mvhand, stb
from tests.fixtures.embedded import SEED, SIZES, request_of


def bone_lengths(joints: np.ndarray) -> np.ndarray:
    """(N, 20) of (N, 21, 3)."""
    pairs = np.array(BONES)
    return np.linalg.norm(joints[:, pairs[:, 1]] - joints[:, pairs[:, 0]], axis=2)


# STB


def test_stb_labels_by_hand() -> None:
    """Wrist at (0, 0, 500) and ring MCP at (20, -80, 500): palm centre (10, -40, 500), stored first."""
    joints = np.zeros((1, 21, 3)) + [0.0, 0.0, 500.0]
    joints[0, 13] = [20.0, -80.0, 500.0]
    joints[0, 4] = [-60.0, -50.0, 480.0]  # thumb tip: the last of the file
    para = stb.hand_para(joints)
    assert para.shape == (3, 21, 1)
    for place, point in ((0, [10.0, -40.0, 500.0]), (20, [-60.0, -50.0, 480.0]), (5, [20.0, -80.0, 500.0])):
        moved = COLOR_TO_DEPTH_ROTATION @ np.array(point) + COLOR_TO_DEPTH_TRANSLATION
        np.testing.assert_allclose(para[:, place, 0], moved, atol=1e-9)


def test_stb_sequences_share_the_frames_and_keep_a_person(embedded_sets: Path) -> None:
    root = embedded_sets / 'STB'
    files = sorted(path.name for path in (root / 'labels').iterdir())
    assert len(files) == 12 and all(name.endswith('_SK.mat') for name in files)
    frames = {name: loadmat(str(root / 'labels' / name))['handPara'].shape[2] for name in files}
    assert sum(frames.values()) == sum(SIZES['stb'])
    assert frames['B2Counting_SK.mat'] == frames['B1Random_SK.mat'] == 2 and frames['B6Random_SK.mat'] == 1
    for name, count in frames.items():
        folder = root / 'images' / name.removesuffix('_SK.mat')
        assert len(list(folder.iterdir())) == 2 * count
    dataset = STBDataset(root, 'test')
    joints = np.array([dataset.load_record(index)['keypoints_3d'] for index in range(4)])
    lengths = bone_lengths(joints)
    # finger bones are of a person; the palm bends a little at the wrist of no hand here
    np.testing.assert_allclose(lengths[0], lengths[1], atol=1e-6)
    np.testing.assert_allclose(lengths[2], lengths[3], atol=1e-6)
    assert np.abs(lengths[0] - lengths[2]).max() > 0.5


def test_stb_depth_is_of_the_depth_camera(embedded_sets: Path) -> None:
    request = request_of('stb')
    scene = LAYOUTS['stb'].scene(11, 'train', request)  # the second frame of the second sequence
    stored = cv2.imread(str(embedded_sets / 'STB/images/B2Random/SK_depth_1.png'))[..., ::-1].astype(int)
    depth = stored[..., 0] + 256 * stored[..., 1]
    expected = stb.depth_view(scene)
    assert np.abs(depth - expected)[expected > 0].max() <= 0.5 and not depth[expected == 0].any()
    own = scene.rasterise().depth
    assert (np.abs(own - expected) > 20).mean() > 0.005  # the colour camera sees it elsewhere


# FreiHAND


def test_freihand_versions_differ_in_the_background_alone(embedded_sets: Path) -> None:
    root = embedded_sets / 'FreiHAND_pub_v2'
    camera = np.array(json.loads((root / 'training_K.json').read_text()))
    assert camera.shape == (3, 3, 3) and (camera[:, :2, 2] == 112).all()
    assert len(list((root / 'training/rgb').iterdir())) == 12
    assert len(list((root / 'training/mask').iterdir())) == 3
    behind = []
    for unique in range(3):
        mask = cv2.imread(str(root / f'training/mask/{unique:08d}.jpg'), cv2.IMREAD_UNCHANGED)
        inner = cv2.erode((mask >= 128).astype(np.uint8), np.ones((9, 9))) > 0
        far = cv2.dilate((mask >= 128).astype(np.uint8), np.ones((9, 9))) == 0
        versions = [
            cv2.imread(str(root / f'training/rgb/{unique + 3 * number:08d}.jpg')).astype(int)
            for number in range(4)
        ]
        assert inner.sum() > 500
        behind.append(versions[0][far].mean(axis=0))
        for other in versions[1:]:
            assert np.abs(other - versions[0])[far].mean() > 1.5 * np.abs(other - versions[0])[inner].mean()
    blue, green, red = np.mean(behind, axis=0)
    assert green > blue and green > red


def test_freihand_scale_and_evaluation(embedded_sets: Path) -> None:
    root = embedded_sets / 'FreiHAND_pub_v2'
    for split in ('training', 'evaluation'):
        xyz = np.array(json.loads((root / f'{split}_xyz.json').read_text()))
        scale = np.array(json.loads((root / f'{split}_scale.json').read_text()))
        np.testing.assert_allclose(scale, np.linalg.norm(xyz[:, 9] - xyz[:, 10], axis=1), rtol=1e-12)
        assert (scale > 0.03).all() and (scale < 0.07).all()  # metres
    dataset = FreiHANDDataset(root, 'evaluation', modalities=('rgb', 'mask'))
    assert len(dataset) == SIZES['freihand'][1] and 'mask_path' in dataset.load_record(0)


def test_freihand_cameras_are_spread_as_the_published_ones() -> None:
    cameras = np.array([freihand.draw_camera(np.random.default_rng(seed)) for seed in range(3000)])
    focal, ratio = cameras[:, 0, 0], cameras[:, 1, 1] / cameras[:, 0, 0]
    assert abs(np.median(focal) - 492.5) < 10 and focal.min() >= 204 and focal.max() <= 1130
    assert abs(np.percentile(focal, 5) - 348) < 15 and abs(np.percentile(focal, 95) - 672) < 30
    assert ratio.min() >= 0.9976 and ratio.max() <= 1.0019


# H3D


def test_h3d_crops_and_their_cameras(embedded_sets: Path) -> None:
    root = embedded_sets / 'H3D_crop'
    rows = json.loads((root / 'annotation.json').read_text())
    assert len(rows) == 16 and [row['without_object'] for row in rows].count(0) == 1
    sizes = set()
    for row in rows:
        height, width = cv2.imread(str(root / row['name'])).shape[:2]
        uv, camera = np.array(row['keypoint2d']), np.array(row['intrinsic_matrix'])
        assert height == width and uv.min() > 0 and uv.max() < width
        extent = np.ptp(uv, axis=0).max()
        assert 1.35 < width / extent < 1.65
        assert camera[0, 0] > 3 * width and (np.abs(camera[:2, 2] - width / 2) > 5).any()  # K of the crop
        sizes.add(width)
    assert len(sizes) > 6 and 140 < min(sizes) and max(sizes) < 340
    assert {row['name'].split('/')[0] for row in rows} == {f'part{part}' for part in range(1, 6)}


def test_h3d_split_is_the_reader_s(embedded_sets: Path) -> None:
    """The writer's rows and the reader's pictures, for the set and for the numbers of the scales."""
    jobs = LAYOUTS['h3d'].jobs(request_of('h3d'))
    names = [row['name'] for row in json.loads((embedded_sets / 'H3D_crop/annotation.json').read_text())]
    for split in ('train', 'test'):
        dataset = H3DDataset(embedded_sets / 'H3D_crop', split)
        found = {dataset.load_record(index)['sample_id'] for index in range(len(dataset))}
        written = {name[:-4] for name, job in zip(names, jobs, strict=True) if job[0] == split}
        assert found == written
    counts = LAYOUTS['h3d'].counts(SetRequest('h3d', 400, 200))
    assert counts == {'train': 480, 'test': 120, 'object': 60}


def test_h3d_objects_are_held(embedded_sets: Path) -> None:
    request = request_of('h3d')
    layout = LAYOUTS['h3d']
    assert all(layout.scene(index, h3d.OBJECT, request).props for index in range(4))
    own = {layout.person(0, split, request).shape.hand_length for split in ('train', 'test', h3d.OBJECT)}
    assert len(own) == 3


# MVHand


def test_mvhand_views_triangulate_to_one_hand(embedded_sets: Path) -> None:
    dataset = MVHandDataset(embedded_sets / 'MVHand', 'train')
    records = {(record := dataset.load_record(index))['sample_id']: record for index in range(len(dataset))}
    poses = LAYOUTS['mvhand'].calibration('9-10-1-2', SEED)
    assert sorted(poses) == list(mvhand.SERIALS)
    np.testing.assert_array_equal(poses['840412062076'], np.eye(4))
    with np.load(embedded_sets / 'MVHand/renderer_uv.npz') as data:
        seen = dict(zip(data['picture'].tolist(), data['uv'], strict=True))
    joints = np.load(embedded_sets / 'MVHand/9-10-1-2/mlresults/9-10-1-2-joints.npy')
    assert joints.shape == (1, 21, 4) and (joints[..., 3] == 1).all()
    for frame in range(len(joints)):
        rows = []
        for view, serial in enumerate(mvhand.SERIALS):
            camera = records[f'9-10-1-2/{frame:05d}_{view}']['camera'] @ np.linalg.inv(poses[serial])[:3]
            uv = seen[f'9-10-1-2/rgb/{frame:05d}_{view}.jpg']
            rows += [uv[:, :1] * camera[2] - camera[0], uv[:, 1:] * camera[2] - camera[1]]
        system = np.stack(rows, axis=1)  # (21, 8, 4): direct linear transform
        points = np.linalg.svd(system)[2][:, -1]
        points = points[:, :3] / points[:, 3:]
        view = records[f'9-10-1-2/{frame:05d}_3']['keypoints_3d']  # the root camera: the world
        np.testing.assert_allclose(points, view, atol=1e-6)


def test_mvhand_cameras_stand_about_the_hand(embedded_sets: Path) -> None:
    for sequence in (*mvhand.SEQUENCES['train'], *mvhand.SEQUENCES['test']):
        poses = LAYOUTS['mvhand'].calibration(sequence, SEED)
        axes = np.array([pose[:3, 2] for pose in poses.values()])
        angles = np.degrees(np.arccos(np.clip(axes @ axes.T, -1, 1)))
        assert angles[np.triu_indices(4, 1)].min() > 12 and angles.max() < 110
        for pose in poses.values():
            np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)


def test_mvhand_views_of_a_frame_share_light_and_skin(embedded_sets: Path) -> None:
    samples = LAYOUTS['mvhand'].render_job(('train', 0), request_of('mvhand'))
    colours = np.array([sample.rgb[sample.mask >= 2].mean(axis=0) for sample in samples])
    behind = np.array([sample.rgb[sample.depth == 0].mean(axis=0) for sample in samples])
    assert np.ptp(colours, axis=0).max() < np.ptp(behind, axis=0).max() + 40


# all


@pytest.mark.parametrize(
    ('name', 'numbers', 'message'),
    [
        ('stb', (9, 2), r'num_train \(--num\) of STB must be a number from 10 on, or 0; got 9'),
        ('freihand', (6, 2), r'\(--num\) of FreiHAND must be a multiple of 4 from 4 on, or 0; got 6'),
        ('mvhand', (8, 4), r'\(--test-num\) of MVHand must be a multiple of 4 from 8 on, or 0; got 4'),
    ],
)
def test_numbers_that_a_layout_cannot_hold(
    tmp_path: Path, name: str, numbers: tuple[int, int], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        generate_set(tmp_path, SetRequest(name, *numbers))
    assert list(tmp_path.iterdir()) == []
