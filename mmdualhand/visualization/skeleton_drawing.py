"""Hand skeletons in pixels and in millimetres, drawn with OpenCV."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from mmdualhand.structures import BONES, FINGERS, NUM_JOINTS, ROOT_JOINT, check_shape
from mmdualhand.visualization.images import Array, Colour, check_image, to_numpy
from mmdualhand.visualization.strokes import FAR_PIXELS, disc, line

FINGER_COLOURS: Mapping[str, Colour] = MappingProxyType(
    {
        'thumb': (240, 68, 56),
        'index': (250, 176, 5),
        'middle': (47, 179, 68),
        'ring': (34, 139, 230),
        'pinky': (190, 75, 219),
    }
)
"""RGB of each finger, its bones from the wrist to the tip; legible on skin, on black and on white."""

WRIST_COLOUR: Colour = (134, 142, 150)
"""RGB of the wrist joint."""

REFERENCE_COLOUR: Colour = (173, 181, 189)
"""RGB of a reference skeleton (the ground truth behind a prediction)."""

VIEW_AXES: Mapping[str, tuple[tuple[int, int, int], ...]] = MappingProxyType(
    {
        'front': ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        'side': ((0, 0, 1), (0, 1, 0), (-1, 0, 0)),
        'top': ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    }
)
"""Camera-frame directions (x right, y down, z forward) that a view shows as right, down and away.

