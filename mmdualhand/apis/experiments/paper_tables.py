"""Tables of the paper from finished cells: our numbers, the paper's beside them, what is gained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from mmdualhand.apis.experiments.comparison import SharedSeeds, over, seeds_words
from mmdualhand.apis.experiments.data_kind import data_name, data_words
from mmdualhand.apis.experiments.entries import Entry
from mmdualhand.apis.experiments.results import TARGETS, CellIndex, Row, mean
from mmdualhand.apis.experiments.selection import selection_sentence
from mmdualhand.apis.experiments.suites.two_stage import METRICS, controls_legend
from mmdualhand.apis.experiments.tables import Spread, Table, quoted, spread

PAPER = 'paper'
_COLUMNS = (*TARGETS.values(), 'mean of targets')
_OVER_METHODS, _OVER_CONTROLS = (f'Improvement over the best {what}' for what in ('other method', 'control'))
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
        """The table of what is there, and that of the steps.

        Methods are compared on the seeds that all of them have in a column, and the legend says
        which, where these are not all; what is shown is the mean over all seeds of a row.

        Args:
            cells: Finished measurements.
            scale: Key of ``SCALES``.

        Returns:
            The tables; rows without any value are left out, and a table without any row.
        """
        found = CellIndex(cells)
        shown = [entry for entry in self.entries if any(found.spreads(entry.row, self.metric))]
        if not shown:
            return []
        methods = self._shared(found, [entry for entry in shown if not entry.control])
        rows = [(e.head, (*found.spreads(e.row, self.metric), *self._quoted(e.paper))) for e in shown]
        gains = self._improvements(found, scale) if self.improvement else []
        words, digits = METRICS[self.metric]
        about = f'{data_name(cells)}, scale {scale}, {seeds_words(found.seeds)}'
        main = Table(
            self.name,
            f'{self.title}. {words}; {data_words(cells)}; scale {scale}; {over(found.seeds)}.',
            self._columns,
            (*rows, *gains),
            digits,
            len(found.seeds),
            ' '.join(filter(None, self._legend(shown, methods, found, [head for head, _ in gains], cells))),
            percent=tuple(head for head, _ in gains),
            best='min' if self.low_is_good else 'max',
            competing=tuple((e.head, self._competing(e, methods)) for e in shown if not e.control),
            groups=self._groups,
            unit='EPE, mm' if self.metric == 'EPE' else self.metric,
            short=f'{self.title}, {self.metric} ({about})',
            metrics=(self.metric,),
        )
        return [main, *([self._steps(found, about)] if self.steps else [])]

    def _shared(self, found: CellIndex, entries: Sequence[Entry]) -> SharedSeeds:
        return SharedSeeds(found, [entry.row for entry in entries], self.metric)

    def _competing(self, entry: Entry, methods: SharedSeeds) -> tuple[Spread | None, ...]:
        """What decides whether a method is the best of a column."""
        own = [methods.value(entry.row, place) for place in range(len(_COLUMNS))]
        return (*own, *self._quoted(entry.paper))

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

    def _legend(
        self,
        shown: Sequence[Entry],
        methods: SharedSeeds,
        found: CellIndex,
        gains: Sequence[str],
        cells: Sequence[Mapping[str, Any]],
    ) -> list[str]:
        return [
            self.legend,
            _PAPER_LEGEND if self._has_paper else '',
            self._which_seeds(shown, methods, found, gains),
            self._order(shown, methods),
            controls_legend([entry.head for entry in shown]),
            selection_sentence(cells),
        ]

    def _which_seeds(
        self, shown: Sequence[Entry], methods: SharedSeeds, found: CellIndex, gains: Sequence[str]
    ) -> str:
        """On which seeds rows are compared, where that is not all of them."""
        sentences, which = [], methods.fewer(_COLUMNS, found.seeds)
        if which:
            verdicts = ['bold', *(['order of the paper'] if self._has_paper else [])]
            verdicts += ['improvement'] if _OVER_METHODS in gains else []
            sentences.append(
                f'The methods do not all have the same seeds: they are compared ({", ".join(verdicts)}) on '
                f'those that all methods of a column share: {which}.'
            )
            sentences += self._on_shared(shown, methods, found)
        if _OVER_CONTROLS in gains:
            compared = self._shared(found, [entry for entry in shown if entry.control or entry.ours])
            which = compared.fewer(tuple(TARGETS.values()), found.seeds)
            sentences += [f'For the best control, ours and all controls share: {which}.'] if which else []
        return ' '.join(sentences)

    def _on_shared(self, shown: Sequence[Entry], methods: SharedSeeds, found: CellIndex) -> list[str]:
        """What is compared of the methods that have more seeds, a sentence; it is not what is shown."""
        digits, rows = METRICS[self.metric][1], []
        for entry in (entry for entry in shown if not entry.control):
            values = [methods.known(entry.row, place) for place in range(len(_COLUMNS))]
            usual = found.spreads(entry.row, self.metric)
            if any(
                v is not None and u is not None and v != u.mean for v, u in zip(values, usual, strict=True)
            ):
                texts = ('-' if value is None else f'{value:.{digits}f}' for value in values)
                rows.append(f'{entry.head} {", ".join(texts)}')
        return [f'On these seeds, column by column: {"; ".join(rows)}.'] if rows else []

    def _order(self, shown: Sequence[Entry], methods: SharedSeeds) -> str:
        """How many pairs of methods stand in the paper's order, and which do not."""
        known = [entry for entry in shown if entry.paper is not None and not entry.control]
        sentences = []
        for place, title in enumerate(TARGETS.values()):
            same, turned = 0, []
            for one, two in combinations(known, 2):
                verdict = _agree(one, two, place, methods)
                same += verdict is True
                if verdict is False:
                    turned.append(f'{one.head} / {two.head}')
            if same or turned:
                which = f', not {"; ".join(turned)}' if turned else ''
                sentences.append(f'{title} {same} of {same + len(turned)}{which}')
        return f'Pairs of methods in the order of the paper: {". ".join(sentences)}.' if sentences else ''

    def _improvements(self, found: CellIndex, scale: str) -> list[tuple[str, tuple[Spread | None, ...]]]:
        """Gain of the paper's method in per cent: over the best other method, over the best control."""
        (ours,) = (entry for entry in self.entries if entry.ours)
        rows = []
        for head, control in ((_OVER_METHODS, False), (_OVER_CONTROLS, True)):
            others = [e for e in self.entries if e.control is control and not e.ours]
            shared = self._shared(found, [ours, *others])
            values = [self._gain(shared, ours, others, target, scale) for target in TARGETS]
            printed = [None if control else self._paper_gain(ours, others, p) for p in range(len(TARGETS))]
            if any(values):
                rows.append((head, (*values, None, *self._quoted(printed))))
        return rows

    def _gain(
        self, shared: SharedSeeds, ours: Entry, others: Sequence[Entry], target: str, scale: str
    ) -> Spread | None:
        """Seed by seed, over the one of the others that is best on the average of the shared seeds."""
        place = list(TARGETS).index(target)
        measured = [entry for entry in others if shared.by_seed(entry.row, place)]
        lacking = (entry for entry in others if entry not in measured)
        if any(entry.absent(scale, target) is None for entry in lacking):
            return None  # it may be the best one
        means = {entry: shared.known(entry.row, place) for entry in measured}
        known = {entry: value for entry, value in means.items() if value is not None}
        if not known:
            return None
        best = (min if self.low_is_good else max)(known, key=known.__getitem__)
        own, other = shared.by_seed(ours.row, place), shared.by_seed(best.row, place)
        return spread(self._percent(own[seed], other[seed]) for seed in shared.seeds[place] if seed in own)

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

    def _steps(self, found: CellIndex, about: str) -> Table:
        """What each method gains over the one before it, seed by seed; up is good."""
        methods = [entry for entry in self.entries if not entry.control]
        steps = [
            (entry.head, self._step(found, above, entry), self._quoted(self._paper_step(above, entry)))
            for above, entry in pairwise(methods)
        ]
        rows = [(head, (*values, *printed)) for head, values, printed in steps if any(values)]
        return Table(
            f'{self.name}_steps',
            f'What each row of {self.name} gains over the one before it. {METRICS[self.metric][0]}; the gain '
            f'is in its unit and taken seed by seed, positive is better; {over(found.seeds)}.',
            self._columns,
            tuple(rows),
            METRICS[self.metric][1],
            len(found.seeds),
            groups=self._groups,
            short=f'What each row of {self.name} gains over the one before it, {self.metric} ({about})',
            metrics=(self.metric,),
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


def _agree(one: Entry, two: Entry, place: int, methods: SharedSeeds) -> bool | None:
    """Whether two rows stand in the paper's order; None where that cannot be said."""
    own, other = (methods.known(entry.row, place) for entry in (one, two))
    printed, beside = (entry.paper[place] if entry.paper else None for entry in (one, two))
    if own is None or other is None or printed is None or beside is None or printed == beside:
        return None
    return (own < other) == (printed < beside)
