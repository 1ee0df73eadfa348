"""Same request, same bytes; nothing half written; nothing foreign replaced."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmdualhand.errors import ConfigError
from mmdualhand.synthesis import SetRequest, generate_set, render_index
from mmdualhand.synthesis import generate as generate_module


def digests(root: Path) -> dict[str, str]:
    files = sorted(file for file in root.rglob('*') if file.is_file())
    return {str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_one_process_writes_the_bytes_of_two(
    small_set: Path, small_request: SetRequest, tmp_path: Path
) -> None:
    counted: list[int] = []
    root = generate_set(tmp_path, small_request, workers=1, on_image=lambda: counted.append(1))
    assert len(counted) == 26
    found = digests(root)
    assert len(found) == 3 * 26 + 2 * 2 + 1
    assert found == digests(small_set)
    assert [path.name for path in tmp_path.iterdir()] == ['RHD_published_v2']


def test_a_picture_does_not_depend_on_those_before_it() -> None:
    alone = render_index(2, seed=9, image_size=96)
    for index in (0, 1):
        render_index(index, seed=9, image_size=96)
    after = render_index(2, seed=9, image_size=96)
    np.testing.assert_array_equal(alone.rgb, after.rgb)
    np.testing.assert_array_equal(alone.depth, after.depth)


def test_a_complete_set_is_left_alone(small_set: Path, small_request: SetRequest) -> None:
    before = (small_set / 'training' / 'color' / '00000.png').stat().st_mtime_ns
    assert generate_set(small_set.parent, small_request) == small_set
    assert (small_set / 'training' / 'color' / '00000.png').stat().st_mtime_ns == before


def test_another_set_is_not_replaced_unasked(small_set: Path, small_request: SetRequest) -> None:
    with pytest.raises(ConfigError, match='other settings; replace it with --overwrite'):
        generate_set(small_set.parent, replace(small_request, seed=4))


def test_the_published_set_is_never_replaced(tmp_path: Path) -> None:
    published = tmp_path / 'RHD_published_v2' / 'training'
    published.mkdir(parents=True)
    with pytest.raises(ConfigError, match='may be the published set'):
        generate_set(tmp_path, SetRequest('rhd', 1, 1), overwrite=True)
    assert published.is_dir()


def test_nothing_is_left_of_an_interrupted_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(partial: Path, *_: object) -> None:
        (partial / 'training' / 'color' / '00000.png').write_bytes(b'half')
        raise KeyboardInterrupt

    monkeypatch.setattr(generate_module, '_render_all', interrupted)
    with pytest.raises(KeyboardInterrupt):
        generate_set(tmp_path, SetRequest('rhd', 1, 1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(num_train=-1, num_test=1), 'num_train must not be negative'),
        (dict(num_train=0, num_test=0), 'nothing to render'),
        (dict(num_train=1, num_test=1, image_size=8), 'image_size must be 32 or more'),
        (dict(num_train=1, num_test=1, domain='sorce'), "did you mean 'source'"),
        (dict(num_train=1, num_test=1, look='mvhnd'), "did you mean 'mvhand'"),
        (dict(num_train=1, num_test=1, layout='stbb'), "did you mean 'stb'"),
        (dict(num_train=1, num_test=1, layout='stb', image_size=64), 'STB have a size of their own'),
        (dict(num_train=1, num_test=1, background_dir='nowhere'), 'nowhere is not a folder'),
    ],
)
def test_bad_requests(arguments: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SetRequest(**{'layout': 'rhd', **arguments})
