"""What stands before a camera: hands and other things as surfaces; nothing about colour."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mmdualhand.structures import Camera
from mmdualhand.synthesis.hand_shape import HandShape
from mmdualhand.synthesis.mesh import HandMesh
from mmdualhand.synthesis.pose import HandPose
from mmdualhand.synthesis.props import PROP_PART, Prop
from mmdualhand.synthesis.raster import Backend, RasterResult, rasterise
from mmdualhand.synthesis.sleeve import Sleeve
from mmdualhand.synthesis.template import vertex_normals


@dataclass(frozen=True, eq=False)
class SceneHand:
    """One hand in front of the camera.

    ``xyz_camera = rotation @ (M @ xyz_hand) + translation`` where M mirrors x
    for a left hand and does nothing to a right one.

    Attributes:
        side: ``'left'`` or ``'right'``.
        shape: Its sizes.
        pose: Its joint angles.
        rotation: (3, 3) hand frame to camera frame.
        translation: (3,) mm.
        xyz: (21, 3) joints, mm, camera frame, canonical order.
        uv: (21, 2) joints, pixels.
        vertices: (V, 3) surface, mm, camera frame.
        triangles: (T, 3) int32, counter-clockwise seen from outside (other
            winding than the template for a left hand; same order).
        triangle_part: (T,) uint8: 1-15 fingers, 16 palm, 17 forearm, 18 sleeve.
        mesh: The surface in the hand frame, with rest coordinates.
        sleeve: What covers the forearm, or None.
    """

    side: str
    shape: HandShape
    pose: HandPose
    rotation: np.ndarray
    translation: np.ndarray
    xyz: np.ndarray
    uv: np.ndarray
    vertices: np.ndarray
    triangles: np.ndarray
    triangle_part: np.ndarray
    mesh: HandMesh
    sleeve: Sleeve | None

    def normals(self) -> np.ndarray:
        """(V, 3) unit outward normals in the camera frame."""
        return vertex_normals(self.vertices, self.triangles)


@dataclass(frozen=True)
class SensorFrame:
    """The full picture that a scene's picture is a part of.

    Attributes:
        camera: (3, 3) float64 intrinsics of the full picture.
        image_size: (width, height) of the full picture.
        corner: Column and row in it where the part begins.
    """

    camera: np.ndarray
    image_size: tuple[int, int]
    corner: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that a z-buffer needs; the same scene can be coloured in many ways.

    Attributes:
        camera: (3, 3) float64 intrinsics of the picture, pixels.
        image_size: (width, height).
        hands: One or two hands, of different sides.
        props: What stands before the hands or is held by them.
        frame: The full picture, if this is a part of one.
        motion: (4, 4) from the frame in which the scene was drawn to this
            camera's; lamps and walls keep to the first.
    """

    camera: np.ndarray
    image_size: tuple[int, int]
    hands: tuple[SceneHand, ...]
    props: tuple[Prop, ...] = ()
    frame: SensorFrame | None = None
    motion: np.ndarray = field(default_factory=lambda: np.eye(4))

    def surface(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Hands and props as one mesh.

        Returns:
            Vertices (N, 3) mm in the camera frame, triangles (T, 3), part of
            every triangle (T,) uint8, number of the thing that every triangle
            belongs to (T,) int64: first the hands, then the props.
        """
        things: list[Any] = [*self.hands, *self.props]
        vertices = np.concatenate([thing.vertices for thing in things])
        starts = np.cumsum([0, *(len(thing.vertices) for thing in things)])
        triangles = np.concatenate(
            [thing.triangles + start for thing, start in zip(things, starts, strict=False)]
        )
        parts = [hand.triangle_part for hand in self.hands]
        parts += [np.full(len(prop.triangles), PROP_PART, np.uint8) for prop in self.props]
        number = np.repeat(np.arange(len(things)), [len(thing.triangles) for thing in things])
        return vertices, triangles, np.concatenate(parts), number

    def rasterise(
        self, scale: float = 1.0, backend: Backend = 'auto', *, weights: bool = True
    ) -> RasterResult:
        """Depth and triangles of the picture.

        Args:
            scale: Samples per pixel and axis: 2 gives twice the width and height,
                over the same area (``u' = (u + 0.5) * scale - 0.5``).
            backend: See ``raster.rasterise``.
            weights: See ``raster.rasterise``.

        Returns:
            The z-buffer; its triangle numbers are those of :meth:`surface`.
        """
        vertices, triangles, _, _ = self.surface()
        full = self.full_frame
        z = vertices[:, 2]
        safe = np.where(np.abs(z) > 1e-6, z, 1e-6)
        uv = vertices @ full.camera.T
        uv = (uv[:, :2] / safe[:, None] + 0.5) * scale - 0.5
        width, height = (int(round(side * scale)) for side in self.image_size)
        left, top = (int(round(place * scale)) for place in full.corner)
        return rasterise(uv, z, triangles, width, height, backend, corner=(left, top), weights=weights)

    @property
    def full_frame(self) -> SensorFrame:
        """The full picture; this one where it is no part of another."""
        return self.frame or SensorFrame(self.camera, self.image_size)

    def without_props(self) -> Scene:
        """The same hands and nothing else."""
        return replace(self, props=())

    def window(self, left: int, top: int, width: int, height: int) -> Scene:
        """A part of the picture, with the same pixels.

        Args:
            left: First column; may be negative or lie beyond the picture.
            top: First row.
            width: Columns.
            height: Rows.

        Returns:
            The scene in a picture of that size; the principal point has moved by
            ``(-left, -top)``.

        Raises:
            ValueError: A size that is not positive.
        """
        if width < 1 or height < 1:
            raise ValueError(f'a window must have at least one pixel, got {width}x{height}')
        full = self.full_frame
        corner = full.corner[0] + int(left), full.corner[1] + int(top)
        camera = full.camera.copy()
        camera[:2, 2] -= corner
        hands = tuple(replace(hand, uv=Camera(camera).project(hand.xyz)) for hand in self.hands)
        frame = SensorFrame(full.camera, full.image_size, corner)
        return replace(self, camera=camera, image_size=(int(width), int(height)), hands=hands, frame=frame)

    def seen_from(self, camera: np.ndarray, image_size: tuple[int, int], motion: np.ndarray) -> Scene:
        """The same things before another camera.

        Args:
            camera: (3, 3) intrinsics of the other camera.
            image_size: (width, height) of its picture.
            motion: (4, 4) rigid motion from this camera's frame to the other's, mm.

        Returns:
            The scene in the frame of the other camera.

        Raises:
            ValueError: ``motion`` is not a rigid motion.
        """
        motion = np.asarray(motion, np.float64)
        if motion.shape != (4, 4) or not _is_rigid(motion):
            raise ValueError(f'motion must be a (4, 4) rigid motion, got {motion.tolist()}')
        rotation, shift = motion[:3, :3], motion[:3, 3]
        view = Camera(camera)
        hands = tuple(_moved_hand(hand, rotation, shift, view) for hand in self.hands)
        props = tuple(replace(prop, vertices=prop.vertices @ rotation.T + shift) for prop in self.props)
        size = int(image_size[0]), int(image_size[1])
        return Scene(np.array(view.K), size, hands, props, None, motion @ self.motion)


def _moved_hand(hand: SceneHand, rotation: np.ndarray, shift: np.ndarray, camera: Camera) -> SceneHand:
    xyz = hand.xyz @ rotation.T + shift
    return replace(
        hand,
        rotation=rotation @ hand.rotation,
        translation=rotation @ hand.translation + shift,
        xyz=xyz,
        uv=camera.project(xyz),
        vertices=hand.vertices @ rotation.T + shift,
    )


def _is_rigid(motion: np.ndarray) -> bool:
    turn = motion[:3, :3]
    orthogonal = np.allclose(turn @ turn.T, np.eye(3), atol=1e-6) and np.linalg.det(turn) > 0
    return bool(orthogonal and np.array_equal(motion[3], (0, 0, 0, 1)))
