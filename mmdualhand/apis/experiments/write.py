"""Tables of a suite as files: Markdown, CSV, LaTeX, a picture, and a line for every cell."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdualhand.apis.experiments.cells import precision_of
from mmdualhand.apis.experiments.suites import draw_suite, get_suite, notes_of, suite_name
from mmdualhand.apis.experiments.tables import csv_text, latex_text, markdown_text
from mmdualhand.compat import replace_file

_WHAT = ('training', 'seed', 'benchmark', 'reestimate_bn', 'root_depth')
_COST = ('steps', 'seconds', 'cpu_seconds', 'threads', 'precision', 'commit')
_HASHES = ('hash', 'training', 'benchmark')


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        text: The Markdown.
        others: The files beside it and the CSV.
    """

    text: str
    others: tuple[Path, ...]


def tables_heading(command: str, cells: Sequence[Mapping[str, Any]], wanted: int) -> str:
    """What comes above the tables: the command that makes all of them, the code, what is missing."""
    lines = [f'`{command}`', '', commits(cells), *precisions(cells)]
    if len(cells) < wanted:
        lines.append(f'{wanted - len(cells)} of {wanted} measurements are missing.')
    return '\n'.join(lines)


def commits(cells: Sequence[Mapping[str, Any]]) -> str:
    """Which code made the cells, a sentence."""
    found = Counter(str(cell.get('commit') or 'unknown') for cell in cells).most_common()
    names = [f'{name.replace("+changes", " with uncommitted changes")} ({number})' for name, number in found]
    return f'Commits that made the cells, and how many: {", ".join(names) or "none"}.'


def precisions(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the trainings computed in, a sentence; nothing where all of them did in the same."""
    found = Counter(map(precision_of, cells)).most_common()
    names = ', '.join(f'{name} ({number})' for name, number in found)
    return [f'Precision of the trainings, and how many cells: {names}.'] if len(found) > 1 else []


def write_tables(
    suite: str,
    scale: str,
    cells: Sequence[Mapping[str, Any]],
    head: str,
    folder: Path,
    name: str | None = None,
) -> Written:
    """Make the tables of a suite and write them.

    Args:
        suite: Its name.
        scale: Key of ``SCALES``.
        cells: Finished measurements.
        head: What comes above the tables in the Markdown.
        folder: Where to write; made if needed.
        name: Beginning of the names of the files; that of the suite unless given.

    Returns:
        The Markdown and the other files: ``.tex``, ``_cells.csv`` and, where the suite
        draws one, ``.png``. Where it has nothing to draw, an older picture is removed.

    Raises:
        ConfigError: No such suite or scale.
    """
    tables = get_suite(suite).tables(cells, scale)
    text = '\n\n'.join([head, *map(markdown_text, tables), *notes_of(suite, cells)]) + '\n'
    name = name or suite_name(suite)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / f'{name}.md', text)
    _write(folder / f'{name}.csv', csv_text(tables))
    others = [folder / f'{name}.tex', folder / f'{name}_cells.csv']
    _write(others[0], latex_text(tables))
    _write(others[1], cells_csv(cells))
    picture = folder / f'{name}.png'
    partial = _partial(picture)
    if draw_suite(suite, cells, scale, partial):
        replace_file(partial, picture)
        others.append(picture)
    elif hasattr(get_suite(suite), 'draw'):
        picture.unlink(missing_ok=True)  # one of other cells: it would look like that of these tables
    return Written(text, tuple(others))


def cells_csv(cells: Sequence[Mapping[str, Any]]) -> str:
    """A line a cell: what it is, its metrics, the hashes of what it was made from, cost and commit."""
    metrics = list(dict.fromkeys(name for cell in cells for name in cell['metrics']))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow([*_WHAT, *metrics, *(f'origin_{key}' for key in _HASHES), *_COST])
    for cell in cells:
        origin, known = cell.get('origin') or {}, {**cell, 'precision': precision_of(cell)}
        writer.writerow(
            [
                *(cell.get(key, '') for key in _WHAT),
                *(cell['metrics'].get(name, '') for name in metrics),
                *(origin.get(key, '') for key in _HASHES),
                *(known.get(key, '') for key in _COST),
            ]
        )
    return out.getvalue()


def _write(file: Path, content: str) -> None:
    partial = _partial(file)
    partial.write_text(content, encoding='utf-8')
    replace_file(partial, file)


def _partial(file: Path) -> Path:
    """A name beside a file that no other process uses: several parts of a suite may end together."""
    return file.with_name(f'.{file.name}.{os.getpid()}.partial')
