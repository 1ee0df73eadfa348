"""Fixtures for more than one folder of tests."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fixtures.embedded import render_embedded
from tests.fixtures.rhd_writer import write_rhd
from tests.packaging_tools import build_wheel, copy_sources


@pytest.fixture(scope='session')
def mmdualhand_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of mmdualhand, built once from a copy of the sources."""
    if find_spec('setuptools') is None:
        pytest.skip('building a wheel needs setuptools: pip install .[tests]')
    source = copy_sources(tmp_path_factory.mktemp('sources') / 'mmdualhand')
    return build_wheel(source, tmp_path_factory.mktemp('mmdualhand_wheel'))


@pytest.fixture(scope='session')
def rhd_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fixture set of 16 training and 6 evaluation images; not to be changed."""
    root = tmp_path_factory.mktemp('rhd') / 'RHD_published_v2'
    write_rhd(root, 16, 'training', seed=3)
    return write_rhd(root, 6, 'evaluation', seed=3)


@pytest.fixture(scope='session')
def embedded_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a small embedded set of every layout (``fixtures/embedded.py``); not to be changed."""
    return render_embedded(tmp_path_factory.mktemp('embedded'))
