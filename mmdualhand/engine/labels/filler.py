"""Labels of a whole dataset, written into a bank."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.dist import barrier
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmdualhand.engine.labels.batches import clean_batches, look_at
from mmdualhand.engine.labels.means import EpochMeans
from mmdualhand.engine.labels.memory import label_drift
from mmdualhand.models import PseudoLabels
from mmdualhand.pseudo_labels import PseudoLabelBank, pose_to_crop, pose_to_image, rows_of_rank


class BankFiller:
    """Fills refreshes of a bank with labels of eval-mode predictions.

    Every process fills rows of its own. Rows that are written already, by a run that
    was killed, are left as they are: the same weights would write the same again.
    Where the labeler has a selector, weights are decided when all labels are there,
    over the whole dataset.

    Args:
        model: A :class:`~mmdualhand.models.SelfTrainingEstimator`.
        labeler: Makes the labels; in eval mode, so that its state stays.
        dataset: The images without augmentation, rows as in the bank.
        bank: Where the labels go.
        batch_size: Images at a time.
        num_workers: Processes that read.
    """

    def __init__(
        self,
        model: Any,
        labeler: nn.Module,
        dataset: Dataset,
        bank: PseudoLabelBank,
        batch_size: int,
        num_workers: int = 0,
    ) -> None:
        self.model = model
        self.labeler = labeler.eval()
        self.dataset = dataset
        self.bank = bank
        self.batch_size = batch_size
        self.num_workers = num_workers

    def fill(self, number: int, progress: float) -> dict[str, list[float]]:
        """Write a refresh and let readers see it; every process must call.

        Args:
            number: Number of the refresh, from 0.
            progress: Share of the run that is done.

        Returns:
            Means of the labeler's monitor and of the drift since the refresh before,
            over the rows that were written now; share of accepted labels
            (``accepted``) and of joints over all rows.
        """
        rows = np.array(rows_of_rank(len(self.bank)), dtype=np.int64)
        missing = rows[~self.bank.read(rows, refresh=number).written] if len(rows) else rows
        means = EpochMeans()
        for batch in clean_batches(self.dataset, missing.tolist(), self.batch_size, self.num_workers):
            self._write(number, batch, progress, means)
        barrier()
        accepted = self._weigh(number, rows, progress)
        self.bank.publish(number)
        return {**means.take(), **accepted}

    @torch.no_grad()
    def _write(self, number: int, batch: dict[str, Any], progress: float, means: EpochMeans) -> None:
        poses, targets = look_at(self.model, batch, self.labeler)
        metas = [sample.metainfo for sample in batch['data_samples']]
        indices, names = [m['sample_index'] for m in metas], [m['sample_id'] for m in metas]
        if number and getattr(self.labeler, 'uses_previous', False):
            targets = {**targets, 'previous_pose25d': self._previous(number, indices, metas).to(poses['rgb'])}
        labels: PseudoLabels = self.labeler(poses, targets, progress)
        monitor = dict(labels.monitor)
        monitor['pose_std'] = poses['rgb'][..., :2].float().std(0, correction=0).mean()
        if number:
            monitor.update(self._drift(number, indices, labels, targets))
        means.add(monitor, len(indices))
        image = pose_to_image(labels.pose25d, targets['crop_matrix'], self.model.codec.input_size)
        arrays = (x.float().cpu().numpy() for x in (image, labels.weight, labels.confidence))
        self.bank.write(number, indices, names, *arrays)

    def _previous(self, number: int, indices: list[int], metas: list[dict[str, Any]]) -> Tensor:
        """Labels ``(B, 21, 3)`` of the refresh before in the crops of now, NaN where there is none."""
        old = self.bank.read(indices, refresh=number - 1)
        known = old.written & np.isfinite(old.confidence).reshape(len(indices), -1).any(1)
        size = self.model.codec.input_size
        poses = [
            pose_to_crop(label, np.asarray(meta['crop_matrix']), size)
            for label, meta in zip(old.labels, metas, strict=True)
        ]
        return torch.from_numpy(np.where(known[:, None, None], np.stack(poses), np.nan))

    def _drift(
        self, number: int, indices: list[int], labels: PseudoLabels, targets: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        old = self.bank.read(indices, refresh=number - 1)
        known = torch.from_numpy(old.written & np.isfinite(old.confidence).reshape(len(indices), -1).any(1))
        usable = labels.confidence.isfinite().view(len(indices), -1).any(1)
        before = torch.from_numpy(old.labels).to(labels.pose25d)
        both = usable & known.to(usable.device)
        return label_drift(labels.pose25d, before, both, targets['crop_matrix'], self.model.codec.input_size)

    def _weigh(self, number: int, rows: np.ndarray, progress: float) -> dict[str, list[float]]:
        """Decide the weights of all rows; a process writes those of its own."""
        every = self.bank.read(np.arange(len(self.bank)), refresh=number)
        weight, selector = every.weight, getattr(self.labeler, 'selector', None)
        if selector is not None:
            device = next(iter(self.model.parameters())).device
            confidence = torch.from_numpy(every.confidence).to(device)
            weight = selector.of_dataset(confidence, progress).cpu().numpy()
            self.bank.set_weight(number, rows, weight[rows])
        kept = weight.reshape(len(weight), -1) > 0
        return {'accepted': [float(kept.any(1).mean())], 'accepted_joints': [float(kept.mean())]}
