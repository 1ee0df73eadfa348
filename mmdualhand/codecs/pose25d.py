"""The scale-normalised 2.5D pose: encode, soft-argmax decode, lift to mm, project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.registry import CODECS
from mmdualhand.structures import REFERENCE_BONE, ROOT_JOINT, as_size, check_shape, to_grid
from mmdualhand.structures.precision import full_precision

ArrayT = TypeVar('ArrayT', np.ndarray, Tensor)

GRID_SIZE = 64
"""Side of the grid in whose pixels ``u, v`` of every 2.5D pose are given."""

NEAR_SHARE = 0.05
"""Share of the side of the crop within which a joint counts as right: 3.2 pixels of the grid."""

SCORES = ('spread', 'mass')
"""What may say how sure a joint is, see :class:`Pose25D`."""


@CODECS.register_module()
class Pose25D(nn.Module):
    """2.5D pose ``(u, v, d)`` of Iqbal et al. as the paper uses it.

    ``u, v`` are pixels of a 64 x 64 grid over the crop (integer = pixel
    centre) whatever the resolution of the network's maps;
    ``d = (Z - Z_root) / s`` with root joint 9 and ``s`` the length of bone 9-10.

    Args:
        input_size: ``(w, h)`` of the crop in pixels, or one integer.
        init_beta: Initial inverse temperature of the soft-argmax.
        learnable_beta: Whether it is trained. It is kept as its logarithm, so it
            stays positive.
        score: What :meth:`confidence` says: ``'spread'``, how narrow the soft-argmax is,
            ``1 / (1 + (spread / 0.05)**2)``, whatever the resolution of the maps; ``'mass'``,
            its share in the 3 x 3 cells about the predicted cell.

    Raises:
        ConfigError: An unknown score.
        ValueError: A size or ``init_beta`` is not positive.
    """

    def __init__(
        self,
        input_size: int | Sequence[int] = (256, 256),
        init_beta: float = 10.0,
        learnable_beta: bool = True,
        score: str = 'spread',
    ) -> None:
        super().__init__()
        if score not in SCORES:
            raise ConfigError(f'score of Pose25D must be one of {SCORES}, got {score!r}')
        if not init_beta > 0:
            raise ValueError(f'init_beta must be positive, got {init_beta}')
        self.input_size = as_size(input_size, name='input_size')
        self.score = score
        log_beta = torch.tensor(float(init_beta)).log()
        if learnable_beta:
            self.log_beta = nn.Parameter(log_beta)
        else:
            self.register_buffer('log_beta', log_beta)

    @property
    def grid_size(self) -> tuple[int, int]:
        """``(w, h)`` of the grid of ``u, v``: always (64, 64)."""
        return GRID_SIZE, GRID_SIZE

    @property
    def beta(self) -> Tensor:
        """Inverse temperature of the soft-argmax, a positive scalar."""
        return self.log_beta.exp()

    @staticmethod
    def root_depth(keypoints_3d: ArrayT) -> ArrayT:
        """Depth of the root joint: (..., 21, 3) mm -> (...) mm."""
        check_shape(keypoints_3d, '... 21 3', name='keypoints_3d')
        return keypoints_3d[..., ROOT_JOINT, 2]

    @staticmethod
    def reference_length(keypoints_3d: ArrayT) -> ArrayT:
        """Length of the reference bone 9-10: (..., 21, 3) mm -> (...) mm."""
        check_shape(keypoints_3d, '... 21 3', name='keypoints_3d')
        start, end = REFERENCE_BONE
        bone = keypoints_3d[..., end, :] - keypoints_3d[..., start, :]
        return (bone * bone).sum(-1) ** 0.5

    def encode(
        self,
        keypoints_2d: ArrayT,
        keypoints_3d: ArrayT,
        ref_length: ArrayT | float | None = None,
    ) -> ArrayT:
        """Make the 2.5D target of a labelled hand.

        Args:
            keypoints_2d: (..., 21, 2) pixels of the crop.
            keypoints_3d: (..., 21, 3) mm, camera frame.
            ref_length: (...) mm; by default the length of bone 9-10 of
                ``keypoints_3d``.

        Returns:
            (..., 21, 3) 2.5D pose, numpy or torch as given.

        Raises:
            ValueError: Wrong shape.
        """
        check_shape(keypoints_2d, '... 21 2', name='keypoints_2d')
        length = self.reference_length(keypoints_3d) if ref_length is None else ref_length
        uv: Any = to_grid(keypoints_2d, self.input_size, self.grid_size)
        relative: Any = keypoints_3d[..., 2] - self.root_depth(keypoints_3d)[..., None]
        if isinstance(relative, Tensor):
            depth = relative / torch.as_tensor(length).to(relative)[..., None]
            pose: Any = torch.cat([uv, depth[..., None].to(uv)], dim=-1)
            return pose
        scaled = relative / np.asarray(length)[..., None]
        return np.concatenate([uv, scaled[..., None].astype(uv.dtype)], axis=-1)

    def decode(self, heatmaps: Tensor, depth_maps: Tensor) -> Tensor:
        """Soft-argmax of the latent maps (paper Section 3.1, Iqbal et al.).

        ``H = softmax(beta * heatmaps)`` over all cells; ``u, v`` are the mean
        cell under ``H``, ``d`` the mean of ``depth_maps`` under ``H``. Runs in
        float32 at least, also under autocast.

        Args:
            heatmaps: (B, 21, h, w) latent 2D maps of any resolution.
            depth_maps: (B, 21, h, w) latent depth maps.

        Returns:
            (B, 21, 3) 2.5D pose; a uniform map gives the grid's centre (31.5).

        Raises:
            ValueError: Wrong or different shapes.
        """
        check_shape(heatmaps, 'B 21 h w', name='heatmaps')
        if depth_maps.shape != heatmaps.shape:
            raise ValueError(
                f'depth_maps must have the shape of heatmaps {tuple(heatmaps.shape)}, '
                f'got {tuple(depth_maps.shape)}'
            )
        with full_precision(heatmaps.device):
            prob = self._probabilities(heatmaps)
            height, width = prob.shape[-2:]
            u = (prob.sum(-2) * torch.arange(width, device=prob.device, dtype=prob.dtype)).sum(-1)
            v = (prob.sum(-1) * torch.arange(height, device=prob.device, dtype=prob.dtype)).sum(-1)
            d = (prob * depth_maps.to(prob.dtype)).sum((-2, -1))
            uv = to_grid(torch.stack([u, v], dim=-1), (width, height), self.grid_size)
            return torch.cat([uv, d[..., None]], dim=-1)

    @torch.no_grad()
    def spread(self, heatmaps: Tensor) -> Tensor:
        """How wide each prediction is: the root of the total variance of the soft-argmax.

        Args:
            heatmaps: (B, 21, h, w) latent 2D maps of any resolution.

        Returns:
            (B, 21) in sides of the crop: 0 for a peak, 0.41 for a uniform map. No gradient.

        Raises:
            ValueError: Wrong shape.
        """
        return self._variance(heatmaps).sqrt()

    @torch.no_grad()
    def confidence(self, heatmaps: Tensor) -> Tensor:
        """How sure each prediction is; a score to rank joints by, no probability.

        ``mmdualhand.evaluation.Calibration`` makes a probability of it.

        Args:
            heatmaps: (B, 21, h, w) latent 2D maps.

        Returns:
            (B, 21) in [0, 1], see ``score`` of the class. Carries no gradient.

        Raises:
            ValueError: Wrong shape.
        """
        if self.score == 'spread':
            return 1.0 / (1.0 + self._variance(heatmaps) / NEAR_SHARE**2)
        check_shape(heatmaps, 'B 21 h w', name='heatmaps')
        with full_precision(heatmaps.device):
            prob = self._probabilities(heatmaps)
            rows = _near_mean(prob.sum(-1))
            columns = _near_mean(prob.sum(-2))
            mass = (prob * rows[..., :, None] * columns[..., None, :]).sum((-2, -1))
            return mass.clamp(0.0, 1.0)

    def lift(self, pose25d: Tensor, camera: Tensor, root_depth: Tensor, ref_length: Tensor) -> Tensor:
        """Lift 2.5D poses to millimetres with known root depth and scale.

        Args:
            pose25d: (B, 21, 3).
            camera: (B, 3, 3) intrinsics of the crop; its third row is taken as
                ``[0, 0, 1]``, the rest may be skewed or rotated.
            root_depth: (B,) mm.
            ref_length: (B,) mm.

        Returns:
            (B, 21, 3) mm in the camera frame of the (mirrored) crop.

        Raises:
            ValueError: Wrong shape.
        """
        _check_batch(pose25d, 'pose25d', camera, root_depth=root_depth, ref_length=ref_length)
        uv = to_grid(pose25d[..., :2], self.grid_size, self.input_size)
        z = root_depth[:, None] + pose25d[..., 2] * ref_length[:, None]
        k = camera[:, None]
        du, dv = uv[..., 0] - k[..., 0, 2], uv[..., 1] - k[..., 1, 2]
        determinant = k[..., 0, 0] * k[..., 1, 1] - k[..., 0, 1] * k[..., 1, 0]
        x = (k[..., 1, 1] * du - k[..., 0, 1] * dv) / determinant
        y = (k[..., 0, 0] * dv - k[..., 1, 0] * du) / determinant
        return torch.stack([x * z, y * z, z], dim=-1)

    def project(
        self,
        xyz: Tensor,
        camera: Tensor,
        root_depth: Tensor | None = None,
        ref_length: Tensor | None = None,
    ) -> Tensor:
        """Express millimetres as 2.5D pose; the inverse of :meth:`lift`.

        Args:
            xyz: (B, 21, 3) mm in the camera frame of the (mirrored) crop.
            camera: (B, 3, 3) intrinsics of the crop.
            root_depth: (B,) mm; by default the depth of joint 9.
            ref_length: (B,) mm; by default the length of bone 9-10.

        Returns:
            (B, 21, 3) 2.5D pose.

        Raises:
            ValueError: Wrong shape.
        """
        depth = self.root_depth(xyz) if root_depth is None else root_depth
        length = self.reference_length(xyz) if ref_length is None else ref_length
        _check_batch(xyz, 'xyz', camera, root_depth=depth, ref_length=length)
        k, z = camera[:, None], xyz[..., 2]
        x, y = xyz[..., 0] / z, xyz[..., 1] / z
        u = k[..., 0, 0] * x + k[..., 0, 1] * y + k[..., 0, 2]
        v = k[..., 1, 0] * x + k[..., 1, 1] * y + k[..., 1, 2]
        uv = to_grid(torch.stack([u, v], dim=-1), self.input_size, self.grid_size)
        d = (z - depth[:, None]) / length[:, None]
        return torch.cat([uv, d[..., None]], dim=-1)

    def extra_repr(self) -> str:
        """Arguments for ``print(module)``."""
        return f'input_size={self.input_size}, score={self.score!r}'

    def _variance(self, heatmaps: Tensor) -> Tensor:
        """(B, 21) variance of u plus that of v under the soft-argmax, squared sides of the crop."""
        check_shape(heatmaps, 'B 21 h w', name='heatmaps')
        with full_precision(heatmaps.device):
            prob = self._probabilities(heatmaps)
            return _marginal_variance(prob.sum(-2)) + _marginal_variance(prob.sum(-1))

    def _probabilities(self, heatmaps: Tensor) -> Tensor:
        maps = heatmaps if heatmaps.dtype == torch.float64 else heatmaps.float()
        return (self.beta.to(maps.dtype) * maps).flatten(2).softmax(-1).view(maps.shape)


def _marginal_variance(marginal: Tensor) -> Tensor:
    """(B, 21, n) marginal over n cells -> (B, 21) variance in squared sides of the map."""
    count = marginal.shape[-1]
    places = torch.arange(count, device=marginal.device, dtype=marginal.dtype) / count
    mean = (marginal * places).sum(-1, keepdim=True)
    return (marginal * (places - mean).square()).sum(-1)


def _near_mean(marginal: Tensor) -> Tensor:
    """(B, 21, n) marginal -> 1 at the cells within one of the rounded mean, else 0."""
    cells = torch.arange(marginal.shape[-1], device=marginal.device, dtype=marginal.dtype)
    middle = (marginal * cells).sum(-1, keepdim=True).round()
    return ((cells - middle).abs() < 1.5).to(marginal.dtype)


def _check_batch(points: Tensor, name: str, camera: Tensor, **per_sample: Tensor) -> None:
    check_shape(points, 'B 21 3', name=name)
    batch = points.shape[0]
    check_shape(camera, f'{batch} 3 3', name='camera')
    for key, value in per_sample.items():
        check_shape(value, f'{batch}', name=key)
