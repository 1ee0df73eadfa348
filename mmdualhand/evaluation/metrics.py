"""EPE, AUC and PCK as metrics of mmengine's evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from mmdualhand.codecs import GRID_SIZE
from mmdualhand.errors import ConfigError
from mmdualhand.evaluation import functional as F
from mmdualhand.evaluation.hand_metric import HandMetric
from mmdualhand.registry import METRICS
from mmdualhand.structures import ROOT_JOINT

SUFFIXES = {'none': '', 'root': '_root', 'procrustes': '_PA'}
ALL_ALIGNMENTS = ('none', 'root', 'procrustes')


class _Aligned3D(HandMetric):
    """A metric on ``keypoints_3d`` in mm, once per alignment."""

    label: ClassVar[str] = 'keypoints_3d'
    dims: ClassVar[int] = 3

    def __init__(
        self,
        alignment: str | Sequence[str] = ALL_ALIGNMENTS,
        per_joint_first: bool = False,
        allow_reflection: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alignments = (alignment,) if isinstance(alignment, str) else tuple(alignment)
        if not self.alignments or not set(self.alignments) <= set(SUFFIXES):
            raise ConfigError(f'alignment must be some of {ALL_ALIGNMENTS}, got {alignment!r}')
        self.per_joint_first = per_joint_first
        self.allow_reflection = allow_reflection

    def score(self, pred: np.ndarray, gt: np.ndarray, counts: np.ndarray) -> float:
        """Value over the joints that count; (N, J, 3), (N, J, 3) mm, (N, J) bool."""
        raise NotImplementedError

    def measure(self, pred: np.ndarray, gt: np.ndarray, counts: np.ndarray) -> dict[str, float]:
        """Measure under every alignment; shapes as in the base class, mm."""
        labels = np.where(counts[..., None], gt, np.nan)
        F.check_unit_mm(labels, name='gt_instances.keypoints_3d', strict=True)
        metrics = {}
        for alignment in self.alignments:
            first, second, used = self._align(pred, gt, counts, alignment)
            for suffix, joints in self.groups():
                chosen = used[:, joints]
                if chosen.any():
                    key = f'{type(self).__name__}{SUFFIXES[alignment]}{suffix}'
                    metrics[key] = float(self.score(first[:, joints], second[:, joints], chosen))
        return metrics

    def protocol(self) -> str:
        """Unit, frame, alignment and averaging, for the log."""
        mean = 'mean of per-joint values' if self.per_joint_first else 'pooled joints'
        mirrored = ' (reflection allowed)' if self.allow_reflection else ''
        return f'mm, camera frame | alignment {", ".join(self.alignments)}{mirrored} | {mean}'

    def _align(
        self, pred: np.ndarray, gt: np.ndarray, counts: np.ndarray, alignment: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if alignment == 'root':
            known = np.isfinite(gt[:, ROOT_JOINT]).all(-1)
            return F.root_align(pred), F.root_align(gt), counts & known[:, None]
        if alignment == 'procrustes':
            # Fewer than three joints do not fix a similarity: such hands are left out.
            usable = counts.sum(-1) >= 3
            moved = np.array(pred)
            if usable.any():
                moved[usable] = F.procrustes_align(
                    pred[usable], gt[usable], self.allow_reflection, counts[usable]
                )
            return moved, gt, counts & usable[:, None]
        return pred, gt, counts


@METRICS.register_module()
class EPE(_Aligned3D):
    """End-point error in mm, camera frame.

    ``EPE`` is the paper's protocol: predictions lifted with the true root depth
    and reference length, no alignment. ``EPE_root`` moves joint 9 of both hands
    to the origin, ``EPE_PA`` aligns each hand by a similarity first.

    Args:
        alignment: One or several of ``'none'``, ``'root'``, ``'procrustes'``.
        per_joint_first: Mean over joints of per-joint means (FreiHAND's form)
            instead of pooling all joints.
        allow_reflection: Let the Procrustes alignment mirror (FreiHAND's form).
        **kwargs: Of the base class: ``branches``, ``visible_only``,
            ``per_joint``, ``per_finger``, ``prefix``, ``collect_device``.

    Raises:
        ConfigError: Unknown alignment or branch.
    """

    rule: ClassVar[str] = 'less'

    def score(self, pred: np.ndarray, gt: np.ndarray, counts: np.ndarray) -> float:
        """Mean distance in mm; (N, J, 3), (N, J, 3) mm, (N, J) bool."""
        return F.epe(pred, gt, counts, self.per_joint_first)


@METRICS.register_module()
class AUC(_Aligned3D):
    """Area under the curve of correct joints over thresholds in mm.

    A joint is correct where its error is at most the threshold; thresholds are
    ``linspace(low, high, steps)``, the area is the trapezoid rule's divided by
    ``high - low``. Result keys: ``AUC``, ``AUC_root``, ``AUC_PA``; two AUCs of
    different thresholds in one evaluator need a ``prefix``.

    Args:
        low: Smallest threshold, mm.
        high: Largest threshold, mm.
        steps: Number of thresholds.
        **kwargs: As :class:`EPE`.

    Raises:
        ConfigError: Not ``0 <= low < high``, fewer than 2 steps, or as
            :class:`EPE`.
    """

    rule: ClassVar[str] = 'greater'

    def __init__(self, low: float = 20.0, high: float = 50.0, steps: int = 100, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not (0 <= low < high) or int(steps) != steps or steps < 2:
            raise ConfigError(
                f'AUC needs 0 <= low < high and steps >= 2, got low={low}, high={high}, steps={steps}'
            )
        self.low, self.high, self.steps = float(low), float(high), int(steps)

    def score(self, pred: np.ndarray, gt: np.ndarray, counts: np.ndarray) -> float:
        """Area in [0, 1]; (N, J, 3), (N, J, 3) mm, (N, J) bool."""
        return F.pck_auc(pred, gt, counts, self.low, self.high, self.steps, self.per_joint_first)

    def protocol(self) -> str:
        """Thresholds, unit, frame, alignment and averaging, for the log."""
        return f'{self.steps} thresholds {self.low:g} to {self.high:g} {super().protocol()}'


@METRICS.register_module()
class PCK(HandMetric):
    """Share of joints whose 2D error is below a fraction of the output grid.

    Compares ``u, v`` of the 2.5D poses, pixels of the crop's 64-grid, so the
    value depends on the crop rule, which is logged with it. Result key:
    ``PCK@<threshold>``.

    Args:
        threshold: Fraction of the grid's side; 0.05 of 64 is 3.2 pixels, strictly.
        **kwargs: Of the base class: ``branches``, ``visible_only``,
            ``per_joint``, ``per_finger``, ``prefix``, ``collect_device``.

    Raises:
        ConfigError: ``threshold`` is not positive, or an unknown branch.
    """

    rule: ClassVar[str] = 'greater'
    label: ClassVar[str] = 'pose25d'
    dims: ClassVar[int] = 2

    def __init__(self, threshold: float = 0.05, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not threshold > 0:
            raise ConfigError(f'threshold must be positive, got {threshold}')
        self.threshold = threshold

    def measure(self, pred: np.ndarray, gt: np.ndarray, counts: np.ndarray) -> dict[str, float]:
        """Share of correct joints; (N, 21, 2) grid pixels, (N, 21) bool."""
        metrics = {}
        for suffix, joints in self.groups():
            chosen = counts[:, joints]
            if chosen.any():
                value = F.pck(pred[:, joints], gt[:, joints], chosen, self.threshold, GRID_SIZE)
                metrics[f'PCK@{self.threshold:g}{suffix}'] = float(value)
        return metrics

    def protocol(self) -> str:
        """Threshold and unit, for the log."""
        pixels = self.threshold * GRID_SIZE
        return (
            f'2D error below {self.threshold:g} x {GRID_SIZE} = {pixels:g} px of the '
            f'{GRID_SIZE} x {GRID_SIZE} grid of the crop | no alignment'
        )
