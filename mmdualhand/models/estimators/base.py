"""What all estimators share: mode dispatch and the form of their predictions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.model import BaseModel
from mmengine.structures import InstanceData, PixelData
from torch import Tensor

from mmdualhand.errors import ConfigError
from mmdualhand.models.estimators.root_depth import PalmDepth
from mmdualhand.models.estimators.uncrop import uncrop_predictions
from mmdualhand.models.heads import MultiModalPrediction
from mmdualhand.structures import INSTANCE_FIELDS, HandDataSample

Inputs = Mapping[str, Any]
Targets = Mapping[str, Tensor]


class BaseHandEstimator(BaseModel):
    """Routes a preprocessed batch to ``loss``, ``predict`` or ``extract``.

    Subclasses implement :meth:`loss`, :meth:`predict_branches` and
    :meth:`extract`.

    Attributes:
        palm_depth: Finds the root depth that 3D predictions are lifted with; None
            where that of the batch is used.
    """

    palm_depth: PalmDepth | None = None

    def forward(
        self,
        inputs: Inputs,
        targets: Targets | None = None,
        data_samples: Sequence[HandDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """One entry for the Runner.

        Args:
            inputs: ``rgb (V*B, 3, H, W)``, ``views`` and, where loaded,
                ``depth (V*B, 1, H, W)``, as the data preprocessor leaves them.
            targets: Batched labels and camera facts.
            data_samples: One a sample, filled by ``predict``.
            mode: ``loss``, ``predict`` or ``tensor``.

        Returns:
            A dict of losses; the data samples with predictions; or raw
            predictions by branch.

        Raises:
            ConfigError: The crops are not of the size that the codec decodes to.
            ValueError: Unknown mode, or what the mode needs is missing.
        """
        self._check_size(inputs)
        if mode == 'loss':
            if targets is None:
                raise ValueError("mode='loss' needs targets")
            return self.loss(inputs, targets)
        if mode == 'predict':
            if targets is None or data_samples is None:
                raise ValueError("mode='predict' needs targets (cameras, crops) and data_samples")
            return self.predict(inputs, targets, data_samples)
        if mode == 'tensor':
            return self.extract(inputs)
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def _check_size(self, inputs: Inputs) -> None:
        width, height = self.codec.input_size
        if tuple(inputs['rgb'].shape[-2:]) != (height, width):
            raise ConfigError(
                f'the crops are {inputs["rgb"].shape[-1]} x {inputs["rgb"].shape[-2]} pixels, the network is '
                f'configured for {width} x {height}: set input_size of HandCrop in the pipeline and '
                'model.head.codec.input_size to the same'
            )

    @abstractmethod
    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        """Losses of one training step, each named ``loss_*``."""

    @abstractmethod
    def predict_branches(self, inputs: Inputs) -> dict[str, MultiModalPrediction]:
        """Predictions with scores of every branch asked for at test time."""

    @abstractmethod
    def extract(self, inputs: Inputs) -> dict[str, MultiModalPrediction]:
        """Raw predictions of every branch that the input allows."""

    def predict(
        self, inputs: Inputs, targets: Targets, data_samples: Sequence[HandDataSample]
    ) -> list[HandDataSample]:
        """Predict and write the results on the data samples.

        2D keypoints are pixels of the original image, 3D keypoints mm in its
        camera frame, left hands un-mirrored; ``pose25d`` stays on the 64-grid
        of the crop. 3D is given where camera, root depth and reference length
        are known; ``root_depth_source`` says whether the depth was ``'given'`` or
        found by :attr:`palm_depth`, ``'solve'``. Mask and depth map are those of the
        rgb branch, in the crop; so is ``pred_attention``, written where the estimator
        was asked for it.
        """
        samples = list(data_samples)
        source = 'given' if self.palm_depth is None else 'solve'
        for branch, prediction in self.predict_branches(inputs).items():
            facts = self._lifting_facts(prediction, targets)
            arrays = uncrop_predictions(self.codec, prediction, facts)
            known = _can_be_lifted(facts, len(samples))
            for i, sample in enumerate(samples):
                sample.set_metainfo({'root_depth_source': source})
                fields = {key: value[i : i + 1] for key, value in arrays.items()}
                if not known[i]:
                    fields.pop('keypoints_3d', None)
                setattr(sample, INSTANCE_FIELDS[branch], InstanceData(**fields))
            if branch == 'rgb':
                self._write_maps(prediction, samples)
        return samples

    def _lifting_facts(self, prediction: MultiModalPrediction, targets: Targets) -> Targets:
        if self.palm_depth is None or not all(key in targets for key in ('camera', 'ref_length')):
            return targets
        found = self.palm_depth(prediction.pose25d, targets['camera'], targets['ref_length'])
        return {**targets, 'root_depth': found}

    @property
    @abstractmethod
    def codec(self) -> Any:
        """The 2.5D codec of the decoder."""

    @staticmethod
    def _write_maps(prediction: MultiModalPrediction, samples: Sequence[HandDataSample]) -> None:
        mask: np.ndarray = prediction.mask.detach().cpu().numpy()
        depth: np.ndarray = prediction.depth_map.detach().clamp(0, 1).cpu().numpy()
        for i, sample in enumerate(samples):
            sample.pred_fields = PixelData(mask=mask[i], depth_map=depth[i])
            if prediction.attention is not None:
                weights = prediction.attention[i].detach().float().cpu().numpy()
                sample.set_field(PixelData(weights=weights), 'pred_attention', dtype=PixelData)


def _can_be_lifted(targets: Targets, count: int) -> list[bool]:
    """Which samples of a batch have the numbers that lifting needs; a missing one is NaN."""
    known = torch.ones(count, dtype=torch.bool)
    for key in ('camera', 'root_depth', 'ref_length'):
        if key in targets:
            known &= torch.isfinite(targets[key]).reshape(count, -1).all(dim=1).cpu()
    return known.tolist()
