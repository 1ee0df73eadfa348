"""Rows of the health table, and the table as text and as plain data."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass, field
from typing import Any

OK, WARNING, WRONG, NOT_APPLICABLE = 'ok', 'WARNING', 'WRONG', 'not applicable'
VERDICTS = (OK, WARNING, WRONG, NOT_APPLICABLE)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        check: What was looked at.
        part: Split, or splits, it was looked at in.
        verdict: One of :data:`VERDICTS`.
        measured: What was measured, in words and numbers; names what is wrong.
        advice: What to do; empty where nothing is to be done.
    """

    check: str
    part: str
    verdict: str
    measured: str
    advice: str = ''


@dataclass
class HealthReport:
    """All that was found out about a dataset.

    Attributes:
        name: Of the dataset.
        root: Its folder.
        rows: The table.
        absent: What is not there, where only a part was to be checked.
    """

    name: str
    root: str
    rows: list[Row] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        """Whether nothing is WRONG."""
        return not any(row.verdict == WRONG for row in self.rows)

    def count(self, verdict: str) -> int:
        """Number of rows with a verdict."""
        return sum(row.verdict == verdict for row in self.rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            'name': self.name,
            'root': self.root,
            'healthy': self.healthy,
            'counts': {verdict: self.count(verdict) for verdict in VERDICTS},
            'rows': [asdict(row) for row in self.rows],
            'absent': list(self.absent),
        }

    def as_text(self, width: int = 110) -> str:
        """The table for a terminal.

        Args:
            width: Longest line.
        """
        columns = [('verdict', 'check', 'part')] + [(row.verdict, row.check, row.part) for row in self.rows]
        sizes = [max(len(line[place]) for line in columns) for place in range(3)]
        indent = ' ' * (sum(sizes) + 6)
        lines = [f'{self.name} at {self.root}', '']
        for row in self.rows:
            head = '  '.join(
                text.ljust(size) for text, size in zip((row.verdict, row.check, row.part), sizes, strict=True)
            )
            lines += textwrap.wrap(f'{head}  {row.measured}', width, subsequent_indent=indent,
                                   break_on_hyphens=False)  # fmt: skip
            if row.advice:
                lines += textwrap.wrap(f'{indent}-> {row.advice}', width, subsequent_indent=indent + '   ',
                                       break_on_hyphens=False)  # fmt: skip
        if self.absent:
            lines += ['', 'not there, and not checked:', *(f'  - {what}' for what in self.absent)]
        summary = ', '.join(f'{self.count(verdict)} {verdict}' for verdict in VERDICTS)
        lines += ['', f'{summary}: ' + ('nothing is wrong' if self.healthy else 'this set is not healthy')]
        return '\n'.join(lines)
