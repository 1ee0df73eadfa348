"""The template surface: one triangle mesh that every hand is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from mmdualhand.errors import MissingFileError
from mmdualhand.synthesis.forward_kinematics import FOREARM_BONE, NUM_BONES, BoneFrames, forward_kinematics
from mmdualhand.synthesis.hand_shape import HandShape, mean_hand_shape
from mmdualhand.synthesis.primitives import Primitives, hand_primitives
from mmdualhand.synthesis.signed_distance import capsule_distances

TEMPLATE_FILE = Path(__file__).parent / 'data' / 'template.npz'

# Parts of triangles: 1 to 15 are the fingers' segments, thumb to pinky, base to tip.
PALM_PART = 16
FOREARM_PART = 17
SLEEVE_PART = 18

# Regions of vertices; each is fitted to its own few capsules. 1 to 5 are the roots of the fingers, 6 to 10
# their outer parts.
PALM_REGION, WRIST_REGION, ARM_REGION = 0, 11, 12
NUM_REGIONS = 13

_REST_DEG = np.array([[-10, 12, 0, 0], [8, 6, 12, 6], [8, 0, 12, 6], [8, -4, 12, 6], [8, -9, 12, 6]])
_WRIST_REACH_MM = 20.0


def rest_hand() -> tuple[HandShape, BoneFrames, Primitives]:
    """Shape, bone frames and capsules of the hand that the template shows."""
    shape = mean_hand_shape()
    frames = forward_kinematics(shape, np.radians(_REST_DEG))[1]
    return shape, frames, hand_primitives(shape, frames)


@dataclass(frozen=True, eq=False)
class HandTemplate:
    """A right hand at rest.

    Attributes:
        vertices: (V, 3) rest coordinates, mm, hand frame of the average hand;
            sorted by region.
        normals: (V, 3) unit outward normals at rest.
        triangles: (T, 3) int32, counter-clockwise seen from outside.
        weights: (V, 17) share of every bone in the motion of a vertex.
        vertex_bone: (V,) bone with the largest share.
        triangle_bone: (T,) bone that a triangle belongs to.
        triangle_part: (T,) uint8 part of a triangle: 1-15, ``PALM_PART``,
            ``FOREARM_PART``.
        frames: Bone frames at rest.
        shape: The average hand.
        regions: Vertices and capsules of every region.
    """

    vertices: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    weights: np.ndarray
    vertex_bone: np.ndarray
    triangle_bone: np.ndarray
    triangle_part: np.ndarray
    frames: BoneFrames
    shape: HandShape
    regions: tuple[tuple[slice, np.ndarray], ...]

    def bone_local(self, rest: np.ndarray, bone: np.ndarray) -> np.ndarray:
        """Rest coordinates in the frame of a bone at rest (+y along the bone, +z dorsal).

        Args:
            rest: (N, 3) rest coordinates, mm.
            bone: (N,) bone numbers.

        Returns:
            (N, 3) mm from the bone's proximal end.
        """
        return np.einsum('nji,nj->ni', self.frames.rotation[bone], rest - self.frames.origin[bone])


@lru_cache(maxsize=1)
def load_template(path: Path = TEMPLATE_FILE) -> HandTemplate:
    """Read the template surface that ships with the package.

    Args:
        path: File written by ``tools/build_hand_template.py``.

    Returns:
        The template; the same object at every call.

    Raises:
        MissingFileError: There is no such file.
    """
    if not path.is_file():
        raise MissingFileError(
            f'{path} is missing: reinstall the package or run tools/build_hand_template.py'
        )
    with np.load(path, allow_pickle=False) as data:
        vertices = data['vertices'].astype(np.float64)
        triangles = data['triangles'].astype(np.int32)
        weights = _dense_weights(data['weight_bone'], data['weight_value'])
        region = data['region']
    shape, frames, capsules = rest_hand()
    triangle_bone = weights[triangles].sum(1).argmax(1)
    part = triangle_bone.copy()
    part[triangle_bone == 0], part[triangle_bone == FOREARM_BONE] = PALM_PART, FOREARM_PART
    template = HandTemplate(
        vertices, vertex_normals(vertices, triangles), triangles, weights, weights.argmax(1), triangle_bone,
        part.astype(np.uint8), frames, shape, _regions(region, vertices, capsules),
    )  # fmt: skip
    for array in (vertices, template.normals, triangles, weights, part):
        array.setflags(write=False)
    return template


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals at the vertices: the mean of the adjacent triangles, weighted by area.

    Args:
        vertices: (V, 3).
        triangles: (T, 3), counter-clockwise seen from outside.

    Returns:
        (V, 3) float64, zero at vertices without a triangle.
    """
    corner = [vertices[triangles[:, k]] for k in range(3)]
    faces = np.cross(corner[1] - corner[0], corner[2] - corner[0])
    flat = triangles.T.ravel()
    normals = np.stack([np.bincount(flat, np.tile(faces[:, k], 3), len(vertices)) for k in range(3)], axis=1)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _dense_weights(bones: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(V, 17) weights from the few that are stored per vertex as (V, K) bones and uint8 values."""
    weights = np.zeros((len(bones), NUM_BONES))
    rows = np.arange(len(bones))
    for column in range(bones.shape[1]):
        weights[rows, bones[:, column]] += values[:, column]
    return weights / weights.sum(1, keepdims=True)


def _regions(
    region: np.ndarray, vertices: np.ndarray, capsules: Primitives
) -> tuple[tuple[slice, np.ndarray], ...]:
    """Slice of vertices and index of capsules for every region."""
    found = []
    for code in range(NUM_REGIONS):
        members = np.nonzero(region == code)[0]
        if not len(members):
            continue
        place = slice(int(members[0]), int(members[-1]) + 1)
        if code == ARM_REGION:
            mask = capsules.bone == FOREARM_BONE
        elif code == WRIST_REGION:
            reach = capsule_distances(vertices[place], capsules)[0].min(0)
            mask = (capsules.group == 0) & (reach < _WRIST_REACH_MM)
        elif code == PALM_REGION:
            mask = capsules.group == 0
        elif code <= 5:
            mask = (capsules.group == 0) | (capsules.group == code)
        else:
            mask = capsules.group == code - 5
        found.append((place, np.nonzero(mask)[0]))
    return tuple(found)
