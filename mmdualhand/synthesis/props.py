"""Things other than hands that stand in a scene, as surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmdualhand.synthesis.template import vertex_normals

PROP_PART = 19
"""Part of the triangles of a prop; it belongs to no person."""


@dataclass(frozen=True, eq=False)
class Prop:
    """One thing that is held, or stands between camera and hand.

    Attributes:
        kind: Name of its form.
        vertices: (V, 3) mm, camera frame.
        triangles: (T, 3) int32, counter-clockwise seen from outside.
        rest: (V, 3) mm, its own frame; patterns stick to it.
    """

    kind: str
    vertices: np.ndarray
    triangles: np.ndarray
    rest: np.ndarray

    def normals(self) -> np.ndarray:
        """(V, 3) unit outward normals in the camera frame."""
        return vertex_normals(self.vertices, self.triangles)
