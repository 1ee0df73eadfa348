"""Projection of latent features to the space of the contrastive loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mmdualhand.codecs import full_precision
from mmdualhand.models.branch_norm import convert_batch_norm
from mmdualhand.registry import MODELS


@MODELS.register_module()
class ProjectionHead(nn.Module):
    """Global average pooling and two fully-connected layers (Section 3.2).

    The paper says "two fully-connected layers"; read as one two-layer
    perceptron with batch normalisation and ReLU between.

    Args:
        in_channels: Channels of the latent features.
        hidden_channels: Width of the hidden layer.
        out_channels: Dimension of the embedding.
        branches: Branches that pass through this projection.
        bn_groups: See :class:`~mmdualhand.models.branch_norm.BranchBatchNorm`.
        last_bias: Whether the last layer has a bias; PeCLR's has none.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int = 512,
        out_channels: int = 128,
        branches: Sequence[str] = ('rgb', 'fused'),
        bn_groups: str = 'per_branch',
        last_bias: bool = True,
    ) -> None:
        super().__init__()
        self.branches = tuple(branches)
        self.layers = convert_batch_norm(
            nn.Sequential(
                nn.Linear(in_channels, hidden_channels, bias=False),
                nn.BatchNorm1d(hidden_channels),
                nn.ReLU(inplace=True),
                nn.Linear(hidden_channels, out_channels, bias=last_bias),
            ),
            branches,
            bn_groups,
        )

    def forward(self, features: Tensor) -> Tensor:
        """``(N, C, h, w)`` features to ``(N, out_channels)`` float32 of unit length."""
        embedding = self.layers(features.mean((2, 3)))
        with full_precision(embedding.device):
            return F.normalize(embedding.float(), dim=1)
