"""How much unlabelled data is needed: fine-tuning on 5, 25, 50 and 100 % of a target's training images.

The paper has this question in its supplement. All parts of a target are trained for the same number of
steps and epochs, ``epoch_length='whole'``: a quarter of the images four times as often. A smaller part
lies in every larger one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmdualhand.apis.experiments.configs import read_config
from mmdualhand.apis.experiments.definitions import Measurement
from mmdualhand.apis.experiments.entries import CONTROL_ENTRIES, Entry, left_out_of, measurements_of
from mmdualhand.apis.experiments.figures import draw_tables
from mmdualhand.apis.experiments.paper_suite import provenance
from mmdualhand.apis.experiments.paper_tables import PaperTable
from mmdualhand.apis.experiments.results import TARGETS
from mmdualhand.apis.experiments.suites import config_prefix
from mmdualhand.apis.experiments.tables import Table
from mmdualhand.engine.told_epochs import WHOLE

FRACTIONS = (0.05, 0.25, 0.5)
_CONFIG = 'finetune_{}'
_DATASET = 'train_dataloader.streams.target.dataset'
_USUAL = Entry("the paper's subset of 15,000", _CONFIG)
_WHOLE = Entry('100 %', _CONFIG, ours=True)


def options(scale: str, target: str, fraction: float) -> tuple[tuple[str, Any], ...]:
    """Overrides of a fine-tuning for a part of the whole training set, as many steps as for all of it.

    Args:
        scale: Key of ``SCALES``.
        target: Key of ``TARGETS``.
        fraction: In (0, 1]; 1 takes away the paper's limit of 15,000 images alone.
    """
    cfg = read_config(f'{config_prefix(scale)}finetune_{target}')
    found: list[tuple[str, Any]] = []
    if cfg.train_dataloader.streams.target.dataset.get('num_subset') is not None:
        found.append((f'{_DATASET}.num_subset', None))
    if fraction < 1:
        found.append((f'{_DATASET}.real_fraction', fraction))
        found.append(('train_cfg.epoch_length', WHOLE))
    return tuple(found)


def is_limited(scale: str, target: str) -> bool:
    """Whether the usual fine-tuning takes a part of the training images only.

    The embedded sets are smaller than the limit of the paper, so that it is none there.
    """
    dataset = read_config(f'{config_prefix(scale)}finetune_{target}').train_dataloader.streams.target.dataset
    return scale == 'full' and dataset.get('num_subset') is not None


def entries(scale: str, target: str) -> list[Entry]:
    """The rows of one target."""
    found = [
        Entry(
            f'{100 * fraction:g} %',
            _CONFIG,
            training=f'volume{100 * fraction:g}_{{}}',
            options=options(scale, target, fraction),
        )
        for fraction in FRACTIONS
    ]
    if is_limited(scale, target):
        whole = replace(_WHOLE, training='volume100_{}', options=options(scale, target, 1.0))
        return [*found, _USUAL, whole, *CONTROL_ENTRIES]
    return [*found, _WHOLE, *CONTROL_ENTRIES]


def measurements(scale: str, seed: int) -> list[Measurement]:
    """Every part and control on every target."""
    found = [one for t in TARGETS for one in measurements_of(entries(scale, t), scale, seed, (t,))]
    return list(dict.fromkeys(found))


def left_out(scale: str) -> list[str]:
    """Rows without a config."""
    return [text for target in TARGETS for text in left_out_of(entries(scale, target), scale, (target,))]


def tables(cells: Sequence[Mapping[str, Any]], scale: str) -> list[Table]:
    """EPE and PCK of every part."""
    renamed = _whole_by_one_name(cells, scale)
    rows = _rows(scale)
    legend = (
        'Every part of a target is trained for as many steps as all of it; 5 % lies in 25 %, and so on. '
        'The paper has the question in its supplement; its numbers are not at hand.'
    )
    parts = [
        PaperTable(
            f'volume_{name}', 'Volume: share of the unlabelled training images', metric, rows, legend=legend
        )
        for name, metric in (('epe', 'EPE'), ('pck', 'PCK@0.05'))
    ]
    return [table for part in parts for table in part.build(renamed, scale)]


def notes(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """What made the cells."""
    return [provenance(cells)] if cells else []


def draw(cells: Sequence[Mapping[str, Any]], scale: str, file: Path) -> bool:
    """The tables as a picture."""
    return draw_tables(tables(cells, scale), file)


def _rows(scale: str) -> tuple[Entry, ...]:
    """Rows of all targets together; the options, which differ between targets, are not needed for a table."""
    every = [replace(e, options=()) for target in TARGETS for e in entries(scale, target)]
    heads: dict[str, Entry] = {}
    for entry in every:
        heads.setdefault(entry.head, entry)
    if _USUAL.head in heads:
        heads[_WHOLE.head] = replace(_WHOLE, training='volume100_{}')
    return tuple(entry for entry in heads.values() if not entry.control) + CONTROL_ENTRIES


def _whole_by_one_name(cells: Sequence[Mapping[str, Any]], scale: str) -> list[Mapping[str, Any]]:
    """Where only some targets have a limit, 100 % of the others is their usual fine-tuning."""
    if not any(is_limited(scale, target) for target in TARGETS):
        return list(cells)
    unlimited = [f'finetune_{target}' for target in TARGETS if not is_limited(scale, target)]
    return [
        {**cell, 'training': str(cell['training']).replace('finetune_', 'volume100_')}
        if cell['training'] in unlimited
        else cell
        for cell in cells
    ]
