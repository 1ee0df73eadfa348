"""A hand of 55 circles over its 2D joints, as SemiHand draws it (ICCV 2021, Section 3.3).

Nine circles a finger: its three bones cut into thirds, without the tip. Two on each bone
from the wrist to the base of a finger. Coordinates are pixels of the 64-grid.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmdualhand.codecs import GRID_SIZE
from mmdualhand.structures import NUM_JOINTS, check_shape, to_grid

NUM_CIRCLES = 55
_THIRDS = (0.0, 1 / 3, 2 / 3)


def circle_weights() -> Tensor:
    """``(55, 21)`` float32: each centre as a mean of two joints."""
    rows = []
    for base in range(1, NUM_JOINTS, 4):
        for start in range(base, base + 3):
            rows += [(start, start + 1, share) for share in _THIRDS]
        rows += [(0, base, share) for share in _THIRDS[1:]]
    weights = torch.zeros(NUM_CIRCLES, NUM_JOINTS)
    for row, (start, end, share) in enumerate(rows):
        weights[row, start] += 1 - share
        weights[row, end] += share
    return weights


def circle_distance(points: Tensor, centres: Tensor, radii: Tensor) -> Tensor:
    """Signed distance of points to the union of circles, px: negative inside.

    Args:
        points: ``(P, 2)``.
        centres: ``(B, N, 2)``.
        radii: ``(B, N)``.

    Returns:
        ``(B, P)``, the smallest distance to a centre less its radius.
    """
    offset = points[None, :, None] - centres[:, None]
    return (offset.square().sum(-1).clamp_min(1e-8).sqrt() - radii[:, None]).amin(-1)


def silhouette_terms(signed: Tensor, mask: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """How circles and a mask disagree: SemiHand's L_m2d and L_d2m.

    Args:
        signed: ``(B, P)`` signed distances of the pixels to the circles, px.
        mask: ``(B, P)`` in 0..1.
        temperature: Softness of the drawn edge, px: without it a drawing has no gradient.

    Returns:
        Two ``(B, P)``: the difference of drawing and mask; how far a pixel of the hand
        lies outside of all circles, or one of the background inside, px.
    """
    drawing = torch.sigmoid(-signed / temperature)
    distance = torch.where(mask >= 0.5, signed.clamp_min(0), (-signed).clamp_min(0))
    return (drawing - mask).abs(), distance


def pixel_places(height: int, width: int, like: Tensor) -> Tensor:
    """Centres of the pixels of a map over the crop, ``(h * w, 2)`` px of the 64-grid."""
    rows, columns = (torch.arange(n, device=like.device, dtype=like.dtype) for n in (height, width))
    places = torch.stack([columns.repeat(height), rows.repeat_interleave(width)], dim=-1)
    return to_grid(places, (width, height), (GRID_SIZE, GRID_SIZE))


class CircleRadii(nn.Module):
    """Radii of the circles from the 2D pose: five layers, batch normalisation, leaky ReLU.

    The pose is taken about its mean and in units of its spread, and the radii are in
    that unit too, so that a hand twice as large has circles twice as large.

    Args:
        hidden_channels: Width of the four hidden layers.
    """

    def __init__(self, hidden_channels: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 2 * NUM_JOINTS
        for _ in range(4):
            layers += [
                nn.Linear(channels, hidden_channels), nn.BatchNorm1d(hidden_channels), nn.LeakyReLU(0.1)
            ]  # fmt: skip
            channels = hidden_channels
        last = nn.Linear(channels, NUM_CIRCLES)
        nn.init.normal_(last.weight, std=0.01)
        nn.init.constant_(last.bias, -2.0)  # an eighth of the spread, before it is fitted
        self.layers = nn.Sequential(*layers, last)

    def forward(self, uv: Tensor) -> Tensor:
        """``(B, 21, 2)`` px of the 64-grid to ``(B, 55)`` px, above 0."""
        check_shape(uv, 'B 21 2', name='uv')
        centred = uv - uv.mean(1, keepdim=True)
        spread = centred.square().sum(-1).mean(1).clamp_min(1e-6).sqrt()
        return spread[:, None] * F.softplus(self.layers((centred / spread[:, None, None]).flatten(1)))
