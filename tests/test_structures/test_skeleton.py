"""Joint order: golden permutations of every dataset and the checks on a new one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mmdualhand.structures import (
    BONES,
    FINGERS,
    JOINT_NAMES,
    PARENTS,
    REFERENCE_BONE,
    ROOT_JOINT,
    Camera,
    HandSkeleton,
    check_shape,
    chirality_scores,
    chirality_vote,
)

DATA = Path(__file__).resolve().parents[2].parent / 'shared' / 'data'

GOLDEN = {
    'rhd_left': [0, 4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9, 16, 15, 14, 13, 20, 19, 18, 17],
    'rhd_right': [21, 25, 24, 23, 22, 29, 28, 27, 26, 33, 32, 31, 30, 37, 36, 35, 34, 41, 40, 39, 38],
    'stb': [0, 17, 18, 19, 20, 13, 14, 15, 16, 9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4],
    'freihand': list(range(21)),
    'h3d': list(range(21)),
    'mvhand': [0, 17, 18, 19, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
    'ge_real': list(range(21)),
    # skeleton.txt of InterHand2.6M: right hand first, every finger from tip to base, the wrist last
    'interhand_right': [20, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16],
    'interhand_left': [41, 24, 23, 22, 21, 28, 27, 26, 25, 32, 31, 30, 29, 36, 35, 34, 33, 40, 39, 38, 37],
}


def needs(*parts: str) -> Path:
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f'real sample file {path.name} is not beside the checkout')
    return path


@pytest.mark.parametrize('name', GOLDEN)
def test_gather_is_the_published_permutation(name: str) -> None:
    skeleton = HandSkeleton.from_dataset(name)
    assert skeleton.gather.tolist() == GOLDEN[name]
    assert skeleton.gather.dtype == np.int64
    assert skeleton.num_raw_joints == (42 if name.startswith(('rhd', 'interhand')) else 21)
    assert set(HandSkeleton.known_datasets()) == set(GOLDEN)


def test_scatter_undoes_gather_where_it_is_no_involution() -> None:
    skeleton = HandSkeleton.from_dataset('mvhand')
    # Raw joint 1 (index MCP) is canonical 5, raw 17 (thumb CMC) is canonical 1.
    assert skeleton.scatter[1] == 5 and skeleton.scatter[17] == 1
    assert not np.array_equal(skeleton.scatter, skeleton.gather)


@pytest.mark.parametrize('name', GOLDEN)
def test_canonical_and_raw_round_trip(name: str) -> None:
    skeleton = HandSkeleton.from_dataset(name)
    raw = np.arange(skeleton.num_raw_joints * 3.0).reshape(1, -1, 3)
    canonical = skeleton.to_canonical(raw)
    first = skeleton.gather.min()
    np.testing.assert_array_equal(skeleton.to_raw_block(canonical), raw[:, first : first + 21])
    np.testing.assert_array_equal(canonical[0, :, 0] / 3, GOLDEN[name])
    np.testing.assert_array_equal(skeleton.to_canonical(raw[:, first : first + 21]), canonical)
    torch.testing.assert_close(
        skeleton.to_canonical(torch.from_numpy(raw)), torch.from_numpy(canonical), rtol=0, atol=0
    )
    np.testing.assert_array_equal(skeleton.to_canonical(raw[0, :, 0], axis=-1), canonical[0, :, 0])


def test_names_parents_and_bones_agree() -> None:
    skeleton = HandSkeleton.from_dataset('freihand')
    assert skeleton.names == JOINT_NAMES and skeleton.parents == PARENTS
    assert JOINT_NAMES[ROOT_JOINT] == 'middle_mcp'
    assert [JOINT_NAMES[joint] for joint in REFERENCE_BONE] == ['middle_mcp', 'middle_pip']
    assert JOINT_NAMES[1:5] == ('thumb_cmc', 'thumb_mcp', 'thumb_ip', 'thumb_tip')
    assert len(BONES) == 20 and (0, 17) in BONES and (19, 20) in BONES
    for finger, joints in FINGERS.items():
        assert all(JOINT_NAMES[joint].startswith(finger) for joint in joints)
        assert [PARENTS[joint] for joint in joints] == [0, *joints[:3]]


def test_unknown_dataset_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="'rhd_left'"):
        HandSkeleton.from_dataset('rhd')


@pytest.mark.parametrize(
    ('gather', 'message'),
    [
        ([*range(20), 19], 'twice'),
        (list(range(1, 22)), r'0\.\.20'),
        (list(range(20)), '21 integers'),
        ([*range(20), 20.5], '21 integers'),
    ],
)
def test_a_wrong_gather_is_refused(gather: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HandSkeleton('mine', np.array(gather))


def test_gather_across_two_hands_is_refused() -> None:
    with pytest.raises(ValueError, match='one block'):
        HandSkeleton('mine', np.array([*range(20), 30]), num_raw_joints=42)


def test_wrong_joint_counts_are_refused() -> None:
    skeleton = HandSkeleton.from_dataset('rhd_left')
    with pytest.raises(ValueError, match='42'):
        skeleton.to_canonical(np.zeros((22, 3)))
    with pytest.raises(ValueError, match='21'):
        skeleton.to_raw_block(np.zeros((42, 3)))


def test_check_shape_binds_letters_and_names_the_argument() -> None:
    check_shape(np.zeros((2, 21, 3)), 'B 21 3', name='pose')
    check_shape(torch.zeros(5, 4, 21, 2), '... 21 2', name='uv')
    with pytest.raises(ValueError, match=r'pose must have shape \(B, 21, 3\), got \(2, 20, 3\)'):
        check_shape(np.zeros((2, 20, 3)), 'B 21 3', name='pose')
    with pytest.raises(ValueError, match='K must'):
        check_shape(np.zeros((2, 3)), 'n n', name='K')
    with pytest.raises(TypeError, match='pose must be'):
        check_shape([1, 2], '2', name='pose')


def right_hand() -> np.ndarray:
    """The back of a right hand, fingers up: the thumb is on the image's left, fingers bend away (+z)."""
    hand = np.zeros((21, 3))
    for finger, x in zip((5, 9, 13, 17), (-30.0, -10.0, 10.0, 30.0), strict=True):
        for knuckle, (y, z) in enumerate(((-90, 0), (-125, 10), (-145, 25), (-155, 45))):
            hand[finger + knuckle] = (x, y, z)
    hand[1:5] = [(-30, -20, 8), (-50, -45, 16), (-60, -65, 24), (-65, -80, 32)]
    hand[:, 2] += 500
    return hand


