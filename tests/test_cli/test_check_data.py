from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import cv2
import pytest

from mmdualhand.cli.main import run


def test_table_sheet_and_json(rhd_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet, data = tmp_path / 'out' / 'sheet.png', tmp_path / 'out' / 'table.json'
    arguments = ['rhd', str(rhd_root), '--sheet', str(sheet), '--num-images', '4', '--json', str(data)]
    assert run('check-data', arguments) == 0
    text = capsys.readouterr().out
    assert '0 WARNING, 0 WRONG' in text and 'nothing is wrong' in text and f'contact sheet: {sheet}' in text
    # a row a sample: photo of 320 px, then close-ups of joints, mask and depth
    height, width = cv2.imread(str(sheet)).shape[:2]
    assert width > 320 + 3 * 240 and height > 4 * 320
    report = json.loads(data.read_text())
    assert report['healthy'] and report['counts']['WRONG'] == 0
    assert {row['part'] for row in report['rows'] if row['check'] == 'reprojection'} == {
        'training',
        'evaluation',
    }


def test_wrong_labels_give_status_1_and_a_sheet(
    rhd_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(shutil.copytree(rhd_root, tmp_path / 'RHD'))
    path = root / 'training/anno_training.pickle'
    content = pickle.loads(path.read_bytes())
    for record in content.values():
        record['uv_vis'][:, :2] = record['uv_vis'][:, 1::-1]
    path.write_bytes(pickle.dumps(content))
    sheet = tmp_path / 'sheet.png'
    assert run('check-data', ['rhd', str(root), '--split', 'training', '--sheet', str(sheet)]) == 1
    text = ' '.join(capsys.readouterr().out.split())
    assert 'x and y are swapped (2D labels)' in text and 'only one of training and evaluation' in text
    assert sheet.is_file()


def test_partial_lists_what_is_not_there(
    rhd_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(shutil.copytree(rhd_root, tmp_path / 'RHD'))
    shutil.rmtree(root / 'evaluation')
    shutil.rmtree(root / 'training/depth')
    assert run('check-data', ['rhd', str(root)]) == 1
    assert 'missing: evaluation/anno_evaluation.pickle' in ' '.join(capsys.readouterr().out.split())
    assert run('check-data', ['rhd', str(root), '--partial']) == 0
    text = capsys.readouterr().out
    assert '  - evaluation/anno_evaluation.pickle' in text and '  - the folder training/depth' in text


def test_broken_label_files_are_rows_not_a_crash(
    rhd_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(shutil.copytree(rhd_root, tmp_path / 'RHD'))
    path = root / 'training/anno_training.pickle'
    path.write_bytes(path.read_bytes()[:100])
    assert run('check-data', ['rhd', str(root)]) == 1
    text = ' '.join(capsys.readouterr().out.split())
    assert 'cannot be read as a pickle' in text
    assert 'evaluation' in text and 'RHDDataset opens' in text  # the other split is checked all the same


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['rhd', 'nowhere'], 'the folder nowhere does not exist'),
        (['rhd', '.', '--split', 'test'], '--split of rhd must be some of training, evaluation'),
        (['rhd', '.', '--option', 'stream=SK'], 'rhd has no such option; it has none'),
        (['stb', '.', '--option', 'stream=SX'], 'stream of STB must be one of SK, BB_left, BB_right'),
        (['stb', '.', '--option', 'stream'], '--option wants KEY=VALUE'),
        (['coco', '.'], '--ann FILE'),
        (['rhd', '.', '--num-images', '0'], '--num-images must be 1 or more'),
    ],
)
def test_errors_are_one_sentence(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run('check-data', arguments) == 2
    assert message in capsys.readouterr().err
