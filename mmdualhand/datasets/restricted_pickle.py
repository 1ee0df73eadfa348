"""Reading pickled annotations without running code.

A pickle may name any function of any installed package and call it. The published annotation files
need only arrays, containers and numbers, so only those are let through.
"""

from __future__ import annotations

import builtins
import codecs
import collections
import pickle
from pathlib import Path
from typing import IO, Any

import numpy as np

from mmdualhand.errors import DataError, MissingFileError, UnsafeFileError

_RECONSTRUCT = np.empty(0).__reduce__()[0]
_SCALAR = np.float64(0).__reduce__()[0]
_CONTAINERS = ('list', 'dict', 'tuple', 'set', 'frozenset')
_NUMBERS = ('int', 'float', 'complex', 'bool', 'str', 'bytes')


def _frombuffer(buffer: Any, dtype: np.dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    """What pickle protocol 5 calls to rebuild an array from its bytes."""
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order='F' if order == 'F' else 'C')


def _allowed_globals() -> dict[tuple[str, str], Any]:
    table: dict[tuple[str, str], Any] = {
        ('numpy', 'ndarray'): np.ndarray,
        ('numpy', 'dtype'): np.dtype,
        ('collections', 'OrderedDict'): collections.OrderedDict,
        ('_codecs', 'encode'): codecs.encode,
    }
    for core in ('numpy.core', 'numpy._core'):
        table[f'{core}.multiarray', '_reconstruct'] = _RECONSTRUCT
        table[f'{core}.multiarray', 'scalar'] = _SCALAR
        table[f'{core}.numeric', '_frombuffer'] = _frombuffer
    for module in ('builtins', '__builtin__'):
        for name in _CONTAINERS + _NUMBERS:
            table[module, name] = getattr(builtins, name)
    return table


_ALLOWED = _allowed_globals()


class _RestrictedUnpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(file, encoding='latin1')
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise UnsafeFileError(
                f'{self._path} asks for {module}.{name}, which could run code, and is not read: an '
                'annotation '
                'file may hold only numpy arrays, containers and numbers. Get the file from its publisher.'
            ) from None


def load_annotation_pickle(path: str | Path) -> Any:
    """Read a pickle that holds numpy arrays, containers and numbers, and nothing else.

    Pickles of Python 2 and of numpy 1 and 2 are read alike.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        MissingFileError: There is no such file.
        UnsafeFileError: It names a global other than those; nothing of it was called.
        DataError: It is truncated or not a pickle.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f'the annotation file {path} does not exist.')
    try:
        with open(path, 'rb') as file:
            return _RestrictedUnpickler(file, path).load()
    except (UnsafeFileError, OSError):
        raise
    except Exception as error:  # a broken pickle fails in many ways
        raise DataError(
            f'{path} cannot be read as a pickle ({type(error).__name__}: {error}); it is probably truncated.'
        ) from error
