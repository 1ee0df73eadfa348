"""Every embedded set of single hands through the reader of its published layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdualhand.datasets import (
    DEPTH_DECODERS,
    BaseHandDataset,
    FreiHANDDataset,
    H3DDataset,
    MVHandDataset,
    STBDataset,
)
from mmdualhand.structures import BONES, Camera, chirality_vote
from mmdualhand.synthesis import LAYOUTS, SetRequest
from mmdualhand.synthesis.layouts import RENDERER_2D
from tests.fixtures.embedded import SIZES, request_of

READERS: dict[str, Callable[[Path, str], BaseHandDataset]] = {
    'stb': lambda root, split: STBDataset(root, split, modalities=('rgb', 'depth')),
    'freihand': lambda root, split: FreiHANDDataset(
        root, {'train': 'training', 'test': 'evaluation'}[split], modalities=('rgb', 'mask')
    ),
    'h3d': lambda root, split: H3DDataset(root, split),
    'mvhand': lambda root, split: MVHandDataset(root, split, modalities=('rgb', 'depth', 'mask')),
}
SIDES = {'stb': 'left', 'freihand': 'right', 'h3d': 'right', 'mvhand': 'right'}
NUMBERS = {**SIZES, 'h3d': (12, 3)}  # the reader's split: a fifth of 15


@pytest.fixture(scope='module', params=list(READERS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope='module')
def root(embedded_sets: Path, name: str) -> Path:
    return embedded_sets / LAYOUTS[name].folder_name


def records(name: str, root: Path, split: str) -> list[dict]:
    dataset = READERS[name](root, split)
    return [dataset.load_record(index) for index in range(len(dataset))]


def read(path: str) -> np.ndarray:
    picture = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    return picture if picture.ndim == 2 else picture[..., ::-1]


def renderer_uv(name: str, root: Path) -> dict[str, np.ndarray]:
    """Picture below the root to the renderer's own 2D."""
    with np.load(root / RENDERER_2D) as data:
        known = dict(zip(data['picture'].tolist(), data['uv'], strict=True))
    if name == 'freihand':  # the other versions show the same
        unique = sum(picture.startswith('training') for picture in known)
        for number in range(unique, 4 * unique):
            same = known[f'training/rgb/{number % unique:08d}.jpg']
            known[f'training/rgb/{number:08d}.jpg'] = same
    return known


@pytest.mark.parametrize('split', ['train', 'test'])
def test_joints_of_the_reader_fall_on_the_renderer_s_pixels(name: str, root: Path, split: str) -> None:
    known, rows = renderer_uv(name, root), records(name, root, split)
    assert len(rows) == NUMBERS[name][split == 'test']
    for record in rows:
        exact = known[Path(record['img_path']).relative_to(root).as_posix()]
        projected = Camera(record['camera']).project(record['keypoints_3d'])
        assert np.abs(projected - exact).max() < 1e-3
        assert np.abs(record['keypoints_2d'] - exact).max() < 1e-3
        height, width = read(record['img_path']).shape[:2]
        inside = ((exact > 0) & (exact < [width - 1, height - 1])).all(axis=1)
        assert inside.mean() > 0.6


def test_sides(name: str, root: Path) -> None:
    rows = records(name, root, 'train')
    assert {record['hand_side'] for record in rows} == {SIDES[name]}
    assert chirality_vote(np.array([record['keypoints_3d'] for record in rows])) == SIDES[name]


def test_joints_lie_behind_what_the_depth_shows(name: str, root: Path) -> None:
    """Of all joints in the picture: a prop before a hand is nearer still."""
    seen = 0
    for record in records(name, root, 'train'):
        if 'depth_path' not in record:
            pytest.skip(f'{name} has no depth')
        depth = DEPTH_DECODERS[record['depth_encoding']](read(record['depth_path']))
        joints, camera = record['keypoints_3d'], record['camera']
        if 'depth_registration' in record:
            motion = record['depth_registration']
            joints = (joints - motion['translation']) @ motion['rotation']
            camera = motion['camera']
        u, v = np.rint(Camera(camera).project(joints)).astype(int).T
        inside = (u >= 0) & (v >= 0) & (u < depth.shape[1]) & (v < depth.shape[0])
        surface = depth[v[inside], u[inside]]
        # stored in whole millimetres: half of one of rounding
        assert (surface > 0).all() and (surface < joints[inside, 2] - 0.5).all()
        seen += inside.sum()
    assert seen > 120


def test_mask_and_depth_show_the_same(name: str, root: Path) -> None:
    """The mask is the person, the depth the person and what is before it."""
    compared = 0
    for record in records(name, root, 'train'):
        if 'mask_path' not in record:
            continue
        low, high = record['mask_values']
        mask = (read(record['mask_path']) >= low) & (read(record['mask_path']) <= high)
        u, v = np.rint(record['keypoints_2d']).astype(int).T
        inside = (u >= 0) & (v >= 0) & (u < mask.shape[1]) & (v < mask.shape[0])
        assert mask[v[inside], u[inside]].mean() > 0.5
        if 'depth_path' in record:
            depth = DEPTH_DECODERS[record['depth_encoding']](read(record['depth_path']))
            assert not (mask & (depth == 0)).any()
            if LAYOUTS[name].scene(compared, 'train', request_of(name)).props == ():
                np.testing.assert_array_equal(mask, depth > 0)
        compared += 1
    if not compared:
        pytest.skip(f'{name} has no masks')


def bones(record: dict) -> np.ndarray:
    xyz = record['keypoints_3d']
    return np.array([np.linalg.norm(xyz[child] - xyz[parent]) for parent, child in BONES[1:4] + BONES[5:8]])


def test_no_hand_of_the_test_split_is_in_the_training_split(name: str, root: Path) -> None:
    train, test = (
        {tuple(np.round(bones(record), 3).tolist()) for record in records(name, root, split)}
        for split in ('train', 'test')
    )
    assert len(train) >= 2 and len(test) >= 1 and not train & test


def test_the_set_says_what_it_is(name: str, root: Path) -> None:
    note = json.loads((root / 'SYNTHETIC.json').read_text())
    assert note['layout'] == note['domain'] == note['look_of'] == name
    assert 'not the published set' in note['content']
    assert sum(note['counts'].values()) >= sum(SIZES[name])
    assert READERS[name](root, 'test').metainfo['embedded'] is True


def test_scenes_serve_other_tools_without_a_set(name: str) -> None:
    """They depend on split and number alone, and another look changes neither hands nor cameras."""
    layout = LAYOUTS[name]
    few, many = SetRequest(name, 4, 4, seed=2), SetRequest(name, 400, 200, seed=2)
    first, second = (layout.scene(6, 'train', request) for request in (few, many))
    np.testing.assert_array_equal(first.hands[0].vertices, second.hands[0].vertices)
    dressed = SetRequest(name, 4, 4, seed=2, look='source')
    plain = layout.scene(6, 'train', dressed)
    assert plain.props == () and plain.image_size == first.image_size
    np.testing.assert_array_equal(plain.hands[0].vertices, first.hands[0].vertices)
    np.testing.assert_array_equal(plain.camera, first.camera)
    person, same_hands = (layout.identity(6, 'train', request) for request in (few, dressed))
    np.testing.assert_array_equal(person.shape.segments, same_hands.shape.segments)
    assert person.look != same_hands.look
    other = layout.identity(6, 'test', few)
    assert not np.array_equal(person.shape.segments, other.shape.segments)
