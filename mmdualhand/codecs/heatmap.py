"""2D keypoints as one Gaussian map a joint: encode, and decode by the largest value."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmdualhand.codecs.pose25d import GRID_SIZE
from mmdualhand.errors import ConfigError
from mmdualhand.registry import CODECS
from mmdualhand.structures import as_size, check_shape, to_grid
from mmdualhand.structures.precision import full_precision

SCORES = ('peak', 'mass')


def gaussian_maps(
    centers: Tensor, size: tuple[int, int], sigma: float, valid: Tensor | None = None
) -> Tensor:
    """One unnormalised Gaussian a joint, peak 1, cut to a square window of +-3 sigma.

    Args:
        centers: ``(B, K, 2)`` pixels of the map, whole or not.
        size: ``(w, h)`` of the maps.
        sigma: Standard deviation, px.
        valid: ``(B, K)`` bool; maps of the others are empty. None: all.

    Returns:
        ``(B, K, h, w)`` float32 in 0..1.
    """
    reach = int(3 * sigma + 0.5)
    axes = []
    for axis, length in enumerate(size):
        cells = torch.arange(length, device=centers.device, dtype=torch.float32)
        offset = cells - centers[..., axis, None].float()
        axes.append(torch.exp(-offset.square() / (2.0 * sigma**2)) * (offset.abs() <= reach))
    maps = axes[1][..., :, None] * axes[0][..., None, :]
    return maps if valid is None else torch.where(valid[..., None, None], maps, torch.zeros_like(maps))


def argmax_cells(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Cell and value of the largest entry of every map.

    Args:
        heatmaps: ``(B, K, h, w)``.

    Returns:
        ``(B, K, 2)`` whole pixels x, y as float32, and ``(B, K)`` values.
    """
    value, place = heatmaps.flatten(2).max(-1)
    width = heatmaps.shape[-1]
    return torch.stack([place % width, torch.div(place, width, rounding_mode='floor')], -1).float(), value


