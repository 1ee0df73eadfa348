"""The README's first command, with few pictures."""

from __future__ import annotations

import json

import cv2
import pytest

from mmdualhand.cli.quickstart import results_table
from tests.fixtures.runs import run_command


def test_table_by_hand():
    metrics = {}
    for prefix, epe in (('', 20.0), ('depth/', 10.0), ('fused/', 12.5)):
        values = {'PCK@0.05': 0.5, 'EPE': epe + 1, 'EPE_root': epe, 'EPE_PA': epe / 2, 'AUC': 0.61}
        metrics.update({f'{prefix}{key}': value for key, value in values.items()})
    rows = results_table(metrics, 50.0, (434, 93)).splitlines()
    assert '434 training and 93 test hands' in rows[0]
    assert rows[-4] == '| constant mean training pose | | | 50.00 | | | 1.00 |'
    assert rows[-3] == '| rgb | 0.500 | 21.00 | 20.00 | 10.00 | 0.610 | 0.40 |'
    assert rows[-1].startswith('| fused, with the true depth map | 0.500 | 13.50 | 12.50 |')


@pytest.mark.slow
def test_the_whole_command(tmp_path):
    arguments = ['quickstart', '--num', '24', '--pictures', '2']
    result = run_command(arguments, tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    folder = tmp_path / 'work_dirs' / 'quickstart'
    text = (folder / 'results.md').read_text()
    metrics = json.loads((folder / 'metrics.json').read_text())
    assert metrics['dataset']['embedded'] is True
    assert f'{metrics["metrics"]["EPE_root"]:.2f}' in text
    for step in ('render', 'pre-train', 'test'):
        assert f'- {step}: ' in text and f'== {step}: ' in result.stdout
    pictures = sorted((folder / 'pictures').glob('*.png'))
    assert len(pictures) == 2
    assert cv2.imread(str(pictures[0])).shape[0] > 600


def test_a_failing_step_stops_the_command(tmp_path):
    (tmp_path / 'data').write_text('a file where a folder should be')
    result = run_command(['quickstart', '--num', '2'], tmp_path)
    assert result.returncode == 2
    assert 'this step failed' in result.stderr.splitlines()[-1]
