"""Curves of pseudo-labels, from the scalars that a run leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from mmdualhand.cli.main import run
from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.structures import JOINT_NAMES
from mmdualhand.visualization import draw_label_curves, label_table, read_label_curves


def write(folder: Path, time: str, lines: list[dict]) -> None:
    file = folder / time / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text(''.join(json.dumps(line) + '\n' for line in lines))


def step(number: int, accepted: float) -> dict:
    return dict(loss=1.0, accepted=accepted, confidence=2.0, drift_px=0.5, lr=1.0, step=number)


@pytest.fixture
def resumed(tmp_path):
    """Two epochs of two steps; the second epoch was begun twice."""
    epoch = {'labels/accepted': 0.25, 'labels/pose_std': 4.0, 'epoch': 1, 'step': 2}
    probe = {'probe/rgb': 20.0, 'probe/accepted': 12.0, 'epoch': 1, 'step': 2}
    write(tmp_path, '1', [step(1, 0.2), step(2, 0.3), epoch, probe, step(3, 0.9)])
    joints = {f'labels/keep/{name}': 0.1 for name in JOINT_NAMES}
    more = {'labels/accepted': 0.5, **joints, 'epoch': 2, 'step': 4}
    refresh = {'refresh/drift_px': 1.5, 'refresh/accepted': 0.5, 'epoch': 2, 'step': 2}
    write(tmp_path, '2', [refresh, step(3, 0.4), step(4, 0.6), more, dict(EPE=30.0, step=2)])
    return tmp_path


def test_what_is_read(resumed):
    curves = read_label_curves(resumed)
    assert curves.steps['accepted'] == {1: 0.2, 2: 0.3, 3: 0.4, 4: 0.6}
    assert curves.epochs[1] == {'accepted': 0.25, 'pose_std': 4.0, 'probe/rgb': 20.0, 'probe/accepted': 12.0}
    assert curves.epochs[2]['drift_px'] == 1.5 and curves.epochs[2]['keep/wrist'] == 0.1
    assert curves.ends == {1: 2, 2: 4}


def test_table_and_picture(resumed, capsys):
    assert run('analyze-pseudo-labels', [str(resumed), '--out', str(resumed / 'a' / 'curves.png')]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == 'epoch accepted drift px spread p_R mm acc. mm'.split()
    assert printed[1].split() == ['1', '0.25', '4', '20', '12'] and printed[2].split() == ['2', '0.5', '1.5']
    picture = cv2.imread(str(resumed / 'a' / 'curves.png'))
    assert picture.shape == (1430, 1320, 3)
    blue = (abs(picture.astype(int) - (180, 119, 31)).sum(-1) < 30).sum()  # first colour of the curves
    assert blue > 500


def test_a_run_without_steps_is_drawn_too(resumed, tmp_path):
    curves = read_label_curves(resumed)
    curves.steps.clear()
    del curves.epochs[2]
    draw_label_curves(curves, tmp_path / 'few.png')
    assert cv2.imread(str(tmp_path / 'few.png')) is not None and label_table(curves).count('\n') == 1


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(MissingFileError, match='scalars.json'):
        read_label_curves(tmp_path)
    write(tmp_path, '1', [dict(loss=1.0, step=1)])
    with pytest.raises(ConfigError, match='no pseudo-labels'):
        read_label_curves(tmp_path)
    (tmp_path / '1' / 'vis_data' / 'scalars.json').write_text('{"loss": 1\n')
    with pytest.raises(DataError, match='line 1'):
        read_label_curves(tmp_path)
