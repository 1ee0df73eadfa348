"""On what data finished measurements were made, as their cells say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmdualhand.apis.experiments.results import TARGETS, Cell, read_cells

EMBEDDED, PUBLISHED, UNKNOWN = 'embedded', 'published', 'unknown'


def kinds_of(cell: Cell) -> set[str]:
    """Kinds of the data that a measurement was made on.

    Args:
        cell: Its origin has, for every folder of images that it was measured on, the hash of the
            note of embedded data, and None for published data.

    Returns:
        One or two of ``EMBEDDED``, ``PUBLISHED`` and, where the cell does not say it, ``UNKNOWN``.
    """
    folders = (cell.record.get('origin') or {}).get('data') or {}
    return {PUBLISHED if note is None else EMBEDDED for note in folders.values()} or {UNKNOWN}


def data_name(cells: Sequence[Mapping[str, Any]]) -> str:
    """In short: embedded, published, unknown or mixed data.

    Args:
        cells: Finished measurements; those on other benchmarks than the four targets do not count.
    """
    kinds = set().union(*_by_target(cells).values()) or {UNKNOWN}
    return f'{"mixed" if len(kinds) > 1 else min(kinds)} data'


def data_words(cells: Sequence[Mapping[str, Any]]) -> str:
    """For the title of a table: which data, and which for every target where they are mixed.

    Args:
        cells: Finished measurements; those on other benchmarks than the four targets do not count.
    """
    name, found = data_name(cells), _by_target(cells)
    if name == 'mixed data':
        each = [f'{TARGETS[t]} {" and ".join(sorted(found[t]))}' for t in TARGETS if t in found]
        return f'{name} ({", ".join(each)})'
    return f'{name}, whose hands are rendered' if name == f'{EMBEDDED} data' else name


def _by_target(cells: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for cell in read_cells(cells):
        if cell.target in TARGETS:
            found.setdefault(cell.target, set()).update(kinds_of(cell))
    return found
