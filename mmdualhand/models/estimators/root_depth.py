"""How far away a hand is, where nobody says: for predictions in mm without the true root depth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError
from mmdualhand.kinematics import SOURCE_TEMPLATE, HandTemplate, solve_root_depth
from mmdualhand.structures import check_shape

ROOT_DEPTHS = ('given', 'solve')
UNSOLVED_DEPTH = 14.0
"""Depth in reference bones of a hand none of whose palm bones tells it, about the middle of the plausible."""


class PalmDepth:
    """Root depth from the bones of the predicted palm (Iqbal et al., ECCV 2018).

    The palm of the template and the reference length say how long the bones are.

    Args:
        codec: The 2.5D codec of the predictions.
        template: ``'source'``, the one that ships with the package, or a file of
            ``tools/fit_hand_template.py``. It must have the wrist of the dataset.

    Raises:
        ConfigError: The template has no palm.
        MissingFileError: Its file is not there.
    """

    def __init__(self, codec: Pose25D, template: str | Path = 'source') -> None:
        palm = HandTemplate.load(SOURCE_TEMPLATE if template == 'source' else template).palm
        if palm is None:
            raise ConfigError(f"test_cfg.root_depth='solve' needs a template with a palm, not {template}")
        self._codec = codec
        self._palm = torch.as_tensor(palm, dtype=torch.float64)

    @classmethod
    def from_config(cls, codec: Pose25D, test_cfg: Mapping[str, Any]) -> PalmDepth | None:
        """Read ``root_depth`` and ``template`` of a ``test_cfg``; None where the depth is given.

        Raises:
            ConfigError: Unknown value.
        """
        chosen = test_cfg.get('root_depth', 'given')
        if chosen not in ROOT_DEPTHS:
            raise ConfigError(f'test_cfg.root_depth must be one of {ROOT_DEPTHS}, got {chosen!r}')
        return cls(codec, test_cfg.get('template', 'source')) if chosen == 'solve' else None

    @torch.no_grad()
    def __call__(self, pose25d: Tensor, camera: Tensor, ref_length: Tensor) -> Tensor:
        """Solve; in float64 on the host.

        Args:
            pose25d: ``(B, 21, 3)``.
            camera: ``(B, 3, 3)`` of the crop.
            ref_length: ``(B,)`` mm.

        Returns:
            ``(B,)`` mm, float64; ``UNSOLVED_DEPTH`` reference bones where no bone of the palm
            has a solution.

        Raises:
            ValueError: Wrong shape.
        """
        check_shape(pose25d, 'B 21 3', name='pose25d')
        pose, camera, length = (x.detach().double().cpu() for x in (pose25d, camera, ref_length))
        one = torch.ones_like(length)
        rays = self._codec.lift(pose, camera, one, 0.0 * one)[..., :2]
        scaled, solved = solve_root_depth(rays, pose[..., 2], self._palm)
        return length * torch.where(solved, scaled, torch.full_like(scaled, UNSOLVED_DEPTH))
