"""The finished measurements that come with the project belong to its configs of today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmdualhand.apis.experiments import get_suite, list_suites
from mmdualhand.apis.experiments.origin import measurement_origin
from mmdualhand.apis.experiments.suites import two_stage

RESULTS = Path(__file__).resolve().parents[2] / 'results'


@pytest.mark.parametrize(('scale', 'least'), [('mini', 166), ('small', 277)])
def test_they_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scale: str, least: int) -> None:
    """A config of a scale that changes by accident would make all its results run again.

    What the embedded data were is taken from the cells; the data need not be here.
    """
    cells = {file.name: json.loads(file.read_text()) for file in sorted((RESULTS / scale).glob('*.json'))}
    notes: dict[str, str | None] = {}
    for cell in cells.values():
        notes.update(cell['origin']['data'])
    monkeypatch.setattr('mmdualhand.apis.experiments.origin._note', lambda root: notes[root.name])
    monkeypatch.setattr(two_stage, 'data_folder', lambda name: tmp_path)  # so that real photos are measured
    known = {
        one.file_name: one
        for suite in list_suites()
        for seed in sorted({cell['seed'] for cell in cells.values()})
        for one in get_suite(suite).measurements(scale, seed)
    }
    assert len(cells) >= least and set(cells) <= set(known)
    today = {name: measurement_origin(known[name])['hash'] for name in cells}
    assert not [name for name, cell in cells.items() if cell['origin']['hash'] != today[name]]
