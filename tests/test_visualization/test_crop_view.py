"""The crop of a photo and points in it, at any size."""

from __future__ import annotations

import numpy as np
import pytest

from mmdualhand.structures import HandDataSample
from mmdualhand.visualization import crop_view, crop_view_points, first_field
from mmdualhand.visualization.crop_view import crop_view_matrix

# The right half of a photo of 64 x 32 px, at its own scale; with a mirror, its left half.
RIGHT = [[1.0, 0.0, -32.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
MIRRORED = [[-1.0, 0.0, 31.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def sample(matrix: list[list[float]] | None) -> HandDataSample:
    meta = {} if matrix is None else dict(crop_matrix=matrix, input_size=(32, 32))
    return HandDataSample(metainfo=meta)


def test_picture_and_points_move_together():
    photo = np.zeros((32, 64, 3), np.uint8)
    photo[8:12, 40:44] = (250, 10, 20)
    view = crop_view(photo, sample(RIGHT), (128, 128))
    # source pixels 40..43 cover 39.5 to 43.5, which is 7.5 to 11.5 of the crop and 31.5 to 47.5 of the view
    assert view.shape == (128, 128, 3) and (view[38:42, 34:46] == (250, 10, 20)).all()
    assert not view[:, :28].any() and not view[:, 52:].any()
    # the centre of that square, (41.5, 9.5): (9.5 + .5) * 4 - .5
    np.testing.assert_allclose(
        crop_view_points(np.array([[41.5, 9.5]]), sample(RIGHT), (128, 128)), [[39.5] * 2]
    )


def test_a_mirrored_crop_is_shown_mirrored():
    photo = np.zeros((32, 64, 3), np.uint8)
    photo[:, :8] = 200
    view = crop_view(photo, sample(MIRRORED), (32, 32))
    assert (view[:, 24:] == 200).all() and not view[:, :24].any()
    np.testing.assert_allclose(
        crop_view_points(np.array([[3.0, 5.0]]), sample(MIRRORED), (32, 32)), [[28.0, 5.0]]
    )


def test_the_view_keeps_the_aspect_of_the_crop():
    wide = HandDataSample(metainfo=dict(crop_matrix=RIGHT, input_size=(32, 16)))
    matrix, size = crop_view_matrix(wide, (100, 100))
    assert size == (100, 50)
    np.testing.assert_allclose(matrix @ [31.5, -0.5, 1], [-0.5, -0.5, 1])  # the corner stays the corner


def test_a_sample_that_does_not_say_how_it_was_cropped():
    photo = np.zeros((8, 8, 3), np.uint8)
    assert crop_view(photo, sample(None), (8, 8)) is None
    assert crop_view_points(np.zeros((1, 2)), sample(None), (8, 8)) is None
    with pytest.raises(ValueError, match='RGB'):
        crop_view(photo[..., 0], sample(RIGHT), (8, 8))
    assert first_field(sample(None), 'pred_fields', 'mask') is None