def test_chirality_of_a_hand_made_right_hand_and_its_mirror() -> None:
    hand = right_hand()
    mirrored = hand * (-1, 1, 1)
    assert (chirality_scores(hand[None]) > 0).all()
    np.testing.assert_allclose(chirality_scores(mirrored[None]), -chirality_scores(hand[None]))
    assert chirality_vote(np.stack([hand, hand, mirrored])) == 'right'
    assert chirality_vote(np.stack([hand, mirrored, mirrored])) == 'left'
    with pytest.raises(ValueError, match='no evidence'):
        chirality_vote(np.zeros((2, 21, 3)))


def test_rhd_samples_reproject_and_vote_for_their_side() -> None:
    folder = needs('rhd_mmpose')
    table = json.loads(next(folder.glob('*.json')).read_text())
    cameras = {image['id']: image['cam_param'] for image in table['images']}
    assert len(table['annotations']) == 3
    for record in table['annotations']:
        # One row holds one hand: 21 joints in RHD's raw tip-to-base order.
        skeleton = HandSkeleton.from_dataset(f'rhd_{record["hand_type"]}')
        xyz = skeleton.to_canonical(np.array(record['joint_cam'], dtype=np.float64))
        uv = skeleton.to_canonical(np.array(record['keypoints'], dtype=np.float64).reshape(21, 3))[:, :2]
        focal, centre = (cameras[record['image_id']][key] for key in ('focal', 'princpt'))
        camera = Camera(np.array([[focal[0], 0, centre[0]], [0, focal[1], centre[1]], [0, 0, 1.0]]))
        assert np.abs(camera.project(xyz) - uv).max() < 0.1
        assert chirality_vote(xyz[None]) == record['hand_type']
        # Canonical order makes hand-like middle fingers; raw order would make nonsense.
        bones = np.linalg.norm(np.diff(xyz[[0, 9, 10, 11, 12]], axis=0), axis=-1)
        assert bones[0] > bones[1] > bones[3] and (bones > 10).all() and bones.sum() < 250


def test_stb_labels_are_left_hands_of_constant_bones() -> None:
    io = pytest.importorskip('scipy.io')
    table = io.loadmat(needs('STB', 'labels', 'B1Counting_BB.mat'))['handPara']
    xyz = HandSkeleton.from_dataset('stb').to_canonical(np.transpose(table, (2, 1, 0)))
    middle = np.linalg.norm(np.diff(xyz[:, [0, 9, 10, 11, 12]], axis=1), axis=-1)
    np.testing.assert_allclose(middle, np.broadcast_to([39.1, 40.0, 25.0, 21.0], middle.shape), atol=0.05)
    thumb = np.linalg.norm(np.diff(xyz[:, [0, 1, 2, 3, 4]], axis=1), axis=-1).mean(0)
    np.testing.assert_allclose(thumb, [31, 30, 28, 26], atol=0.1)
    assert (chirality_scores(xyz) < 0).all()
    assert chirality_vote(xyz) == 'left'
