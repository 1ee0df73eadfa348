"""The frame that a network saw, at the size of a picture: its crop of the photo, and points moved into it."""

from __future__ import annotations

import cv2
import numpy as np

from mmdualhand.structures import HandDataSample, apply_affine, grid_affine
from mmdualhand.visualization.images import check_image, fit_size


def crop_view_matrix(
    sample: HandDataSample, box: tuple[int, int]
) -> tuple[np.ndarray, tuple[int, int]] | None:
    """From pixels of the photo to pixels of its crop, enlarged or reduced into a box.

    Args:
        sample: With ``crop_matrix`` and ``input_size`` in its metainfo.
        box: ``(w, h)`` of the space, pixels.

    Returns:
        ``(3, 3)`` and the picture's ``(w, h)``; None where the sample does not say how it was cropped.
    """
    matrix, size = sample.metainfo.get('crop_matrix'), sample.metainfo.get('input_size')
    if matrix is None or size is None:
        return None
    width, height = (int(side) for side in size)
    view = fit_size((width, height), box)
    return grid_affine((width, height), view) @ np.asarray(matrix, np.float64), view


def crop_view(image: np.ndarray, sample: HandDataSample, box: tuple[int, int]) -> np.ndarray | None:
    """The photo as the network saw it; a mirrored crop is mirrored here too.

    Args:
        image: ``(H, W, 3)`` uint8 RGB, the photo as it is on disk.
        sample: As for :func:`crop_view_matrix`.
        box: ``(w, h)`` of the space, pixels.

    Returns:
        The picture, uint8 RGB; None where the sample does not say how it was cropped.

    Raises:
        TypeError: ``image`` is not a numpy array.
        ValueError: ``image`` is not an RGB picture.
    """
    check_image(image)
    found = crop_view_matrix(sample, box)
    if found is None:
        return None
    return cv2.warpAffine(image, found[0][:2], found[1], flags=cv2.INTER_LINEAR)


def crop_view_points(points: np.ndarray, sample: HandDataSample, box: tuple[int, int]) -> np.ndarray | None:
    """Points of the photo in the picture of :func:`crop_view`.

    Args:
        points: ``(N, 2)`` pixels of the photo.
        sample: As for :func:`crop_view_matrix`.
        box: ``(w, h)`` of the space, pixels.

    Returns:
        ``(N, 2)`` pixels of the picture; None where the sample does not say how it was cropped.
    """
    found = crop_view_matrix(sample, box)
    return None if found is None else apply_affine(found[0], np.asarray(points, np.float64))
