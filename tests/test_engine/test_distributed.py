"""Two processes on one machine: training runs, validates and tests as one process does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.runs import REPO, TINY, run_command


def test_two_processes_train_and_validate(tmp_path, rhd_root):
    env = dict(
        os.environ,
        PATH=f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}',
        PYTHONPATH=str(REPO),
        HAND_DATA=str(rhd_root.parent),
        OMP_NUM_THREADS='1',
        PORT=str(20000 + os.getpid() % 20000),
    )
    arguments = [TINY, '2', '--work-dir', tmp_path / 'run', '--cfg-options', 'train_cfg.max_epochs=1']
    script = ['bash', str(REPO / 'tools' / 'dist_train.sh'), *map(str, arguments)]
    result = subprocess.run(script, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr[-3000:]
    (log,) = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    validated = [json.loads(line) for line in log.read_text().splitlines() if 'EPE' in line][-1]
    arguments = [
        'test', 'benchmarks/rhd', tmp_path / 'run' / 'epoch_1.pth', '--out', tmp_path / 'metrics.json',
        '--cfg-options', 'test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False',
    ]  # fmt: skip
    alone = run_command(arguments, tmp_path, data=rhd_root.parent)
    assert alone.returncode == 0, alone.stderr[-2000:]
    metrics = json.loads((tmp_path / 'metrics.json').read_text())['metrics']
    for key in ('EPE', 'EPE_root', 'AUC'):
        assert validated[key] == pytest.approx(metrics[key], rel=1e-3), key
