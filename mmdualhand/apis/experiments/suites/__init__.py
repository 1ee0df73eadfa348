"""Suites: the measurements of a table, and the table made of them. Each is one file here.

A file ``NAME.py`` is the suite ``NAME``. Its first line says what it is, and it has two functions::

    def measurements(scale: str, seed: int) -> list[Measurement]
    def tables(cells: Sequence[Mapping[str, Any]], scale: str) -> list[Table]

``cells`` are those of the measurements that are there, of all seeds. A file may have three more::

    def left_out(scale: str) -> list[str]             # what is not measured here, a sentence each
    def notes(cells) -> list[str]                     # what comes below the tables, Markdown
    def draw(cells, scale: str, file: Path) -> bool   # a PNG picture; whether there was anything to draw
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from mmdualhand.apis.experiments.definitions import Measurement
from mmdualhand.apis.experiments.tables import Table
from mmdualhand.errors import ConfigError, near_names

SCALES = {'mini': 'mini/', 'small': 'small/', 'full': ''}
"""Scale to the folder of its configs."""


class Suite(Protocol):
    """A module of this package."""

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
    """A suite by its name.

    Raises:
        ConfigError: There is none of this name.
    """
    known = list_suites()
    if name not in known:
        raise ConfigError(f'{name!r} is not a suite; {near_names(name, known)}')
    return cast(Suite, import_module(f'{__name__}.{name}'))


def left_out(name: str, scale: str) -> list[str]:
    """What a suite leaves out on this machine, a sentence each.

    Raises:
        ConfigError: There is no suite of this name.
    """
    sentences = getattr(get_suite(name), 'left_out', None)
    return [] if sentences is None else list(sentences(scale))


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
