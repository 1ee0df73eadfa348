"""The correction rho for 2.5D poses: lift, correct, project back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmdualhand.codecs import Pose25D, full_precision
from mmdualhand.errors import ConfigError
from mmdualhand.kinematics import BiomechanicalCorrection, fit_scale, measure_bones, solve_root_depth
from mmdualhand.structures import DEFAULT_REFERENCE_LENGTH_MM, check_shape


class Pose25DCorrection(nn.Module):
    """Correct 2.5D poses with :class:`BiomechanicalCorrection`.

    The relative depth of the root stays exactly what it was: 0 stays 0.

    Args:
        codec: The 2.5D pose of the network that the poses come from; it lifts and
            projects.
        correction: The correction, or its arguments. The placement is ``'xy'``
            unless given; ``'root'`` keeps the depth of the root as well,
            ``'centroid'`` would not.

    Raises:
        ConfigError: A placement that moves the depth of the root, or wrong
            arguments of the correction.
    """

    def __init__(
        self, codec: Pose25D, correction: BiomechanicalCorrection | Mapping[str, Any] | None = None
    ) -> None:
        super().__init__()
        if not isinstance(correction, BiomechanicalCorrection):
            correction = _build(correction or {})
        if correction.placement == 'centroid':
            raise ConfigError(
                "placement='centroid' moves the depth of the root, which is 0 in a 2.5D pose: correct 2.5D "
                "poses with placement='xy' (or 'root')."
            )
        self._codec = (codec,)  # not a part of this module: it belongs to the network and its checkpoint
        self.correction = correction

    @property
    def codec(self) -> Pose25D:
        """The 2.5D pose that lifts and projects."""
        return self._codec[0]

    def forward(
        self,
        pose25d: Tensor,
        camera: Tensor,
        root_depth: Tensor | None = None,
        ref_length: Tensor | None = None,
        side: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Correct poses.

        What is not given is found from the bones of the palm: the root depth in
        reference bones by :func:`solve_root_depth`; the reference length then as
        the ratio of both depths or, if no depth is given either, by
        :func:`fit_scale` against a hand with a reference bone of 40 mm.

        Args:
            pose25d: (B, 21, 3).
            camera: (B, 3, 3) intrinsics of the crop that the poses are in.
            root_depth: (B,) mm.
            ref_length: (B,) mm.
            side: (B,) +1 right, -1 left, of the hands as the crop shows them; all
                right where not given, as left hands are mirrored in the pipeline.

        Returns:
            (B, 21, 3) 2.5D poses, and (B,) bool: whether the pose was corrected. It
            comes back as it went in where the hand could not be corrected, lay
            partly behind the camera, or its root depth could not be found.

        Raises:
            ValueError: Wrong shape.
            ConfigError: The root depth or reference length is to be found and the
                template has no palm.
        """
        check_shape(pose25d, 'B 21 3', name='pose25d')
        with full_precision(pose25d.device):
            pose = pose25d.to(torch.promote_types(pose25d.dtype, torch.float32))
            camera = camera.to(pose)
            side = pose.new_ones(len(pose)) if side is None else side
            depth, length = self.absolute(pose, camera, root_depth, ref_length)
            lifted = self.codec.lift(pose, camera, depth, length)
            corrected, valid = self.correction(lifted, side, length)
            in_front = (lifted[..., 2] > 0).all(-1) & (corrected[..., 2] > 0).all(-1)
            projected = self.codec.project(corrected, camera, depth, length)
            valid = valid & in_front & torch.isfinite(projected).all(-1).all(-1)
            return torch.where(valid[:, None, None], projected, pose), valid

    def absolute(
        self, pose: Tensor, camera: Tensor, root_depth: Tensor | None, ref_length: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Root depth and reference length in mm, found where they are not given.

        Args:
            pose: (B, 21, 3) 2.5D poses.
            camera: (B, 3, 3) intrinsics of their crop.
            root_depth: (B,) mm, or None.
            ref_length: (B,) mm, or None.

        Returns:
            (B,) and (B,) mm; NaN where no bone of the palm has a solution.

        Raises:
            ConfigError: Something is to be found and the template has no palm.
        """
        if root_depth is not None and ref_length is not None:
            return root_depth.to(pose), ref_length.to(pose)
        palm = self.correction.palm_points
        if palm is None:
            raise ConfigError(
                'without root_depth and ref_length the palm of the template is needed, and the given one has '
                "ratios only: add 'palm', or give both."
            )
        one = pose.new_ones(len(pose))
        rays = self.codec.lift(pose, camera, one, 0.0 * one)[..., :2]
        scaled_depth, _ = solve_root_depth(rays, pose[..., 2], palm)
        if ref_length is not None:
            return scaled_depth * ref_length.to(pose), ref_length.to(pose)
        if root_depth is not None:
            return root_depth.to(pose), root_depth.to(pose) / scaled_depth
        scaled = self.codec.lift(pose, camera, scaled_depth, one)
        mean_bones = self.correction.ratios * DEFAULT_REFERENCE_LENGTH_MM
        length = fit_scale(measure_bones(scaled), mean_bones)
        return scaled_depth * length, length


def _build(arguments: Mapping[str, Any]) -> BiomechanicalCorrection:
    try:
        return BiomechanicalCorrection(**{'placement': 'xy', **arguments})
    except TypeError as error:
        raise ConfigError(f'correction: {error}') from error
