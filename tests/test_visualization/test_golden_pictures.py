"""Drawings are those that were looked at; a little is left to the rounding of other builds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.fixtures.golden_pictures import FOLDER, PICTURES, path_of

MEAN, FAR, FAR_SHARE = 0.6, 48, 0.004


def differs(drawn: np.ndarray, golden: np.ndarray) -> bool:
    """More than the tolerance: on the mean, or far off in too many pixels."""
    if drawn.shape != golden.shape:
        return True
    gap = np.abs(drawn.astype(int) - golden.astype(int)).max(axis=-1)
    return gap.mean() > MEAN or (gap > FAR).mean() > FAR_SHARE


def read(name: str) -> np.ndarray:
    return cv2.imread(str(path_of(name)))[..., ::-1]


@pytest.mark.parametrize('name', PICTURES)
def test_picture_is_the_one_that_was_looked_at(name: str) -> None:
    assert not differs(PICTURES[name](), read(name)), (
        f'{name} looks different: python -m tests.fixtures.golden_pictures draws it anew; look at it'
    )


@pytest.mark.parametrize('name', PICTURES)
def test_tolerance_is_small(name: str) -> None:
    golden = read(name)
    assert differs(np.roll(golden, 1, axis=0), golden)  # a pixel lower
    assert differs(golden[..., ::-1], golden)  # BGR


def test_every_stored_picture_is_drawn() -> None:
    assert {file.stem for file in FOLDER.glob('*.png')} == set(PICTURES)
