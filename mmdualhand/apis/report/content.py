"""What a report is made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config


@dataclass(frozen=True)
class RunLog:
    """A training run whose curves are shown.

    Attributes:
        title: Name of the training, ``finetune_stb``, or a title of its own.
        folder: Its work dir, with ``*/vis_data/scalars.json``.
    """

    title: str
    folder: Path


@dataclass(frozen=True)
class Comparison:
    """Two networks looked at on the same test pictures.

    Attributes:
        title: Name of the target.
        config: Config with the target's ``test_dataloader``.
        before: Checkpoint of the network before fine-tuning.
        after: Checkpoint of the fine-tuned one.
    """

    title: str
    config: Config
    before: Path
    after: Path


@dataclass(frozen=True)
class StepTimes:
    """How long everything took, s.

    Attributes:
        steps: Name of every step and its seconds; steps may run side by side.
        elapsed: From the beginning to the end, waiting between calls not counted; None
            where it is not known.
    """

    steps: Sequence[tuple[str, float]] = ()
    elapsed: float | None = None


@dataclass(frozen=True)
class ReportContent:
    """Everything that a report shows; what is absent is left out, and said to be.

    Attributes:
        title: Heading.
        summary: Sentences on what such a run does and does not show.
        times: Gives the times; asked when all else is drawn, so that the time of the
            report can be among them.
        cells: Finished measurements: ``training``, ``seed``, ``benchmark``,
            ``reestimate_bn``, ``root_depth``, ``metrics`` (``EPE`` mm,
            ``PCK@0.05``, ``AUC``; None and NaN are values that are not known) and
            ``curve3d`` (``thresholds_mm``, ``pck``). The training ``finetune_stb`` is
            the method ``finetune`` on the target ``stb``, which the benchmark
            ``mini/finetune_stb`` measures; ``pretrain_rhd`` measures the source.
        runs: Training runs whose curves are shown.
        comparisons: Pictures before and after, a target each.
    """

    title: str
    summary: str
    times: Callable[[], StepTimes] = StepTimes
    cells: Sequence[dict[str, Any]] = ()
    runs: Sequence[RunLog] = ()
    comparisons: Sequence[Comparison] = field(default=())
