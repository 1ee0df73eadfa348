"""``mmdualhand calibrate`` from a checkpoint to its three files."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from mmdualhand.cli.main import run
from mmdualhand.evaluation import Calibration
from tests.fixtures.report_networks import write_checkpoint


@pytest.fixture(scope='module')
def source(rhd_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Config of a source with 12 hands in 6 pictures; a checkpoint beside it."""
    folder = tmp_path_factory.mktemp('calibrate')
    config = folder / 'source.py'
    config.write_text(
        "_base_ = ['mmdualhand::benchmarks/rhd']\n"
        f'test_dataloader = dict(dataset=dict(data_root={str(rhd_root)!r}, selection=None))\n'
    )
    write_checkpoint(folder / 'epoch_1.pth', 1)
    return config


def test_three_files_and_a_table(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint, out = source.parent / 'epoch_1.pth', tmp_path / 'out'
    arguments = [str(checkpoint), '--source', str(source), '--targets', str(source), '--out', str(out)]
    # An untrained network says the middle of the crop: within 0.3 of it lies a part of the joints.
    assert run('calibrate', [*arguments, '--threshold', '0.3']) == 0
    files = sorted(path.name for path in out.iterdir())
    assert files == ['calibration.json', 'reliability.png', 'report.json']
    calibration = Calibration.load(out / 'calibration.json')
    assert calibration.threshold == 0.3 and calibration.score == 'Pose25D spread'
    assert calibration.fitted_on == f'3 pictures of {source}, seed 0'
    report = json.loads((out / 'report.json').read_text())
    assert report['calibration'] == calibration.to_dict()
    names = [row['name'] for row in report['measured']]
    assert names[0] == f'{source}, held out' and names[-1] == str(source) and len(names) == 5
    assert report['measured'][-1]['joints'] == 12 * 21
    printed = capsys.readouterr().out
    ece = report['measured'][0]['expected_calibration_error']
    assert f'| {ece:.3f} |' in printed and 'temperature' in printed
    # The exit status is 0 whether the bounds hold or not.
    assert report['bounds']['measured_on'] == f'{source}, held out'
    assert f"\n{'PASS' if ece < 0.05 else 'FAIL'} ECE {ece:.4f}, must be below 0.05" in printed
    assert report['bounds']['calibrated'] is (ece < 0.05)
    ratio = report['measured'][0]['area_over_random']['wrong']
    word = 'PASS' if ratio <= 0.8 else 'FAIL'
    assert f'\n{word} area, wrong joints {ratio:.4f}, must be at most 0.8 of random order' in printed
    picture = cv2.imread(str(out / 'reliability.png'))
    assert picture.shape[0] > 400 and len(set(picture.reshape(-1, 3)[:, 0].tolist())) > 20


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (['--share', '1'], '--share must lie between 0 and 1'),
        (['--threshold', '0'], '--threshold must lie between 0 and 1'),
        (['--limit', '1'], '--limit must be 2 or more'),
        (['--seed', '-1'], '--seed must lie in'),
        (['--source', 'pretrain_rdh'], 'neither a config file nor the name'),
        (['--source', 'benchmarks/rhd'], 'is missing'),
    ],
)
def test_faults_are_one_sentence(
    source: Path,
    options: list[str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv('HAND_DATA', str(tmp_path / 'none'))
    checkpoint = str(source.parent / 'epoch_1.pth')
    assert run('calibrate', [checkpoint, *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith('mmdualhand calibrate: ') and words in error


def test_no_checkpoint(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run('calibrate', [str(tmp_path / 'none.pth'), '--source', str(source)]) == 2
    assert 'none.pth is not there' in capsys.readouterr().err
