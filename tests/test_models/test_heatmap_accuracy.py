"""PCK on the grid of heat maps against the accuracy that RegDA's code measures, written out here.

RegDA compares the cells of the largest values. A joint whose true cell has x <= 1 or y <= 1 does not
count, the others are right nearer than half of a tenth of the map: 3.2 of 64 cells, which for whole
cells is dx^2 + dy^2 <= 10. Every joint has its own share, -1 where none of a batch counts. Ours is
the same for whole points that count; the last test says where it is not.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmdualhand.codecs import Heatmap
from mmdualhand.evaluation.functional import pck

SIZE = 64


def accuracy_of_regda(pred: np.ndarray, gt: np.ndarray) -> np.ndarray:
    """Share of right joints, (K,), of maps (N, K, 64, 64) of which each has one largest value."""
    shares = np.full(pred.shape[1], -1.0)
    for joint in range(pred.shape[1]):
        hits = []
        for found, true in zip(pred[:, joint], gt[:, joint], strict=True):
            y, x = np.unravel_index(found.argmax(), found.shape)
            true_y, true_x = np.unravel_index(true.argmax(), true.shape)
            if true_x > 1 and true_y > 1:
                hits.append((x - true_x) ** 2 + (y - true_y) ** 2 <= 10)
        if hits:
            shares[joint] = np.mean(hits)
    return shares


def both(pred: torch.Tensor, gt: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Shares of RegDA of points (N, K, 2), and ours of every joint that RegDA counts somewhere."""
    codec = Heatmap()
    predicted, true = (codec.encode(points)[0] for points in (pred, gt))
    shares = accuracy_of_regda(predicted.numpy(), true.numpy())
    counts, decoded = (gt > 1).all(-1), codec.decode(predicted)[0]
    ours = [
        float(pck(decoded[:, [k]], gt[:, [k]], counts[:, [k]], size=SIZE)) if counts[:, k].any() else np.nan
        for k in range(gt.shape[1])
    ]
    return shares, np.array(ours)


def test_every_offset_of_whole_cells_is_judged_alike() -> None:
    """One hand, a joint for every (dx, dy) of -5..5."""
    steps = torch.arange(-5.0, 6.0)
    offsets = torch.cartesian_prod(steps, steps)[None]
    gt = torch.full_like(offsets, 30.0)
    theirs, ours = both(gt + offsets, gt)
    assert ours.tolist() == theirs.tolist() == (offsets[0].square().sum(-1) <= 10).double().tolist()
    assert theirs.sum() == 37


def test_shares_of_random_hands_agree_joint_by_joint() -> None:
    """True joints up to the rim, of which RegDA leaves out some; no joint is left out in all hands."""
    generator = torch.Generator().manual_seed(0)
    gt = torch.randint(0, SIZE, (40, 21, 2), generator=generator).float()
    gt[:, :, 0] = torch.where(torch.rand(40, 21, generator=generator) < 0.2, 1.0, gt[:, :, 0])
    pred = (gt + torch.randint(-4, 5, gt.shape, generator=generator)).clamp(0, SIZE - 1)
    theirs, ours = both(pred, gt)
    assert ours == pytest.approx(theirs, abs=1e-6)
    assert 0.3 < theirs.min() < theirs.max() < 0.8 and ((gt <= 1).any(-1)).any(0).all()


def test_where_the_two_differ() -> None:
    """Three ways, each with what either says."""
    # Points between cells: 19.6 -> 23.4 are cells 20 -> 23, within reach, but 3.8 apart.
    gt, pred = torch.tensor([[[19.6, 30.0]]]), torch.tensor([[[23.4, 30.0]]])
    theirs, _ = both(pred, gt)
    assert theirs.tolist() == [1.0] and float(pck(pred, gt, size=SIZE)) == 0.0
    # A true joint in the first two columns is none to RegDA: -1, which its mean over joints takes in.
    gt = torch.tensor([[[1.0, 30.0], [20.0, 20.0], [40.0, 20.0]]])
    theirs, _ = both(gt, gt)
    assert theirs.tolist() == [-1.0, 1.0, 1.0] and theirs.mean() == pytest.approx(1 / 3)
    assert float(pck(gt, gt, size=SIZE)) == 1.0
    # Joints that count unequally often: RegDA averages shares of joints (1 and 0), ours pools 3 + 1 joints.
    gt = torch.full((3, 2, 2), 30.0)
    gt[1:, 1, 0] = 0.0
    pred = gt.clone()
    pred[0, 1, 0] = 50.0
    theirs, _ = both(pred, gt)
    assert theirs.tolist() == [1.0, 0.0] and theirs.mean() == 0.5
    assert float(pck(pred, gt, (gt > 1).all(-1), size=SIZE)) == pytest.approx(3 / 4)
