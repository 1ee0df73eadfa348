"""A hand in space seen from any side: a skeleton over a floor, with its shadow."""

from __future__ import annotations

import math

import numpy as np

from mmdualhand.structures import BONES, ROOT_JOINT, check_shape
from mmdualhand.visualization.images import Array, Colour, to_numpy
from mmdualhand.visualization.skeleton_drawing import (
    GRID_SPACING_MM,
    JOINT_COLOURS,
    REFERENCE_COLOUR,
    default_thickness,
    skeleton_extent,
)
from mmdualhand.visualization.strokes import FAR_PIXELS, disc, line, polygon

AZIMUTH_DEG, ELEVATION_DEG = 35.0, 18.0
"""Where a hand is looked at from unless said: from the camera's right, and from above."""

_PAPER, _FLOOR, _FLOOR_LINE, _SHADOW = (255, 255, 255), (246, 247, 249), (222, 226, 230), (214, 218, 223)
_FILL = 0.41  # share of the picture that the half side of the cube takes
_RAISED = 0.03  # share of the picture by which the root stands above its middle
_FLOOR_AT = 0.9  # of the half side, below the root
_FOG = 0.4  # share of white in the colour of the farthest bone


def view_axes(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    """Directions of the camera frame that a view shows as right, down and away.

    (0, 0) looks as the camera does, (90, 0) from the camera's right and (0, 90) from
    above: the views ``front``, ``side`` and ``top`` of :data:`VIEW_AXES`.

    Args:
        azimuth_deg: How far the viewer has walked to the right around the hand, degrees.
        elevation_deg: How far above it the viewer is, degrees.

    Returns:
        ``(3, 3)`` rotation with the directions as rows, in x right, y down, z away.
    """
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    right = np.array([math.cos(azimuth), 0.0, math.sin(azimuth)])
    ahead = np.array([-math.sin(azimuth), 0.0, math.cos(azimuth)])
    down = np.array([0.0, 1.0, 0.0])
    sine, cosine = math.sin(elevation), math.cos(elevation)
    return np.stack([right, cosine * down - sine * ahead, cosine * ahead + sine * down])


def draw_skeleton_orbit(
    keypoints_3d: Array,
    size: int = 256,
    azimuth_deg: float = AZIMUTH_DEG,
    elevation_deg: float = ELEVATION_DEG,
    *,
    reference: Array | None = None,
    extent_mm: float | None = None,
    grid_mm: float = GRID_SPACING_MM,
) -> np.ndarray:
    """Draw a 3D skeleton about its root over a round floor, orthographic.

    Near bones lie over far ones, far ones are paler, and the floor shows the
    shadow of a light from straight above. Pictures of a turning hand have all the same
    scale if ``extent_mm`` is given.

    Args:
        keypoints_3d: ``(21, 3)`` mm, camera frame (x right, y down, z away); joints
            that are not finite are left out with their bones.
        size: Side of the picture in pixels.
        azimuth_deg: See :func:`view_axes`.
        elevation_deg: Likewise.
        reference: ``(21, 3)`` mm; another skeleton about its own root, in grey.
        extent_mm: Radius of the floor; :func:`skeleton_extent` of both where None.
        grid_mm: Distance of the lines on the floor.

    Returns:
        ``(size, size, 3)`` uint8 RGB.

    Raises:
        ValueError: An argument has another shape or range.
    """
    if size < 1:
        raise ValueError(f'size must be at least 1 pixel, got {size}')
    poses = [to_numpy(pose).astype(np.float64) for pose in (reference, keypoints_3d) if pose is not None]
    for pose in poses:
        check_shape(pose, '21 3', name='keypoints_3d')
    extent = skeleton_extent(*poses) if extent_mm is None else float(extent_mm)
    if not (0 < extent < math.inf and 0 < grid_mm < math.inf):
        raise ValueError(f'extent_mm and grid_mm must be positive and finite, got {extent} and {grid_mm}')
    axes = view_axes(azimuth_deg, elevation_deg)
    place = _Placing(axes, _FILL * size / extent, size)
    canvas = np.full((size, size, 3), 255, np.uint8)
    _draw_floor(canvas, place, extent, grid_mm)
    thickness = max(default_thickness(size, size), round(size / 80))
    rooted = [pose - pose[ROOT_JOINT] for pose in poses]
    for pose in rooted:
        _draw_shadow(canvas, place, pose, extent, thickness)
    for order, pose in enumerate(rooted, start=1):
        _draw_bones(canvas, place(pose), thickness, extent, grey=order < len(rooted))
    return canvas


class _Placing:
    """From mm about the root to pixels and mm away."""

    def __init__(self, axes: np.ndarray, scale: float, size: int) -> None:
        middle = (size - 1) / 2
        self.axes, self.scale, self.root = axes, scale, np.array([middle, middle - _RAISED * size])

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) mm to (N, 3): u, v in pixels and mm away; NaN where there is no place."""
        placed = points @ self.axes.T
        placed[:, :2] = placed[:, :2] * self.scale + self.root
        placed[~(np.abs(placed) < FAR_PIXELS).all(axis=-1)] = np.nan
        return placed


def _draw_floor(canvas: np.ndarray, place: _Placing, extent: float, grid: float) -> None:
    turn = np.linspace(0.0, 2.0 * math.pi, 72, endpoint=False)
    height = _FLOOR_AT * extent
    edge = np.stack([extent * np.cos(turn), np.full_like(turn, height), extent * np.sin(turn)], axis=-1)
    edge = place(edge)[:, :2]
    polygon(canvas, edge, _FLOOR, filled=True)
    count = int(extent / grid)
    if count > canvas.shape[0] // 8:  # lines would run into each other
        return
    for step in range(-count, count + 1):
        across = step * grid
        half = math.sqrt(max(extent**2 - across**2, 0.0))
        for ends in (
            [(across, height, -half), (across, height, half)],
            [(-half, height, across), (half, height, across)],
        ):
            start, end = place(np.array(ends))[:, :2]
            line(canvas, start, end, _FLOOR_LINE, 1)
    polygon(canvas, edge, _FLOOR_LINE)


def _draw_shadow(canvas: np.ndarray, place: _Placing, pose: np.ndarray, extent: float, width: int) -> None:
    fallen = pose.copy()
    fallen[:, 1] = np.where(np.isfinite(pose).all(axis=-1), _FLOOR_AT * extent, np.nan)
    placed = place(fallen)
    for parent, child in BONES:
        if np.isfinite(placed[[parent, child]]).all():
            line(canvas, placed[parent, :2], placed[child, :2], _SHADOW, width)


def _faded(colour: Colour, away: float, extent: float) -> Colour:
    """Paler with the distance from the viewer."""
    share = _FOG * float(np.clip(0.5 + 0.8 * away / extent, 0.0, 1.0))
    red, green, blue = (round(one + share * (255 - one)) for one in colour)
    return red, green, blue


def _draw_bones(canvas: np.ndarray, placed: np.ndarray, thickness: int, extent: float, *, grey: bool) -> None:
    """``placed`` (21, 3): bones and joints together, the farthest first, bones with a white rim."""
    usable = np.isfinite(placed).all(axis=-1)
    width = max(2, thickness - 1) if grey else thickness
    nearest = placed[:, 2].copy()  # a joint lies over the bones that meet in it
    strokes = []
    for start, end in BONES:
        if usable[start] and usable[end]:
            away = float(placed[[start, end], 2].mean())
            strokes.append((away, start, end))
            nearest[[start, end]] = np.minimum(nearest[[start, end]], away)
    strokes += [(nearest[joint] - 1e-3, joint, joint) for joint in np.flatnonzero(usable)]
    for away, start, end in sorted(strokes, reverse=True):
        colour = _faded(REFERENCE_COLOUR if grey else JOINT_COLOURS[end], away, extent)
        if start == end:
            disc(canvas, placed[start, :2], width + 1, colour)
            continue
        if not grey:
            line(canvas, placed[start, :2], placed[end, :2], _PAPER, width + 2)
        line(canvas, placed[start, :2], placed[end, :2], colour, width)
