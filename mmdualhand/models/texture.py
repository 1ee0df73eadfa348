"""Texture of a whole batch on the device: the twin of the OpenCV form for CPU workers.

Parameters come from the same settings as in
``mmdualhand.datasets.transforms.texture_parameters``, one draw per row. There is
no loop over rows, no wait for the device, and every shape is fixed by the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdualhand.datasets.transforms.colour_matrix import colour_basis, colour_matrix
from mmdualhand.datasets.transforms.photometric import check_stride, kernel_radius
from mmdualhand.datasets.transforms.texture_parameters import (
    DepthParameters,
    DepthTexture,
    RGBParameters,
    RGBTexture,
)


class BatchTexture(nn.Module):
    """Texture of one view for batches of RGB images and depth maps.

    Holds no learnable value and nothing that goes into a checkpoint. Call it in
    float32: it has no protection against autocast of its own.

    Args:
        rgb: Setting of the RGB texture, ``None`` = unchanged.
        depth: Setting of the depth texture, ``None`` = unchanged.

    Raises:
        ConfigError: A setting has an unknown key or a wrong value.
    """

    basis: Tensor

    def __init__(
        self,
        rgb: Mapping[str, Any] | RGBTexture | None = None,
        depth: Mapping[str, Any] | DepthTexture | None = None,
    ) -> None:
        super().__init__()
        self.rgb = RGBTexture.from_config(rgb)
        self.depth = DepthTexture.from_config(depth)
        self.register_buffer('basis', torch.from_numpy(colour_basis()).float(), persistent=False)

    @torch.no_grad()
    def forward(
        self, rgb: Tensor, depth: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Draw and apply one texture per row.

        Args:
            rgb: ``(B, 3, H, W)`` float32, 0..255, R G B.
            depth: ``(B, 1, H, W)`` float32 in [0, 1], background 1.
            generator: On the device of ``rgb``; default: the global one.

        Returns:
            Both with shape and range kept.
        """
        rgb = self.apply_rgb(rgb, self.draw_rgb(rgb, generator), generator)
        if depth is not None:
            depth = self.apply_depth(depth, self.draw_depth(depth, generator), generator)
        return rgb, depth

    def draw_rgb(self, like: Tensor, generator: torch.Generator | None = None) -> RGBParameters:
        """Draw parameters for every row of ``like`` (B, 3, H, W), on its device."""
        return self.rgb.parameters(_uniforms(like, self.rgb.num_uniforms, generator), _size(like))

    def draw_depth(self, like: Tensor, generator: torch.Generator | None = None) -> DepthParameters:
        """Draw parameters for every row of ``like`` (B, 1, H, W), on its device."""
        return self.depth.parameters(_uniforms(like, self.depth.num_uniforms, generator), _size(like))

    def apply_rgb(
        self, rgb: Tensor, parameters: RGBParameters, generator: torch.Generator | None = None
    ) -> Tensor:
        """Apply given parameters; steps that the setting never uses are left out.

        Args:
            rgb: ``(B, 3, H, W)`` float32, 0..255.
            parameters: One draw per row.
            generator: For the noise field only.

        Returns:
            ``(B, 3, H, W)`` in 0..255; rows with neutral parameters are unchanged bit for bit.
        """
        setting = self.rgb
        if setting.changes_colour:
            linear, offset = colour_matrix(parameters, rgb.mean((2, 3)), self.basis)
            flat = torch.baddbmm(offset[:, :, None], linear, rgb.flatten(2))
            rgb = flat.view_as(rgb).clamp(0, 255)
        if setting.blur_prob:
            rgb = gaussian_blur(rgb, parameters.blur_sigma, kernel_radius(setting.blur_sigma[1]))
        if setting.noise_prob:
            rgb = (rgb + _rows(parameters.noise_sigma) * _normal(rgb, generator)).clamp(0, 255)
        if setting.erase_prob:
            rgb = rgb.masked_fill(inside_boxes(parameters.box[:, None], _size(rgb)), setting.erase_fill)
        return rgb

    def apply_depth(
        self, depth: Tensor, parameters: DepthParameters, generator: torch.Generator | None = None
    ) -> Tensor:
        """Apply given parameters; steps that the setting never uses are left out.

        Args:
            depth: ``(B, 1, H, W)`` float32 in [0, 1], background 1.
            parameters: One draw per row.
            generator: For the noise field only.

        Returns:
            ``(B, 1, H, W)`` in [0, 1]; rows with neutral parameters are unchanged bit for bit.

        Raises:
            ValueError: Low resolution is possible and the size is no multiple of its stride.
        """
        setting = self.depth
        if setting.silhouette_prob:
            depth = move_silhouette(depth, parameters.radius, setting.silhouette_px[1])
        hand = depth < 1
        if setting.offset:
            depth = torch.where(hand, (depth + _rows(parameters.offset)).clamp(0, 1), depth)
        if setting.blur_prob:
            depth = gaussian_blur(depth, parameters.blur_sigma, kernel_radius(setting.blur_sigma[1]))
        if setting.low_resolution:
            coarse = low_resolution(depth, int(setting.low_resolution_stride))
            depth = torch.where(_rows(parameters.low_resolution) > 0, coarse, depth)
        if setting.noise_prob:
            noise = _rows(parameters.noise_sigma) * _normal(depth, generator) * hand
            depth = (depth + noise).clamp(0, 1)
        if setting.hole_prob:
            depth = depth.masked_fill(inside_boxes(parameters.boxes, _size(depth)), 1.0)
        if setting.quantise_prob:
            depth = torch.where(_rows(parameters.quantise) > 0, (depth * 255).round() / 255, depth)
        return depth

    def extra_repr(self) -> str:
        """Settings, for printing."""
        return f'rgb={self.rgb}, depth={self.depth}'


