"""Encoders of embedded sets: known codes, and no clock in any file."""

from __future__ import annotations

import json
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import loadmat

from mmdualhand.synthesis.layouts import encoding, mvhand, stb


def test_whole_millimetres_by_hand() -> None:
    """612 = 2 * 256 + 100; 0.4 mm and less is nothing; what two bytes cannot hold is cut off."""
    depth = np.array([[0.0, 0.4, 612.4, 255.6, 99999.0]], np.float32)
    low, high = encoding.whole_millimetres(depth)
    assert low.tolist() == [[0, 0, 100, 0, 255]] and high.tolist() == [[0, 0, 2, 1, 255]]
    assert stb.encode_depth(depth)[0, 2].tolist() == [100, 2, 0]  # R + 256 G
    assert mvhand.encode_depth(depth)[0, 2].tolist() == [0, 2, 100]  # B + 256 G


def test_png_keeps_rgb_and_grey(tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    encoding.write_png(tmp_path / 'colour.png', colour)
    encoding.write_png(tmp_path / 'grey.png', colour[..., 0])
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'colour.png'))[..., ::-1], colour)
    grey = cv2.imread(str(tmp_path / 'grey.png'), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(grey, colour[..., 0])


def test_a_mask_survives_jpeg(tmp_path: Path) -> None:
    mask = np.zeros((64, 64), np.uint8)
    cv2.circle(mask, (30, 35), 20, (255,), -1)
    encoding.write_jpg(tmp_path / 'mask.jpg', mask)
    stored = cv2.imread(str(tmp_path / 'mask.jpg'), cv2.IMREAD_UNCHANGED)
    assert stored.ndim == 2
    np.testing.assert_array_equal(stored >= 128, mask > 0)


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch):
    """Call it to put the clock forward by three days."""

    def forward() -> None:
        later = time.time() + 3 * 86400 + 12345
        monkeypatch.setattr(time, 'time', lambda: later)
        monkeypatch.setattr(time, 'asctime', lambda *_: 'Thu Jan  1 00:00:00 2037')
        monkeypatch.setattr(time, 'localtime', lambda *_: time.struct_time((2037, 1, 1, 0, 0, 0, 3, 1, 0)))

    return forward


def test_mat_files_hold_no_date(tmp_path: Path, clocks) -> None:
    values = np.random.default_rng(1).normal(size=(3, 21, 2))
    encoding.write_mat(tmp_path / 'first.mat', handPara=values)
    clocks()
    encoding.write_mat(tmp_path / 'second.mat', handPara=values)
    first = (tmp_path / 'first.mat').read_bytes()
    assert first == (tmp_path / 'second.mat').read_bytes()
    assert first.startswith(b'MATLAB 5.0 MAT-file') and b'Created on' not in first
    np.testing.assert_array_equal(loadmat(str(tmp_path / 'first.mat'))['handPara'], values)


def test_side_files_hold_no_date(tmp_path: Path, clocks) -> None:
    encoding.write_renderer_2d(tmp_path / 'first.npz', uv=np.ones(3))
    clocks()
    encoding.write_renderer_2d(tmp_path / 'second.npz', uv=np.ones(3))
    assert (tmp_path / 'first.npz').read_bytes() == (tmp_path / 'second.npz').read_bytes()


def test_json_numbers_are_exact(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(size=5).tolist()
    encoding.write_json(tmp_path / 'numbers.json', values)
    assert json.loads((tmp_path / 'numbers.json').read_text()) == values
