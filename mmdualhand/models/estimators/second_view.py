"""A second view of the images with a geometry of its own, for equivariant contrastive learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmdualhand.errors import ConfigError
from mmdualhand.models.estimators.base import Inputs
from mmdualhand.models.perturbation import AffinePerturbation, Warp, warp_images
from mmdualhand.models.projection_warp import unwarp_projection
from mmdualhand.registry import MODELS


class SecondView(nn.Module):
    """Moves the augmented view of a batch, and undoes the motion in the projection (PeCLR, ICCV 2021).

    Args:
        perturbation: Config of an :class:`~mmdualhand.models.AffinePerturbation`.
    """

    def __init__(self, perturbation: dict[str, Any]) -> None:
        super().__init__()
        self.perturbation: AffinePerturbation = MODELS.build({'type': 'AffinePerturbation', **perturbation})

    @classmethod
    def from_config(
        cls, perturbation: dict[str, Any] | None, contrast: Sequence[tuple[str, str]]
    ) -> SecondView | None:
        """Build it where there is a ``perturbation``.

        Raises:
            ConfigError: No pair of ``contrast`` has an augmented view.
        """
        if perturbation is None:
            return None
        if not any('+' in name for pair in contrast for name in pair):
            raise ConfigError(
                'view_perturbation moves the augmented view, and no pair of contrast has one: add '
                "('rgb', 'rgb+')"
            )
        return cls(perturbation)

    @torch.no_grad()
    def move(self, inputs: Inputs) -> tuple[dict[str, Any], Warp]:
        """Draw a motion for every sample and move the second half of the rows by it.

        Args:
            inputs: ``rgb (2B, 3, H, W)`` normalised, ``depth (2B, 1, H, W)`` where loaded;
                plain rows first. What comes in from outside is mean grey and background.

        Returns:
            Inputs with moved rows, and the motions of B samples.
        """
        rows = inputs['rgb'].shape[0] // 2
        warp = self.perturbation.sample(rows, inputs['rgb'].device)
        moved = dict(inputs)
        for key, fill in (('rgb', 0.0), ('depth', 1.0)):
            if inputs.get(key) is not None:
                plain, augmented = inputs[key].split(rows)
                moved[key] = torch.cat([plain, warp_images(augmented, warp, fill)])
        return moved, warp

    @staticmethod
    def undo(embeddings: dict[str, Tensor], warp: Warp) -> dict[str, Tensor]:
        """Embeddings by name, those of augmented views (``'+'``) moved back."""
        return {
            name: unwarp_projection(z, warp) if name.endswith('+') else z for name, z in embeddings.items()
        }
