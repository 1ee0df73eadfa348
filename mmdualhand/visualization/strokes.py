"""Lines, discs and curves at fractions of a pixel."""

from __future__ import annotations

import cv2
import numpy as np

from mmdualhand.visualization.images import Colour

FAR_PIXELS = 1e5
"""Beyond this the fixed-point coordinates of OpenCV are near overflow: such a place is no place."""

_SHIFT = 4  # OpenCV's fixed point: sixteenths of a pixel


def _fixed(point: np.ndarray) -> tuple[int, int]:
    u, v = np.rint(point * (1 << _SHIFT)).astype(int)
    return int(u), int(v)


def line(canvas: np.ndarray, start: np.ndarray, end: np.ndarray, colour: Colour, thickness: int) -> None:
    """Draw a smooth line with round ends into a picture, in place.

    Args:
        canvas: ``(H, W, 3)`` uint8, contiguous.
        start: ``(2,)`` pixels, integer = pixel centre, nearer than :data:`FAR_PIXELS`.
        end: Likewise.
        colour: RGB.
        thickness: In whole pixels.
    """
    cv2.line(canvas, _fixed(start), _fixed(end), colour, thickness, cv2.LINE_AA, _SHIFT)


def disc(canvas: np.ndarray, centre: np.ndarray, radius: float, colour: Colour) -> None:
    """Fill a smooth disc, in place; ``radius`` in pixels, the rest as for :func:`line`."""
    cv2.circle(canvas, _fixed(centre), round(radius * (1 << _SHIFT)), colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def polygon(canvas: np.ndarray, points: np.ndarray, colour: Colour, *, filled: bool = False) -> None:
    """Draw a closed smooth curve of one pixel, or fill it, in place.

    Args:
        canvas: ``(H, W, 3)`` uint8, contiguous.
        points: ``(N, 2)`` pixels; those of a filled one in convex order.
        colour: RGB.
        filled: Fill it.
    """
    corners = np.rint(points * (1 << _SHIFT)).astype(np.int32)
    if filled:
        cv2.fillConvexPoly(canvas, corners, colour, cv2.LINE_AA, _SHIFT)
    else:
        cv2.polylines(canvas, [corners], True, colour, 1, cv2.LINE_AA, _SHIFT)
