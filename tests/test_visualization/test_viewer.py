"""What goes to the interactive viewer, and where it is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mmdualhand.errors import MissingPackageError
from mmdualhand.structures import BONES
from mmdualhand.visualization.viewer import HandViewer
from tests.fixtures.hand_results import hand_result, photo


class Recorder(SimpleNamespace):
    """Stands for the package rerun and keeps what is logged."""

    def __init__(self) -> None:
        frames = SimpleNamespace(RDF='RDF')
        super().__init__(ViewCoordinates=frames, started=[], saved=[], logged={}, times=[])
        for kind in ('Image', 'Points2D', 'Points3D', 'LineStrips2D', 'LineStrips3D', 'Boxes2D', 'Clear'):
            setattr(self, kind, self._maker(kind))

    @staticmethod
    def _maker(kind: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: (kind, args, kwargs)

    def init(self, name: str, spawn: bool) -> None:
        self.started.append((name, spawn))

    def save(self, path: str) -> None:
        self.saved.append(path)

    def set_time(self, timeline: str, *, sequence: int) -> None:
        self.times.append((timeline, sequence))

    def log(self, path: str, content: Any, static: bool = False) -> None:
        self.logged[path] = content


@pytest.fixture
def rerun(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, 'rerun', recorder)
    return recorder


def test_metric_hands_stand_in_the_camera_frame(rerun: Recorder, tmp_path: Path) -> None:
    viewer = HandViewer(tmp_path / 'new' / 'hands.rrd')
    hand = hand_result()
    viewer.show(7, photo(), [hand])
    assert rerun.started == [('mmdualhand', False)] and rerun.saved == [str(tmp_path / 'new' / 'hands.rrd')]
    assert rerun.times == [('frame', 7)] and rerun.logged['space'] == 'RDF'
    kind, (joints,), _ = rerun.logged['space/hand_0/joints']
    assert kind == 'Points3D' and np.array_equal(joints, hand.keypoints_3d)
    kind, (lines,), options = rerun.logged['picture/hand_0/bones']
    assert kind == 'LineStrips2D' and len(lines) == len(options['colors']) == len(BONES)
    assert rerun.logged['picture/hand_0/box'][2]['labels'] == ['right 0.85']


def test_hands_of_unknown_size_and_hands_that_leave(rerun: Recorder) -> None:
    viewer = HandViewer()
    pose = hand_result().keypoints_3d_relative
    uv = hand_result().keypoints.copy()
    uv[4] = np.nan
    unknown = hand_result(keypoints_3d=None, metric='none', keypoints=uv)
    viewer.show(0, None, [unknown, unknown])
    assert rerun.started == [('mmdualhand', True)] and 'picture' not in rerun.logged
    assert np.allclose(rerun.logged['space/hand_1/joints'][1][0], pose * 40.0)
    assert len(rerun.logged['picture/hand_0/joints'][1][0]) == 20
    assert len(rerun.logged['picture/hand_0/bones'][1][0]) == len(BONES) - 1
    viewer.show(1, None, [unknown])
    assert rerun.logged['space/hand_1'][0] == 'Clear' and 'space/hand_0' not in rerun.logged


def test_without_rerun_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'rerun', None)
    with pytest.raises(MissingPackageError, match='pip install'):
        HandViewer()


def test_a_real_recording(tmp_path: Path) -> None:
    pytest.importorskip('rerun', reason='the viewer is an optional extra', exc_type=ImportError)
    viewer = HandViewer(tmp_path / 'hands.rrd')
    viewer.show(0, photo(), [hand_result()])
    viewer.show(1, None, [])
    del viewer
    assert (tmp_path / 'hands.rrd').stat().st_size > 1000
