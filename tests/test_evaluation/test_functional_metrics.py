"""Metrics on plain arrays: closed forms, equal for numpy and torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmdualhand.evaluation import functional as F
from mmdualhand.evaluation import mean_pose_epe, mean_root_relative_pose

TORCH = pytest.mark.parametrize('as_torch', [False, True], ids=['numpy', 'torch'])


def hands(count: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 40, (count, 21, 3)) + (0, 0, 600)


def rotation(seed: int = 0) -> np.ndarray:
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


def give(as_torch: bool, *arrays: np.ndarray) -> list:
    return [torch.from_numpy(np.array(array)) if as_torch else array for array in arrays]


@TORCH
def test_epe_pools_visible_joints(as_torch: bool) -> None:
    gt = hands(2)
    pred = gt + 0.0
    pred[0] += (3, 4, 0)  # 5 mm at 21 joints
    pred[1] += (0, 0, 8)  # 8 mm, of which 2 joints are visible
    visible = np.ones((2, 21))
    visible[1, 2:] = 0
    pred_, gt_, visible_ = give(as_torch, pred, gt, visible)
    assert float(F.epe(pred_, gt_)) == pytest.approx(6.5)
    assert float(F.epe(pred_, gt_, visible_)) == pytest.approx((21 * 5 + 2 * 8) / 23)
    # Joints 0 and 1: (5 + 8) / 2, the other 19: 5.
    expected = (2 * 6.5 + 19 * 5) / 21
    assert float(F.epe(pred_, gt_, visible_, per_joint_first=True)) == pytest.approx(expected)
    assert isinstance(F.epe(pred_, gt_), torch.Tensor if as_torch else float)


@TORCH
def test_an_invisible_joint_may_be_nan(as_torch: bool) -> None:
    gt = hands(1)
    pred = gt + (0, 3, 4)
    gt[0, 5] = np.nan
    visible = np.ones((1, 21), dtype=bool)
    visible[0, 5] = False
    pred_, gt_, visible_ = give(as_torch, pred, gt, visible)
    assert float(F.epe(pred_, gt_, visible_)) == pytest.approx(5.0)
    errors = F.joint_errors(pred_, gt_, visible_)
    assert np.isnan(np.asarray(errors)[0, 5]) and np.nanmax(np.asarray(errors)) == pytest.approx(5.0)
    with pytest.raises(ValueError, match='gt is not finite at 1 joints'):
        F.epe(pred_, gt_)


@TORCH
def test_auc_of_a_constant_error_by_hand(as_torch: bool) -> None:
    gt = hands(3)
    pred_, gt_ = give(as_torch, gt + (0, 0, 35.0), gt)
    # 4 thresholds 20, 30, 40, 50: hits 0 0 1 1, trapezoid = 5 + 10 of 30.
    assert float(F.pck_auc(pred_, gt_, steps=4)) == pytest.approx(0.5)
    thresholds, shares = F.pck_curve(pred_, gt_, steps=4)
    assert np.asarray(thresholds).tolist() == [20, 30, 40, 50]
    assert np.asarray(shares).tolist() == [0, 0, 1, 1]
    assert float(F.pck_auc(gt_, gt_)) == 1.0
    far, near = give(as_torch, gt + (0, 0, 51.0), gt + (0, 0, 0.0))
    assert float(F.pck_auc(far, near)) == 0.0


@TORCH
def test_auc_counts_an_error_equal_to_the_threshold(as_torch: bool) -> None:
    gt = np.round(hands(1))
    pred_, gt_ = give(as_torch, gt + (0, 0, 50.0), gt)
    # Only the last of 4 thresholds (20, 30, 40, 50) is reached: 5 of 30.
    assert float(F.pck_auc(pred_, gt_, steps=4)) == pytest.approx(1 / 6)


def test_auc_of_uniform_errors_tends_to_the_integral() -> None:
    gt = np.tile(hands(1), (1000, 1, 1))
    pred = gt + 0.0
    pred[..., 2] += np.linspace(0, 50, 1000)[:, None]
    # share(t) = t / 50; mean over 20..50 = 0.7
    assert F.pck_auc(pred, gt) == pytest.approx(0.7, abs=1e-3)


def test_auc_per_joint_first_differs_where_visibility_does() -> None:
    gt = hands(2)
    pred = gt + 0.0
    pred[1] += (0, 0, 100.0)
    visible = np.ones((2, 21))
    visible[1, 1:] = 0
    # Pooled: 21 hits of 22. Per joint: joint 0 has 1 of 2, the rest 1 of 1.
    assert F.pck_auc(pred, gt, visible) == pytest.approx(21 / 22)
    assert F.pck_auc(pred, gt, visible, per_joint_first=True) == pytest.approx(20.5 / 21)


@TORCH
def test_pck_is_strict(as_torch: bool) -> None:
    gt = np.zeros((1, 21, 2))
    pred = np.zeros((1, 21, 2))
    pred[0, 0] = (4.0, 0.0)  # exactly threshold * size
    pred[0, 1] = (3.9, 0.0)
    pred[0, 2] = (0.0, 5.0)
    visible = np.ones((1, 21))
    visible[0, 2] = 0
    pred_, gt_, visible_ = give(as_torch, pred, gt, visible)
    assert float(F.pck(pred_, gt_, threshold=0.0625)) == pytest.approx(19 / 21)
    assert float(F.pck(pred_, gt_, visible_, threshold=0.0625)) == pytest.approx(19 / 20)
    # The default is 3.2 px.
    assert float(F.pck(pred_, gt_)) == pytest.approx(18 / 21)


@TORCH
def test_procrustes_undoes_a_similarity(as_torch: bool) -> None:
    gt = hands(5)
    pred = np.stack([0.3 * (k + 1) * hand @ rotation(k) + (10 * k, 5, -70) for k, hand in enumerate(gt)])
    pred_, gt_ = give(as_torch, pred, gt)
    aligned = F.procrustes_align(pred_, gt_)
    assert isinstance(aligned, type(pred_))
    np.testing.assert_allclose(np.asarray(aligned), gt, rtol=0, atol=1e-9)


def test_procrustes_reflects_only_when_allowed() -> None:
    gt = hands(3)
    mirrored = gt * (-1, 1, 1)
    np.testing.assert_allclose(F.procrustes_align(mirrored, gt, allow_reflection=True), gt, atol=1e-9)
    assert F.epe(F.procrustes_align(mirrored, gt), gt) > 5


def test_procrustes_is_the_optimum() -> None:
    """No nearby similarity has a smaller squared error."""
    rng = np.random.default_rng(5)
    gt = hands(1)
    pred = gt @ rotation(2) + rng.normal(0, 15, gt.shape)
    aligned = F.procrustes_align(pred, gt)
    best = ((aligned - gt) ** 2).sum()
    centre = aligned.mean(1, keepdims=True)
    for _ in range(50):
        small = rng.normal(0, 1e-3, 3)
        skew = np.array([[0, -small[2], small[1]], [small[2], 0, -small[0]], [-small[1], small[0], 0]])
        turn, _ = np.linalg.qr(np.eye(3) + skew)
        turn *= np.sign(np.diag(turn))
        other = (1 + rng.normal(0, 1e-3)) * (aligned - centre) @ turn + centre + rng.normal(0, 0.02, 3)
        assert ((other - gt) ** 2).sum() >= best - 1e-9


def test_procrustes_of_a_collapsed_prediction_is_the_centre() -> None:
    gt = hands(2)
    aligned = F.procrustes_align(np.zeros_like(gt), gt)
    np.testing.assert_allclose(aligned, np.broadcast_to(gt.mean(1, keepdims=True), gt.shape))


def test_procrustes_uses_visible_joints_only() -> None:
    gt = hands(2)
    pred = 2 * gt @ rotation(1) + (3, 2, 1)
    visible = np.ones((2, 21), dtype=bool)
    visible[0, 4] = False
    broken, unknown = pred.copy(), gt.copy()
    broken[0, 4] += 500
    unknown[0, 4] = np.nan
    aligned = F.procrustes_align(broken, unknown, visible=visible)
    np.testing.assert_allclose(aligned[visible], gt[visible], atol=1e-9)
    with pytest.raises(ValueError, match='leaves a hand'):
        F.procrustes_align(pred, gt, visible=np.zeros((2, 21)))


def test_root_align_moves_the_middle_mcp_to_the_origin() -> None:
    gt = hands(2)
    np.testing.assert_allclose(F.root_align(gt), gt - gt[:, 9:10])
    np.testing.assert_array_equal(F.root_align(torch.from_numpy(gt), root=0).numpy(), gt - gt[:, :1])


@TORCH
def test_metres_given_as_mm_are_refused(as_torch: bool) -> None:
    pred, gt = give(as_torch, hands() / 1000, hands() / 1000)
    for call in (F.epe, F.pck_auc, F.pck_curve):
        with pytest.raises(ValueError, match='gt must be in mm.*looks like metres, multiply by 1000'):
            call(pred, gt)
    with pytest.raises(ValueError, match='labels must be in mm'):
        F.check_unit_mm(gt, name='labels')


def test_centimetres_are_refused_where_asked() -> None:
    gt = 80 * np.random.default_rng(0).uniform(size=(4, 21, 3))
    F.check_unit_mm(gt / 10)
    F.check_unit_mm(gt, strict=True)
    with pytest.raises(ValueError, match='looks like centimetres, multiply by 10'):
        F.check_unit_mm(gt / 10, strict=True)
    F.check_unit_mm(np.zeros((2, 21, 3)), strict=True)  # no extent, no verdict


def test_nothing_to_measure_is_an_error_not_nan() -> None:
    gt = hands(2)
    with pytest.raises(ValueError, match='no joint'):
        F.epe(gt, gt, np.zeros((2, 21)))
    with pytest.raises(ValueError, match='no joint'):
        F.pck(gt[..., :2], gt[..., :2], np.zeros((2, 21)))
    with pytest.raises(ValueError, match='empty'):
        F.pck_auc(gt[:0], gt[:0])


def test_wrong_arguments_are_named() -> None:
    gt = hands(2)
    with pytest.raises(ValueError, match='gt must have shape'):
        F.epe(gt, gt[:1])
    with pytest.raises(ValueError, match='visible must have shape'):
        F.epe(gt, gt, np.ones((2, 20)))
    with pytest.raises(ValueError, match='pred is not finite'):
        F.epe(gt * np.nan, gt)
    with pytest.raises(ValueError, match='low < high'):
        F.pck_auc(gt, gt, low=50, high=20)
    with pytest.raises(ValueError, match='steps'):
        F.pck_auc(gt, gt, steps=1)
    with pytest.raises(ValueError, match='positive'):
        F.pck(gt[..., :2], gt[..., :2], threshold=0)
    with pytest.raises(TypeError, match='both be numpy or both torch'):
        F.epe(gt, torch.from_numpy(gt))


def test_numpy_input_is_left_alone_and_float32_is_measured_in_double() -> None:
    gt = hands(2).astype(np.float32)
    pred = (gt + np.float32(1)).astype(np.float32)
    before = pred.copy()
    F.procrustes_align(pred, gt)
    np.testing.assert_array_equal(pred, before)
    assert F.epe(pred, gt) == pytest.approx(3**0.5, rel=1e-5)


def test_mean_pose_by_hand() -> None:
    base = hands(1)[0]
    opened, closed = base.copy(), base.copy()
    opened[4] += (10, 0, 0)
    closed[4] -= (10, 0, 0)
    closed += (100, 50, 25)  # a shift of the whole hand does not matter
    np.testing.assert_allclose(mean_root_relative_pose([opened, closed]), base - base[9], atol=1e-12)
    # One of 21 joints is 10 mm off in each of the two hands.
    assert mean_pose_epe([opened, closed], np.stack([opened, closed])) == pytest.approx(10 / 21)
    assert mean_pose_epe([base], [opened, base]) == pytest.approx(5 / 21)
    with pytest.raises(ValueError, match='no pose'):
        mean_root_relative_pose([])
    with pytest.raises(ValueError, match='metres'):
        mean_pose_epe([base / 1000], [base])
    with pytest.raises(ValueError, match='test_poses'):
        mean_pose_epe([base], [base * np.nan])
