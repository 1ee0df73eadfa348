"""All checks of one dataset, in the order in which one fault would hide behind another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmdualhand.datasets.health.bones import check_bones
from mmdualhand.datasets.health.files import count_row, file_rows, picture_paths, without_broken
from mmdualhand.datasets.health.frames import check_frames
from mmdualhand.datasets.health.intrinsics import check_intrinsics
from mmdualhand.datasets.health.joint_order import check_joint_order
from mmdualhand.datasets.health.leakage import check_picture_leakage, check_pose_leakage
from mmdualhand.datasets.health.pictures import PictureScan, scan_pictures
from mmdualhand.datasets.health.reader import check_reader
from mmdualhand.datasets.health.report import NOT_APPLICABLE, WRONG, HealthReport, Row
from mmdualhand.datasets.health.reprojection import check_reprojection
from mmdualhand.datasets.health.sides import check_sides
from mmdualhand.datasets.health.silhouette import check_silhouette
from mmdualhand.datasets.health.sources import SOURCES, Survey
from mmdualhand.datasets.health.table import LabelTable
from mmdualhand.datasets.health.units import check_units
from mmdualhand.datasets.health.values import check_in_front, check_values
from mmdualhand.errors import ConfigError, MissingFileError

Progress = Callable[[int, int], None]


@dataclass
class Examination:
    """What was found, and the labels it was found in.

    Attributes:
        report: The table.
        tables: The labels of each split as they stand in the files, without broken ones.
    """

    report: HealthReport
    tables: list[LabelTable] = field(default_factory=list)


def examine(
    name: str,
    root: str | Path,
    *,
    splits: list[str] | None = None,
    partial: bool = False,
    options: dict[str, Any] | None = None,
    workers: int = 2,
    on_progress: Progress = lambda done, total: None,
) -> Examination:
    """Check a dataset.

    Args:
        name: A key of ``SOURCES``.
        root: Its folder.
        splits: Which of its splits; all by default.
        partial: Check what is there and list what is not, instead of calling that wrong.
        options: Options of the source.
        workers: Threads that read pictures.
        on_progress: Called with the number of files read and to be read.

    Raises:
        ConfigError: An unknown dataset, split or option.
        MissingFileError: There is no such folder.
    """
    if name not in SOURCES:
        raise ConfigError(f'{name!r} is no dataset that can be checked; there are: {", ".join(SOURCES)}')
    folder = Path(root)
    if not folder.is_dir():
        raise MissingFileError(f'the folder {folder} does not exist; give the folder of the dataset itself.')
    survey = SOURCES[name](folder, splits, options or {})
    result = Examination(HealthReport(survey.facts.title, str(folder)))
    _absent(result.report, survey.absent, partial)
    result.report.rows += [
        Row('label files', '', WRONG, text, 'get the file again') for text in survey.unreadable
    ]
    scan = _scan(survey.tables, workers, on_progress)
    tables = {table.split: table for table in survey.tables}
    clean: dict[str, LabelTable] = {}
    for split in dict.fromkeys([*tables, *survey.readers]):
        if split in tables:
            rows, clean[split] = _check_split(tables[split], survey, scan, partial, result.report)
            result.report.rows += rows
        if split in survey.readers:
            result.report.rows.append(
                check_reader(split, survey.readers[split], tables.get(split), partial=partial)
            )
    result.report.rows += _leakage(clean, survey, scan)
    result.tables = [without_broken(table, scan) for table in survey.tables]
    return result


def _absent(report: HealthReport, absent: list[str], partial: bool) -> None:
    absent = [what.replace(f'{report.root}/', '') for what in absent]
    if partial:
        report.absent += absent
        return
    for what in absent:
        advice = 'get the rest of the dataset, or check what is there with --partial'
        report.rows.append(Row('label files', '', WRONG, f'missing: {what}', advice))


def _scan(tables: list[LabelTable], workers: int, on_progress: Progress) -> PictureScan:
    color, others = picture_paths(tables)
    total, done = len(color) + len(others), 0

    def advance() -> None:
        nonlocal done
        done += 1
        on_progress(done, total)

    return scan_pictures(color, others, workers=workers, on_file=advance)


def _check_split(
    table: LabelTable, survey: Survey, scan: PictureScan, partial: bool, report: HealthReport
) -> tuple[list[Row], LabelTable]:
    """All rows of a split, and its labels with recognised faults undone.

    A fault that is recognised is undone before the next check, so that each is named once and by
    itself: wrong units would make every pose a giant's, a wrong order would turn left into right.
    """
    facts, embedded = survey.facts, survey.embedded
    rows = [count_row(without_broken(table, scan), facts, partial=partial, embedded=embedded)]
    about_files, absent = file_rows(table, scan, survey.root, partial=partial)
    rows += about_files
    report.absent += absent
    table = without_broken(table, scan)
    found, table = check_values(table, survey.broken.get(table.split, {}), facts.unlabelled)
    rows += found
    if not len(table):
        return rows, table
    rows += check_intrinsics(table, scan, facts)
    row, table = check_units(table, facts)
    rows.append(row)
    row, table = check_joint_order(table, facts.root)
    rows.append(row)
    found, table = check_reprojection(table, scan, facts)
    rows += found
    found, table = check_silhouette(table)
    rows += found
    rows += check_in_front(table)
    rows += check_frames(table, scan, facts, embedded)
    rows += check_sides(table)
    rows += check_bones(table, facts, embedded)
    return rows, table


def _leakage(tables: dict[str, LabelTable], survey: Survey, scan: PictureScan) -> list[Row]:
    rows = []
    for train, test in survey.pairs:
        if train in tables and test in tables:
            rows.append(check_pose_leakage(tables[train], tables[test]))
            rows.append(check_picture_leakage(tables[train], tables[test], scan, survey.root))
        else:
            text = f'only one of {train} and {test} was looked at'
            rows.append(Row('leakage', f'{train} / {test}', NOT_APPLICABLE, text))
    return rows
