"""What a model calls for its labels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmdualhand.engine.labels.means import EpochMeans
from mmdualhand.engine.labels.memory import LabelMemory
from mmdualhand.models import PseudoLabels


class LabelSource:
    """A labeler that knows the progress of the run, and watches what it makes.

    No module, so that a model may hold one and its checkpoints stay those of the
    network.

    Args:
        labeler: A module of :mod:`mmdualhand.pseudo_labels.labelers`, or of a third party.
        memory: Where labels are remembered to measure their drift, or None.

    Attributes:
        progress: Share of the run that is done, set before every step.
        means: Means since the last ``take()`` of what is in the monitor, and
            ``keep``, the share of accepted hands for each joint.
        uses_poses: Whether the labels are made of the poses that are handed in.
    """

    def __init__(self, labeler: nn.Module, memory: LabelMemory | None = None) -> None:
        self.labeler = labeler
        self.memory = memory
        self.progress = 0.0
        self.means = EpochMeans()
        self.uses_poses = bool(getattr(labeler, 'uses_poses', True))

    @torch.no_grad()
    def __call__(self, poses: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> PseudoLabels:
        """Label a batch; adds to the monitor of the labeler.

        Args:
            poses: Branch to ``(B, 21, 3)`` 2.5D poses.
            targets: Camera facts, ``crop_matrix`` and, for the drift,
                ``sample_index``.

        Returns:
            The labels, with ``drift_px`` and ``drift_depth`` (see
            :func:`~mmdualhand.engine.labels.memory.label_drift`) and ``pose_std``,
            the spread of the predictions over the batch, px of the 64-grid.
        """
        labels: PseudoLabels = self.labeler(poses, targets, self.progress)
        monitor = dict(labels.monitor)
        if self.memory is not None and 'sample_index' in targets:
            monitor.update(self.memory.compare(labels, targets))
        monitor['pose_std'] = poses['rgb'][..., :2].float().std(0, correction=0).mean()
        kept = (labels.weight > 0).float()
        keep = {'keep': kept.mean(0)} if kept.ndim == 2 else {}
        self.means.add({**monitor, **keep}, len(labels.pose25d))
        return labels._replace(monitor=monitor)
