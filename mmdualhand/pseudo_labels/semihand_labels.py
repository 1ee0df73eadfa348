"""SemiHand's labels: a running compromise of prediction and correction (ICCV 2021, Section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from zlib import crc32

import torch
from torch import Tensor

from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError
from mmdualhand.models import AffinePerturbation, PseudoLabels, Warp
from mmdualhand.models.perturbation import unwarp_pose25d, warp_images
from mmdualhand.pseudo_labels.confidence import semihand_confidence
from mmdualhand.pseudo_labels.labelers import AveragedLabels, correction_sizes, label_shares
from mmdualhand.registry import LABELERS

UPDATES = ('average', 'replace')
REGISTRATION: Mapping[str, Any] = MappingProxyType(
    dict(limits='none', palm='chain', template='source', placement='root')
)
"""P of SemiHand: bone lengths alone, along the kinematic chain, the root where it was."""
MIXTURE: Mapping[str, Any] = MappingProxyType(
    dict(shift=5 / 64, rotation=2.0, quarter_turns=True, choose_one=True)
)
"""T of SemiHand: a shift of up to 5 px of 64, a turn of up to 2 degrees, or a quarter turn."""


@LABELERS.register_module()
class SemiHandLabels(AveragedLabels):
    r"""The label p^, its correction r = P(p^), and how far both may be trusted.

    .. math:: \hat p = (p' + r') / 2, \quad
        C = \ell(T \hat p, f(T x)) + \ell(\hat p, P(\hat p))

    with p' the prediction of now and r' the correction of the label before; the first label
    is the prediction. C is taken in the frame of x, which is the same: T keeps lengths.
    Training pulls to p^ where the selector accepts it, and to r wherever there is one.

    For ``PseudoLabelHook(refresh='epoch')``, which keeps the labels; with ``'iter'`` there
    are none before, and f(Tx) is that of the consistency losses. The motion T of an image
    is the same at every refresh, so that a run that was killed writes the same labels.

    Args:
        codec: The 2.5D codec of the network.
        correction: P: arguments of :class:`BiomechanicalCorrection`.
        selector: Config of a selector; ``SemiHandSelection`` by default.
        update: ``'average'`` as above, or ``'replace'``: the label is the prediction.
        perturbation: T: keys of :class:`~mmdualhand.models.AffinePerturbation`.
        depth_weight: lambda_z inside the distance.
        root_depth: See :class:`AveragedLabels`.

    Raises:
        ConfigError: A value without meaning.
    """

    uses_previous = True

    def __init__(
        self,
        codec: Pose25D,
        correction: Mapping[str, Any] = REGISTRATION,
        selector: Mapping[str, Any] | None = None,
        update: str = 'average',
        perturbation: Mapping[str, Any] = MIXTURE,
        depth_weight: float = 50.0,
        root_depth: str = 'given',
    ) -> None:
        if update not in UPDATES:
            raise ConfigError(f'update of SemiHandLabels must be one of {UPDATES}, got {update!r}')
        if correction is None:
            raise ConfigError('SemiHandLabels needs a correction: without it there is no r')
        chosen = dict(selector or dict(type='SemiHandSelection'))
        super().__init__(codec, dict(correction), chosen, ('rgb',), depth_weight, 1.0, root_depth)
        self.update = update
        self.perturbation = AffinePerturbation(**perturbation)
        if not self.perturbation.keeps_size or self.perturbation.flip:
            raise ConfigError('perturbation of SemiHandLabels: leave scale at (1, 1) and flip at 0')
        self.correction_weight = float(getattr(self.selector, 'correction_weight', 1.0))

    @torch.no_grad()
    def look(
        self, model: Any, rgb: Tensor, sample_ids: Sequence[str]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Look at images twice, as they are and moved.

        Args:
            model: Estimator with a method ``look``.
            rgb: ``(B, 3, H, W)`` normalised.
            sample_ids: Their names, from which the motions follow.

        Returns:
            Branch to ``(B, 21, 3)`` 2.5D poses, with ``moved``, f(Tx) moved back; no facts.
        """
        poses = {branch: one.pose25d for branch, one in model.look(rgb).items()}
        warp = self._motions(sample_ids, rgb.device)
        moved = model.look(warp_images(rgb, warp))['rgb'].pose25d
        return {**poses, 'moved': unwarp_pose25d(moved, warp, rescaled=True)}, {}

    def _motions(self, names: Sequence[str], device: torch.device) -> Warp:
        rows = [
            self.perturbation.sample(1, generator=torch.Generator().manual_seed(crc32(name.encode())))
            for name in names
        ]
        return Warp(*(torch.cat(parts).to(device) for parts in zip(*rows, strict=True)))

    @torch.no_grad()
    def forward(
        self, poses: Mapping[str, Tensor], targets: Mapping[str, Tensor], progress: float = 0.0
    ) -> PseudoLabels:
        """Label a batch.

        Args:
            poses: ``rgb (B, 21, 3)``, and ``moved``, f(Tx) moved back; without it, as on
                a probe that nobody moves, only the second part of C counts.
            targets: As for :class:`AveragedLabels`; ``previous_pose25d (B, 21, 3)``, the
                labels before, NaN where there is none.
            progress: Share of the run that is done.

        Returns:
            Labels, with their correction as the second target.

        Raises:
            ConfigError: There is no rgb branch, or a camera fact is missing.
        """
        if 'rgb' not in poses:
            raise ConfigError(f'SemiHandLabels labels the rgb branch, the network gives {tuple(poses)}')
        pose = poses['rgb'].float()
        label = self._updated(pose, targets)
        corrected, valid = self.correct(label, targets)
        moved = poses.get('moved', label).float()
        per_joint = self.selector.per_joint
        spread = semihand_confidence(label, moved, label, corrected, self.depth_weight, per_joint)
        usable = valid & torch.isfinite(label).flatten(1).all(1)
        rows = usable.view(-1, *[1] * (spread.ndim - 1))
        confidence = torch.where(rows, spread, torch.inf)
        weight = self.selector(confidence, progress)
        sizes = correction_sizes(label[None], corrected[None], valid[None])
        label, corrected = (torch.where(usable[:, None, None], x, 0.0) for x in (label, corrected))
        share = self.correction_weight * usable.float()
        monitor = {**sizes, **label_shares(weight, confidence)}
        return PseudoLabels(label, weight, confidence, monitor, corrected, share)

    def correct(self, pose: Tensor, targets: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """P of poses ``(B, 21, 3)``, and ``(B,)`` whether each could be corrected."""
        corrected, valid = self._correct(pose[None], targets)
        return corrected[0], valid[0]

    def _updated(self, pose: Tensor, targets: Mapping[str, Tensor]) -> Tensor:
        """The label p^ of predictions p'."""
        previous = targets.get('previous_pose25d')
        if previous is None or self.update == 'replace':
            return pose
        known = torch.isfinite(previous).flatten(1).all(1)
        before = torch.where(known[:, None, None], previous.float(), pose)
        corrected, valid = self.correct(before, targets)
        return torch.where((known & valid)[:, None, None], (pose + corrected) / 2, pose)
