"""The checks of a dataset by themselves, on labels made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdualhand.datasets.health import NOT_APPLICABLE, OK, WARNING, WRONG, HealthReport, LabelTable, Row
from mmdualhand.datasets.health.bones import bone_lengths, check_bones
from mmdualhand.datasets.health.evidence import (
    SEARCH_PX,
    Evidence,
    depth_gaps,
    places,
    possible,
    shift_scores,
)
from mmdualhand.datasets.health.facts import FACTS
from mmdualhand.datasets.health.frames import check_frames
from mmdualhand.datasets.health.hand_template import relaxed_hand
from mmdualhand.datasets.health.intrinsics import check_intrinsics
from mmdualhand.datasets.health.joint_order import check_joint_order, fit_orders
from mmdualhand.datasets.health.leakage import check_picture_leakage, check_pose_leakage, nearest
from mmdualhand.datasets.health.pictures import PictureScan, block_difference, fingerprint, scan_pictures
from mmdualhand.datasets.health.reprojection import check_reprojection
from mmdualhand.datasets.health.sides import check_sides
from mmdualhand.datasets.health.silhouette import check_silhouette
from mmdualhand.datasets.health.units import check_units
from mmdualhand.datasets.health.values import check_in_front, check_values
from mmdualhand.structures import BONES, HandSkeleton
from tests.fixtures.capsule_hand import random_hand

SCAN = PictureScan()
ANY = FACTS['coco']


def hands(count: int, side: str = 'right', seed: int = 0) -> np.ndarray:
    """Capsule hands (N, 21, 3) mm."""
    rng = np.random.default_rng(seed)
    return np.stack(
        [random_hand(rng, side, np.append(rng.uniform(-40, 40, 2), 500.0)).joints for _ in range(count)]
    )


def table_of(joints: np.ndarray, focal: np.ndarray | float = 300.0, **changes: object) -> LabelTable:
    """Right hands with stored pixels, 320 px pictures and a camera each."""
    count = len(joints)
    cameras = np.tile(np.array([[0.0, 0, 160], [0, 0, 160], [0, 0, 1]]), (count, 1, 1))
    cameras[:, 0, 0] = cameras[:, 1, 1] = focal
    rays = joints @ cameras.transpose(0, 2, 1)
    table = LabelTable(
        split='train',
        ids=np.array([f'{number}' for number in range(count)], object),
        sides=np.full(count, 'right', object),
        joints=joints,
        cameras=cameras,
        uv=rays[..., :2] / rays[..., 2:],
        file_cameras=cameras,
        file_rows=np.arange(count),
    )
    return replace(table, **changes)


# joint order


@pytest.mark.parametrize(
    ('order', 'text'),
    [
        ('rhd_left', 'thumb, index, middle, ring, pinky, tip to base'),
        ('stb', 'pinky, ring, middle, index, thumb, base to tip'),
        ('mvhand', 'index, middle, ring, pinky, thumb, base to tip'),
    ],
)
def test_published_orders_are_recognised_in_words(order: str, text: str) -> None:
    raw = HandSkeleton.from_dataset(order).to_raw_block(hands(10))
    row, fixed = check_joint_order(table_of(raw))
    assert (
        row.verdict == WRONG and "joint order is not the dataset's" in row.measured and text in row.measured
    )
    np.testing.assert_array_equal(fixed.joints, hands(10))


def test_right_order_passes_and_a_shuffle_is_no_hand() -> None:
    joints = hands(10)
    assert check_joint_order(table_of(joints))[0].verdict == OK
    shuffled = joints[:, np.random.default_rng(1).permutation(21)]
    row, _ = check_joint_order(table_of(shuffled))
    assert row.verdict == WRONG
    assert fit_orders(relaxed_hand()[None])[0].misfit == 0
    assert fit_orders(relaxed_hand('palm')[None], 'palm')[0].misfit == 0


def test_a_few_hands_raise_no_alarm() -> None:
    alarms = [check_joint_order(table_of(hands(3, seed=seed)))[0].verdict for seed in range(12)]
    assert WRONG not in alarms


# units


@pytest.mark.parametrize(
    ('name', 'factor', 'unit'),
    [
        ('stb', 0.001, 'metre'),
        ('stb', 0.1, 'centimetre'),
        ('rhd', 1000.0, 'millimetre'),
        ('ge_real', 10.0, 'millimetre'),
    ],
)
def test_unit_is_named_and_undone(name: str, factor: float, unit: str) -> None:
    row, fixed = check_units(table_of(hands(4) * factor), FACTS[name])
    assert row.verdict == WRONG and f'lengths look like {unit}s: read as {FACTS[name].unit}s' in row.measured
    np.testing.assert_allclose(fixed.joints, hands(4))
    assert check_units(table_of(hands(4)), FACTS[name])[0].verdict == OK


def test_no_unit_makes_a_hand_of_it() -> None:
    row, _ = check_units(table_of(hands(4) * 1e6), FACTS['stb'])
    assert row.verdict == WRONG and 'no unit makes hands' in row.measured


# 2D against 3D


def test_shift_of_the_principal_point_is_measured() -> None:
    table = table_of(hands(6))
    cameras = table.cameras + np.array([[0, 0, 8.0], [0, 0, -3.0], [0, 0, 0]])
    (row,), fixed = check_reprojection(replace(table, cameras=cameras), SCAN, ANY)
    assert row.verdict == WRONG and 'principal point is off by about (8.0, -3.0) px' in row.measured
    np.testing.assert_allclose(fixed.project(), table.uv)


def test_cameras_of_the_neighbours() -> None:
    table = table_of(hands(8), np.linspace(250, 420, 8))
    rolled = np.roll(table.cameras, -1, axis=0)
    moved = replace(table, cameras=rolled, file_cameras=rolled)
    (row,), _ = check_reprojection(moved, SCAN, ANY)
    assert row.verdict == WRONG and 'K of record i fits record i+1' in row.measured
    back = np.roll(table.cameras, 1, axis=0)
    (row,), _ = check_reprojection(replace(table, cameras=back, file_cameras=back), SCAN, ANY)
    assert 'K of record i fits record i-1' in row.measured


def test_swapped_or_mirrored_2d_is_told_from_3d_by_the_sides() -> None:
    table = table_of(hands(8))
    swapped = replace(table, uv=table.uv[..., ::-1])
    assert 'x and y are swapped (2D labels)' in check_reprojection(swapped, SCAN, ANY)[0][0].measured
    swapped = replace(table, joints=table.joints[..., [1, 0, 2]])
    assert 'x and y are swapped (3D labels)' in check_reprojection(swapped, SCAN, ANY)[0][0].measured
    mirrored = replace(table, joints=table.joints * [-1, 1, 1])
    assert 'x of the 3D labels' in check_reprojection(mirrored, SCAN, ANY)[0][0].measured
    mirrored = replace(table, uv=np.stack([320 - table.uv[..., 0], table.uv[..., 1]], axis=-1))
    assert 'u of the 2D labels' in check_reprojection(mirrored, SCAN, ANY)[0][0].measured


def test_orders_of_2d_and_3d_that_differ() -> None:
    table = table_of(hands(8))
    uv = HandSkeleton.from_dataset('stb').to_canonical(table.uv)
    (row,), _ = check_reprojection(replace(table, uv=uv), SCAN, ANY)
    assert row.verdict == WRONG and '2D and 3D differ as by the order of stb' in row.measured


def test_crops_without_their_cameras_are_a_fault_of_some_sets_only() -> None:
    table = table_of(hands(8))
    corners = np.random.default_rng(2).uniform(20, 90, (8, 1, 2))
    cropped = replace(table, uv=(table.uv - corners) * 1.7)
    (row,), fixed = check_reprojection(cropped, SCAN, ANY)
    assert row.verdict == WRONG and 'K was not moved with the crop' in row.measured
    np.testing.assert_allclose(fixed.project(), cropped.uv)
    (row,), _ = check_reprojection(cropped, SCAN, FACTS['h3d'])
    assert row.verdict == OK and 'the reader finds it' in row.measured


def test_a_single_wrong_label_is_named_and_is_a_warning_in_a_large_set() -> None:
    table = table_of(hands(60))
    uv = table.uv.copy()
    uv[7] += np.random.default_rng(3).normal(0, 30, (21, 2))
    (row,), _ = check_reprojection(replace(table, uv=uv), SCAN, ANY)
    assert row.verdict == WARNING and 'in 1 of 60 (7)' in row.measured
    assert '2D and 3D labels do not belong together' in row.measured


# masks and depth


def disc_evidence(table: LabelTable, row: int, shift: tuple[int, int] = (0, 0)) -> Evidence:
    """A mask of discs of 9 px about the joints, all moved by ``shift``, and depth 8 mm in front of them."""
    mask, depth = np.zeros((320, 320), np.uint8), np.zeros((320, 320), np.float32)
    for joint in np.argsort(-table.joints[row, :, 2]):
        u, v = np.rint(table.uv[row, joint]).astype(int) + shift
        cv2.circle(mask, (int(u), int(v)), 9, 1, -1)
        cv2.circle(depth, (int(u), int(v)), 9, float(table.joints[row, joint, 2] - 8), -1)
    return Evidence(mask > 0, depth)


def test_joints_on_and_off_the_hand() -> None:
    table = table_of(hands(1))
    evidence, where = disc_evidence(table, 0), places(table)
    assert possible(evidence, where, 0).all()
    hidden = Evidence(evidence.mask & False, None)
    assert not possible(hidden, where, 0).any()
    far = Evidence(None, evidence.depth + 100)  # the surface would lie behind every joint
    assert not possible(far, where, 0).any()
    assert not possible(Evidence(None, evidence.depth * 0), where, 0).any()  # nothing measured, no mask
    gaps = depth_gaps(evidence, where, 0)
    assert np.median(gaps) == pytest.approx(8.0, abs=0.1)


@pytest.mark.parametrize('shift', [(0, 0), (8, 0), (-5, 3), (16, -16)])
def test_shift_of_the_pictures_is_found(shift: tuple[int, int]) -> None:
    table = table_of(hands(8))
    where = places(table)
    total = sum(shift_scores(disc_evidence(table, row, shift), where, row) for row in range(8))
    dv, du = np.unravel_index(int(total.argmax()), total.shape)
    assert abs(du - SEARCH_PX - shift[0]) <= 1 and abs(dv - SEARCH_PX - shift[1]) <= 1


def written(table: LabelTable, folder: Path, shift: tuple[int, int] = (0, 0)) -> LabelTable:
    """The table with mask files of discs."""
    paths = []
    for row in range(len(table)):
        paths.append(str(folder / f'{row}.png'))
        cv2.imwrite(paths[-1], disc_evidence(table, row, shift).mask.astype(np.uint8) * 5)
    values = np.tile((5, 5), (len(table), 1))
    return replace(table, paths={'mask': np.array(paths, object)}, mask_values=values)


def test_rows_about_masks(tmp_path: Path) -> None:
    table = written(table_of(hands(8)), tmp_path)
    rows, _ = check_silhouette(table)
    assert [row.verdict for row in rows] == [OK, OK]
    swapped = replace(table, uv=None, joints=table.joints[..., [1, 0, 2]])
    (row, *_), fixed = check_silhouette(swapped)
    assert row.verdict == WRONG and 'x and y are swapped (3D labels)' in row.measured
    np.testing.assert_array_equal(fixed.joints, table.joints)
    moved = written(table, tmp_path, (-8, 0))
    rows, _ = check_silhouette(moved)
    assert [row.verdict for row in rows][-1] == WRONG
    assert 'principal point is off by about (8, 0) px' in rows[-1].measured
    assert check_silhouette(table.keep(np.arange(3)))[0][0].verdict == NOT_APPLICABLE


def test_masks_of_other_pictures(tmp_path: Path) -> None:
    table = written(table_of(hands(8)), tmp_path)
    far = replace(table, uv=None, joints=table.joints + [90, 60, 0])
    rows, _ = check_silhouette(far)
    assert any(row.verdict == WRONG for row in rows)


# sides, bones, numbers


def test_votes_for_the_sides() -> None:
    right = table_of(hands(8))
    assert [row.verdict for row in check_sides(right)] == [OK]
    (row,) = check_sides(replace(right, sides=np.full(8, 'left', object)))
    assert row.verdict == WRONG
    assert 'hands are mirrored (labels say left, joints bend as right hands)' in row.measured
    (row,) = check_sides(replace(right, sides=np.full(8, '', object)))
    assert row.verdict == OK and 'say right' in row.measured
    mixed = table_of(np.concatenate([hands(8), hands(8, 'left')]))
    assert check_sides(mixed)[0].verdict == WARNING
    few = replace(right, sides=np.full(8, 'left', object)).keep(np.arange(3))
    assert check_sides(few)[0].verdict == WARNING


def test_bones_of_one_recording_keep_their_length() -> None:
    one = hands(1)
    turned = np.concatenate([one, one[..., [1, 2, 0]], one[..., [2, 0, 1]]])
    table = table_of(turned)
    rows = check_bones(table, FACTS['stb'], embedded=True)
    assert [row.verdict for row in rows] == [OK, OK]
    rows = check_bones(table_of(hands(5)), FACTS['stb'], embedded=True)
    assert rows[1].verdict == WRONG and 'bones change their length' in rows[1].measured
    np.testing.assert_allclose(bone_lengths(one)[0, 9], np.linalg.norm(one[0, 10] - one[0, 9]))
    assert BONES[9] == (9, 10)


def test_stored_lengths_belong_to_the_joints() -> None:
    joints = hands(4)
    lengths = np.linalg.norm(joints[:, 10] - joints[:, 9], axis=-1)
    assert check_bones(table_of(joints, lengths=lengths), ANY, False)[1].verdict == OK
    row = check_bones(table_of(joints, lengths=np.roll(lengths, 1)), ANY, False)[1]
    assert row.verdict == WRONG and 'agree in 0 of 4' in row.measured


def test_numbers_that_are_none() -> None:
    table = table_of(hands(4))
    joints = table.joints.copy()
    joints[2, 8, 1] = np.nan
    rows, kept = check_values(replace(table, joints=joints), {}, unlabelled_allowed=True)
    assert 'joint NaN in record 2: keypoints_3d, joint 8 (index_tip)' in rows[0].measured and len(kept) == 3
    joints[2] = np.nan
    rows, kept = check_values(replace(table, joints=joints), {}, unlabelled_allowed=True)
    assert rows[0].verdict == OK and '1 samples without 3D label' in rows[0].measured and len(kept) == 4
    rows, _ = check_values(replace(table, joints=joints), {}, unlabelled_allowed=False)
    assert rows[0].verdict == WRONG
    cameras = table.cameras.copy()
    cameras[1, 0, 0] = -300
    rows, kept = check_values(replace(table, cameras=cameras), {'9': 'too short'}, unlabelled_allowed=False)
    assert 'K of record 1 is no intrinsic matrix' in rows[0].measured and 'too short' in rows[0].measured
    rows, _ = check_values(replace(table, ids=np.array(['a', 'b', 'a', 'c'], object)), {}, False)
    assert rows[1].verdict == WRONG and 'a' in rows[1].measured
    (row,) = check_in_front(replace(table, joints=table.joints * [1, -1, -1]))
    assert row.verdict == WRONG and '4 of 4 hands have joints behind the camera' in row.measured
    assert check_in_front(table) == []


def test_intrinsics_by_themselves() -> None:
    table = table_of(hands(4))
    rows = check_intrinsics(table, SCAN, FACTS['rhd'])
    assert [row.verdict for row in rows] == [OK, OK]
    cameras = table.cameras.copy()
    cameras[3, 1, 1] *= 1.2
    assert (
        'pixels are not square in 1 (3)'
        in check_intrinsics(replace(table, cameras=cameras), SCAN, ANY)[0].measured
    )
    assert check_intrinsics(replace(table, cameras=cameras * np.nan), SCAN, ANY)[0].verdict == NOT_APPLICABLE
    rows = check_intrinsics(table, SCAN, FACTS['freihand'])  # 112 px, and here 160
    assert 'principal point is off by about (48.0, 48.0) px in 4 of 4' in rows[1].measured


def test_joints_inside_the_picture() -> None:
    paths = np.array([f'{row}.png' for row in range(4)], object)
    table = table_of(hands(4), paths={'rgb': paths})
    scan = PictureScan(sizes={path: (320, 320) for path in paths})
    rows = check_frames(table, scan, FACTS['rhd'], embedded=False)
    assert [row.verdict for row in rows] == [OK, OK]
    small = PictureScan(sizes={path: (160, 160) for path in paths})
    rows = check_frames(table, small, FACTS['rhd'], embedded=False)
    assert rows[0].verdict == WRONG and rows[1].verdict == WARNING and 'not 320x320' in rows[1].measured
    assert check_frames(table, SCAN, ANY, embedded=False)[0].verdict == NOT_APPLICABLE


# pictures and leakage


def noise_picture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(coarse, (160, 120), interpolation=cv2.INTER_CUBIC)


def test_fingerprints_survive_compression_and_tell_pictures_apart() -> None:
    grey = cv2.cvtColor(noise_picture(0), cv2.COLOR_RGB2GRAY)
    again = cv2.imdecode(cv2.imencode('.jpg', grey, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_GRAYSCALE)
    other = cv2.cvtColor(noise_picture(1), cv2.COLOR_RGB2GRAY)
    assert (fingerprint(grey) != fingerprint(again)).sum() <= 12
    assert (fingerprint(grey) != fingerprint(other)).sum() > 80
    assert fingerprint(np.full((50, 50), 90, np.uint8)) is None
    assert block_difference(grey, again) < 8 < 40 < block_difference(grey, other)
    flat = np.full((64, 64), 100, np.uint8)
    assert block_difference(flat, flat + 10) == 10


def test_scan_names_missing_and_truncated_files(tmp_path: Path) -> None:
    good, cut, gone = (str(tmp_path / name) for name in ('good.png', 'cut.jpg', 'gone.png'))
    cv2.imwrite(good, noise_picture(0))
    cv2.imwrite(cut, noise_picture(1))
    data = Path(cut).read_bytes()
    Path(cut).write_bytes(data[: len(data) // 2])
    seen = []
    scan = scan_pictures([good, cut, gone], [cut], on_file=lambda: seen.append(1))
    assert scan.problems == {cut: 'truncated', gone: 'missing'} and len(seen) == 4
    assert scan.sizes == {good: (160, 120)}


def test_copies_between_splits(tmp_path: Path) -> None:
    train, test = table_of(hands(5, seed=1)), table_of(hands(4, seed=2))
    paths = {}
    for split, first, count in (('train', 0, 5), ('test', 5, 4)):
        paths[split] = np.array([str(tmp_path / f'{split}{row}.jpg') for row in range(count)], object)
        for row, path in enumerate(paths[split]):
            cv2.imwrite(path, noise_picture(first + row))
    cv2.imwrite(paths['train'][3], noise_picture(6), [cv2.IMWRITE_JPEG_QUALITY, 60])  # that of test 1
    joints = train.joints.copy()
    joints[3] = 1.7 * test.joints[1] + [5, 6, 7]  # size and place do not matter
    train = replace(train, joints=joints, paths={'rgb': paths['train']})
    test = replace(test, split='test', paths={'rgb': paths['test']})
    row = check_pose_leakage(train, test)
    assert row.verdict == WRONG and '1 test poses' in row.measured and '(1 = 3)' in row.measured
    scan = scan_pictures([*paths['train'], *paths['test']], [])
    row = check_picture_leakage(train, test, scan, tmp_path)
    assert row.verdict == WRONG and 'test image test1.jpg is a copy of train image train3.jpg' in row.measured
    clean = train.keep(np.array([0, 1, 2, 4]))
    assert check_pose_leakage(clean, test).verdict == OK
    assert check_picture_leakage(clean, test, scan, tmp_path).verdict == OK
    places_, distances = nearest(np.array([[0.0, 3.0]]), np.array([[4.0, 0.0], [0.0, 1.0]]))
    assert places_.tolist() == [1] and distances.tolist() == [2.0]


def test_frames_of_one_video_on_both_sides_are_a_warning() -> None:
    joints = hands(10)
    near = joints + np.random.default_rng(0).normal(0, 0.5, joints.shape)
    row = check_pose_leakage(table_of(joints), table_of(near, split='test'))
    assert row.verdict == WARNING and 'within' in row.measured


# the table


def test_report_as_text_and_data() -> None:
    report = HealthReport(
        'STB', 'data/STB', [Row('units', 'train', OK, 'all well')], ['labels/B1Random_BB.mat']
    )
    assert report.healthy
    report.rows.append(Row('files', 'test', WRONG, 'image 3 is truncated ' * 8, 'copy it again'))
    assert not report.healthy
    text = report.as_text(80)
    assert max(map(len, text.splitlines())) <= 80
    assert '-> copy it again' in text and 'labels/B1Random_BB.mat' in text
    assert text.splitlines()[-1] == '1 ok, 0 WARNING, 1 WRONG, 0 not applicable: this set is not healthy'
    data = json.loads(json.dumps(report.as_dict()))
    assert (
        data['counts']['WRONG'] == 1 and data['rows'][1]['advice'] == 'copy it again' and not data['healthy']
    )
