"""Labels of heat-map networks: keypoints on which moved views of an image agree (CC-SSL, CVPR 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_world_size
from torch import Tensor, nn

from mmdualhand.codecs import Heatmap, argmax_cells
from mmdualhand.errors import ConfigError
from mmdualhand.models import PseudoLabels
from mmdualhand.models.data_preprocessor import IMAGENET_MEAN, IMAGENET_STD
from mmdualhand.models.perturbation import Warp, unwarp_images, warp_images
from mmdualhand.pseudo_labels.labelers import label_shares
from mmdualhand.pseudo_labels.selectors import Selector
from mmdualhand.pseudo_labels.temporal import Frame, OpticalFlowTemporalFilter
from mmdualhand.registry import LABELERS, SELECTORS
from mmdualhand.structures import to_grid

SCORES = 'pred_scores'
"""Name among the facts of a batch of the confidences ``(B, 21)`` that :meth:`look` found."""


@LABELERS.register_module()
class EquivariantHeatmapLabeler(nn.Module):
    """The mean of the heat maps of several views, each brought back to the image.

    The first view is the image itself; the others are turned by N(0, rotation) degrees
    and scaled by 1 + N(0, scale), both cut off. A keypoint is where the mean map is
    largest, moved by a quarter of a cell of it towards the larger neighbour, and its
    confidence is the value there: it is high where all views agree. C is
    1 - confidence, as low is good here, and the selector decides over all keypoints of
    the dataset at once.

    All images share the views, which are drawn once; so what is labelled does not depend
    on how images are batched, nor on where a killed run had stopped.

    For ``PseudoLabelHook(refresh='epoch')`` and networks of heat maps.

    Args:
        codec: The heat map codec of the network.
        num_views: Number of views with the image itself; 1 is the plain prediction.
        rotation: Standard deviation of the angle, degrees.
        max_rotation: Largest angle, degrees.
        scale: Standard deviation and largest change of the size.
        flip: Also look at the mirror image of every view. It shows a left hand, which
            the network never meets in training.
        selector: Config of a selector; it turns C into weights. By default the curriculum
            of CC-SSL.
        temporal: For videos: arguments of :class:`OpticalFlowTemporalFilter`, or None.
        seed: Of the views.

    Raises:
        ConfigError: A value without meaning.
    """

    def __init__(
        self,
        codec: Heatmap,
        num_views: int = 5,
        rotation: float = 30.0,
        max_rotation: float = 60.0,
        scale: float = 0.25,
        flip: bool = False,
        selector: Mapping[str, Any] | None = None,
        temporal: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if num_views < 1 or not 0 <= rotation <= 180 or not 0 <= max_rotation <= 180 or not 0 <= scale < 1:
            raise ConfigError(
                'EquivariantHeatmapLabeler needs num_views of 1 or more, rotation and max_rotation within '
                f'0..180 degrees and scale in [0, 1); got {num_views}, {rotation}, {max_rotation}, {scale}'
            )
        if not isinstance(codec, Heatmap):
            raise ConfigError(
                'EquivariantHeatmapLabeler labels with heat maps (codec Heatmap), the network has '
                f'{type(codec).__name__}: use AveragedLabels'
            )
        self.selector: Selector = SELECTORS.build(dict(selector or dict(type='CurriculumQuantile')))
        if not self.selector.per_joint:
            raise ConfigError('EquivariantHeatmapLabeler judges joints: use a selector with per_joint=True')
        self.input_size = codec.input_size
        self.decoder = Heatmap(codec.input_size, codec.heatmap_size, codec.sigma, quarter_shift=True)
        self.flip = flip
        self.temporal = None if temporal is None else OpticalFlowTemporalFilter(**temporal)
        generator = torch.Generator().manual_seed(seed)
        draw = torch.randn(2, num_views, generator=generator)
        draw[:, 0] = 0.0
        self.angles: list[float] = (rotation * draw[0]).clamp(-max_rotation, max_rotation).tolist()
        self.scales: list[float] = (1.0 + scale * draw[1]).clamp(1.0 - scale, 1.0 + scale).tolist()

    @torch.no_grad()
    def look(
        self, model: Any, rgb: Tensor, sample_ids: Sequence[str] = ()
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Look at a batch from all views.

        Args:
            model: With a method ``look``, which gives the heat maps of images in eval mode.
            rgb: ``(B, 3, H, W)`` normalised.
            sample_ids: B ids that end in the number of the frame, for ``temporal``.

        Returns:
            ``rgb``: ``(B, 21, 3)`` u, v in pixels of the 64-grid and d = 0; and, for the facts
            of the batch, ``pred_scores (B, 21)``: the confidences.

        Raises:
            ConfigError: A video is to be followed in more than one process.
        """
        total: Any = 0.0
        views = self._views(len(rgb), rgb.device)
        for warp in views:
            seen = model.look(warp_images(rgb, warp))['rgb'].heatmaps
            total = total + unwarp_images(seen.float(), warp)
        mean: Tensor = total / len(views)
        uv, scores = self.decoder.decode(mean)[0], argmax_cells(mean)[1]
        if self.temporal is not None:
            uv, scores = self._follow(self.temporal, uv, scores, rgb, sample_ids)
        return {'rgb': torch.cat([uv, torch.zeros_like(uv[..., :1])], dim=-1)}, {SCORES: scores}

    def _views(self, rows: int, device: torch.device) -> list[Warp]:
        views = []
        for angle, scale in zip(self.angles, self.scales, strict=True):
            for flip in (False, True) if self.flip else (False,):
                ones = torch.ones(rows, device=device)
                shift = torch.zeros(rows, 2, device=device)
                views.append(Warp(angle * ones, shift, scale * ones, ones > (0.0 if flip else 1.0)))
        return views

    def _follow(
        self,
        follower: OpticalFlowTemporalFilter,
        uv: Tensor,
        scores: Tensor,
        rgb: Tensor,
        sample_ids: Sequence[str],
    ) -> tuple[Tensor, Tensor]:
        """Check keypoints of consecutive frames along the video."""
        if get_world_size() > 1:
            raise ConfigError('temporal of EquivariantHeatmapLabeler follows a video in one process alone')
        grid = self.decoder.grid_size
        points = to_grid(uv.double(), grid, self.input_size).cpu().numpy()
        parts = zip(sample_ids, _grey(rgb), points, scores.double().cpu().numpy(), strict=True)
        frames = [follower(name, Frame(*frame)) for name, *frame in parts]
        moved = torch.from_numpy(np.stack([frame.uv for frame in frames])).to(uv)
        confidence = torch.from_numpy(np.stack([frame.confidence for frame in frames])).to(scores)
        return to_grid(moved, self.input_size, grid), confidence

    @torch.no_grad()
    def forward(
        self, poses: Mapping[str, Tensor], targets: Mapping[str, Tensor], progress: float = 0.0
    ) -> PseudoLabels:
        """Labels of a batch that was looked at.

        Args:
            poses: ``rgb``: ``(B, 21, 3)`` keypoints of :meth:`look`.
            targets: ``pred_scores (B, 21)``, their confidences.
            progress: Share of the run that is done.

        Returns:
            Labels with d = 0, weights and C for every joint.

        Raises:
            ConfigError: The labels are made in every step, of no look of its own.
        """
        if SCORES not in targets:
            raise ConfigError(
                "EquivariantHeatmapLabeler looks at whole datasets: use PseudoLabelHook(refresh='epoch')"
            )
        pose = poses['rgb'].float()
        usable = pose.isfinite().all(-1)
        confidence = torch.where(usable, 1.0 - targets[SCORES].float(), torch.inf)
        weight = self.selector(confidence, progress)
        label = torch.where(usable[..., None], pose, torch.zeros_like(pose))
        return PseudoLabels(label, weight, confidence, label_shares(weight, confidence))

    def extra_repr(self) -> str:
        """Settings, for printing."""
        return f'num_views={len(self.angles)}, flip={self.flip}'


def _grey(rgb: Tensor) -> np.ndarray:
    """``(B, H, W)`` uint8 of normalised images."""
    mean, std = (rgb.new_tensor(x).view(1, 3, 1, 1) for x in (IMAGENET_MEAN, IMAGENET_STD))
    grey: np.ndarray = (rgb * std + mean).mean(1).round().clamp(0, 255).byte().cpu().numpy()
    return grey
