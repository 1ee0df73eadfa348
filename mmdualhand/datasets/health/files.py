"""Rows about picture files and numbers of samples."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmdualhand.datasets.health.facts import DatasetFacts
from mmdualhand.datasets.health.pictures import MISSING, TRUNCATED, PictureScan
from mmdualhand.datasets.health.report import NOT_APPLICABLE, OK, WARNING, WRONG, Row
from mmdualhand.datasets.health.table import MODALITIES, LabelTable, listed

COUNT_CHECK, FILE_CHECK = 'samples', 'picture files'


def picture_paths(tables: list[LabelTable]) -> tuple[list[str], list[str]]:
    """Colour pictures and other pictures that the tables name, every one once."""
    color: dict[str, None] = {}
    others: dict[str, None] = {}
    for table in tables:
        for kind in MODALITIES:
            paths = dict.fromkeys(path for path in table.pictures(kind).tolist() if path)
            (color if kind == 'rgb' else others).update(paths)
    return list(color), list(others)


def count_row(table: LabelTable, facts: DatasetFacts, *, partial: bool, embedded: bool) -> Row:
    """How many samples, pictures and recordings a split has."""
    pictures = len({path for path in table.pictures('rgb').tolist() if path})
    counts = {side: int((table.sides == side).sum()) for side in ('left', 'right')}
    sides = [f'{count} {side}' for side, count in counts.items() if count]
    text = f'{len(table)} samples ({", ".join(sides) or "side not stored"}), {pictures} pictures'
    if table.groups is not None:
        text += f', {len(set(table.groups.tolist()))} recordings'
    published = facts.counts.get(table.split)
    if embedded:
        return Row(COUNT_CHECK, table.split, OK, f'{text}; embedded set, not the published one')
    if published is None:
        return Row(COUNT_CHECK, table.split, OK, text)
    text += f' of {published} published'
    if pictures == published or partial:
        return Row(COUNT_CHECK, table.split, OK, text)
    return Row(COUNT_CHECK, table.split, WARNING, text, 'unpack all of the dataset, or check with --partial')


def file_rows(
    table: LabelTable, scan: PictureScan, root: Path, *, partial: bool
) -> tuple[list[Row], list[str]]:
    """Missing and truncated files of a split.

    Args:
        table: The labels.
        scan: What is known of the files.
        root: Folder that names are shown relative to.
        partial: Missing files are no fault.

    Returns:
        The rows, and in words what is missing where that is no fault.
    """
    rows, absent = [], []
    for kind in MODALITIES:
        paths = list(dict.fromkeys(path for path in table.pictures(kind).tolist() if path))
        if not paths:
            continue
        missing = [path for path in paths if scan.problems.get(path) == MISSING]
        truncated = [path for path in paths if scan.problems.get(path) == TRUNCATED]
        part = f'{table.split} {kind}'
        here = len(paths) - len(missing)
        if truncated:
            text = f'image {listed(_names(truncated, root))} is truncated ({len(truncated)} of {here} files)'
            advice = "copy these files again, or leave them out with the reader's on_error='skip'"
            rows.append(Row(FILE_CHECK, part, WRONG, text, advice))
        if missing and not partial:
            text = f'{len(missing)} of {len(paths)} files are missing: {listed(_names(missing, root))}'
            rows.append(Row(FILE_CHECK, part, WRONG, text, 'unpack it again, or check with --partial'))
        elif missing:
            absent.append(f'{len(missing)} of {len(paths)} {kind} pictures of {table.split}')
        if not truncated and (partial or not missing):
            verdict = OK if here else NOT_APPLICABLE
            rows.append(Row(FILE_CHECK, part, verdict, f'{here} files complete' if here else 'none is here'))
    return rows, absent


def without_broken(table: LabelTable, scan: PictureScan) -> LabelTable:
    """The table without the names of pictures that cannot be read."""
    paths = {
        kind: np.array(['' if path in scan.problems else path for path in names.tolist()], object)
        for kind, names in table.paths.items()
    }
    return replace(table, paths=paths)


def _names(paths: list[str], root: Path) -> list[str]:
    return [os.path.relpath(path, root) for path in paths]