@CODECS.register_module()
class Heatmap(nn.Module):
    """Gaussian maps of 2D keypoints (Tompson et al., 2014; windows as in MMPose's MSRA form).

    Keypoints are pixels of the 64 x 64 grid over the crop, as ``u, v`` of every 2.5D
    pose here, whatever the size of the maps, and so is sigma. A Gaussian has peak 1,
    unnormalised, and ends at +-3 sigma.

    Args:
        input_size: ``(w, h)`` of the crop in pixels, or one integer.
        heatmap_size: ``(w, h)`` of the maps, or one integer; a quarter of the crop where None.
        sigma: Standard deviation of the Gaussians, px of the 64-grid: on maps of another
            size the Gaussians cover the same part of the crop.
        round_centers: Put a Gaussian at the nearest whole pixel of the map, as RegDA and CC-SSL
            do on maps of 64 pixels, and not where the joint is.
        quarter_shift: Whether decoding moves a quarter pixel towards the larger
            neighbour along each axis.
        score: What says how sure a joint is: ``'peak'``, the largest value, for maps that
            learn Gaussians; ``'mass'``, the share of the softmax over the map in the 3 x 3
            cells about the largest value, for logits of a spatial softmax.

    Raises:
        ConfigError: ``sigma`` is not positive, or an unknown score.
        ValueError: A size is not positive.
    """

    def __init__(
        self,
        input_size: int | Sequence[int] = (256, 256),
        heatmap_size: int | Sequence[int] | None = None,
        sigma: float = 2.0,
        round_centers: bool = False,
        quarter_shift: bool = False,
        score: str = 'peak',
    ) -> None:
        super().__init__()
        if not sigma > 0:
            raise ConfigError(f'sigma of Heatmap must be positive, got {sigma}')
        if score not in SCORES:
            raise ConfigError(f'score of Heatmap must be one of {SCORES}, got {score!r}')
        self.input_size = as_size(input_size, name='input_size')
        width, height = self.input_size
        size = (max(width // 4, 1), max(height // 4, 1)) if heatmap_size is None else heatmap_size
        self.heatmap_size = as_size(size, name='heatmap_size')
        self.sigma = float(sigma)
        self.round_centers = bool(round_centers)
        self.quarter_shift = bool(quarter_shift)
        self.score = score

    @property
    def grid_size(self) -> tuple[int, int]:
        """``(w, h)`` of the grid of keypoints: always (64, 64)."""
        return GRID_SIZE, GRID_SIZE

    def map_sigma(self, width: int) -> float:
        """Sigma in pixels of maps of this width."""
        return self.sigma * width / GRID_SIZE

    @torch.no_grad()
    def encode(self, uv: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Maps to learn, and which of them count.

        Args:
            uv: ``(B, K, 2)`` pixels of the 64-grid; NaN where a joint is unknown.
            weight: ``(B, K)`` of the labels; None: all 1.

        Returns:
            ``(B, K, h, w)`` maps and ``(B, K)`` weights, float32. A joint that is unknown, of
            weight 0, or whose nearest pixel is not in the map has an empty map and weight 0.

        Raises:
            ValueError: Wrong shape.
        """
        check_shape(uv, 'B K 2', name='uv')
        weight = torch.ones_like(uv[..., 0]) if weight is None else weight
        check_shape(weight, f'{uv.shape[0]} {uv.shape[1]}', name='weight')
        points = to_grid(uv.float(), self.grid_size, self.heatmap_size)
        cells = (points + 0.5).floor()
        # A tensor made of the size would be copied to the device at every step.
        inside = (cells >= 0).all(-1) & (cells[..., 0] < self.heatmap_size[0])
        inside &= cells[..., 1] < self.heatmap_size[1]
        valid = inside & (weight > 0)
        centers = cells if self.round_centers else points
        centers = torch.where(valid[..., None], centers, torch.zeros_like(centers))
        maps = gaussian_maps(centers, self.heatmap_size, self.map_sigma(self.heatmap_size[0]), valid)
        return maps, torch.where(valid, weight.float(), torch.zeros_like(maps[..., 0, 0]))

    @torch.no_grad()
    def decode(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Keypoints of maps of any resolution.

        Args:
            heatmaps: ``(B, K, h, w)``.

        Returns:
            ``(B, K, 2)`` pixels of the 64-grid and ``(B, K)`` scores in 0..1, float32.

        Raises:
            ValueError: Wrong shape.
        """
        check_shape(heatmaps, 'B K h w', name='heatmaps')
        with full_precision(heatmaps.device):
            maps = heatmaps.float()
            cells, peak = argmax_cells(maps)
            score = peak.clamp(0.0, 1.0) if self.score == 'peak' else _softmax_mass(maps, cells)
            if self.quarter_shift:
                cells = cells + _quarter_shift(maps, cells)
            uv = to_grid(cells, (maps.shape[-1], maps.shape[-2]), self.grid_size)
            return uv, score

    def extra_repr(self) -> str:
        """Arguments for printing."""
        return (
            f'input_size={self.input_size}, heatmap_size={self.heatmap_size}, sigma={self.sigma}, '
            f'score={self.score!r}'
        )


def _quarter_shift(maps: Tensor, cells: Tensor) -> Tensor:
    """``(B, K, 2)`` of -0.25, 0 or 0.25 towards the larger neighbour; 0 at the rim of the map."""
    height, width = maps.shape[-2:]
    x, y = cells.long().unbind(-1)
    flat = maps.flatten(2)

    def value(at_x: Tensor, at_y: Tensor) -> Tensor:
        place = at_y.clamp(0, height - 1) * width + at_x.clamp(0, width - 1)
        return flat.gather(-1, place[..., None])[..., 0]

    dx = torch.sign(value(x + 1, y) - value(x - 1, y)) * ((x > 0) & (x < width - 1))
    dy = torch.sign(value(x, y + 1) - value(x, y - 1)) * ((y > 0) & (y < height - 1))
    return 0.25 * torch.stack([dx, dy], -1)


def _softmax_mass(maps: Tensor, cells: Tensor) -> Tensor:
    """(B, K) share of the softmax in the 3 x 3 cells about ``cells``."""
    prob = maps.flatten(2).softmax(-1).view(maps.shape)
    near = []
    for axis, length in enumerate((maps.shape[-1], maps.shape[-2])):
        places = torch.arange(length, device=maps.device, dtype=torch.float32)
        near.append(((places - cells[..., axis, None]).abs() < 1.5).to(prob.dtype))
    return (prob * near[1][..., :, None] * near[0][..., None, :]).sum((-2, -1)).clamp(0.0, 1.0)
