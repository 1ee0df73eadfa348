from __future__ import annotations

import json
import pickle

import cv2
import numpy as np
import pytest

from mmdualhand.structures import chirality_scores
from tests.fixtures.capsule_hand import random_hand
from tests.fixtures.capsule_render import intersect_capsule
from tests.fixtures.rhd_writer import main, render_sample, write_rhd


def test_capsule_depth_by_hand():
    rays = np.array([[0.0, 0, 1], [0, 0.05, 1], [0.25, 0, 1], [0.35, 0, 1], [0, 0.2, 1]])
    depth, along = intersect_capsule(rays, np.array([-20.0, 0, 100]), np.array([20.0, 0, 100]), 10.0)
    # straight on: 100 - 10. Tilted by t: (t y)^2 + (t - 100)^2 = 10^2. Ray 3 meets the round end about
    # (20, 0, 100): (t / 4 - 20)^2 + (t - 100)^2 = 10^2 -> t = (210 - sqrt(325)) / 2.125. The rest miss.
    tilted = (100 - np.sqrt(100**2 - 1.0025 * (100**2 - 100))) / 1.0025
    expected = [90.0, tilted, (210 - np.sqrt(325)) / 2.125, np.inf, np.inf]
    np.testing.assert_allclose(depth, expected, rtol=1e-9)
    assert along[0] == pytest.approx(0.5)


def test_same_seed_same_bytes(tmp_path):
    one = write_rhd(tmp_path / 'one', 2, seed=4, image_size=96)
    two = write_rhd(tmp_path / 'two', 2, seed=4, image_size=96)
    other = write_rhd(tmp_path / 'other', 2, seed=5, image_size=96)
    for name in ('color/00001.png', 'depth/00000.png', 'mask/00001.png', 'anno_training.pickle'):
        data = (one / 'training' / name).read_bytes()
        assert data == (two / 'training' / name).read_bytes()
        assert data != (other / 'training' / name).read_bytes()


def test_published_layout(tmp_path):
    main(['--root', str(tmp_path), '--num', '3', '--eval-num', '1', '--image-size', '64'])
    for split, count in (('training', 3), ('evaluation', 1)):
        with open(tmp_path / split / f'anno_{split}.pickle', 'rb') as file:
            content = pickle.load(file)
        assert list(content) == list(range(count))
        shapes = {key: (value.shape, value.dtype) for key, value in content[0].items()}
        assert shapes == {
            'uv_vis': ((42, 3), np.dtype('float32')),
            'xyz': ((42, 3), np.dtype('float32')),
            'K': ((3, 3), np.dtype('float32')),
        }
        for folder, channels in (('color', 3), ('depth', 3), ('mask', 1)):
            names = sorted(path.name for path in (tmp_path / split / folder).iterdir())
            assert names == [f'{index:05d}.png' for index in range(count)]
            picture = cv2.imread(str(tmp_path / split / folder / names[0]), cv2.IMREAD_UNCHANGED)
            assert picture.dtype == np.uint8 and picture.reshape(64, 64, -1).shape[2] == channels
    assert json.loads((tmp_path / 'SYNTHETIC.json').read_text())['content'] == 'capsule hands'
    with pytest.raises(ValueError, match='split'):
        write_rhd(tmp_path, 1, 'test')


def test_both_sides_bend_the_right_way():
    generator = np.random.default_rng(0)
    for side, sign in (('left', -1), ('right', 1)):
        joints = np.stack([random_hand(generator, side, np.array([0, 0, 500.0])).joints for _ in range(100)])
        votes = np.sign(chirality_scores(joints)) == sign
        assert (votes.mean(axis=0) > 0.9).all()
        np.testing.assert_allclose(joints[:, 9], [[0, 0, 500]] * 100, atol=1e-9)


def test_labels_agree_with_the_pictures():
    hands = visible = 0
    for index in range(12):
        annotation, pictures = render_sample(index, split='training', seed=9, image_size=320)
        depth = (pictures['depth'][..., 0].astype(float) * 256 + pictures['depth'][..., 1]) / 65535 * 5000
        mask = pictures['mask']
        assert set(np.unique(mask)) <= set(range(34))
        assert (depth[mask == 0] == 5000).all() and (depth[mask > 0] < 1500).all()
        xyz, uv = annotation['xyz'], annotation['uv_vis'][:, :2]
        projected = xyz @ annotation['K'].T
        np.testing.assert_allclose(projected[:, :2] / projected[:, 2:], uv, atol=1e-3)
        for first, low, high in ((0, 2, 17), (21, 18, 33)):
            count = int(annotation['uv_vis'][first : first + 21, 2].sum())
            drawn = ((mask >= low) & (mask <= high)).any()
            assert drawn == (count > 0) and np.isfinite(annotation['uv_vis'][first : first + 21]).all()
            hands += drawn
            visible += count
            if drawn:
                # the thumb's tip segment carries the lowest label of the hand and lies at raw joint 1
                v, u = np.nonzero(mask == low)
                if len(u) > 20:
                    reach = np.hypot(u - uv[first + 1, 0], v - uv[first + 1, 1]).min()
                    assert reach < 12
    assert hands >= 12 and visible / hands > 15


def test_processes_write_the_same_set(tmp_path):
    alone = write_rhd(tmp_path / 'alone', 2, seed=1, image_size=48)
    pooled = write_rhd(tmp_path / 'pooled', 2, seed=1, image_size=48, workers=1)
    for path in sorted((alone / 'training').rglob('*.*')):
        assert path.read_bytes() == (pooled / path.relative_to(alone)).read_bytes()
