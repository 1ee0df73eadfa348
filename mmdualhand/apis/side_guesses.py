"""How often the side of a hand is guessed correctly where nobody gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config

from mmdualhand.apis.export.runners import TorchRunner
from mmdualhand.apis.report.predictions import BATCH, load_network
from mmdualhand.datasets.seeded_subset import shuffled
from mmdualhand.engine.labels.batches import clean_batches
from mmdualhand.errors import DataError
from mmdualhand.models.rgb_path import rgb_path
from mmdualhand.structures import SIDES


@dataclass(frozen=True, eq=False)
class SideGuesses:
    """Labelled sides, and what speaks for each side.

    Attributes:
        side: (N,) label, ``'right'`` or ``'left'``.
        evidence: (N, 2) mean raw confidence over the joints, in 0..1, in the order of ``SIDES``,
            of the crop that is mirrored as for that side.
    """

    side: np.ndarray
    evidence: np.ndarray

    @property
    def guess(self) -> np.ndarray:
        """(N,) the side with more evidence, as the inferencer takes it."""
        return np.array(SIDES)[self.evidence.argmax(1)]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Side of the label to hands and correct guesses; ``'both'`` for all hands."""
        correct = self.guess == self.side
        chosen = {side: self.side == side for side in SIDES}
        chosen['both'] = np.ones(len(self.side), bool)
        return {name: (int(rows.sum()), int(correct[rows].sum())) for name, rows in chosen.items()}


def measure_sides(checkpoint: str | Path, config: Config, *, limit: int | None = None) -> SideGuesses:
    """Guess the side of every hand of a benchmark by the rule of the inferencer.

    The crops are those of the benchmark; the side of the label decides nothing but whether the
    guess is correct.

    Args:
        checkpoint: File of a training run.
        config: With a ``test_dataloader``; not changed.
        limit: Use so many hands at most, drawn with a fixed seed.

    Raises:
        MissingFileError: No such checkpoint, or the pictures are not there.
        UnsafeFileError: The checkpoint is damaged.
        ConfigError: Checkpoint and config do not make a test, or the network needs more than RGB.
        DataError: A confidence is not finite.
    """
    network = load_network(checkpoint, config)
    count = len(network.dataset)
    rows = np.arange(count) if limit is None else np.sort(shuffled(count, 0)[:limit])
    found = guess_sides(
        TorchRunner(rgb_path(network.model)), clean_batches(network.dataset, rows.tolist(), BATCH)
    )
    if not np.isfinite(found.evidence).all():
        raise DataError(f'{checkpoint} gives confidences that are not finite: its training diverged')
    return found


def guess_sides(
    runner: Callable[[np.ndarray], Mapping[str, np.ndarray]], batches: Iterable[Mapping[str, Any]]
) -> SideGuesses:
    """Run every crop as it is and mirrored.

    Args:
        runner: See :class:`~mmdualhand.apis.export.runners.Runner`.
        batches: Collated, ``img`` of ``inputs`` (B, 3, H, W) uint8 RGB.
    """
    sides: list[str] = []
    evidence: list[np.ndarray] = [np.zeros((0, len(SIDES)))]
    for batch in batches:
        facts = [sample.metainfo for sample in batch['data_samples']]
        crops = np.ascontiguousarray(batch['inputs']['img'].permute(0, 2, 3, 1).numpy())
        given = runner(crops)['confidence_raw'].mean(1)
        turned = runner(np.ascontiguousarray(crops[:, :, ::-1]))['confidence_raw'].mean(1)
        # A crop that is mirrored is the one for a left hand.
        mirrored = np.array([bool(fact['mirrored']) for fact in facts])
        as_side = {'right': np.where(mirrored, turned, given), 'left': np.where(mirrored, given, turned)}
        evidence.append(np.stack([as_side[side] for side in SIDES], 1))
        sides += [str(fact['hand_side']) for fact in facts]
    return SideGuesses(np.array(sides), np.concatenate(evidence))


def side_table(guesses: SideGuesses) -> str:
    """Markdown table, one line a side and one for both; without hands a side has no share."""
    lines = ['| hand | hands | guessed correctly | share |', '|---|---|---|---|']
    for name, (hands, correct) in guesses.counts().items():
        share = f'{correct / hands:.3f}' if hands else '-'
        lines.append(f'| {name} | {hands} | {correct} | {share} |')
    return '\n'.join(lines)
