"""Scalars of a run and of those that resumed it."""

from __future__ import annotations

from mmdualhand.visualization import read_scalars


def test_order_and_what_counts(tmp_path):
    for time, lines in (
        ('2', '{"step": 3, "loss": 2.5, "note": "x"}\n[1]\n'),
        ('1', '{"step": 1, "loss": NaN}\n'),
    ):
        file = tmp_path / time / 'vis_data' / 'scalars.json'
        file.parent.mkdir(parents=True)
        file.write_text(lines)
    assert list(read_scalars(tmp_path)) == [{'step': 1}, {'step': 3, 'loss': 2.5}]
    assert list(read_scalars(tmp_path / '2' / 'vis_data' / 'scalars.json')) == [{'step': 3, 'loss': 2.5}]
