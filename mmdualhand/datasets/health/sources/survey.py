"""What a source of labels gives to the checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmdualhand.datasets.base import EMBEDDED_MARKER, BaseHandDataset
from mmdualhand.datasets.health.facts import DatasetFacts
from mmdualhand.datasets.health.table import LabelTable
from mmdualhand.errors import ConfigError

Options = Mapping[str, Any]
OpenReader = Callable[[], BaseHandDataset]


@dataclass
class Survey:
    """Everything that was found under one root.

    Attributes:
        facts: Of the dataset.
        root: Its folder.
        tables: One for each split that has labels or intrinsics.
        broken: Split to sample to why it is in no table.
        absent: What should be there and is not.
        unreadable: Files that are there and cannot be read, and why.
        readers: Split to a function that opens the package's own reader.
        pairs: Names of the splits that must not share samples: learnt from, measured on.
    """

    facts: DatasetFacts
    root: Path
    tables: list[LabelTable] = field(default_factory=list)
    broken: dict[str, dict[str, str]] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    readers: dict[str, OpenReader] = field(default_factory=dict)
    pairs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def embedded(self) -> bool:
        """Whether this is a rendered stand-in for the dataset."""
        return (self.root / EMBEDDED_MARKER).is_file()


def pick_splits(wanted: list[str] | None, known: tuple[str, ...], title: str) -> tuple[str, ...]:
    """The splits to check.

    Raises:
        ConfigError: There is no such split.
    """
    if wanted is None:
        return known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ConfigError(f'--split of {title} must be some of {", ".join(known)}, got {unknown[0]!r}')
    return tuple(name for name in known if name in wanted)


def check_options(options: Options, known: tuple[str, ...], title: str) -> None:
    """Refuse options that a source does not have.

    Raises:
        ConfigError: Such an option.
    """
    for name in options:
        if name not in known:
            has = f'it has: {", ".join(known)}' if known else 'it has none'
            raise ConfigError(f'--option {name}=...: {title} has no such option; {has}')
