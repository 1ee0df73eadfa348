"""Heat maps made of a network's own predictions, the pseudo-labels of RegDA."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmdualhand.codecs import GRID_SIZE, argmax_cells, gaussian_maps
from mmdualhand.errors import ConfigError
from mmdualhand.registry import MODELS


@MODELS.register_module()
class HeatmapPseudoTarget(nn.Module):
    r"""Ground-true and ground-false maps of predicted keypoints (RegDA, Eq. 5 and 6).

    Ground truth T_k is a Gaussian at the largest value of map k; ground false F_k is where the
    other joints are: :math:`F_k = clip(\sum_{j \ne k} T_j, 0, 1)`. Neither carries a gradient.

    Args:
        sigma: Standard deviation of the Gaussians, px of the 64-grid.
        require_positive: Put joints whose largest value is not above 0 at the pixel (0, 0), as
            the authors' code does; logits of a softmax have no reason to be positive.

    Raises:
        ConfigError: ``sigma`` is not positive.
    """

    def __init__(self, sigma: float = 2.0, require_positive: bool = False) -> None:
        super().__init__()
        if not sigma > 0:
            raise ConfigError(f'sigma of HeatmapPseudoTarget must be positive, got {sigma}')
        self.sigma = float(sigma)
        self.require_positive = require_positive

    @torch.no_grad()
    def truth(self, heatmaps: Tensor) -> Tensor:
        """Ground-true maps.

        Args:
            heatmaps: ``(B, K, h, w)`` predicted logits.

        Returns:
            ``(B, K, h, w)`` float32 in 0..1.
        """
        cells, value = argmax_cells(heatmaps)
        if self.require_positive:
            cells = torch.where((value > 0)[..., None], cells, torch.zeros_like(cells))
        width, height = heatmaps.shape[-1], heatmaps.shape[-2]
        return gaussian_maps(cells, (width, height), self.sigma * width / GRID_SIZE)

    @torch.no_grad()
    def false(self, heatmaps: Tensor) -> Tensor:
        """Ground-false maps, of the shape and range of :meth:`truth`; all 0 for a single joint."""
        truth = self.truth(heatmaps)
        if truth.shape[1] == 1:
            return torch.zeros_like(truth)
        return (truth.sum(1, keepdim=True) - truth).clamp(0.0, 1.0)

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Both; see :meth:`truth` and :meth:`false`."""
        return self.truth(heatmaps), self.false(heatmaps)

    def extra_repr(self) -> str:
        """Arguments for printing."""
        return f'sigma={self.sigma}, require_positive={self.require_positive}'
