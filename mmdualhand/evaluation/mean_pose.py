"""The constant mean pose: what a network must beat to have learnt anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmdualhand.evaluation.functional import check_unit_mm, epe, root_align
from mmdualhand.structures import check_shape


def mean_root_relative_pose(poses: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Mean of root-relative poses.

    Args:
        poses: (N, 21, 3), or a sequence of N (21, 3): mm, camera frame, left
            hands already mirrored to right ones.

    Returns:
        (21, 3) float64 mm relative to joint 9.

    Raises:
        ValueError: No pose, wrong shape, a non-finite joint, or metres.
    """
    return root_align(_stack(poses, 'poses')).mean(axis=0)


def mean_pose_epe(
    train_poses: Sequence[np.ndarray] | np.ndarray, test_poses: Sequence[np.ndarray] | np.ndarray
) -> float:
    """Root-aligned EPE of predicting the mean training pose for every test hand.

    Args:
        train_poses: (N, 21, 3) mm, left hands mirrored.
        test_poses: (M, 21, 3) mm, left hands mirrored.

    Returns:
        Mean error in mm, pooled over all 21 joints (the root counts with 0), as
        ``EPE_root`` of the metric does.

    Raises:
        ValueError: As :func:`mean_root_relative_pose`.
    """
    mean = mean_root_relative_pose(_stack(train_poses, 'train_poses'))
    truth = root_align(_stack(test_poses, 'test_poses'))
    return float(epe(np.broadcast_to(mean, truth.shape), truth))


def _stack(poses: Sequence[np.ndarray] | np.ndarray, name: str) -> np.ndarray:
    if len(poses) == 0:
        raise ValueError(f'{name} holds no pose')
    stacked = np.stack([np.asarray(pose, dtype=np.float64) for pose in poses])
    check_shape(stacked, 'N 21 3', name=name)
    broken = ~np.isfinite(stacked).all(axis=(1, 2))
    if broken.any():
        raise ValueError(f'{name} has non-finite joints in {broken.sum()} poses, first {broken.argmax()}')
    check_unit_mm(stacked, name=name)
    return stacked
