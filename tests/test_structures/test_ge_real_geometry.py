"""The camera of a whole-photo crop, on the real photos of Ge et al."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmdualhand.structures import Camera, CropTransform, HandSkeleton, chirality_scores, chirality_vote

FOLDER = Path(__file__).resolve().parents[2].parent / 'shared' / 'data' / 'ge_real'


@pytest.mark.skipif(not FOLDER.exists(), reason='the ge_real photos are not beside the checkout')
def test_every_labelled_joint_falls_inside_the_photo_and_hands_are_left() -> None:
    io = pytest.importorskip('scipy.io')
    params, poses = io.loadmat(FOLDER / 'params.mat'), io.loadmat(FOLDER / 'pose_gt.mat')['pose_gt']
    xyz = 10.0 * HandSkeleton.from_dataset('ge_real').to_canonical(poses.astype(np.float64))  # cm -> mm
    rows = np.flatnonzero(np.isfinite(xyz).all((1, 2)))
    assert len(rows) == 150
    for row in rows:
        fx, fy, u0, v0 = params['cam_param'][row]
        x, y, width, height = params['bbox'][row]
        assert width == height
        # The photo's pixel areas, not pixel centres, tile the box: its centre is half a pixel off the middle.
        crop = CropTransform.from_box((x + width / 2 - 0.5, y + height / 2 - 0.5), width, 256, (1280, 720))
        camera = crop.camera(Camera(np.array([[fx, 0, u0], [0, fy, v0], [0, 0, 1]])))
        uv = camera.project(crop.points_3d(xyz[row]))
        assert uv.min() > 0.09 * 256 and uv.max() < 0.99 * 256
    assert (chirality_scores(xyz[rows])[:, 0] < 0).all()
    assert chirality_vote(xyz[rows]) == 'left'
    reference = np.linalg.norm(xyz[rows, 9] - xyz[rows, 10], axis=-1)
    assert 34 < reference.min() and reference.max() < 63
