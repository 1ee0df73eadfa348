"""Tables of the paper from finished cells: our numbers, the paper's beside them, what is gained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from mmdualhand.apis.experiments.entries import Entry
from mmdualhand.apis.experiments.results import TARGETS, CellIndex, Row, mean
from mmdualhand.apis.experiments.selection import selection_sentence
from mmdualhand.apis.experiments.suites.two_stage import METRICS, controls_legend
from mmdualhand.apis.experiments.tables import Spread, Table, quoted, spread

PAPER = 'paper'
_COLUMNS = (*TARGETS.values(), 'mean of targets')
_NOTHING = (None,) * len(TARGETS)
_PAPER_LEGEND = (
    'Columns (paper): numbers that the paper prints, of its networks on its data. They are there for the '
    'order of the methods, not for their size.'
)


@dataclass(frozen=True)
class PaperTable:
    """One table of targets.

    Attributes:
        name: Short name.
        title: What it compares.
        metric: ``'EPE'`` or ``'PCK@0.05'``.
        entries: Methods, then controls.
        improvement: Rows of what the paper's method gains over the best other method and
            over the best control.
        steps: A second table of what each method gains over the one above it.
        legend: What else to say below it.
    """

    name: str
    title: str
    metric: str
    entries: tuple[Entry, ...]
    improvement: bool = False
    steps: bool = False
    legend: str = ''

    @property
    def low_is_good(self) -> bool:
        """Whether the metric is an error."""
        return self.metric == 'EPE'

    def build(self, cells: Sequence[Mapping[str, Any]], scale: str) -> list[Table]:
        """The table of what is there, and that of the steps; rows without any value are left out."""
        found = CellIndex(cells)
        shown = [entry for entry in self.entries if any(found.spreads(entry.row, self.metric))]
        if not shown:
            return []
        rows = [(e.head, (*found.spreads(e.row, self.metric), *self._quoted(e.paper))) for e in shown]
        gains = self._improvements(found, scale) if self.improvement else []
        words, digits = METRICS[self.metric]
        seeds = len(found.seeds)
        tables = [
            Table(
                self.name,
                f'{self.title}. {words}; {origin(scale)}; {over(found.seeds)}.',
                self._columns,
                (*rows, *gains),
                digits,
                seeds,
                self._legend(shown, found, cells),
                percent=tuple(head for head, _ in gains),
                best='min' if self.low_is_good else 'max',
                competing=tuple(entry.head for entry in shown if not entry.control),
                groups=self._groups,
                unit='EPE, mm' if self.metric == 'EPE' else self.metric,
            )
        ]
        return [*tables, *([self._steps(found)] if self.steps else [])]

    @property
    def _has_paper(self) -> bool:
        return any(entry.paper is not None for entry in self.entries)

    @property
    def _columns(self) -> tuple[str, ...]:
        return (*_COLUMNS, *TARGETS.values()) if self._has_paper else _COLUMNS

    @property
    def _groups(self) -> tuple[tuple[str, int], ...]:
        return (('', len(_COLUMNS)), (PAPER, len(TARGETS))) if self._has_paper else ()

    def _quoted(self, printed: Sequence[float | None] | None) -> tuple[Spread | None, ...]:
        """Numbers of the paper as the last columns, where the table has them."""
        return tuple(map(quoted, printed or _NOTHING)) if self._has_paper else ()

    def _legend(self, shown: Sequence[Entry], found: CellIndex, cells: Sequence[Mapping[str, Any]]) -> str:
        parts = [
            self.legend,
            _PAPER_LEGEND if self._has_paper else '',
            self._order(shown, found),
            controls_legend([entry.head for entry in shown]),
            selection_sentence(cells),
        ]
        return ' '.join(part for part in parts if part)

    def _order(self, shown: Sequence[Entry], found: CellIndex) -> str:
        """How many pairs of methods stand in the paper's order, and which do not."""
        methods = [entry for entry in shown if entry.paper is not None and not entry.control]
        sentences = []
        for place, title in enumerate(TARGETS.values()):
            same, turned = 0, []
            for one, two in combinations(methods, 2):
                verdict = self._agree(one, two, place, found)
                same += verdict is True
                if verdict is False:
                    turned.append(f'{one.head} / {two.head}')
            if same or turned:
                which = f', not {"; ".join(turned)}' if turned else ''
                sentences.append(f'{title} {same} of {same + len(turned)}{which}')
        return f'Pairs of methods in the order of the paper: {". ".join(sentences)}.' if sentences else ''

    def _agree(self, one: Entry, two: Entry, place: int, found: CellIndex) -> bool | None:
        """Whether two rows stand in the paper's order; None where that cannot be said."""
        values = [found.spreads(entry.row, self.metric)[place] for entry in (one, two)]
        paper = [entry.paper[place] if entry.paper else None for entry in (one, two)]
        if any(v is None or math.isnan(v.mean) for v in values) or None in paper or paper[0] == paper[1]:
            return None
        return (values[0].mean < values[1].mean) == (paper[0] < paper[1])  # type: ignore[union-attr, operator]

    def _improvements(self, found: CellIndex, scale: str) -> list[tuple[str, tuple[Spread | None, ...]]]:
        """Gain of the paper's method in per cent: over the best other method, over the best control."""
        (ours,) = (entry for entry in self.entries if entry.ours)
        rows = []
        for words, control in (('other method', False), ('control', True)):
            others = [e for e in self.entries if e.control is control and not e.ours]
            values = [self._gain(found, ours, others, target, scale) for target in TARGETS]
            printed = [None if control else self._paper_gain(ours, others, p) for p in range(len(TARGETS))]
            if any(values):
                rows.append((f'Improvement over the best {words}', (*values, None, *self._quoted(printed))))
        return rows

    def _gain(
        self, found: CellIndex, ours: Entry, others: Sequence[Entry], target: str, scale: str
    ) -> Spread | None:
        """Seed by seed, over the one of the others that is best on the average."""
        place = list(TARGETS).index(target)
        means = {}
        for entry in others:
            value = found.spreads(entry.row, self.metric)[place]
            if value is None:
                if entry.absent(scale, target) is None:
                    return None  # it may be the best one
                continue
            if not math.isnan(value.mean):
                means[entry] = value.mean
        if not means:
            return None
        best = (min if self.low_is_good else max)(means, key=means.__getitem__)
        pairs = [
            tuple(found.on_target(e.row, seed, target, self.metric) for e in (ours, best))
            for seed in found.seeds
        ]
        return spread(self._percent(a, b) for a, b in pairs if a is not None and b is not None)

    def _paper_gain(self, ours: Entry, others: Sequence[Entry], place: int) -> float | None:
        printed = [e.paper[place] for e in others if e.paper is not None]
        known = [value for value in printed if value is not None]
        own = ours.paper[place] if ours.paper else None
        if own is None or not known:
            return None
        return self._percent(own, min(known) if self.low_is_good else max(known))

    def _percent(self, ours: float, other: float) -> float:
        if not other:
            return math.nan
        return 100 * (other - ours if self.low_is_good else ours - other) / other

    def _steps(self, found: CellIndex) -> Table:
        """What each method gains over the one before it, seed by seed; up is good."""
        methods = [entry for entry in self.entries if not entry.control]
        steps = [
            (entry.head, self._step(found, above, entry), self._quoted(self._paper_step(above, entry)))
            for above, entry in pairwise(methods)
        ]
        rows = [(head, (*values, *printed)) for head, values, printed in steps if any(values)]
        return Table(
            f'{self.name}_steps',
            f'What each row of {self.name} gains over the one before it, in its unit, taken seed by seed; '
            f'positive is better; {over(found.seeds)}.',
            self._columns,
            tuple(rows),
            METRICS[self.metric][1],
            len(found.seeds),
            groups=self._groups,
        )

    def _step(self, found: CellIndex, above: Entry, entry: Entry) -> list[Spread | None]:
        def values(row: Row, seed: int) -> list[float | None]:
            own = [found.on_target(row, seed, target, self.metric) for target in TARGETS]
            return [*own, mean(own)]

        gains = [
            [self._better(a, b) for a, b in zip(values(above.row, s), values(entry.row, s), strict=True)]
            for s in found.seeds
        ]
        return [spread(column) for column in zip(*gains, strict=True)]

    def _paper_step(self, above: Entry, entry: Entry) -> list[float | None]:
        pairs = zip(above.paper or _NOTHING, entry.paper or _NOTHING, strict=True)
        return [self._better(a, b) for a, b in pairs]

    def _better(self, before: float | None, after: float | None) -> float | None:
        """By how much the second is better."""
        if before is None or after is None:
            return None
        return before - after if self.low_is_good else after - before


def origin(scale: str) -> str:
    """On what data a scale is measured, for the title of a table."""
    return (
        'published data' if scale == 'full' else f'embedded data of scale {scale}, whose hands are rendered'
    )


def over(seeds: Sequence[int]) -> str:
    """What a value is of the seeds, for the title of a table."""
    return f'mean +- standard deviation of the seeds {list(seeds)}' if len(seeds) > 1 else f'seed {seeds[0]}'
