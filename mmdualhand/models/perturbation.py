"""Random motions of the image plane: drawn, applied and undone for images, points and poses.

One convention for every method that looks at an image twice. Integers are pixel centres,
so the centre of a ``w x h`` grid is ``((w - 1) / 2, (h - 1) / 2)``. A motion first mirrors
left and right (where drawn), then scales and turns about the centre, then shifts::

    p' = centre + shift * (w, h) + scale * R(angle) F (p - centre)

with ``R(angle) = [[cos, sin], [-sin, cos]]``. As v points down, a positive angle turns
counter-clockwise in the image as seen, which is the sign of ``cv2.getRotationMatrix2D``.

The inverse is exact on points up to rounding. Where every pixel lands on a pixel (no
motion, quarter turns of a square, mirroring, shifts by whole pixels) images are permuted
without interpolation, bit for bit. Nothing waits for the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmdualhand.codecs import GRID_SIZE, full_precision
from mmdualhand.errors import ConfigError
from mmdualhand.registry import MODELS
from mmdualhand.structures import apply_affine, as_size, check_shape

WHOLE = 1e-3
"""Pixels: closer than this to a pixel centre counts as on it."""


class Warp(NamedTuple):
    """One motion a row; see the module's text.

    Attributes:
        angle: ``(B,)`` degrees, counter-clockwise in the image as seen.
        shift: ``(B, 2)`` to the right and down, as a share of width and height.
        scale: ``(B,)`` above 1 enlarges.
        flip: ``(B,)`` bool, mirrored left to right before anything else.
    """

    angle: Tensor
    shift: Tensor
    scale: Tensor
    flip: Tensor


@MODELS.register_module()
class AffinePerturbation(nn.Module):
    """Draws a :class:`Warp` for every row of a batch.

    Args:
        rotation: Largest angle in degrees, drawn evenly from ``-rotation..rotation``.
        shift: Largest shift in either direction, as a share of the side (5 px of a
            64-grid: ``5 / 64``), drawn evenly.
        scale: Smallest and largest factor, drawn evenly.
        quarter_turns: Also turn by 0, 90, 180 or 270 degrees.
        choose_one: Draw one of shift, rotation and quarter turn (90, 180 or 270 degrees)
            a row, of those that are on, instead of all: the mixture of SemiHand.
        flip: Probability of mirroring.

    Raises:
        ConfigError: A value without meaning.
    """

    def __init__(
        self,
        rotation: float = 0.0,
        shift: float = 0.0,
        scale: Sequence[float] = (1.0, 1.0),
        quarter_turns: bool = False,
        choose_one: bool = False,
        flip: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= rotation <= 180 or not 0 <= shift <= 1 or not 0 <= flip <= 1:
            raise ConfigError(
                'AffinePerturbation: rotation must lie in 0..180 degrees, shift (a share of the side) and '
                f'flip (a probability) in 0..1; got {rotation}, {shift} and {flip}'
            )
        if len(scale) != 2 or not 0 < scale[0] <= scale[1]:
            raise ConfigError(f'AffinePerturbation: scale must be (smallest, largest) above 0, got {scale!r}')
        kinds = (('shift', shift), ('rotation', rotation), ('quarter', quarter_turns))
        self.kinds = tuple(name for name, on in kinds if on)
        if choose_one and (not self.kinds or tuple(scale) != (1.0, 1.0)):
            raise ConfigError(
                'AffinePerturbation(choose_one=True) chooses among shift, rotation and quarter_turns: set '
                'one of them, and leave scale at (1, 1)'
            )
        self.rotation, self.shift, self.flip = float(rotation), float(shift), float(flip)
        self.scale = (float(scale[0]), float(scale[1]))
        self.quarter_turns, self.choose_one = quarter_turns, choose_one

    @property
    def keeps_size(self) -> bool:
        """Whether no row is ever scaled."""
        return self.scale == (1.0, 1.0)

    def sample(
        self, batch: int, device: torch.device | str = 'cpu', generator: torch.Generator | None = None
    ) -> Warp:
        """Draw a motion for every row.

        Args:
            batch: Number of rows B.
            device: Where it is needed.
            generator: On that device; default: the global one.
        """
        draw = torch.rand(batch, 7, device=device, generator=generator)
        angle = self.rotation * (2 * draw[:, 0] - 1)
        shift = self.shift * (2 * draw[:, 1:3] - 1)
        scale = self.scale[0] + (self.scale[1] - self.scale[0]) * draw[:, 3]
        first, count = (1, 3) if self.choose_one else (0, 4)
        turn = 90.0 * (first + (draw[:, 4] * count).floor().clamp_max(count - 1))
        if self.choose_one:
            kind = (draw[:, 5] * len(self.kinds)).floor().clamp_max(len(self.kinds) - 1)
            chosen = {name: (kind == place).to(draw) for place, name in enumerate(self.kinds)}
            none = torch.zeros_like(kind)
            shift = shift * chosen.get('shift', none)[:, None]
            angle = angle * chosen.get('rotation', none) + turn * chosen.get('quarter', none)
        elif self.quarter_turns:
            angle = angle + turn
        return Warp(angle, shift, scale, draw[:, 6] < self.flip)

    def extra_repr(self) -> str:
        """Settings, for printing."""
        return (
            f'rotation={self.rotation}, shift={self.shift}, scale={self.scale}, '
            f'quarter_turns={self.quarter_turns}, choose_one={self.choose_one}, flip={self.flip}'
        )


def identity_warp(batch: int, device: torch.device | str = 'cpu') -> Warp:
    """The motion that leaves B rows as they are."""
    zeros = torch.zeros(batch, device=device)
    return Warp(zeros, torch.zeros(batch, 2, device=device), zeros + 1.0, zeros > 0)


def warp_matrix(warp: Warp, size: int | Sequence[int]) -> Tensor:
    """The motion as ``(B, 3, 3)`` float64 matrices from pixels to pixels of a ``(w, h)`` grid.

    A crop of intrinsics K that is moved has the intrinsics ``matrix @ K``.
    """
    linear, middle, moved = _parts(warp, size)
    return _matrix(linear, middle, moved)


def unwarp_matrix(warp: Warp, size: int | Sequence[int]) -> Tensor:
    """The inverse of :func:`warp_matrix`, in closed form."""
    linear, middle, moved = _parts(warp, size)
    inverse = linear.transpose(1, 2) / warp.scale.double().square()[:, None, None]
    return _matrix(inverse, moved, middle)


def warp_images(x: Tensor, warp: Warp, fill: float = 0.0) -> Tensor:
    """Move images or maps, bilinearly; differentiable in ``x``.

    Args:
        x: ``(B, C, H, W)`` float.
        warp: One motion a row.
        fill: Value of what comes in from outside; 1 for depth maps.

    Returns:
        ``(B, C, H, W)``, what was at pixel p is at p'.

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(x, 'B C H W', name='x')
    return _resample(x, unwarp_matrix(warp, (x.shape[3], x.shape[2])), fill)


