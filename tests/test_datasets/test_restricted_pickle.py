from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from mmdualhand.datasets import load_annotation_pickle
from mmdualhand.errors import DataError, MissingFileError, UnsafeFileError


class Evil:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return os.system, (f'touch {self.target}',)


def write(path: Path, content: object, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize('protocol', range(6))
def test_arrays_containers_and_numbers_survive(tmp_path, protocol):
    content = {
        0: {'a': np.arange(6, dtype=np.float32).reshape(2, 3), 'f': np.asfortranarray(np.eye(3)[:2])},
        1: OrderedDict(x=np.float64(2.5), y=[True, None, (1, 2.0, 3j)], z={4, 5}, s='text', b=b'raw'),
        2: np.array([{'k': 1}, 'o'], dtype=object),
    }
    loaded = load_annotation_pickle(write(tmp_path / 'a.pickle', content, protocol))
    assert loaded[0]['a'].tolist() == [[0, 1, 2], [3, 4, 5]] and loaded[0]['a'].dtype == np.float32
    assert loaded[0]['f'].tolist() == [[1, 0, 0], [0, 1, 0]]
    assert loaded[1] == content[1]
    assert loaded[2].tolist() == [{'k': 1}, 'o']


@pytest.mark.parametrize('core', ['numpy.core', 'numpy._core'])
def test_pickles_of_numpy_1_and_2_are_read(tmp_path, core):
    data = pickle.dumps({1: np.array([1.5, 2.5])}, protocol=2)
    for written in (b'numpy.core', b'numpy._core'):
        data = data.replace(b'c' + written + b'.multiarray', b'cNEUTRAL.multiarray')
    (tmp_path / 'a.pickle').write_bytes(data.replace(b'NEUTRAL', core.encode()))
    assert load_annotation_pickle(tmp_path / 'a.pickle')[1].tolist() == [1.5, 2.5]


def test_pickles_of_python_2_are_read(tmp_path):
    # pickle.dumps({0: np.array([1., 2.])}, 2) of Python 2.7: array bytes are a str there
    data = (
        b'\x80\x02}q\x00K\x00cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85q\x03'
        b'U\x01bq\x04\x87q\x05Rq\x06(K\x01K\x02\x85q\x07cnumpy\ndtype\nq\x08U\x02f8q\tK\x00K\x01\x87q\nRq\x0b'
        b'(K\x03U\x01<q\x0cNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq\rb\x89U\x10'
        + np.array([1.0, 2.0]).tobytes()
        + b'q\x0etq\x0fbs.'
    )
    (tmp_path / 'a.pickle').write_bytes(data)
    assert load_annotation_pickle(tmp_path / 'a.pickle')[0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize('nested', [False, True])
def test_foreign_global_is_named_and_never_called(tmp_path, nested):
    evil = Evil(tmp_path / 'ran')
    content = {0: {'xyz': np.array([evil], dtype=object) if nested else evil}}
    path = write(tmp_path / 'anno.pickle', content)
    with pytest.raises(UnsafeFileError, match=r'anno\.pickle asks for (posix|nt)\.system'):
        load_annotation_pickle(path)
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(
    'data', [b'cbuiltins\neval\n.', b'cnumpy\nload\n.', b'cnumpy.core.multiarray\ndot\n.']
)
def test_other_functions_of_trusted_modules_are_refused(tmp_path, data):
    (tmp_path / 'a.pickle').write_bytes(data)
    with pytest.raises(UnsafeFileError):
        load_annotation_pickle(tmp_path / 'a.pickle')


@pytest.mark.parametrize('keep', [0, 10, -20])
def test_truncated_file_is_named(tmp_path, keep):
    path = write(tmp_path / 'anno.pickle', {0: np.zeros(100)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r'anno\.pickle.*truncated'):
        load_annotation_pickle(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match='nothing.pickle'):
        load_annotation_pickle(tmp_path / 'nothing.pickle')
