"""Texture coordinates: where on the hand a point of its skin lies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mmdualhand.synthesis.hand_shape import HandShape
from mmdualhand.synthesis.template import HandTemplate, load_template
from mmdualhand.synthesis.textures import plane_weights, surface_noise

_SMOOTHING_ROUNDS = 12
WOBBLE_MM, COARSE_MM, VEINS_MM, PATCHES_MM = 6.0, 26.0, 19.0, 14.0
"""Feature sizes of the noises that are smooth enough to be drawn at the vertices."""
_ALONG_VEINS = np.array([1.3, 0.3, 1.0], np.float32)


@dataclass(frozen=True)
class TemplateSkin:
    """Texture coordinates of the V vertices of the template hand.

    Attributes:
        rest: (V, 3) float32 mm: x towards the little finger, y towards the
            finger tips, z out of the back of the hand.
        weights: (V, 3) float32 share of the planes of triplanar noise.
        dorsal: (V,) float32: 1 on the back of a finger or the palm, -1 on the
            palm side, in the frame of the bone.
        rotation: (16, 3, 3) float32 axes of the bones of parts 1..16 at rest.
        origin: (16, 3) float32 base of those bones, mm.
        length: (15,) float32 lengths of the bones of parts 1..15, mm.
        shape: Sizes of the template hand.
    """

    rest: np.ndarray
    weights: np.ndarray
    dorsal: np.ndarray
    rotation: np.ndarray
    origin: np.ndarray
    length: np.ndarray
    shape: HandShape


@dataclass
class SurfacePoints:
    """N points of skin in texture coordinates.

    Attributes:
        part: (N,) int8: 1..15 finger segments, thumb to pinky, base to tip; 16
            palm; 17 forearm; 18 sleeve; 19 a prop.
        finger: (N,) int8, 0..4 thumb to pinky, -1 elsewhere.
        segment: (N,) int8, 0..2 base to tip, -1 elsewhere.
        rest: (N, 3) float32 mm, as in ``TemplateSkin``.
        weights: (N, 3) float32, as in ``TemplateSkin``.
        local: (N, 3) float32 mm in the frame of the finger segment's bone; the
            rest coordinates on the palm and above.
        dorsal: (N,) float32, as in ``TemplateSkin``.
        wobble: (N,) float32 noise of 6 mm.
        coarse: (N,) float32 noise of 26 mm.
        veins: (N,) float32 noise, long along the hand; veins run where it is 0.
        patches: (N,) float32 noise of 14 mm.
    """

    part: np.ndarray
    finger: np.ndarray
    segment: np.ndarray
    rest: np.ndarray
    weights: np.ndarray
    local: np.ndarray
    dorsal: np.ndarray
    wobble: np.ndarray
    coarse: np.ndarray
    veins: np.ndarray
    patches: np.ndarray

    @property
    def skin(self) -> TemplateSkin:
        """The template that the coordinates refer to."""
        return template_skin()

    def bone_length(self, index: np.ndarray) -> np.ndarray:
        """Length (M,) float32, mm, of the bone under the points ``index``, all on fingers."""
        return self.skin.length[self.part[index].astype(np.int64) - 1]


@lru_cache(maxsize=1)
def template_skin() -> TemplateSkin:
    """Texture coordinates of the template that ships with the package."""
    template = load_template()
    order = np.append(np.arange(1, 16), 0)  # bones of parts 1..16
    return TemplateSkin(
        template.vertices.astype(np.float32),
        plane_weights(template.normals.astype(np.float32)),
        _dorsal(template),
        template.frames.rotation[order].astype(np.float32),
        template.frames.origin[order].astype(np.float32),
        template.shape.segments.ravel().astype(np.float32),
        template.shape,
    )


def vertex_texture(offset: np.ndarray, marks: bool = False) -> np.ndarray:
    """Attributes of the template's vertices that textures are made from.

    Args:
        offset: (3,) texels; places the noise of one person.
        marks: Whether veins and patches are wanted; they stay 0 if not.

    Returns:
        (V, 11) float32: rest coordinates, plane weights, dorsal, wobble, coarse,
        veins, patches.
    """
    skin = template_skin()
    wobble = surface_noise(skin.rest, skin.weights, WOBBLE_MM, offset + 21)
    coarse = surface_noise(skin.rest, skin.weights, COARSE_MM, offset)
    veins = patches = np.zeros_like(wobble)
    if marks:
        veins = surface_noise(skin.rest * _ALONG_VEINS, skin.weights, VEINS_MM, offset + 7)
        patches = surface_noise(skin.rest, skin.weights, PATCHES_MM, offset + 51)
    return np.column_stack([skin.rest, skin.weights, skin.dorsal, wobble, coarse, veins, patches])


def surface_points(texture: np.ndarray, part: np.ndarray) -> SurfacePoints:
    """Add bone-local coordinates to interpolated attributes.

    Args:
        texture: (N, 11) float32, as :func:`vertex_texture` gives them.
        part: (N,) parts.

    Returns:
        The points.
    """
    skin = template_skin()
    part = np.asarray(part).astype(np.int8)
    on_finger = (part >= 1) & (part <= 15)
    finger = np.where(on_finger, (part - 1) // 3, -1).astype(np.int8)
    segment = np.where(on_finger, (part - 1) % 3, -1).astype(np.int8)
    rest = np.ascontiguousarray(texture[:, :3])
    local = rest.copy()
    for bone in range(15):
        index = np.flatnonzero(part == bone + 1)
        if len(index):
            local[index] = (rest[index] - skin.origin[bone]) @ skin.rotation[bone]
    columns = [np.ascontiguousarray(column) for column in texture[:, 6:11].T]
    return SurfacePoints(part, finger, segment, rest, texture[:, 3:6], local, *columns)


def _dorsal(template: HandTemplate) -> np.ndarray:
    """Back or palm side (V,) by the vertex's own bone, smoothed across the borders of the bones."""
    axis = template.frames.rotation[template.vertex_bone][..., 2]
    value = np.einsum('ij,ij->i', axis, template.normals)
    first = template.triangles.ravel()
    second = template.triangles[:, [1, 2, 0]].ravel()
    count = np.bincount(first, minlength=len(value))
    for _ in range(_SMOOTHING_ROUNDS):
        value = 0.5 * value + 0.5 * np.bincount(first, value[second], len(value)) / np.maximum(count, 1)
    return value.astype(np.float32)