def unwarp_images(x: Tensor, warp: Warp, fill: float = 0.0) -> Tensor:
    """Move images back: the inverse of :func:`warp_images`, up to what left the picture."""
    check_shape(x, 'B C H W', name='x')
    return _resample(x, warp_matrix(warp, (x.shape[3], x.shape[2])), fill)


def warp_points(uv: Tensor, warp: Warp, size: int | Sequence[int]) -> Tensor:
    """Move points.

    Args:
        uv: ``(B, K, 2)`` pixels of a grid.
        warp: One motion a row.
        size: ``(w, h)`` of that grid, or one integer.

    Returns:
        ``(B, K, 2)``, some perhaps outside of the grid.

    Raises:
        ValueError: Wrong shape.
    """
    check_shape(uv, 'B K 2', name='uv')
    return apply_affine(warp_matrix(warp, size), uv)


def unwarp_points(uv: Tensor, warp: Warp, size: int | Sequence[int]) -> Tensor:
    """Move points back: the inverse of :func:`warp_points`."""
    check_shape(uv, 'B K 2', name='uv')
    return apply_affine(unwarp_matrix(warp, size), uv)


def warp_pose25d(pose25d: Tensor, warp: Warp, rescaled: bool = False) -> Tensor:
    """Move 2.5D poses: u, v move in the plane, relative depths stay.

    Args:
        pose25d: ``(B, 21, 3)``, u, v in pixels of the 64-grid.
        warp: One motion a row.
        rescaled: The caller's word that depths hold at the new size of the hand. Without
            it a motion that scales is refused, for which the device is waited for.

    Raises:
        ValueError: Wrong shape, or a scale other than 1.
    """
    return _move_pose(pose25d, warp, warp_matrix(warp, GRID_SIZE), rescaled)