``front`` looks as the camera does, ``side`` from the camera's right (away from it is right on the
picture), ``top`` from above (away from the camera is up on the picture). None of them mirrors.
"""

GRID_SPACING_MM = 50.0
"""Distance of the grey lines behind a 3D skeleton, through the root."""

_GRID_COLOUR = (233, 236, 239)
_WHITE = (255, 255, 255)


def _joint_colours() -> tuple[Colour, ...]:
    colours = [WRIST_COLOUR] * NUM_JOINTS
    for finger, joints in FINGERS.items():
        for joint in joints:
            colours[joint] = FINGER_COLOURS[finger]
    return tuple(colours)


JOINT_COLOURS: tuple[Colour, ...] = _joint_colours()
"""RGB of the 21 joints; a bone has the colour of its child joint."""


def default_thickness(width: int, height: int) -> int:
    """Bone thickness in pixels that suits a picture: its longer side / 128, at least 2.

    Two is the thinnest anti-aliased line whose core OpenCV paints in the pure colour.
    """
    return max(2, round(max(width, height) / 128))


def _joints(value: Array, pattern: str, name: str) -> np.ndarray:
    array = to_numpy(value)
    check_shape(array, pattern, name=name)
    return array.astype(np.float64)


def _check_thickness(thickness: int | None, width: int, height: int) -> int:
    if thickness is None:
        return default_thickness(width, height)
    if thickness < 1:
        raise ValueError(f'thickness must be at least 1 pixel, got {thickness}')
    return int(thickness)


def _usable(
    points: np.ndarray, visible: Array | None, scores: Array | None, score_threshold: float
) -> np.ndarray:
    """(21,) bool: finite, not absurdly far, visible and confident enough."""
    # not-a-number compares false
    usable = np.all(np.abs(points) < FAR_PIXELS, axis=-1)
    if visible is not None:
        usable &= _joints(visible, '21', 'visible') > 0
    if scores is not None:
        usable &= _joints(scores, '21', 'scores') >= score_threshold
    return usable


def draw_skeleton_2d(
    image: np.ndarray,
    keypoints: Array,
    visible: Array | None = None,
    *,
    scores: Array | None = None,
    score_threshold: float = 0.0,
    thickness: int | None = None,
    rim: Colour | None = None,
) -> np.ndarray:
    """Draw a hand skeleton over a picture, one colour a finger.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        keypoints: ``(21, 2)`` pixels of ``image``, integer = pixel centre,
            canonical joint order. Joints that are not finite, or so far outside
            (1e5 pixels) that no line to them means anything, are left out with
            their bones. A joint just outside has no marker, and its bones end at
            the picture's edge.
        visible: ``(21,)``; joints at 0 are left out with their bones.
        scores: ``(21,)`` confidences in [0, 1].
        score_threshold: Joints that score less, or not a number, are left out.
        thickness: Of a bone, in pixels; :func:`default_thickness` of the picture
            where None.
        rim: RGB of an outline of one pixel about the whole skeleton, none where None.

    Returns:
        ``(H, W, 3)`` uint8 RGB, a new array.

    Raises:
        TypeError: ``image`` is not a numpy array.
        ValueError: An argument has another shape, type or range.
    """
    canvas = check_image(image).copy(order='C')
    points = _joints(keypoints, '21 2', 'keypoints')
    thickness = _check_thickness(thickness, canvas.shape[1], canvas.shape[0])
    usable = _usable(points, visible, scores, score_threshold)
    bones = [(parent, child) for parent, child in BONES if usable[parent] and usable[child]]
    if rim is not None:
        for parent, child in bones:
            line(canvas, points[parent], points[child], rim, thickness + 2)
        for joint in np.flatnonzero(usable):
            disc(canvas, points[joint], thickness + 2, rim)
    for parent, child in bones:
        line(canvas, points[parent], points[child], JOINT_COLOURS[child], thickness)
    for joint in np.flatnonzero(usable):
        disc(canvas, points[joint], thickness + 1, JOINT_COLOURS[joint])
        disc(canvas, points[joint], 0.5 * thickness, _WHITE)
    return canvas


def skeleton_extent(*keypoints_3d: Array) -> float:
    """Half side of the smallest root-centred cube that holds every skeleton, in mm.

    Args:
        *keypoints_3d: ``(21, 3)`` mm each.

    Returns:
        The largest distance of a joint from its root along an axis; not finite
        joints are left out. 100 where that leaves nothing, or only roots.
    """
    largest = 0.0
    for pose in keypoints_3d:
        points = _joints(pose, '21 3', 'keypoints_3d')
        points[~np.isfinite(points)] = np.nan
        offsets = np.abs(points - points[ROOT_JOINT])
        largest = max(largest, float(np.max(offsets[np.isfinite(offsets)], initial=0.0)))
    return largest or 100.0


def _draw_grid(canvas: np.ndarray, spacing: float) -> None:
    size = canvas.shape[0]
    canvas[[0, -1], :] = canvas[:, [0, -1]] = _GRID_COLOUR
    middle = (size - 1) / 2
    count = int(middle / spacing)
    if count > size // 4:  # lines would run into each other
        return
    for step in range(-count, count + 1):
        at = round(middle + step * spacing)
        canvas[at, :] = canvas[:, at] = _GRID_COLOUR


def draw_skeleton_3d(
    keypoints_3d: Array,
    size: int = 256,
    view: str = 'front',
    *,
    reference: Array | None = None,
    extent_mm: float | None = None,
    thickness: int | None = None,
    grid_mm: float = GRID_SPACING_MM,
) -> np.ndarray:
    """Draw a 3D skeleton about its root, orthographic, near bones over far ones.

    Args:
        keypoints_3d: ``(21, 3)`` mm, camera frame (x right, y down, z forward),
            canonical joint order. Not finite joints are left out with their
            bones; without a finite root there is nothing to draw.
        size: Side of the picture in pixels.
        view: ``'front'``, ``'side'`` or ``'top'``, see :data:`VIEW_AXES`.
        reference: ``(21, 3)`` mm; another skeleton, about its own root, drawn
            thinner and in grey behind: the ground truth of a prediction.
        extent_mm: Half side of the cube that fills 90 % of the picture;
            :func:`skeleton_extent` of both skeletons where None.
        thickness: Of a bone, in pixels; suits the size where None.
        grid_mm: Distance of the grey lines behind it.

    Returns:
        ``(size, size, 3)`` uint8 RGB on white, with a grid through the root.

    Raises:
        ValueError: An argument has another shape or range.
    """
    if view not in VIEW_AXES:
        raise ValueError(f'view must be one of {", ".join(map(repr, VIEW_AXES))}, got {view!r}')
    if size < 1:
        raise ValueError(f'size must be at least 1 pixel, got {size}')
    skeletons = [_joints(keypoints_3d, '21 3', 'keypoints_3d')]
    if reference is not None:
        skeletons.insert(0, _joints(reference, '21 3', 'reference'))
    extent = skeleton_extent(*skeletons) if extent_mm is None else float(extent_mm)
    if not 0 < extent < np.inf:
        raise ValueError(f'extent_mm must be positive and finite, got {extent_mm}')
    thickness = _check_thickness(thickness, size, size)
    scale = 0.45 * size / extent
    canvas = np.full((size, size, 3), 255, np.uint8)
    _draw_grid(canvas, grid_mm * scale)
    axes = np.array(VIEW_AXES[view], np.float64)
    for order, points in enumerate(skeletons, start=1):
        points[~np.isfinite(points).all(axis=-1)] = np.nan
        placed = (points - points[ROOT_JOINT]) @ axes.T  # right, down, away
        placed[:, :2] = placed[:, :2] * scale + (size - 1) / 2
        _draw_by_depth(canvas, placed, thickness, in_grey=order < len(skeletons))
    return canvas


def _draw_by_depth(canvas: np.ndarray, placed: np.ndarray, thickness: int, *, in_grey: bool) -> None:
    """``placed`` (21, 3): u, v in pixels, distance away; the farthest bone first, each with a white rim."""
    usable = np.isfinite(placed[:, 2]) & _usable(placed[:, :2], None, None, 0.0)
    bones = [(parent, child) for parent, child in BONES if usable[parent] and usable[child]]
    width = max(2, thickness - 1) if in_grey else thickness
    for parent, child in sorted(bones, key=lambda bone: -(placed[bone[0], 2] + placed[bone[1], 2])):
        colour = REFERENCE_COLOUR if in_grey else JOINT_COLOURS[child]
        start, end = placed[parent, :2], placed[child, :2]
        if not in_grey:
            line(canvas, start, end, _WHITE, width + 2)
        line(canvas, start, end, colour, width)
    for joint in sorted(np.flatnonzero(usable), key=lambda joint: -placed[joint, 2]):
        disc(canvas, placed[joint, :2], width + 1, REFERENCE_COLOUR if in_grey else JOINT_COLOURS[joint])
