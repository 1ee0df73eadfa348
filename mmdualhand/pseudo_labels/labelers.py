"""From predictions on target images to labels and their weights (Eqs. 8 and 9).

A labeler is a module that is built with the network's codec and called with the poses of
every branch, the camera facts of the batch and the progress of the run::

    labels = labeler({'rgb': (B, 21, 3), 'fused': ...}, targets, progress)    # PseudoLabels

State that goes on over a run (a window of values, a template) lives in buffers and
changes in training mode alone; ``PseudoLabelHook`` keeps it in the checkpoint. A labeler
with a ``selector`` has its weights decided over a whole dataset where a bank is filled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from mmengine.dist import all_gather, is_distributed
from torch import Tensor, nn

from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError
from mmdualhand.models import PseudoLabels
from mmdualhand.pseudo_labels.confidence import semihand_confidence, variance_confidence
from mmdualhand.pseudo_labels.correctors import Pose25DCorrection
from mmdualhand.pseudo_labels.schedules import Schedule
from mmdualhand.pseudo_labels.selectors import Selector
from mmdualhand.registry import LABELERS, SELECTORS

ROOT_DEPTHS = ('given', 'solve')
_DEFAULTS: Mapping[str, Any] = MappingProxyType({})


@LABELERS.register_module()
class AveragedLabels(nn.Module):
    r"""The average of the predictions before and after correction, and its variance.

    .. math:: r = mean(p_R, \rho(p_R), p_F, \rho(p_F)), \quad C = mean_q \ell(q, r)

    over the four poses q (method of Section 4.3.1, Eqs. 8 and 9). A sample whose
    correction fails, or whose poses are not finite, has weight 0.

    Which C it is (the variance, or SemiHand's sum), and whether it is one number a
    hand or a joint, follows from the selector.

    Args:
        codec: The 2.5D codec of the network.
        correction: Arguments of :class:`BiomechanicalCorrection`, or None for no
            correction: the average of p_R and p_F. With ``template='estimate'`` the
            template follows the predictions of training.
        selector: Config of a selector; it turns C into weights.
        branches: Predictions that are averaged, where there.
        depth_weight: lambda_z inside the distance.
        correction_share: Weight of the corrected poses against the predicted ones
            in the average; 1 is Eq. 8. Points of a schedule anneal it over the run:
            with a template that is not the hand's own, rho would hold back
            predictions that have become better than it.
        root_depth: ``'given'`` takes root depth and reference length of the batch;
            ``'solve'`` finds the root depth from the bones of the palm.
        template_momentum: Share of a batch in the template, for ``'estimate'``.

    Raises:
        ConfigError: A value without meaning.
    """

    def __init__(
        self,
        codec: Pose25D,
        correction: Mapping[str, Any] | None = _DEFAULTS,
        selector: Mapping[str, Any] | None = None,
        branches: Sequence[str] = ('rgb', 'fused'),
        depth_weight: float = 50.0,
        correction_share: float | Mapping[str, Any] | Sequence[Sequence[float]] = 1.0,
        root_depth: str = 'given',
        template_momentum: float = 0.01,
    ) -> None:
        super().__init__()
        if root_depth not in ROOT_DEPTHS:
            raise ConfigError(f'root_depth must be one of {ROOT_DEPTHS}, got {root_depth!r}')
        self.correction = None if correction is None else Pose25DCorrection(codec, dict(correction))
        self.selector: Selector = SELECTORS.build(dict(selector or dict(type='VarianceThreshold')))
        self.branches = tuple(branches)
        self.depth_weight = depth_weight
        self.share = _share(correction_share)
        self.root_depth = root_depth
        self.template_momentum = template_momentum

    @property
    def learns(self) -> bool:
        """Whether something but the selector changes from batch to batch."""
        return self.correction is not None and self.correction.correction.template == 'estimate'

    @torch.no_grad()
    def forward(
        self, poses: Mapping[str, Tensor], targets: Mapping[str, Tensor], progress: float = 0.0
    ) -> PseudoLabels:
        """Label a batch.

        Args:
            poses: Branch to ``(B, 21, 3)`` 2.5D poses of one crop.
            targets: ``camera (B, 3, 3)`` of that crop, ``side (B,)`` and, as
                ``root_depth`` asks, ``root_depth`` and ``ref_length (B,)`` in mm.
            progress: Share of the run that is done, for annealed settings.

        Returns:
            Labels, weights, C, and what is worth logging: share of accepted labels
            and joints, mean C of the usable ones, size of the correction in px of
            the 64-grid and in reference bones.

        Raises:
            ConfigError: A camera fact is missing from the batch, or all branches
                are.
        """
        found = [poses[branch].float() for branch in self.branches if branch in poses]
        if not found:
            raise ConfigError(
                f'the labeler averages the branches {self.branches}, the network gives {tuple(poses)}'
            )
        predicted = torch.stack(found)
        corrected, valid = self._correct(predicted, targets)
        share = self.share(progress)
        label = (predicted.sum(0) + share * corrected.sum(0)) / (len(predicted) * (1.0 + share))
        usable = valid.all(0) & torch.isfinite(label).flatten(1).all(1)
        spread = self._spread(predicted, corrected, label)
        rows = usable.view(-1, *[1] * (spread.ndim - 1))
        confidence = torch.where(rows, spread, torch.inf)
        weight = self.selector(confidence, progress)
        label = torch.where(usable[:, None, None], label, torch.zeros_like(label))
        monitor = {**correction_sizes(predicted, corrected, valid), **label_shares(weight, confidence)}
        return PseudoLabels(label, weight, confidence, monitor)

    def _correct(self, predicted: Tensor, targets: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """All predictions ``(Q, B, 21, 3)`` corrected in one call, and whether each could be."""
        count, rows = predicted.shape[:2]
        if self.correction is None:
            return predicted, torch.isfinite(predicted).flatten(2).all(2)
        facts = self._facts(targets)
        if self.training and self.learns:
            self._follow(predicted[0], facts)
        known = {key: fact.repeat(count, *[1] * (fact.ndim - 1)) for key, fact in facts.items()}
        corrected, valid = self.correction(predicted.flatten(0, 1), **known)
        return corrected.float().view_as(predicted), valid.view(count, rows)

    def _facts(self, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What is known of the images, as the correction wants it."""
        needed = ['camera', 'side', *(['root_depth', 'ref_length'] if self.root_depth == 'given' else [])]
        missing = [key for key in needed if key not in targets]
        if missing:
            raise ConfigError(
                f'correcting pseudo-labels needs {missing} of the target images, which the dataset does not '
                "give; use root_depth='solve' where root depth or reference length are unknown"
            )
        if self.root_depth == 'solve' and 'ref_length' in targets:
            needed.append('ref_length')
        return {key: targets[key] for key in needed}

    def _follow(self, pose: Tensor, facts: Mapping[str, Tensor]) -> None:
        """Move the template of the correction towards the predictions ``(B, 21, 3)`` of all processes."""
        if self.correction is None:
            return
        camera, side = facts['camera'].to(pose), facts['side'].to(pose)
        known = facts.get('root_depth'), facts.get('ref_length')
        depth, length = self.correction.absolute(pose, camera, *known)
        joints = self.correction.codec.lift(pose, camera, depth, length)
        if is_distributed():
            joints, side = torch.cat(all_gather(joints)), torch.cat(all_gather(side))
        self.correction.correction.update_template(joints, side, self.template_momentum)

    def _spread(self, predicted: Tensor, corrected: Tensor, label: Tensor) -> Tensor:
        """C ``(B,)`` or ``(B, 21)``."""
        weight, per_joint = self.depth_weight, self.selector.per_joint
        if self.selector.form == 'semihand':
            means = predicted.mean(0), corrected.mean(0)
            return semihand_confidence(predicted[0], predicted[-1], *means, weight, per_joint)
        poses = predicted if self.correction is None else torch.cat([predicted, corrected])
        return variance_confidence(poses, label, weight, per_joint)


@LABELERS.register_module()
class BankedLabels(nn.Module):
    """Labels that ``LoadPseudoLabel`` put into the batch, for ``PseudoLabelHook(refresh='epoch')``.

    Args:
        corrector: The labeler that made them, where it has a method ``correct`` and wants
            the correction of the labels as a second target (``SemiHandLabels``); or None.
    """

    uses_poses = False

    def __init__(self, corrector: Any = None) -> None:
        super().__init__()
        self._corrector = (corrector,)  # not a part of this module: whoever made it keeps its state

    @torch.no_grad()
    def forward(
        self, poses: Mapping[str, Tensor], targets: Mapping[str, Tensor], progress: float = 0.0
    ) -> PseudoLabels:
        """The labels of a batch.

        Args:
            poses: Not used.
            targets: ``pseudo_pose25d (B, 21, 3)``, ``pseudo_weight`` and
                ``pseudo_confidence``, ``(B,)`` or ``(B, 21)``; with a corrector also the
                camera facts that it needs.
            progress: Not used.

        Returns:
            Them.

        Raises:
            ConfigError: The pipeline does not load them.
        """
        keys = ('pseudo_pose25d', 'pseudo_weight', 'pseudo_confidence')
        missing = [key for key in keys if key not in targets]
        if missing:
            raise ConfigError(
                f'the target batches have no {missing}: put LoadPseudoLabel at the end of the pipeline of '
                "the target stream, or use PseudoLabelHook(refresh='iter')"
            )
        label, weight, confidence = (targets[key] for key in keys)
        found = PseudoLabels(label, weight, confidence, label_shares(weight, confidence))
        (corrector,) = self._corrector
        if corrector is None:
            return found
        corrected, valid = corrector.correct(label, targets)
        known = valid & confidence.isfinite().view(len(label), -1).any(1)
        corrected = torch.where(known[:, None, None], corrected, torch.zeros_like(corrected))
        share = corrector.correction_weight * known.float()
        return found._replace(corrected=corrected, corrected_weight=share)


def label_shares(weight: Tensor, confidence: Tensor) -> dict[str, Tensor]:
    """What is worth logging of weights and C, each ``(B,)`` or ``(B, 21)``.

    Returns:
        ``accepted``, the share of hands with a joint that counts;
        ``accepted_joints``, that of joints; ``confidence``, the mean of the finite C.
    """
    kept = (weight > 0).float()
    finite = confidence.isfinite()
    known = torch.where(finite, confidence, torch.zeros_like(confidence)).sum() / finite.sum().clamp_min(1)
    return {
        'accepted': kept.amax(1).mean() if kept.ndim == 2 else kept.mean(),
        'accepted_joints': kept.mean(),
        'confidence': known,
    }


def correction_sizes(predicted: Tensor, corrected: Tensor, valid: Tensor) -> dict[str, Tensor]:
    """How far rho moves poses ``(Q, B, 21, 3)`` that it could correct, ``(Q, B)``.

    Returns:
        Means over joints: ``correction_px`` in px of the 64-grid,
        ``correction_depth`` in reference bones.
    """
    moved = torch.where(valid[..., None, None], corrected - predicted, torch.zeros_like(predicted))
    count = valid.sum().clamp_min(1) * predicted.shape[2]
    return {
        'correction_px': moved[..., :2].norm(dim=-1).sum() / count,
        'correction_depth': moved[..., 2].abs().sum() / count,
    }


def _share(given: float | Mapping[str, Any] | Sequence[Sequence[float]]) -> Schedule:
    return Schedule([(0.0, given)]) if isinstance(given, int | float) else Schedule.from_config(given)