def gaussian_blur(images: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Blur each row with its own standard deviation; borders mirrored without repeating the edge.

    Args:
        images: ``(B, C, H, W)`` float.
        sigma: ``(B,)`` pixels; rows with 0 are returned unchanged.
        radius: Half width of the kernel in pixels, below H and W.

    Returns:
        ``(B, C, H, W)``.

    Raises:
        ValueError: The images are no larger than ``radius``.
    """
    if min(_size(images)) <= radius:
        raise ValueError(f'a blur reaching {radius} px needs images above {_size(images)}; lower blur_sigma')
    batch, channels = images.shape[:2]
    taps = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    weights = torch.exp(-0.5 * (taps / sigma[:, None].clamp_min(0.01)) ** 2)
    kernel = (weights / weights.sum(1, keepdim=True)).repeat_interleave(channels, 0)[:, None]
    padded = F.pad(images, (radius,) * 4, mode='reflect').view(1, batch * channels, *_padded(images, radius))
    blurred = F.conv2d(padded, kernel[:, :, None], groups=batch * channels)
    blurred = F.conv2d(blurred, kernel[..., None], groups=batch * channels).view_as(images)
    return torch.where(_rows(sigma) > 0, blurred, images)


def move_silhouette(depth: Tensor, radius: Tensor, largest: int) -> Tensor:
    """Dilate (radius > 0) or erode (radius < 0) the region below 1 by a square of that many pixels.

    Args:
        depth: ``(B, 1, H, W)``, background 1.
        radius: ``(B,)`` whole numbers within +-``largest``.
        largest: Fixed number of steps.

    Returns:
        ``(B, 1, H, W)``; new hand pixels take the smallest depth in reach, lost ones become 1. The
        image border does not erode.
    """
    background, steps = depth >= 1, _rows(radius)
    shrinks = steps < 0
    spread = torch.where(shrinks, background.to(depth.dtype), -depth)
    for step in range(1, largest + 1):
        spread = torch.where(steps.abs() >= step, _neighbourhood_maximum(spread), spread)
    shrunk = depth.masked_fill(spread > 0, 1.0)
    return torch.where(shrinks, shrunk, torch.where(background, -spread, depth))


def _neighbourhood_maximum(images: Tensor) -> Tensor:
    """Maximum over 3x3 pixels inside the image, by shifted slices (faster than pooling on a CPU)."""
    tall = F.pad(images, (0, 0, 1, 1), value=-torch.inf)
    images = torch.maximum(torch.maximum(tall[..., :-2, :], images), tall[..., 2:, :])
    wide = F.pad(images, (1, 1, 0, 0), value=-torch.inf)
    return torch.maximum(torch.maximum(wide[..., :-2], images), wide[..., 2:])


def low_resolution(depth: Tensor, stride: int) -> Tensor:
    """Average over cells of ``stride`` pixels and go back bilinearly (half-pixel centres).

    Raises:
        ValueError: H or W is no multiple of ``stride``.
    """
    check_stride(_size(depth), stride)
    coarse = F.avg_pool2d(depth, stride)
    return F.interpolate(coarse, size=_size(depth), mode='bilinear', align_corners=False)


def inside_boxes(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Mark the pixels inside any box.

    Args:
        boxes: ``(B, K, 4)`` x0, y0, x1, y1 in pixels, end excluded; an empty box marks nothing.
        size: Height and width.

    Returns:
        ``(B, 1, H, W)`` bool.
    """
    rows = torch.arange(size[0], device=boxes.device, dtype=boxes.dtype)
    columns = torch.arange(size[1], device=boxes.device, dtype=boxes.dtype)
    x0, y0, x1, y1 = boxes[..., None].unbind(2)
    in_rows, in_columns = (rows >= y0) & (rows < y1), (columns >= x0) & (columns < x1)
    return (in_rows[..., :, None] & in_columns[..., None, :]).any(1, keepdim=True)


def _uniforms(like: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
    return torch.rand(like.shape[0], count, device=like.device, dtype=torch.float32, generator=generator)


def _normal(like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(like.shape, device=like.device, dtype=like.dtype, generator=generator)


def _rows(value: Tensor) -> Tensor:
    return value.view(-1, 1, 1, 1)


def _size(images: Tensor) -> tuple[int, int]:
    return images.shape[-2], images.shape[-1]


def _padded(images: Tensor, radius: int) -> tuple[int, int]:
    return images.shape[-2] + 2 * radius, images.shape[-1] + 2 * radius
