"""One small embedded set for all tests of its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmdualhand.synthesis import SetRequest, generate_set

REQUEST = SetRequest('rhd', num_train=20, num_test=6, seed=3, image_size=160)


@pytest.fixture(scope='session')
def small_request() -> SetRequest:
    return REQUEST


@pytest.fixture(scope='session')
def small_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``RHD_published_v2`` of 20 + 6 pictures, rendered by two processes."""
    return generate_set(tmp_path_factory.mktemp('mini'), REQUEST, workers=2)
