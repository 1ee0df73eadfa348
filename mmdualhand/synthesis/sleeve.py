"""Cloth over the forearm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdualhand.synthesis.forward_kinematics import FOREARM_BONE
from mmdualhand.synthesis.mesh import HandMesh
from mmdualhand.synthesis.parameters import draw
from mmdualhand.synthesis.primitives import FOREARM_LENGTH_MM
from mmdualhand.synthesis.template import SLEEVE_PART

SLEEVE_DEFAULTS: dict[str, Any] = {
    'sleeve_probability': 0.5,
    'sleeve_start_mm': (42.0, 130.0),  # from the wrist to the hem
    'sleeve_thickness_mm': (2.0, 5.0),  # off the arm
}
# Vertices so near to the hem move onto it, so that it is straight; half a cell of the template's forearm.
_CATCH_MM = 6.0


@dataclass(frozen=True)
class Sleeve:
    """A sleeve.

    Attributes:
        start_mm: Distance of its hem from the wrist.
        thickness_mm: How far it stands off the arm.
    """

    start_mm: float
    thickness_mm: float


def sample_sleeve(rng: np.random.Generator, config: Mapping[str, Any]) -> Sleeve | None:
    """Draw a sleeve, or none, from values for the keys of ``SLEEVE_DEFAULTS``."""
    settings = {key: config.get(key, value) for key, value in SLEEVE_DEFAULTS.items()}
    wanted = rng.random() < draw(rng, settings['sleeve_probability'])
    sleeve = Sleeve(draw(rng, settings['sleeve_start_mm']), draw(rng, settings['sleeve_thickness_mm']))
    return sleeve if wanted else None


def add_sleeve(mesh: HandMesh, sleeve: Sleeve | None) -> tuple[np.ndarray, np.ndarray]:
    """Push the forearm out to the cloth.

    Args:
        mesh: A posed hand.
        sleeve: The sleeve, or None.

    Returns:
        Vertices (V, 3) in mm, hand frame, and the part (T,) uint8 of every
        triangle, ``SLEEVE_PART`` where there is cloth.
    """
    if sleeve is None:
        return mesh.vertices, mesh.triangle_part
    arm = mesh.template.weights[:, FOREARM_BONE] > 0.99
    below = np.where(arm, mesh.arm_distance, -np.inf) - sleeve.start_mm
    on_hem = np.abs(below) < _CATCH_MM * mesh.forearm_length / FOREARM_LENGTH_MM
    shift = np.where(on_hem, below, 0.0)[:, None] * mesh.frames.rotation[FOREARM_BONE, :, 1]
    inside = (below > 0) | on_hem
    covered = inside[mesh.triangles].all(1)
    part = np.where(covered, SLEEVE_PART, mesh.triangle_part).astype(np.uint8)
    return mesh.vertices + shift + (sleeve.thickness_mm * inside)[:, None] * mesh.normals(), part
