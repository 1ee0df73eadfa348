"""The shipped configs by name, in a checkout and in an installed wheel."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmdualhand.errors import ConfigError, MissingFileError

if TYPE_CHECKING:
    from mmengine.config import Config

_PACKAGE_ROOT = Path(__file__).resolve().parents[1]
_BASE_FOLDER = '_base_'
_FEW = 4
"""Names in a message where none is near."""


def config_root() -> Path:
    """The folder of the shipped configs.

    A wheel carries it as ``mmdualhand/configs``; in a checkout and in an
    editable installation it is ``configs/`` beside the package.

    Returns:
        Absolute path.

    Raises:
        MissingFileError: Neither folder is there, the installation is broken.
    """
    installed = _PACKAGE_ROOT / 'configs'
    if installed.is_dir():
        return installed
    checkout = _PACKAGE_ROOT.parent
    if (checkout / 'configs').is_dir() and (checkout / 'setup.py').is_file():
        return checkout / 'configs'
    raise MissingFileError(
        f'the shipped configs are neither in {installed} nor in {checkout / "configs"}: '
        'install mmdualhand again'
    )


def list_models(pattern: str = '*') -> list[str]:
    """Names of the shipped configs.

    Args:
        pattern: Shell pattern that the whole name must match, for example
            ``'*ge*'`` or ``'benchmarks/*'``; ``*`` also matches ``/``.

    Returns:
        Sorted names: paths relative to the config folder, with ``/`` and
        without ``.py``. The building blocks in ``_base_`` are not listed.
    """
    root = config_root()
    files = (path.relative_to(root) for path in root.rglob('*.py'))
    names = (
        path.with_suffix('').as_posix()
        for path in files
        if _BASE_FOLDER not in path.parts and path.name != '__init__.py'
    )
    return sorted(name for name in names if fnmatchcase(name, pattern))


def config_path(name: str | os.PathLike[str]) -> Path:
    """Find a config by its file or by its name.

    Args:
        name: An existing file, a name of :func:`list_models`, or a part such as
            ``_base_/default_runtime``. The ending
            ``.py`` and a leading ``configs/`` may be given, so that a command
            written for a checkout works with an installed wheel too.

    Returns:
        Absolute path of the config file.

    Raises:
        ConfigError: Neither such a file nor such a name exists; the message
            lists the nearest names.
    """
    text = os.fspath(name)
    given = Path(text).expanduser()
    if given.is_file():
        return given.resolve()
    wanted = Path(text).as_posix().removeprefix('configs/').removesuffix('.py')
    known = list_models()
    file = config_root() / f'{wanted}.py'
    if wanted in known or (wanted.startswith(f'{_BASE_FOLDER}/') and file.is_file()):
        return file
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    if near:
        hint = f'Did you mean {" or ".join(map(repr, near))}?'
    else:
        hint = f'Some of them: {", ".join([name for name in known if "/" not in name][:_FEW])}.'
    raise ConfigError(
        f'{text!r} is neither a config file nor the name of a shipped config. {hint} '
        f'mmdualhand.list_models() gives all {len(known)}'
    )


def get_config(name: str | os.PathLike[str]) -> Config:
    """Load a config with its bases merged.

    A config of your own may inherit a shipped one from anywhere:
    ``_base_ = ['mmdualhand::pretrain_rhd']``.

    Args:
        name: As for :func:`config_path`.

    Returns:
        The merged config.

    Raises:
        ConfigError: No such config.
        MissingFileError: A base that the config names is not there.
    """
    from mmengine.config import Config

    path = config_path(name)
    try:
        with _named_bases(Config):
            return Config.fromfile(path)
    except MissingFileError:
        raise
    except FileNotFoundError as error:
        raise MissingFileError(f'{path} names a base that is not there: {error}') from error
    except (ImportError, SyntaxError, OSError) as error:  # mmengine's OSError: an ending it does not know
        reason = ' '.join(str(error.__cause__ or error).split())
        raise ConfigError(f'{path} cannot be read: {reason}') from error


@contextmanager
def _named_bases(config_class: Any) -> Iterator[None]:
    """Let ``mmdualhand::name`` in ``_base_`` be a shipped config.

    mmengine knows packages from a fixed table only and looks them up with
    ``pkg_resources``, which setuptools 82 removed.
    """
    original = config_class._get_cfg_path

    def resolve(base: str, filename: str) -> tuple[str, str | None]:
        package, mark, wanted = base.partition('::')
        if mark and package == 'mmdualhand':
            return str(config_path(wanted)), None
        return original(base, filename)

    config_class._get_cfg_path = staticmethod(resolve)
    try:
        yield
    finally:
        config_class._get_cfg_path = staticmethod(original)
