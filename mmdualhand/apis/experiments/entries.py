"""Rows of the paper's tables: which config each is, and what is measured for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mmdualhand.apis.experiments.chains import (
    FILE_ENDING,
    config_name,
    missing_config,
    training_name,
    training_of,
)
from mmdualhand.apis.experiments.definitions import Measurement, Training
from mmdualhand.apis.experiments.results import TARGETS, Row
from mmdualhand.apis.experiments.suites import config_prefix
from mmdualhand.errors import ConfigError

Paper = tuple[float | None, float | None, float | None, float | None]
"""Numbers that the paper prints for STB, FreiHAND, H3D and MVHand; None where it prints none."""


@dataclass(frozen=True)
class Entry:
    """One row.

    Attributes:
        head: What stands before it.
        config: Config of its training; ``{}`` is the target. A shipped one is named without the
            folder of the scale. What ends in ``.py`` is a file of one's own, absolute or relative
            to the working folder; ``{scale}`` in it is the scale.
        paper: The paper's own numbers for this row.
        reestimate_bn: See ``Measurement``.
        control: A control and no method: it is never the best, and the methods must beat it.
        ours: The method of the paper.
        training: Name of the training, ``{}`` is the target; that of the config where empty.
        options: Overrides of the config; such a training needs a name.
    """

    head: str
    config: str
    paper: Paper | None = None
    reestimate_bn: bool = False
    control: bool = False
    ours: bool = False
    training: str = ''
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def row(self) -> Row:
        """How its cells are found."""
        return Row(self.head, self._training, self.reestimate_bn)

    def training_for(self, scale: str, seed: int, target: str) -> Training:
        """The training that is measured on a target.

        Args:
            scale: Key of ``SCALES``.
            seed: Seed of the whole chain.
            target: Key of ``TARGETS``.

        Raises:
            ConfigError: No such scale or config, options without a name, or see ``training_of``.
        """
        if self.options and not self.training:
            raise ConfigError(f'{self.head} has options: give its training a name, training=...')
        found = training_of(self._config(scale, target), seed, self._training.format(target))
        return replace(found, options=self.options)

    def absent(self, scale: str, target: str) -> str | None:
        """A config that it needs for a target and that is not there; None where all are."""
        return missing_config(self._config(scale, target))

    @property
    def _training(self) -> str:
        """Name of the training, ``{}`` is the target; that of a file says nothing of the scale."""
        return self.training or training_name(self.config.replace('_{scale}', '').replace('{scale}', ''))

    def _config(self, scale: str, target: str) -> str:
        """The config for a target, by its only name."""
        prefix = config_prefix(scale)
        if self.config.endswith(FILE_ENDING):
            return config_name(self.config.replace('{scale}', scale).replace('{}', target))
        return prefix + self.config.format(target)


CONTROL_ENTRIES = (
    Entry('(i) baseline, BN re-estimated', 'ablation/r_rhd', reestimate_bn=True, control=True),
    Entry('(i) pre-trained, BN re-estimated', 'pretrain_rhd', reestimate_bn=True, control=True),
    Entry('(ii) source only', 'controls/source_only', control=True),
    Entry('(ii) source only, BN re-estimated', 'controls/source_only', reestimate_bn=True, control=True),
)
"""What every table of stage 2 has below its methods."""


def measurements_of(
    entries: Iterable[Entry], scale: str, seed: int, targets: Sequence[str] = tuple(TARGETS)
) -> list[Measurement]:
    """Every entry on every target for which its configs are there.

    Raises:
        ConfigError: No such scale, or a config is wrong.
    """
    found = [
        Measurement(
            entry.training_for(scale, seed, target),
            f'{config_prefix(scale)}finetune_{target}',
            reestimate_bn=entry.reestimate_bn,
        )
        for entry in entries
        for target in targets
        if entry.absent(scale, target) is None
    ]
    return list(dict.fromkeys(found))


def left_out_of(entries: Iterable[Entry], scale: str, targets: Sequence[str] = tuple(TARGETS)) -> list[str]:
    """Rows that cannot be measured because a config is not there yet, a sentence each."""
    sentences = []
    for entry in entries:
        absent = {target: entry.absent(scale, target) for target in targets}
        lacking = {target: name for target, name in absent.items() if name is not None}
        if lacking:
            names = {name.replace(f'_{target}', '_TARGET') for target, name in lacking.items()}
            where = '' if len(lacking) == len(targets) else f' on {", ".join(TARGETS[t] for t in lacking)}'
            sentences.append(
                f'{entry.head} is left out{where}: there is no config {" and ".join(sorted(names))} yet.'
            )
    return list(dict.fromkeys(sentences))
