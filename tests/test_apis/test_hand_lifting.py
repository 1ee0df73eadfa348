"""3D joints from a 2.5D pose, with and without camera and size."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.apis.hand_lifting import LiftingFacts, lift_hand
from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError
from mmdualhand.kinematics import SOURCE_TEMPLATE, HandTemplate
from mmdualhand.structures import Camera, CropTransform

CAMERA = (600.0, 610.0, 320.0, 240.0)
K = np.array([[600.0, 0, 320], [0, 610.0, 240], [0, 0, 1]])
LENGTH = 38.0


def hand(depth: float, seed: int = 0) -> np.ndarray:
    """(21, 3) mm with the palm of the template, turned; fingers somewhere beyond."""
    palm = HandTemplate.load(SOURCE_TEMPLATE).palm
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    palm = palm @ (turn * np.sign(np.linalg.det(turn))).T
    joints = np.zeros((21, 3))
    joints[0], joints[1::4] = palm[0], palm[1:]
    for step in (1, 2, 3):
        joints[1 + step :: 4] = palm[1:] + 0.3 * step * (palm[1:] - palm[0])
    joints = (joints - joints[9]) * LENGTH
    return joints + np.array([25.0, -10.0, depth])


def pose_of(xyz: np.ndarray, mirror: bool) -> tuple[np.ndarray, CropTransform]:
    uv = Camera(K).project(xyz)
    center, side = (uv.min(0) + uv.max(0)) / 2, 1.5 * float(np.ptp(uv, axis=0).max())
    crop = CropTransform.from_box(center, side, (96, 96), (640, 480), mirror=mirror)
    pose = Pose25D(input_size=96).encode(crop.points_2d(uv), crop.points_3d(xyz), np.float64(LENGTH))
    return pose, crop


@pytest.mark.parametrize('mirror', [False, True])
@pytest.mark.parametrize(
    ('facts', 'source'),
    [
        (dict(ref_length=LENGTH, root_depth=520.0), 'given'),
        (dict(root_depth=520.0), 'given'),
        (dict(ref_length=LENGTH), 'solved'),
        (dict(), 'none'),
    ],
)
def test_what_is_known_decides(mirror, facts, source):
    """The palm is that of the template, so what is solved is exact too."""
    xyz = hand(520.0)
    pose, crop = pose_of(xyz, mirror)
    lifted = lift_hand(pose, crop, LiftingFacts.read(camera=CAMERA, **facts))
    assert lifted.source == source
    np.testing.assert_allclose(lifted.relative, (xyz - xyz[9]) / LENGTH, atol=1e-6)
    if source == 'none':
        assert lifted.metric is None
    else:
        np.testing.assert_allclose(lifted.metric, xyz, atol=1e-4)


@pytest.mark.parametrize('mirror', [False, True])
def test_without_a_camera_a_far_hand_is_right_but_for_perspective(mirror):
    xyz = hand(4000.0, seed=1) - [25.0, -10.0, 0.0]
    pose, crop = pose_of(xyz, mirror)
    lifted = lift_hand(pose, crop, LiftingFacts.read())
    assert lifted.source == 'none' and lifted.metric is None
    np.testing.assert_allclose(lifted.relative, (xyz - xyz[9]) / LENGTH, atol=0.1)
    np.testing.assert_allclose(lifted.relative[:, 2], (xyz[:, 2] - xyz[9, 2]) / LENGTH, atol=1e-9)


def test_a_palm_that_no_depth_explains_is_not_solved():
    pose, crop = pose_of(hand(520.0), False)
    pose[[0, 1, 5, 9, 13, 17], 2] = 30.0 * np.arange(6)  # all bones far too long
    lifted = lift_hand(pose, crop, LiftingFacts.read(camera=CAMERA, ref_length=LENGTH))
    assert (lifted.source, lifted.metric) == ('none', None) and np.isfinite(lifted.relative).all()
    given = lift_hand(pose, crop, LiftingFacts.read(CAMERA, LENGTH, 520.0))
    assert given.source == 'given'


def test_a_2d_network_has_no_3d():
    pose, crop = pose_of(hand(520.0), False)
    pose[:, 2] = np.nan
    lifted = lift_hand(pose, crop, LiftingFacts.read(CAMERA, LENGTH, 520.0))
    assert np.isnan(lifted.relative).all() and (lifted.metric, lifted.source) == (None, 'none')


def test_forms_of_a_camera():
    for given in (CAMERA, list(CAMERA), K, Camera(K)):
        np.testing.assert_array_equal(LiftingFacts.read(given).camera.K, K)
    with pytest.raises(ConfigError, match='camera must be'):
        LiftingFacts.read('wide')
    mirrored = K * [[-1, 0, 1], [0, 1, 1], [0, 0, 1]]
    for wrong in ((-600, 610, 320, 240), (600, -610, 320, 240), mirrored, Camera(mirrored)):
        with pytest.raises(ConfigError, match='positive focal lengths'):
            LiftingFacts.read(wrong)
    for wrong in ((np.inf, 610, 320, 240), (600, np.nan, 320, 240)):
        with pytest.raises(ConfigError, match='finite'):
            LiftingFacts.read(wrong)


@pytest.mark.parametrize('name', ['ref_length', 'root_depth'])
def test_lengths_are_positive_numbers_beside_a_camera(name):
    assert getattr(LiftingFacts.read(CAMERA, **{name: np.float32(40)}), name) == 40.0
    for wrong in ('4', b'4', 0, -1, np.nan, np.inf, [40], [[1], [2, 3]], {}, 1j):
        with pytest.raises(ConfigError, match=f'{name} must be a positive number of millimetres'):
            LiftingFacts.read(CAMERA, **{name: wrong})
    with pytest.raises(ConfigError, match=f'{name} says nothing without camera'):
        LiftingFacts.read(**{name: 40.0})
