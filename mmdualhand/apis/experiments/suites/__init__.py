"""Suites: the measurements of a table, and the table made of them. Each is one file, here or anywhere.

A file ``NAME.py`` is the suite ``NAME``; one that is not in this package is named by its path. Its first line
says what it is, and it has two functions::

    def measurements(scale: str, seed: int) -> list[Measurement]
    def tables(cells: Sequence[Mapping[str, Any]], scale: str) -> list[Table]

``cells`` are those of the measurements that are there, of all seeds. A file may have four more::

    def elsewhere(scale: str, seed: int) -> list[Measurement]  # what lacks data here: cells of it are shown
    def left_out(scale: str) -> list[str]             # what is not measured here, a sentence each
    def notes(cells) -> list[str]                     # what comes below the tables, Markdown
    def draw(cells, scale: str, file: Path) -> bool   # a PNG picture; whether there was anything to draw
"""

from __future__ import annotations

import os
import pkgutil
import sys
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast

from mmdualhand.apis.experiments.definitions import Measurement
from mmdualhand.apis.experiments.tables import Table
from mmdualhand.errors import ConfigError, near_names

SCALES = {'mini': 'mini/', 'small': 'small/', 'full': ''}
"""Scale to the folder of its configs."""
_ENDING = '.py'
_NEEDED = ('measurements', 'tables')


class Suite(Protocol):
    """A module of this package, or a file of one's own."""

    def measurements(self, scale: str, seed: int) -> list[Measurement]:
        """What is measured with one seed."""

    def tables(self, cells: Sequence[Mapping[str, Any]], scale: str) -> list[Table]:
        """The tables of what is there."""


def list_suites() -> dict[str, str]:
    """Name of every suite and what it is."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    texts = (import_module(f'{__name__}.{name}').__doc__ or '' for name in names)
    return {name: text.strip().split('\n', 1)[0] for name, text in zip(names, texts, strict=True)}


def get_suite(name: str) -> Suite:
    """A suite by its name or its file.

    Args:
        name: Name of a shipped suite, or a Python file of one's own, ``FILE.py``, which is run once.

    Raises:
        ConfigError: There is none of this name; or the file is not there, fails, lacks
            ``measurements`` or ``tables``, or has the name of a shipped suite.
    """
    if name.endswith(_ENDING):
        return cast(Suite, _module_of(Path(os.path.abspath(Path(name).expanduser()))))
    known = list_suites()
    if name not in known:
        raise ConfigError(f'{name!r} is neither a suite nor a file NAME{_ENDING}; {near_names(name, known)}')
    return cast(Suite, import_module(f'{__name__}.{name}'))


def suite_name(name: str) -> str:
    """Name of a suite, after which its files are called: the stem where it is given as a file."""
    return Path(name).stem if name.endswith(_ENDING) else name


@cache
def _module_of(file: Path) -> ModuleType:
    """Run the file of a suite that is not in this package.

    Raises:
        ConfigError: See :func:`get_suite`.
    """
    if not file.is_file():
        raise ConfigError(f'the suite {file} is not there')
    if file.stem in list_suites():
        raise ConfigError(f'{file} has the name of a shipped suite: give the file another name')
    spec = spec_from_file_location(f'mmdualhand_suite_{file.stem}', file)
    if spec is None or spec.loader is None:
        raise ConfigError(f'the suite {file} is no Python file')
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses of the file look themselves up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a file of the user may fail in any way
        del sys.modules[spec.name]
        steps = traceback.extract_tb(error.__traceback__)
        lines = [f', line {step.lineno},' for step in steps if step.filename == str(file)]
        reason = f'{type(error).__name__}: {error}'
        raise ConfigError(f'the suite {file}{"".join(lines[-1:])} fails: {reason}') from error
    lacking = [name for name in _NEEDED if not callable(getattr(module, name, None))]
    if lacking:
        raise ConfigError(f'the suite {file} has no function {" and no ".join(lacking)}')
    return module


def left_out(name: str, scale: str) -> list[str]:
    """What a suite leaves out on this machine, a sentence each.

    Raises:
        ConfigError: There is no suite of this name.
    """
    sentences = getattr(get_suite(name), 'left_out', None)
    return [] if sentences is None else list(sentences(scale))


def measured_elsewhere(name: str, scale: str, seed: int) -> list[Measurement]:
    """What a suite cannot measure here for want of data, and shows where it was measured elsewhere.

    Args:
        name: As for :func:`get_suite`.
        scale: Key of ``SCALES``.
        seed: Seed.

    Raises:
        ConfigError: As :func:`get_suite`.
    """
    found = getattr(get_suite(name), 'elsewhere', None)
    return [] if found is None else list(found(scale, seed))


def notes_of(name: str, cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a suite says below its tables.

    Raises:
        ConfigError: There is no suite of this name.
    """
    notes = getattr(get_suite(name), 'notes', None)
    return [] if notes is None else list(notes(cells))


def draw_suite(name: str, cells: Sequence[Mapping[str, Any]], scale: str, file: Path) -> bool:
    """Draw the picture of a suite; whether it has one and there was anything to draw.

    Raises:
        ConfigError: There is no suite of this name.
    """
    draw = getattr(get_suite(name), 'draw', None)
    return False if draw is None else bool(draw(cells, scale, file))


def config_prefix(scale: str) -> str:
    """Beginning of the names of a scale's configs.

    Raises:
        ConfigError: No such scale.
    """
    if scale not in SCALES:
        raise ConfigError(f'{scale!r} is not a scale; {near_names(scale, SCALES)}')
    return SCALES[scale]
