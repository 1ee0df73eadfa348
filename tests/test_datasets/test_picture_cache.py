"""Decoded pictures kept on disk: same arrays, one decoding, and nothing kept of what is broken."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdualhand.datasets.image_io import read_photo, read_picture
from mmdualhand.datasets.picture_cache import CACHE_VARIABLE, PictureCache
from mmdualhand.datasets.transforms import LoadHandModalities
from mmdualhand.errors import DataError, MissingFileError


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    array = np.random.default_rng(0).integers(0, 256, (12, 9, 3), np.uint8)
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), array)
    return path


def test_same_array_and_no_second_decoding(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = PictureCache(tmp_path / 'cache')
    plain = read_photo(picture, 'a')
    first = read_photo(picture, 'a', cache=cache)

    def never(*_: object) -> None:
        raise AssertionError('decoded again')

    monkeypatch.setattr(cv2, 'imdecode', never)
    second = read_photo(picture, 'a', cache=cache)
    np.testing.assert_array_equal(first, plain)
    np.testing.assert_array_equal(second, plain)
    assert second.dtype == plain.dtype


def test_ways_of_decoding_are_kept_apart(tmp_path: Path) -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    cv2.imwrite(str(tmp_path / 'g.png'), grey)
    cache = PictureCache(tmp_path / 'cache')
    for _ in range(2):
        assert read_picture(tmp_path / 'g.png', 'g', cache=cache).shape == (3, 4)
        assert read_picture(tmp_path / 'g.png', 'g', color=True, cache=cache).shape == (3, 4, 3)


def test_a_changed_file_is_decoded_anew(picture: Path, tmp_path: Path) -> None:
    cache = PictureCache(tmp_path / 'cache')
    read_photo(picture, 'a', cache=cache)
    cv2.imwrite(str(picture), np.full((12, 9, 3), 7, np.uint8))
    os.utime(picture, ns=(1, 1))
    assert (read_photo(picture, 'a', cache=cache) == 7).all()


def test_a_damaged_entry_is_replaced(picture: Path, tmp_path: Path) -> None:
    cache = PictureCache(tmp_path / 'cache')
    plain = np.array(read_photo(picture, 'a', cache=cache))
    (entry,) = (tmp_path / 'cache').rglob('*.npy')
    entry.write_bytes(entry.read_bytes()[:150])
    np.testing.assert_array_equal(read_photo(picture, 'a', cache=cache), plain)
    np.testing.assert_array_equal(np.load(entry), plain)


def test_broken_and_missing_files_are_said_and_not_kept(picture: Path, tmp_path: Path) -> None:
    cache = PictureCache(tmp_path / 'cache')
    picture.write_bytes(picture.read_bytes()[:-20])
    with pytest.raises(DataError, match='truncated'):
        read_photo(picture, 'a', cache=cache)
    with pytest.raises(MissingFileError, match='does not exist'):
        read_photo(tmp_path / 'none.png', 'b', cache=cache)
    assert not list((tmp_path / 'cache').rglob('*.npy'))


def test_a_folder_that_cannot_be_written(picture: Path, tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    cache, plain = PictureCache(tmp_path / 'file'), read_photo(picture, 'a')
    with pytest.warns(UserWarning, match=CACHE_VARIABLE) as caught:
        for _ in range(2):
            np.testing.assert_array_equal(read_photo(picture, 'a', cache=cache), plain)
    assert len(caught) == 1


def test_the_variable_turns_it_on(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = {'img_path': str(picture), 'sample_id': 'a'}
    plain = LoadHandModalities(('rgb',)).transform(dict(record))['img']
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / 'cache'))
    for _ in range(2):
        np.testing.assert_array_equal(LoadHandModalities(('rgb',)).transform(dict(record))['img'], plain)
    assert len(list((tmp_path / 'cache').rglob('*.npy'))) == 1
