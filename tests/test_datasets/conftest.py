"""Data shared by the dataset tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

SHARED_DATA = Path(__file__).resolve().parents[3] / 'shared' / 'data'


@pytest.fixture
def rhd_copy(rhd_root: Path, tmp_path: Path) -> Path:
    """A copy of the fixture set that a test may damage."""
    return Path(shutil.copytree(rhd_root, tmp_path / 'RHD'))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def shared_folder(name: str) -> Path:
    """A folder of real sample files, or skip the test."""
    folder = SHARED_DATA / name
    if not folder.is_dir():
        pytest.skip(f'real sample files are not here: {folder}')
    return folder


@pytest.fixture(scope='session')
def ge_folder() -> Path:
    return shared_folder('ge_real')


@pytest.fixture(scope='session')
def rhd_mmpose_folder() -> Path:
    return shared_folder('rhd_mmpose')


@pytest.fixture(scope='session')
def stb_folder() -> Path:
    return shared_folder('STB')


@pytest.fixture(scope='session')
def freihand_mmpose_folder() -> Path:
    return shared_folder('freihand_mmpose')


@pytest.fixture(scope='session')
def freihand_eval_folder() -> Path:
    return shared_folder('freihand_eval')
