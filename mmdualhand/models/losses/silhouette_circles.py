"""Consistency of the predicted pose and the predicted mask: circles about the bones against the mask."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmdualhand.codecs import full_precision
from mmdualhand.errors import ConfigError
from mmdualhand.models.hand_circles import (
    CircleRadii,
    circle_distance,
    circle_weights,
    pixel_places,
    silhouette_terms,
)
from mmdualhand.models.perturbation import AffinePerturbation, warp_images, warp_points
from mmdualhand.registry import MODELS
from mmdualhand.structures import check_shape


@MODELS.register_module()
class SilhouetteCircleLoss(nn.Module):
    r"""SemiHand's cross-modal consistency (ICCV 2021, Section 3.3).

    .. math:: L_{cc} = \|R(G(uv)) - w\|_1 + \sum_g d(g)

    means over pixels in place of sums. The mask acts as a constant, and so do the radii:
    the loss moves joints. The drawing R is soft, because a hard one has no gradient. The
    radii come from a small network that ``CircleRadiiHook`` fits to labelled source
    images and that is frozen from then on.

    Args:
        render_weight: Of the first term, per unit of the mask.
        distance_weight: Of the second, per px of the 64-grid.
        temperature: Softness of the drawn edge, px.
        hidden_channels: Width of the network of the radii.

    Raises:
        ConfigError: A value without meaning.
    """

    needs_view = False
    weights: Tensor
    fitted: Tensor

    def __init__(
        self,
        render_weight: float = 1.0,
        distance_weight: float = 1.0,
        temperature: float = 0.5,
        hidden_channels: int = 64,
    ) -> None:
        super().__init__()
        if not temperature > 0 or min(render_weight, distance_weight) < 0:
            raise ConfigError(
                'SilhouetteCircleLoss needs a temperature above 0 and weights of at least 0, got '
                f'{temperature}, {render_weight} and {distance_weight}'
            )
        self.render_weight, self.distance_weight = render_weight, distance_weight
        self.temperature = temperature
        self.radii = CircleRadii(hidden_channels).requires_grad_(False)
        self.register_buffer('weights', circle_weights(), persistent=False)
        self.register_buffer('fitted', torch.zeros((), dtype=torch.bool))
        self.eval()

    def train(self, mode: bool = True) -> SilhouetteCircleLoss:
        """Stay in eval mode: the network of the radii is frozen."""
        return super().train(False)

    def forward(self, prediction: Any, moved: Any = None, warp: Any = None) -> dict[str, Tensor]:
        """Loss of a batch of predictions.

        Args:
            prediction: ``pose25d (B, 21, 3)``, u, v px of the 64-grid; ``mask (B, 1, h, w)`` in 0..1.
            moved: Not used.
            warp: Not used.

        Returns:
            ``loss_silhouette``, a scalar.
        """
        uv, mask = prediction.pose25d[..., :2], prediction.mask.detach()
        with full_precision(uv.device):
            return {'loss_silhouette': self.energy(uv.float(), mask.float(), self.radii(uv.detach().float()))}

    def energy(self, uv: Tensor, mask: Tensor, radii: Tensor) -> Tensor:
        """The two terms with their weights.

        Args:
            uv: ``(B, 21, 2)`` px of the 64-grid.
            mask: ``(B, 1, h, w)`` in 0..1.
            radii: ``(B, 55)`` px.

        Raises:
            ValueError: Wrong shape.
        """
        check_shape(uv, 'B 21 2', name='uv')
        check_shape(mask, f'{len(uv)} 1 h w', name='mask')
        height, width = mask.shape[-2:]
        signed = circle_distance(pixel_places(height, width, uv), self.weights.to(uv) @ uv, radii)
        drawing, distance = silhouette_terms(signed, mask.flatten(1), self.temperature)
        return self.render_weight * drawing.mean() + self.distance_weight * distance.mean()

    def fit(
        self,
        uv: Tensor,
        mask: Tensor,
        steps: int = 300,
        batch_size: int = 32,
        lr: float = 3e-3,
        seed: int = 0,
    ) -> list[float]:
        """Fit the radii to labelled hands with the same energy, then freeze them.

        Args:
            uv: ``(N, 21, 2)`` px of the 64-grid.
            mask: ``(N, 1, h, w)`` 0 or 1; square.
            steps: Steps of Adam.
            batch_size: Hands a step, drawn with a random turn each.
            lr: Learning rate.
            seed: Of what is drawn.

        Returns:
            The energy of every step.
        """
        generator = torch.Generator().manual_seed(seed)
        turn = AffinePerturbation(rotation=180.0)
        network = self.radii.requires_grad_(True).train()
        optimizer = torch.optim.Adam(network.parameters(), lr=lr)
        energies = []
        with torch.enable_grad(), full_precision(uv.device):
            for _ in range(steps):
                rows = torch.randint(len(uv), (batch_size,), generator=generator).to(uv.device)
                warp = turn.sample(batch_size, 'cpu', generator)
                warp = type(warp)(*(part.to(uv.device) for part in warp))
                points = warp_points(uv[rows].float(), warp, 64)
                value = self.energy(points, warp_images(mask[rows].float(), warp), network(points))
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
                energies.append(value.detach())
        network.requires_grad_(False).eval()
        self.fitted.fill_(True)
        return torch.stack(energies).tolist()