def unwarp_pose25d(pose25d: Tensor, warp: Warp, rescaled: bool = False) -> Tensor:
    """Move 2.5D poses back: the inverse of :func:`warp_pose25d`."""
    return _move_pose(pose25d, warp, unwarp_matrix(warp, GRID_SIZE), rescaled)


def _move_pose(pose25d: Tensor, warp: Warp, matrix: Tensor, rescaled: bool) -> Tensor:
    check_shape(pose25d, 'B 21 3', name='pose25d')
    if not rescaled and bool((warp.scale != 1).any()):
        raise ValueError(
            'the motion changes the size of the hand: leave scale at (1, 1), or say with rescaled=True that '
            'the relative depths hold at the new size'
        )
    return torch.cat([apply_affine(matrix, pose25d[..., :2]), pose25d[..., 2:]], dim=-1)


def rotation_matrix(angle: Tensor) -> Tensor:
    """Rotations by ``angle (B,)`` degrees as ``(B, 2, 2)`` float64; quarter turns have whole entries."""
    radians = torch.deg2rad(angle.double())
    cos, sin = radians.cos(), radians.sin()
    quarter = angle.remainder(90.0) == 0
    cos, sin = (torch.where(quarter, x.round(), x) for x in (cos, sin))
    return torch.stack([cos, sin, -sin, cos], dim=-1).view(-1, 2, 2)


def _parts(warp: Warp, size: int | Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
    """The linear part ``(B, 2, 2)``, the centre ``(B, 2)`` and where it goes ``(B, 2)``."""
    width, height = as_size(size)
    sides = torch.stack([torch.full_like(warp.angle, float(side)).double() for side in (width, height)], -1)
    sign = 1.0 - 2.0 * warp.flip.double()
    mirror = torch.stack([sign, torch.ones_like(sign)], dim=-1)
    linear = warp.scale.double()[:, None, None] * rotation_matrix(warp.angle) * mirror[:, None]
    middle = (sides - 1) / 2
    return linear, middle, middle + warp.shift.double() * sides


def _matrix(linear: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """``p -> linear (p - start) + end`` as ``(B, 3, 3)``."""
    offset = end - (linear @ start[..., None])[..., 0]
    matrix = torch.zeros(len(linear), 3, 3, dtype=linear.dtype, device=linear.device)
    matrix[:, :2, :2], matrix[:, :2, 2], matrix[:, 2, 2] = linear, offset, 1.0
    return matrix


def _resample(x: Tensor, matrix: Tensor, fill: float) -> Tensor:
    """Read every pixel of the result at ``matrix`` times its place."""
    batch, channels, height, width = x.shape
    with full_precision(x.device):
        values = x.to(torch.promote_types(x.dtype, torch.float32))
        rows, columns = (torch.arange(n, device=x.device, dtype=values.dtype) for n in (height, width))
        places = torch.stack([columns.repeat(height), rows.repeat_interleave(width)], dim=-1)
        places = apply_affine(matrix, places.expand(batch, -1, -1))
        u, v = places.unbind(-1)
        grid = torch.stack([(2 * u + 1) / width - 1, (2 * v + 1) / height - 1], dim=-1)
        grid = grid.view(batch, height, width, 2)
        smooth = F.grid_sample(values - fill, grid, padding_mode='zeros', align_corners=False)
        near_u, near_v = u.round(), v.round()
        inside = (near_u >= 0) & (near_u < width) & (near_v >= 0) & (near_v < height)
        index = near_v.clamp(0, height - 1).long() * width + near_u.clamp(0, width - 1).long()
        moved = values.flatten(2).gather(2, index[:, None].expand(-1, channels, -1))
        moved = moved.masked_fill(~inside[:, None], fill).view_as(values)
        whole = ((u - near_u).abs() < WHOLE) & ((v - near_v).abs() < WHOLE)
        return torch.where(whole.all(1).view(-1, 1, 1, 1), moved, smooth + fill).to(x.dtype)
