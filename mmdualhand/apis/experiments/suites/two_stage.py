"""Both stages of the paper on the four targets, with the controls that a gain must beat."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mmdualhand.apis.experiments.comparison import over, seeds_words
from mmdualhand.apis.experiments.configs import data_folder
from mmdualhand.apis.experiments.data_kind import data_name, data_words
from mmdualhand.apis.experiments.definitions import Measurement, Training
from mmdualhand.apis.experiments.results import REAL, TARGETS, CellIndex, Row
from mmdualhand.apis.experiments.suites import config_prefix
from mmdualhand.apis.experiments.tables import Spread, Table, spread

ONE_PASS = (
    ('model.self_training.passes', 1),
    ('model.self_training.label_branches', ('rgb',)),
    ('default_hooks.pseudo_labels.labeler.branches', ('rgb',)),
)
"""Stage 2 without the second pass: labels of p_R alone."""
METRICS = {
    'EPE': ('EPE in mm (camera frame; true root depth unless solved, true reference length); low is good', 2),
    'PCK@0.05': ('PCK@0.05 of the 64 x 64 grid; high is good', 3),
    'AUC': ('AUC of the 3D PCK from 20 to 50 mm; high is good', 3),
}


BASELINE = Row('baseline', 'baseline')
PRE_TRAINED = Row('pre-trained', 'pretrain')
FINE_TUNED = Row('fine-tuned', 'finetune_{}')
ROWS = (
    BASELINE,
    PRE_TRAINED,
    FINE_TUNED,
    Row('fine-tuned, root depth solved', 'finetune_{}', root_depth='solve'),
    Row('(i) baseline, BN re-estimated', 'baseline', reestimate_bn=True),
    Row('(i) pre-trained, BN re-estimated', 'pretrain', reestimate_bn=True),
    Row('(ii) source only', 'source_only'),
    Row('(ii) source only, BN re-estimated', 'source_only', reestimate_bn=True),
    Row('(iii) baseline at equal compute', 'equal_compute'),
    Row('(iii) baseline at equal compute, BN re-estimated', 'equal_compute', reestimate_bn=True),
    Row('(iv) one pass', 'one_pass_{}'),
)
CONTROLS = {
    '(i)': "batch normalisation re-estimated on the target's unlabelled train images, and nothing else",
    '(ii)': 'stage 2 on source images alone, for at least as many steps as a fine-tuning',
    '(iii)': 'the RGB-only network trained for as long as pre-training and a fine-tuning take',
    '(iv)': 'stage 2 with the labels of the first pass alone',
}
"""Beginning of the heads of the controls, and what each is."""


def stage_one(scale: str, seed: int) -> tuple[Training, Training]:
    """The baseline and the pre-training, which start from the same weights.

    These are ImageNet's at full scale; smaller networks, which have none, start from
    the RGB branch trained on the source (``init_rgb``).
    """
    prefix = config_prefix(scale)
    start = Training('init_rgb', f'{prefix}init_rgb', seed) if prefix else None
    return (
        Training('baseline', f'{prefix}ablation/r_rhd', seed, start=start),
        Training('pretrain', f'{prefix}pretrain_rhd', seed, start=start),
    )


def method(scale: str, seed: int, *, everywhere: bool = False) -> list[Measurement]:
    """Baseline, pre-training, four fine-tunings and control (i).

    Args:
        scale: Key of ``SCALES``.
        seed: Seed.
        everywhere: Measure each fine-tuned network on all targets, not on its own alone.
    """
    prefix = config_prefix(scale)
    source = f'{prefix}pretrain_rhd'
    baseline, pretrain = stage_one(scale, seed)
    found = []
    for stage1 in (baseline, pretrain):
        found.append(Measurement(stage1, source))
        for target in TARGETS:
            found += _with_and_without_bn(stage1, f'{prefix}finetune_{target}')
    for target in TARGETS:
        tuned = Training(f'finetune_{target}', f'{prefix}finetune_{target}', seed, start=pretrain)
        places = TARGETS if everywhere else (target,)
        found += [Measurement(tuned, f'{prefix}finetune_{place}') for place in places]
        found.append(Measurement(tuned, source))
    return found


def controls(scale: str, seed: int) -> list[Measurement]:
    """Controls (ii) to (iv), and the fine-tuned networks with a root depth of their own."""
    prefix = config_prefix(scale)
    source = f'{prefix}pretrain_rhd'
    baseline, pretrain = stage_one(scale, seed)
    source_only = Training('source_only', f'{prefix}controls/source_only', seed, start=pretrain)
    equal = Training('equal_compute', f'{prefix}controls/baseline_equal_compute', seed, start=baseline.start)
    found = []
    for control in (source_only, equal):
        found.append(Measurement(control, source))
        for target in TARGETS:
            found += _with_and_without_bn(control, f'{prefix}finetune_{target}')
    for target in TARGETS:
        config = f'{prefix}finetune_{target}'
        tuned = Training(f'finetune_{target}', config, seed, start=pretrain)
        one_pass = Training(f'one_pass_{target}', config, seed, ONE_PASS, start=pretrain)
        found.append(Measurement(tuned, config, root_depth='solve'))
        found += [Measurement(one_pass, config), Measurement(one_pass, source)]
    return found


def real_photos(scale: str, seed: int, *, here: bool = True) -> list[Measurement]:
    """Baseline, pre-training and fine-tuning on real photos, where these are there.

    Args:
        scale: Key of ``SCALES``.
        seed: Seed.
        here: False for what cannot be measured here: the same, where the photos are not there.
    """
    prefix = config_prefix(scale)
    config = f'{prefix}finetune_{REAL}'
    if data_folder(config).is_dir() is not here:
        return []
    baseline, pretrain = stage_one(scale, seed)
    tuned = Training(f'finetune_{REAL}', config, seed, start=pretrain)
    return [Measurement(one, config) for one in (baseline, pretrain, tuned)]


def measurements(scale: str, seed: int) -> list[Measurement]:
    """All of it that can be measured here."""
    return [*method(scale, seed), *controls(scale, seed), *real_photos(scale, seed)]


def elsewhere(scale: str, seed: int) -> list[Measurement]:
    """The real photos, where they are not there."""
    return real_photos(scale, seed, here=False)


def left_out(scale: str) -> list[str]:
    """The real photos, where they are not there."""
    folder = data_folder(f'{config_prefix(scale)}finetune_{REAL}')
    if folder.is_dir():
        return []
    return [f'The real photos of Ge et al. are not measured here: {folder} is not there.']


def _with_and_without_bn(training: Training, benchmark: str) -> list[Measurement]:
    return [Measurement(training, benchmark), Measurement(training, benchmark, reestimate_bn=True)]


def tables(cells: Sequence[Mapping[str, Any]], scale: str) -> list[Table]:
    """EPE, PCK and AUC of every row and target, what the trainings cost, and the real photos."""
    results = Results(cells)
    about = f'scale {scale}; {over(results.seeds)}'
    short = f'scale {scale}, {seeds_words(results.seeds)}'
    found = [
        results.table(metric, f'{data_words(cells)}; {about}', f'{data_name(cells)}, {short}')
        for metric in METRICS
    ]
    found += [results.cost_table(about, short), results.real_table(about, short)]
    return [table for table in found if table.rows]


class Results(CellIndex):
    """The tables of the cells of the suite."""

    def table(self, metric: str, about: str, short: str) -> Table:
        """All rows in one metric: source, targets, their mean, difference to and ratio of fine-tuned.

        Args:
            metric: Key of ``METRICS``.
            about: Data, scale and seeds, for the title.
            short: The same in a few words, for captions.
        """
        columns = ['source', *TARGETS.values(), 'mean of targets', 'minus fine-tuned', 'ratio to baseline']
        rows = []
        for row in ROWS:
            source = spread(self.on_source(row, seed, metric) for seed in self.seeds)
            compared = self._difference(row, metric), self._ratio(row, metric)
            values = (source, *self.spreads(row, metric), *compared)
            if any(value is not None for value in values):
                rows.append((row.head, values))
        words, digits = METRICS[metric]
        title = (
            f'Both stages. {words}; {about}. Differences and ratios are '
            'taken seed by seed, of the mean of the targets, between rows of given root depth.'
        )
        legend = controls_legend([head for head, _ in rows])
        return Table(
            metric,
            title,
            tuple(columns),
            tuple(rows),
            digits,
            len(self.seeds),
            legend,
            short=f'Both stages, {metric} ({short})',
            metrics=(*[metric] * (len(columns) - 1), f'ratio of {metric}'),
        )

    def _difference(self, row: Row, metric: str) -> Spread | None:
        if row == FINE_TUNED or row.root_depth != FINE_TUNED.root_depth:
            return None
        pairs = [
            (self.over_targets(row, seed, metric), self.over_targets(FINE_TUNED, seed, metric))
            for seed in self.seeds
        ]
        return spread(a - b for a, b in pairs if a is not None and b is not None)

    def _ratio(self, row: Row, metric: str) -> Spread | None:
        if row.root_depth != BASELINE.root_depth:
            return None
        pairs = [
            (self.over_targets(row, seed, metric), self.over_targets(BASELINE, seed, metric))
            for seed in self.seeds
        ]
        return spread(a / b if b else math.nan for a, b in pairs if a is not None and b is not None)

    def cost_table(self, about: str, short: str) -> Table:
        """Steps and seconds of every training, with what it starts from.

        Args:
            about: Scale and seeds, for the title.
            short: The same in a few words, for captions.
        """
        names = dict.fromkeys(cell.training for cell in self.cells)
        columns = {
            'steps': 'steps', 'cpu s': 'cpu_seconds', 'cpu s with its starts': 'chain_cpu_seconds',
            's': 'seconds', 's with its starts': 'chain_seconds',
        }  # fmt: skip
        rows = []
        for name in names:
            by_seed = {cell.seed: cell.record for cell in self.cells if cell.training == name}
            rows.append((name, tuple(spread(c[key] for c in by_seed.values()) for key in columns.values())))
        heads, metrics = tuple(columns), tuple(columns.values())
        return Table(
            'cost',
            f'What each training cost; {about}.',
            heads,
            tuple(rows),
            0,
            len(self.seeds),
            short=f'What each training cost ({short})',
            metrics=metrics,
        )

    def real_table(self, about: str, short: str) -> Table:
        """The real photos, all metrics.

        Args:
            about: Scale and seeds, for the title.
            short: The same in a few words, for captions.
        """
        rows = []
        for row in (BASELINE, PRE_TRAINED, FINE_TUNED):
            values = tuple(
                spread(self.on_target(row, seed, REAL, metric) for seed in self.seeds) for metric in METRICS
            )
            if any(value is not None for value in values):
                rows.append((row.head, values))
        words = '. '.join(words for words, _ in METRICS.values())
        heads = tuple(METRICS)
        return Table(
            REAL,
            f'Real photos of Ge et al., part dev; {about}. {words}.',
            heads,
            tuple(rows),
            3,
            len(self.seeds),
            short=f'Real photos of Ge et al., part dev ({short})',
            metrics=heads,
        )


def controls_legend(heads: Sequence[str]) -> str:
    """What the controls among some rows are."""
    found = [
        f'{sign} {text}' for sign, text in CONTROLS.items() if any(h.startswith(f'{sign} ') for h in heads)
    ]
    return f'Controls: {"; ".join(found)}.' if found else ''
