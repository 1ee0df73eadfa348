"""True errors of labels, on images whose labels are known and not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmdualhand.engine.labels.batches import clean_batches, look_at
from mmdualhand.errors import ConfigError
from mmdualhand.models import PseudoLabels


class LabelProbe:
    """Measures predictions and labels on a labelled set, in mm after lifting with the true root depth.

    Nothing of it reaches a training step: the model is in eval mode and the labeler
    keeps its state.

    Args:
        model: A :class:`~mmdualhand.models.SelfTrainingEstimator`.
        dataset: Packed samples without augmentation, with ``pose25d``.
        batch_size: Images at a time.
        num_workers: Processes that read.

    Raises:
        ConfigError: The network has no 3D.
    """

    def __init__(self, model: Any, dataset: Dataset, batch_size: int, num_workers: int = 0) -> None:
        if not hasattr(model.codec, 'lift'):
            raise ConfigError(
                'PseudoLabelHook(probe=...) measures labels in mm, and this network predicts 2D keypoints '
                'alone: leave probe out'
            )
        self.model = model
        self.dataset = dataset
        self.batch_size = batch_size
        self.num_workers = num_workers

    def measure(self, labeler: nn.Module, progress: float, whole: bool = False) -> dict[str, float]:
        """Errors at this point of the run.

        Args:
            labeler: Makes the labels.
            progress: Share of the run that is done.
            whole: Let the selector see all confidences at once, as where a bank is
                filled.

        Returns:
            Mean distance of the joints in mm: of the predictions ``rgb``, ``fused``
            and ``depth``, of all labels ``label``, of the ``accepted`` and of the
            ``rejected`` ones where there are some; ``accepted_share``, and
            ``confidence``, the median of C.

        Raises:
            ConfigError: The samples have no 3D label.
        """
        mode = labeler.training
        labeler.eval()
        try:
            errors, weight, confidence = self._collect(labeler, progress)
            selector = getattr(labeler, 'selector', None)
            if whole and selector is not None:
                weight = selector.of_dataset(confidence, progress)
        finally:
            labeler.train(mode)
        return _summary(
            {name: error.cpu().numpy() for name, error in errors.items()},
            weight.reshape(len(weight), -1).cpu().numpy(),
            confidence.reshape(len(weight), -1).cpu().numpy(),
        )

    def _collect(self, labeler: nn.Module, progress: float) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        errors: dict[str, list[Tensor]] = {}
        judged: list[PseudoLabels] = []
        rows = range(len(self.dataset))  # type: ignore[arg-type]
        for batch in clean_batches(self.dataset, rows, self.batch_size, self.num_workers):
            poses, targets = look_at(self.model, batch, labeler)
            judged.append(labeler(poses, targets, progress))
            for name, pose in {**poses, 'label': judged[-1].pose25d}.items():
                errors.setdefault(name, []).append(self._distance(pose, targets))
        return (
            {name: torch.cat(parts) for name, parts in errors.items()},
            torch.cat([labels.weight for labels in judged]),
            torch.cat([labels.confidence for labels in judged]),
        )

    def _distance(self, pose: Tensor, targets: dict[str, Tensor]) -> Tensor:
        """``(B, 21)`` mm."""
        missing = [key for key in ('pose25d', 'camera', 'root_depth', 'ref_length') if key not in targets]
        if missing:
            raise ConfigError(
                f'PseudoLabelHook(probe=...) measures labels, and its dataset gives no {missing}: use a '
                'labelled one, without DropLabels in its pipeline'
            )
        facts = [targets[key].double() for key in ('camera', 'root_depth', 'ref_length')]
        one, other = (self.model.codec.lift(x.double(), *facts) for x in (pose, targets['pose25d']))
        return (one - other).norm(dim=-1)


def _summary(errors: dict[str, np.ndarray], weight: np.ndarray, confidence: np.ndarray) -> dict[str, float]:
    """Means over joints whose truth is known; ``weight`` and C ``(N, 1)`` or ``(N, 21)``."""
    label = errors['label']
    known = np.isfinite(label)
    kept = np.broadcast_to(weight > 0, label.shape) & known
    groups = {name: (error, np.isfinite(error)) for name, error in errors.items()}
    groups.update(accepted=(label, kept), rejected=(label, known & ~kept))
    means = {name: float(error[chosen].mean()) for name, (error, chosen) in groups.items() if chosen.any()}
    finite = confidence[np.isfinite(confidence)]
    if len(finite):
        means['confidence'] = float(np.median(finite))
    return {**means, 'accepted_share': float(kept.sum() / max(known.sum(), 1))}
