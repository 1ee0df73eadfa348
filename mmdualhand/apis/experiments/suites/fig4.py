"""Figure 4 of the paper: 3D PCK curves on STB, of the methods trained here, with the controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.apis.experiments.comparison import over, seeds_words
from mmdualhand.apis.experiments.configs import benchmark_config
from mmdualhand.apis.experiments.data_kind import data_name, data_words
from mmdualhand.apis.experiments.definitions import Measurement
from mmdualhand.apis.experiments.entries import CONTROL_ENTRIES, Entry, left_out_of, measurements_of
from mmdualhand.apis.experiments.figures import draw_curves
from mmdualhand.apis.experiments.paper_suite import provenance
from mmdualhand.apis.experiments.results import TARGETS, Cell, CellIndex
from mmdualhand.apis.experiments.selection import selection_sentence
from mmdualhand.apis.experiments.suites import config_prefix
from mmdualhand.apis.experiments.suites.two_stage import controls_legend
from mmdualhand.apis.experiments.tables import Spread, Table, spread
from mmdualhand.datasets.palm_to_wrist import WristRule

TARGET = 'stb'
SHOWN_MM = (20.0, 30.0, 40.0, 50.0)
ENTRIES = (
    Entry('Baseline', 'ablation/r_rhd'),
    Entry('Pre-trained', 'pretrain_rhd'),
    Entry('SemiHand', 'compared/semihand_{}'),
    Entry('SemiHand +DM weak labels', 'compared/semihand_dm_weak_{}'),
    Entry('SemiHand +DM encoder', 'compared/semihand_dm_encoder_{}'),
    Entry('Ours', 'finetune_{}', ours=True),
    *CONTROL_ENTRIES,
)
"""Methods with a 3D pose; those of Table 1 that have heatmaps alone have no such curve."""


def measurements(scale: str, seed: int) -> list[Measurement]:
    """Every method and control on STB."""
    return measurements_of(ENTRIES, scale, seed, (TARGET,))


def left_out(scale: str) -> list[str]:
    """Methods without a config yet."""
    return left_out_of(ENTRIES, scale, (TARGET,))


def tables(cells: Sequence[Mapping[str, Any]], scale: str) -> list[Table]:
    """AUC, EPE and points of the curves."""
    found = CellIndex(cells)
    rows = []
    for entry in ENTRIES:
        values = _values(entry, found)
        if any(value is not None for value in values):
            rows.append((entry.head, values))
    if not rows:
        return []
    title = (
        f'Figure 4: {TARGETS[TARGET]}, 3D PCK. AUC from 20 to 50 mm, EPE in mm, share of joints within '
        f'{", ".join(f"{one:g}" for one in SHOWN_MM)} mm; {palm_convention(scale)}; {data_words(cells)}; '
        f'scale {scale}; {over(found.seeds)}.'
    )
    legend = (
        'The curves of the paper are printed as a picture, without numbers, and are not repeated here. '
        f'{controls_legend([head for head, _ in rows])} {selection_sentence(cells)}'
    )
    columns = ('AUC', 'EPE', *(f'{one:g} mm' for one in SHOWN_MM))
    return [
        Table(
            'fig4',
            title,
            columns,
            tuple(rows),
            3,
            len(found.seeds),
            legend,
            short=_short(cells, scale, found.seeds),
            metrics=('AUC', 'EPE', *(['3D PCK'] * len(SHOWN_MM))),
        )
    ]


def notes(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """What made the cells."""
    return [provenance(cells)] if cells else []


def draw(cells: Sequence[Mapping[str, Any]], scale: str, file: Path) -> bool:
    """The curves of the methods, means over their seeds; those of the controls are in the table alone."""
    found, curves = CellIndex(cells), {}
    for entry in ENTRIES:
        drawn = [] if entry.control else _with_curve(entry, found)
        if drawn:
            auc = spread(cell.metrics.get('AUC') for cell in drawn)
            words = [f'AUC {auc.mean:.3f}'] if auc else []
            if len(drawn) < len(found.seeds):
                words.append(f'n={len(drawn)}')
            shares = np.mean([cell.shares for cell in drawn], axis=0).tolist()
            curves[f'{entry.head} ({", ".join(words)})' if words else entry.head] = (
                drawn[0].thresholds,
                shares,
            )
    convention = palm_convention(scale)
    note = f'Shaded: 20 to 50 mm, the range of AUC. {convention[0].upper()}{convention[1:]}.'
    if any('n=' in words for words in curves):
        note += ' n: fewer seeds than the others, not to be ranked with them.'
    return draw_curves(curves, _short(cells, scale, found.seeds), file, note)


def _short(cells: Sequence[Mapping[str, Any]], scale: str, seeds: Sequence[int]) -> str:
    about = f'{data_name(cells)}, scale {scale}, {seeds_words(seeds)}'
    return f'Figure 4: {TARGETS[TARGET]}, 3D PCK ({about})'


def palm_convention(scale: str) -> str:
    """What joint 0 of STB is: its labels have the centre of the palm, the networks predict a wrist."""
    dataset = benchmark_config(f'{config_prefix(scale)}finetune_{TARGET}').test_dataloader.dataset
    convention = WristRule.parse(dataset.wrist).convention
    return f'joint 0, where the labels have the centre of the palm: {convention}'


def _values(entry: Entry, found: CellIndex) -> tuple[Spread | None, ...]:
    plain = [
        spread(found.on_target(entry.row, seed, TARGET, metric) for seed in found.seeds)
        for metric in ('AUC', 'EPE')
    ]
    points = [spread(_share(entry, found, seed, limit) for seed in found.seeds) for limit in SHOWN_MM]
    return (*plain, *points)


def _share(entry: Entry, found: CellIndex, seed: int, limit: float) -> float | None:
    cell = found.find(entry.row, seed, TARGET)
    if cell is None or limit not in cell.thresholds:
        return None
    return cell.shares[cell.thresholds.index(limit)]


def _with_curve(entry: Entry, found: CellIndex) -> list[Cell]:
    """The cells of a row that have a curve, with the same thresholds."""
    cells = [cell for seed in found.seeds if (cell := found.find(entry.row, seed, TARGET)) is not None]
    return [cell for cell in cells if cell.thresholds and cell.thresholds == cells[0].thresholds]
