"""Attention of depth features, Eq. 1 of the paper."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmdualhand.registry import MODELS

_TINY = 1e-12


@MODELS.register_module()
class DepthAttention(nn.Module):
    r"""Spatial weights from the agreement of local and mean depth features (Eq. 1).

    With :math:`\bar f` the spatial mean of the feature map, the denominator of
    Eq. 1 is :math:`hw\,\|\bar f\|^2`, so that in closed form

    .. math:: w_{ij} = \langle \bar f, f_{ij} \rangle / \|\bar f\|^2

    with spatial mean exactly 1. Features come after a ReLU, so weights are not
    negative. Where the mean feature is zero the weight is 1 everywhere. The
    weights are computed in float32 whatever the precision of the features.
    The module has no parameters.
    """

    def weights(self, features: Tensor) -> Tensor:
        """Attention weights of a depth feature map.

        Args:
            features: ``(B, C, h, w)``.

        Returns:
            ``(B, 1, h, w)`` float32 (float64 for float64 features), spatial mean 1.

        Raises:
            ValueError: ``features`` is not four-dimensional.
        """
        if features.dim() != 4:
            raise ValueError(f'features must be (B, C, h, w), got {tuple(features.shape)}')
        f = features if features.dtype == torch.float64 else features.float()
        mean = f.mean((2, 3), keepdim=True)
        norm = mean.square().sum(1, keepdim=True)
        agreement = (mean * f).sum(1, keepdim=True)
        return torch.where(norm > _TINY, agreement / norm.clamp_min(_TINY), torch.ones_like(agreement))

    def forward(self, depth_features: Tensor, features: Tensor | None = None) -> Tensor:
        """Weight a feature map by the attention of a depth feature map.

        Args:
            depth_features: ``(B, C, h, w)``, the source of the weights.
            features: ``(B, C', h, w)`` to be weighted; the depth features
                themselves (self-attention) where None.

        Returns:
            The weighted map, in the dtype of the map that was weighted.
        """
        target = depth_features if features is None else features
        return target * self.weights(depth_features).to(target.dtype)
