"""The posed surface of a hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmdualhand.synthesis import kernels
from mmdualhand.synthesis.forward_kinematics import FOREARM_BONE, NUM_BONES, BoneFrames, forward_kinematics
from mmdualhand.synthesis.hand_shape import HandShape
from mmdualhand.synthesis.pose import HandPose
from mmdualhand.synthesis.primitives import FOREARM_LENGTH_MM, Primitives, hand_primitives
from mmdualhand.synthesis.signed_distance import signed_distance_and_gradient
from mmdualhand.synthesis.template import HandTemplate, load_template, vertex_normals

_SNAP_STEPS = 4
# A step from so near ends on the surface, for Newton steps square the error.
_CONVERGED_MM = 0.05
_LONGEST_STEP_MM = 4.0
_SMALLEST_GRADIENT_SQ = 0.25
# Vertices lie on this grid, so that the last bits of exp and matrix products do not reach the pictures.
_GRID_PER_MM = 1024.0


@dataclass(frozen=True, eq=False)
class HandMesh:
    """Surface of a posed right hand, in the hand frame of ``HandShape``.

    The template's topology, rest coordinates and parts are the same for every
    hand, so what is painted on them sticks to the skin.

    Attributes:
        vertices: (V, 3) mm.
        triangles: (T, 3) int32, shared, counter-clockwise seen from outside.
        triangle_part: (T,) uint8, shared: 1-15 the fingers' segments (thumb to
            pinky, base to tip), 16 palm, 17 forearm.
        joints: (21, 3) mm, canonical order.
        frames: Bone frames of the pose.
        primitives: Capsules whose smooth union the surface follows.
        template: Rest coordinates, normals, weights, bones.
        forearm_length: Length of the arm behind the wrist, mm.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    triangle_part: np.ndarray
    joints: np.ndarray
    frames: BoneFrames
    primitives: Primitives
    template: HandTemplate
    forearm_length: float

    @property
    def rest(self) -> np.ndarray:
        """(V, 3) rest coordinates, mm."""
        return self.template.vertices

    @property
    def arm_distance(self) -> np.ndarray:
        """(V,) mm from the wrist down the forearm; negative on the hand."""
        axis = self.frames.rotation[FOREARM_BONE, :, 1]
        return -(self.vertices - self.frames.origin[FOREARM_BONE]) @ axis

    def normals(self) -> np.ndarray:
        """(V, 3) unit outward normals."""
        return vertex_normals(self.vertices, self.triangles)


def pose_mesh(shape: HandShape, pose: HandPose, forearm_length: float = FOREARM_LENGTH_MM) -> HandMesh:
    """Surface of a hand in a pose.

    The template is moved with the bones (linear blend skinning, scaled bone by
    bone to the shape), then every vertex takes up to four Newton steps onto the
    zero set of the posed capsules of its own region.

    Args:
        shape: Sizes of the hand.
        pose: Joint angles.
        forearm_length: How far the arm goes on behind the wrist, mm.

    Returns:
        The mesh; its vertices are rounded to 1/1024 mm.
    """
    template = load_template()
    joints, frames = forward_kinematics(shape, pose.angles, pose.wrist)
    capsules = hand_primitives(shape, frames, forearm_length)
    scale = _bone_scale(template, shape, forearm_length)
    vertices = _skin(template, frames, scale)
    for place, index in template.regions:
        vertices[place] = _snap(vertices[place], capsules.subset(index))
    vertices = np.rint(vertices * _GRID_PER_MM) / _GRID_PER_MM
    return HandMesh(
        vertices, template.triangles, template.triangle_part, joints, frames, capsules, template,
        forearm_length,
    )  # fmt: skip


def _skin(template: HandTemplate, frames: BoneFrames, scale: np.ndarray) -> np.ndarray:
    """(V, 3) template moved and scaled with the bones."""
    rest = template.frames
    rotation = (frames.rotation * scale[:, None, :]) @ rest.rotation.swapaxes(-1, -2)
    shift = frames.origin - np.einsum('bij,bj->bi', rotation, rest.origin)
    motion = np.concatenate([rotation, shift[..., None]], -1).reshape(NUM_BONES, 12)
    blended = (template.weights @ motion).reshape(-1, 3, 4)
    return (blended[..., :3] @ template.vertices[..., None])[..., 0] + blended[..., 3]


def _bone_scale(template: HandTemplate, shape: HandShape, forearm_length: float) -> np.ndarray:
    """(17, 3) stretch of every bone along its own axes."""
    mean = template.shape
    thickness = shape.radius_unit / mean.radius_unit
    scale = np.full((NUM_BONES, 3), thickness)
    scale[0, :2] = shape.hand_breadth / mean.hand_breadth, shape.hand_length / mean.hand_length
    scale[1:FOREARM_BONE, 1] = (shape.segments / mean.segments).ravel()
    scale[FOREARM_BONE, 1] = forearm_length / FOREARM_LENGTH_MM
    return scale


def _snap(points: np.ndarray, capsules: Primitives) -> np.ndarray:
    """Newton steps of points (N, 3) onto the surface of their capsules."""
    points = np.array(points, np.float64, order='C')
    if kernels.numba is not None:
        limits = (_SNAP_STEPS, _LONGEST_STEP_MM, _SMALLEST_GRADIENT_SQ, _CONVERGED_MM)
        kernels.snap_to_surface(points, *kernels.packed(capsules), *limits)
        return points
    active = np.arange(len(points))
    for _ in range(_SNAP_STEPS):
        moved = points[active]
        value, gradient = signed_distance_and_gradient(moved, capsules)
        slope_sq = np.maximum((gradient * gradient).sum(-1), _SMALLEST_GRADIENT_SQ)
        step = np.clip(value / slope_sq, -_LONGEST_STEP_MM, _LONGEST_STEP_MM)
        points[active] = moved - step[:, None] * gradient
        active = active[np.abs(value) > _CONVERGED_MM]
        if not len(active):
            break
    return points
