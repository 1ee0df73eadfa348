"""The notebook of demo/ runs from its first cell to its last, and was saved without results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / 'demo' / 'hand_pose.ipynb'


def test_saved_without_results() -> None:
    cells = [c for c in json.loads(NOTEBOOK.read_text())['cells'] if c['cell_type'] == 'code']
    assert cells and all(not cell['outputs'] and cell['execution_count'] is None for cell in cells)


def test_it_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nbformat = pytest.importorskip('nbformat', reason='the notebook needs pip install .[notebook]')
    nbclient = pytest.importorskip('nbclient', reason='the notebook needs pip install .[notebook]')
    pytest.importorskip('ipykernel', reason='the notebook needs pip install .[notebook]')
    monkeypatch.setenv('PYTHONPATH', str(NOTEBOOK.parents[1]))
    monkeypatch.delenv('CHECKPOINT', raising=False)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={'metadata': {'path': str(tmp_path)}}).execute()
    outputs = [cell['outputs'] for cell in notebook.cells if cell.cell_type == 'code']
    texts = [''.join(o.get('text', '') for o in one) for one in outputs]
    assert 'right none (21, 2) (21, 3) None' in texts[2]
    solved, given = texts[3].split()[:2]
    assert given == 'given' and solved in ('solved', 'none')  # an untrained palm may have no solution
    assert len(texts[4].strip().splitlines()) == 4
    pictures = sum('image/png' in o.get('data', {}) for one in outputs for o in one)
    assert pictures == 2
