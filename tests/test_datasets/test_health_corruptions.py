"""Faults seeded into rendered sets of every layout are found, and named; a sound set raises no alarm."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mmdualhand.datasets.health import OK, WARNING, WRONG, HealthReport, examine
from mmdualhand.synthesis import LAYOUTS, SetRequest, generate_set
from tests.fixtures import corruptions as faults

pytestmark = pytest.mark.slow

SIZES = {'rhd': (32, 12), 'stb': (30, 12), 'freihand': (40, 10), 'h3d': (32, 8), 'mvhand': (32, 16)}


@dataclass(frozen=True)
class Fault:
    """One seeded fault.

    Attributes:
        change: Puts it into the files of a set.
        named: Words that a row which is WRONG must have.
        unseen: Layout to why nothing in its files tells.
    """

    change: Callable[[Any], None]
    named: str
    unseen: dict[str, str] = field(default_factory=dict)


BOTH_UNITS = 'both units are read'
NO_SIDE = 'no side is stored'
NO_CAMERA = 'no K is stored'

FAULTS: dict[str, Fault] = {
    'x and y swapped': Fault(faults.swap_axes, 'x and y are swapped'),
    'x and y swapped in 3D': Fault(faults.swap_axes_3d, 'x and y are swapped (3D labels)'),
    'metres for mm': Fault(faults.other_unit, 'lengths look like', {'h3d': BOTH_UNITS}),
    'mirrored hands': Fault(faults.mirror_all, 'hands are mirrored (labels say', {'h3d': NO_SIDE}),
    'mirrored 3D labels': Fault(faults.mirror_3d, 'hands are mirrored (x of the 3D labels'),
    'fingers tip to base': Fault(faults.other_order, "joint order is not the dataset's"),
    'fingers in reverse': Fault(faults.pinky_first, "joint order is not the dataset's"),
    'truncated image': Fault(faults.truncate, 'is truncated'),
    'NaN joint': Fault(faults.nan_joint, 'joint NaN in record'),
    'test frame in train': Fault(faults.copy_test, 'is a copy of train image'),
    'K of the next sample': Fault(
        faults.next_camera, 'K of record i fits record i+1', {'stb': NO_CAMERA, 'mvhand': NO_CAMERA}
    ),
    'principal point moved': Fault(faults.move_centre, 'principal point is off by about (8'),
}
# What a row may say beside the fault's own name.
CONSEQUENCES = {
    'test frame in train': ('leakage: poses',),
    'principal point moved': ('principal point', 'reprojection', 'labels centred on the hand'),
}


class Lab:
    """Sound sets, rendered once, and the reports of damaged copies, made once each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._reports: dict[tuple[str, str], HealthReport] = {}
        self._broken: dict[tuple[str, str], Path] = {}

    def sound(self, layout: str) -> Path:
        root = self.folder / 'sound' / LAYOUTS[layout].folder_name
        if not root.is_dir():
            generate_set(root.parent, SetRequest(layout, *SIZES[layout], seed=3), workers=2)
        return root

    def report(self, layout: str, fault: str = '') -> HealthReport:
        key = (layout, fault)
        if key not in self._reports:
            root = self.sound(layout)
            if fault:
                damaged = self.folder / 'damaged' / root.name
                shutil.copytree(root, damaged)
                FAULTS[fault].change(faults.FILES[layout](damaged))
                self._reports[key] = examine(layout, damaged).report
                shutil.rmtree(damaged)
            else:
                self._reports[key] = examine(layout, root).report
        return self._reports[key]

    def cell(self, layout: str, fault: str) -> str:
        """What the check says about a fault: the check that names it, or why it cannot be seen."""
        rows = [row for row in self.report(layout, fault).rows if row.verdict == WRONG]
        named = list(dict.fromkeys(row.check for row in rows if FAULTS[fault].named in row.measured))
        if named:
            return ', '.join(named)
        return 'NOT NAMED' if rows else 'cannot be seen here'


@pytest.fixture(scope='module')
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    yield Lab(tmp_path_factory.mktemp('health'))


@pytest.mark.parametrize('layout', LAYOUTS)
def test_sound_sets_raise_no_alarm(lab: Lab, layout: str) -> None:
    report = lab.report(layout)
    assert report.healthy
    assert [row for row in report.rows if row.verdict in (WRONG, WARNING)] == []
    opened = [row for row in report.rows if row.check == 'reader']
    assert len(opened) == 2 and all(row.verdict == OK for row in opened)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('fault', FAULTS)
def test_fault_is_named(lab: Lab, layout: str, fault: str) -> None:
    reason = FAULTS[fault].unseen.get(layout)
    report = lab.report(layout, fault)
    wrong = [row for row in report.rows if row.verdict == WRONG]
    if reason is not None:
        assert lab.cell(layout, fault) == 'cannot be seen here'
        return
    assert any(FAULTS[fault].named in row.measured for row in wrong), [row.measured for row in wrong]
    # no other fault is named; the reader may refuse the set in its own words
    own = FAULTS[fault].named
    names = {other.named for other in FAULTS.values()}
    others = {name for name in names if not own.startswith(name) and not name.startswith(own)}
    for row in wrong:
        if row.check != 'reader' and row.check not in CONSEQUENCES.get(fault, ()):
            assert not any(name in row.measured for name in others), (row.check, row.measured)


def test_poses_of_other_views_are_named(lab: Lab) -> None:
    damaged = lab.folder / 'views'
    shutil.copytree(lab.sound('mvhand'), damaged)
    faults.next_view(faults.MvhandFiles(damaged))
    wrong = [row for row in examine('mvhand', damaged).report.rows if row.verdict == WRONG]
    assert {row.part for row in wrong} == {'train', 'test'}
    assert all('view v wants the pose of view v+3' in row.measured for row in wrong)


def test_table_of_faults_and_layouts(lab: Lab) -> None:
    lines = [f'| fault | {" | ".join(LAYOUTS)} |', '|---' * (1 + len(LAYOUTS)) + '|']
    for fault, seeded in FAULTS.items():
        cells = []
        for layout in LAYOUTS:
            text = lab.cell(layout, fault)
            reason = seeded.unseen.get(layout)
            assert (text == 'cannot be seen here') == (reason is not None), (fault, layout, text)
            cells.append(text if reason is None else f'{text}: {reason}')
        lines.append(f'| {fault} | {" | ".join(cells)} |')
    print('\n' + '\n'.join(lines))
    assert 'NOT NAMED' not in '\n'.join(lines)
