"""The numbers of a report as tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mmdualhand.apis.report.content import StepTimes
from mmdualhand.apis.report.html import Group, duration, escape, note, paragraph, table
from mmdualhand.apis.report.results import (
    SOURCE,
    STAGES,
    Results,
    Statistic,
    method_title,
    target_title,
    training_title,
)

EPE, PCK, AUC = 'EPE', 'PCK@0.05', 'AUC'
MISSING = '<span class="absent" title="not measured">&ndash;</span>'
UNKNOWN = '<span class="absent" title="not a number">n/a</span>'
_DIGITS = {EPE: 1, PCK: 3, AUC: 3}
_BEST: dict[str, Callable[[Sequence[float]], float]] = {EPE: min, PCK: max, AUC: max}


def statistic(value: Statistic | None, metric: str) -> str:
    """``16.4`` or ``16.4 ± 0.3``; a dash where nothing was measured, n/a where it is no number."""
    if value is None:
        return MISSING
    if not value.known:
        return UNKNOWN
    digits = _DIGITS[metric]
    text = f'{value.mean:.{digits}f}'
    spread = value.deviation
    return text if spread is None else f'{text} <small>± {spread:.{digits}f}</small>'


def best_in_bold(values: Sequence[Statistic | None], metric: str) -> list[str]:
    """Cells of values that compete; what is printed like the best one is bold too."""
    digits = _DIGITS[metric]
    rounded = [round(v.mean, digits) if v is not None and v.known else None for v in values]
    known = [one for one in rounded if one is not None]
    best = _BEST[metric](known) if len(known) > 1 else None
    cells = [statistic(value, metric) for value in values]
    return [
        f'<strong>{cell}</strong>' if one is not None and one == best else cell
        for cell, one in zip(cells, rounded, strict=True)
    ]


def ratio(value: Statistic | None, base: Statistic | None) -> str:
    """Mean over mean."""
    if value is None or base is None:
        return MISSING
    if not (value.known and base.known and base.mean):
        return UNKNOWN
    return f'{value.mean / base.mean:.2f}'


def headline(results: Results) -> str:
    """EPE, ratio to the baseline, PCK and AUC of every stage on every target."""
    stages = [method for method in STAGES if method in results.methods]
    if not stages:
        return note('No measurement of the baseline, the pre-training or a fine-tuning is there.')
    groups = []
    for target in [*results.targets, 'mean', *(b for b in results.benchmarks if b == SOURCE)]:
        values = {
            metric: [
                results.mean_of_targets(stage, metric)
                if target == 'mean'
                else results.value(stage, target, metric)
                for stage in stages
            ]
            for metric in (EPE, PCK, AUC)
        }
        if all(value is None for column in values.values() for value in column):
            continue
        base = values[EPE][stages.index('baseline')] if 'baseline' in stages else None
        columns = [best_in_bold(values[metric], metric) for metric in (EPE, PCK, AUC)]
        columns.insert(1, [ratio(value, base) for value in values[EPE]])
        rows = [[escape(method_title(stage)), *cells] for stage, *cells in zip(stages, *columns, strict=True)]
        title = 'Mean of the targets' if target == 'mean' else target_title(target)
        groups.append(Group(rows, escape(title)))
    header = ['', 'EPE,<br>mm', 'ratio to<br>baseline', 'PCK@0.05,<br>share', 'AUC<br>20&ndash;50 mm']
    return table(header, groups, _headline_caption(results), 'headline')


def _headline_caption(results: Results) -> str:
    seeds = results.seeds
    over = f'means over {len(seeds)} seeds ± standard deviation' if len(seeds) > 1 else f'seed {seeds[0]}'
    return (
        'Test pictures of each benchmark, one RGB picture as input. <b>EPE</b>: mean distance of the 21 '
        'joints, mm, camera frame, nothing aligned, true root depth; low is good. <b>PCK@0.05</b>: share of '
        'joints nearer than 3.2 px of the 64 px grid. <b>AUC</b>: area under the 3D PCK curve, 0 to 1. Best '
        f'of the stages in bold; {over}. <b>Baseline</b>: an RGB network, trained on the source alone. '
        '<b>Pre-trained</b>: stage 1, RGB and depth of the source. <b>Fine-tuned</b>: stage 2, unlabelled '
        'pictures of the target; on the source the mean of all fine-tuned networks.'
    )


def controls(results: Results) -> str:
    """EPE of every method with its own and with re-estimated batch normalisation."""
    kinds = [(m, flag) for m in results.methods for flag in (False, True)]
    rows = []
    for method, flag in kinds:
        values = [results.value(method, b, EPE, reestimated=flag) for b in results.benchmarks]
        if all(value is None for value in values):
            continue
        mean = results.mean_of_targets(method, EPE, reestimated=flag)
        name = f'{method_title(method)}{", BN re-estimated" if flag else ""}'
        rows.append([escape(name), *(statistic(value, EPE) for value in [*values, mean])])
    if len(rows) <= sum(method in STAGES for method in results.methods):
        return note('No control was measured (batch normalisation re-estimated, source alone, one pass).')
    header = ['EPE, mm', *(escape(target_title(name)) for name in results.benchmarks), 'mean of targets']
    caption = (
        '<b>Controls.</b> BN re-estimated: the running means and variances of batch normalisation are taken '
        'from unlabelled training pictures of the target, no weight changes. What a control already gains is '
        'no merit of pseudo-labels: compare the fine-tuned row with the best of them.'
    )
    return table(header, [Group(rows)], caption, 'matrix')


def across(results: Results) -> str:
    """EPE of every training on every benchmark; empty where nothing was measured off its target."""
    foreign = [c for c in results.cells if c.own and c.target in results.targets and c.target != c.own]
    if not foreign:
        return ''
    own = {cell.training: cell.own for cell in results.cells}
    rows = []
    for training in results.trainings:
        values = [results.of_training(training, b, EPE) for b in results.benchmarks]
        if all(value is None for value in values):
            continue
        cells = [
            f'<mark>{statistic(v, EPE)}</mark>' if v is not None and own[training] == b else statistic(v, EPE)
            for v, b in zip(values, results.benchmarks, strict=True)
        ]
        rows.append([escape(training_title(training)), *cells])
    header = ['EPE, mm', *(escape(target_title(name)) for name in results.benchmarks)]
    caption = (
        '<b>Every network on every benchmark.</b> Marked: the target whose unlabelled pictures it was '
        'fine-tuned on. Look along a row: what the other columns lose is what adapting to one target costs.'
    )
    return table(header, [Group(rows)], caption, 'matrix')


def solved(results: Results) -> str:
    """EPE with the true and with the solved root depth; empty where only one was measured."""
    rows = []
    for method in results.methods:
        for target in results.benchmarks:
            value = results.value(method, target, EPE, root_depth='solve')
            if value is not None:
                given = results.value(method, target, EPE)
                name = f'{method_title(method)}, {target_title(target)}'
                rows.append([escape(name), statistic(given, EPE), statistic(value, EPE)])
    if not rows:
        return ''
    caption = (
        '<b>Without the true root depth.</b> The same networks, with the depth of the root joint solved from '
        'the predicted palm. Most of the difference is distance from the camera: the whole hand moves along '
        'its line of sight.'
    )
    return table(['EPE, mm', 'root depth<br>given', 'root depth<br>solved'], [Group(rows)], caption, 'matrix')


def times(taken: StepTimes) -> str:
    """Seconds of every step, with bars, and the elapsed time, which is not their sum."""
    if not taken.steps:
        return note('No step was timed.')
    longest = max(seconds for _, seconds in taken.steps) or 1.0
    rows = [
        [
            escape(name),
            duration(seconds),
            f'<i class="bar" style="width: {100 * seconds / longest:.1f}%"></i>',
        ]
        for name, seconds in taken.steps
    ]
    text = (
        'What every step took, from its beginning to its end; a training that was interrupted counts whole. '
        'Steps that ran side by side count each for itself.'
    )
    if taken.elapsed is not None:
        text += f' Elapsed, over all calls of the command: <b>{duration(taken.elapsed)}</b>.'
    return paragraph(text) + table(['step', 'time', ''], [Group(rows)], '', 'times')
