"""A suite made of tables of the paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdualhand.apis.experiments.definitions import Measurement
from mmdualhand.apis.experiments.entries import Entry, left_out_of, measurements_of
from mmdualhand.apis.experiments.figures import draw_tables
from mmdualhand.apis.experiments.paper_tables import PaperTable
from mmdualhand.apis.experiments.results import CellIndex
from mmdualhand.apis.experiments.tables import Table


@dataclass(frozen=True)
class PaperSuite:
    """What the file of a suite needs, from its tables.

    Attributes:
        parts: The tables, in the order in which they are shown.
    """

    parts: tuple[PaperTable, ...]

    @property
    def entries(self) -> list[Entry]:
        """All rows, each once."""
        return list(dict.fromkeys(entry for part in self.parts for entry in part.entries))

    def measurements(self, scale: str, seed: int) -> list[Measurement]:
        """See ``suites.Suite``."""
        return measurements_of(self.entries, scale, seed)

    def left_out(self, scale: str) -> list[str]:
        """See ``suites``."""
        return left_out_of(self.entries, scale)

    def tables(self, cells: Sequence[Mapping[str, Any]], scale: str) -> list[Table]:
        """See ``suites.Suite``."""
        return [table for part in self.parts for table in part.build(cells, scale) if table.rows]

    def notes(self, cells: Sequence[Mapping[str, Any]]) -> list[str]:
        """See ``suites``."""
        return [provenance(cells)] if cells else []

    def draw(self, cells: Sequence[Mapping[str, Any]], scale: str, file: Path) -> bool:
        """See ``suites``."""
        return draw_tables(self.tables(cells, scale), file)


def provenance(cells: Sequence[Mapping[str, Any]]) -> str:
    """What made the cells, a line a training: hash of its config with all that it depends on, commit."""
    trainings: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for cell in CellIndex(cells).cells:
        trainings.setdefault((cell.training, cell.seed), []).append(cell.record)
    lines = [
        'What made the numbers: the hash of config, start and data of each training, and the commit of its '
        'measurements. The hash of every single measurement is in the file that ends with _cells.csv.',
        '',
        '| training | seed | hash | commit | measurements |',
        '|---|---|---|---|---|',
    ]
    for (name, seed), found in trainings.items():
        hashes = _named(str(one.get('origin', {}).get('training', 'unknown')) for one in found)
        commits = _named(str(one.get('commit') or 'unknown') for one in found)
        lines.append(f'| {name} | {seed} | {hashes} | {commits} | {len(found)} |')
    return '\n'.join(lines)


def _named(values: Iterable[str]) -> str:
    return ', '.join(Counter(values))
