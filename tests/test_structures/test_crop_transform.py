"""One crop moves image, points, camera and 3D together; its inverse is exact."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mmdualhand.structures import Camera, CropTransform, apply_affine, grid_affine, to_grid

K = np.array([[300.0, 0, 160], [0, 310, 120], [0, 0, 1]])
SIZE = (320, 240)
CASES = [
    (rotation, mirror, side)
    for rotation in (0.0, 90.0, -37.0)
    for mirror in (False, True)
    for side in (100.0, 61.5)
]


def test_upright_crop_by_hand() -> None:
    crop = CropTransform.from_box((100.0, 80.0), 50.0, (256, 256), SIZE)
    # Centre to (S - 1) / 2, one source pixel = 5.12 crop pixels.
    moved = crop.points_2d(np.array([[100.0, 80], [101, 80]]))
    np.testing.assert_allclose(moved, [[127.5, 127.5], [132.62, 127.5]])
    # The box's outer edge, half a pixel outside the outer pixel centres.
    np.testing.assert_allclose(crop.points_2d(np.array([75.0, 105.0])), [-0.5, 255.5])


def test_rotation_is_counter_clockwise_on_the_screen() -> None:
    crop = CropTransform.from_box((100.0, 80.0), 64.0, (64, 64), SIZE, rotation_deg=90.0)
    # A point right of the centre goes to above it (smaller v).
    np.testing.assert_allclose(crop.points_2d(np.array([110.0, 80.0])), [31.5, 21.5])


def test_mirror_by_hand() -> None:
    crop = CropTransform.from_box((100.0, 80.0), 64.0, (64, 64), SIZE, mirror=True)
    # The centre is given unmirrored; what was right of it is left of it now.
    moved = crop.points_2d(np.array([[100.0, 80], [110, 80]]))
    np.testing.assert_allclose(moved, [[31.5, 31.5], [21.5, 31.5]])
    whole = CropTransform.from_box((159.5, 119.5), 240.0, (240, 240), SIZE, mirror=True)
    moved = whole.camera(Camera(K)).K
    # cx' = W - 1 - cx = 159, then minus the 40 columns cut off; focal lengths stay positive.
    np.testing.assert_allclose(moved, [[300, 0, 119], [0, 310, 120], [0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(whole.points_3d(np.array([[1.0, 2, 3]])), [[-1, 2, 3]])


def test_rotation_leaves_3d_alone_and_skews_the_camera() -> None:
    crop = CropTransform.from_box((100.0, 80.0), 64.0, (64, 64), SIZE, rotation_deg=30.0)
    points = np.array([[1.0, 2, 3]])
    np.testing.assert_array_equal(crop.points_3d(points), points)
    moved = crop.camera(Camera(K)).K
    np.testing.assert_allclose(moved[:2, :2], [[300 * 3**0.5 / 2, 155], [-150, 310 * 3**0.5 / 2]])


@pytest.mark.parametrize(('rotation', 'mirror', 'side'), CASES)
def test_image_points_and_camera_agree(rotation: float, mirror: bool, side: float) -> None:
    """A dot drawn at a projected joint is found where the points and the warped camera say."""
    camera = Camera(K)
    joint = camera.back_project(np.array([120.0, 90.0]), 600.0)
    img = np.zeros((240, 320), np.float32)
    img[90, 120] = 1.0
    img = cv2.GaussianBlur(img, (0, 0), 2.0)
    crop = CropTransform.from_box((112.0, 84.0), side, (128, 128), SIZE, rotation_deg=rotation, mirror=mirror)
    out = crop.image(img).astype(np.float64)
    rows, columns = np.mgrid[:128, :128]
    found = np.array([(out * columns).sum(), (out * rows).sum()]) / out.sum()
    expected = crop.points_2d(np.array([120.0, 90.0]))
    np.testing.assert_allclose(found, expected, atol=0.05)
    np.testing.assert_allclose(crop.camera(camera).project(crop.points_3d(joint)), expected, atol=1e-9)
    nearest = crop.image((img > 0.9 * img.max()).astype(np.uint8), 'nearest')
    assert nearest[int(round(expected[1])), int(round(expected[0]))] == 1


@pytest.mark.parametrize(('rotation', 'mirror', 'side'), CASES)
def test_inverse_is_exact(rotation: float, mirror: bool, side: float) -> None:
    crop = CropTransform.from_box((112.0, 84.0), side, (128, 128), SIZE, rotation_deg=rotation, mirror=mirror)
    rng = np.random.default_rng(3)
    uv, xyz = rng.uniform(0, 300, (21, 2)), rng.uniform(-100, 600, (21, 3))
    np.testing.assert_allclose(crop.inverse_points_2d(crop.points_2d(uv)), uv, rtol=0, atol=1e-10)
    np.testing.assert_allclose(crop.inverse().points_2d(crop.points_2d(uv)), uv, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(crop.inverse_points_3d(crop.points_3d(xyz)), xyz)
    back = crop.inverse().camera(crop.camera(Camera(K)))
    np.testing.assert_allclose(back.K, K, rtol=0, atol=1e-9)
    assert crop.inverse().source_size == (128, 128) and crop.inverse().output_size == SIZE
    round_trip = crop.then(crop.inverse())
    np.testing.assert_allclose(round_trip.matrix, np.eye(3), atol=1e-10)
    assert round_trip.mirror is False


def test_then_applies_in_order() -> None:
    first = CropTransform.from_box((112.0, 84.0), 90.0, (128, 128), SIZE, rotation_deg=20.0, mirror=True)
    second = CropTransform.resize((128, 128), (64, 32))
    uv = np.array([[100.0, 70.0]])
    np.testing.assert_allclose(first.then(second).points_2d(uv), second.points_2d(first.points_2d(uv)))
    assert first.then(second).mirror is True
    with pytest.raises(ValueError, match='must start from size'):
        second.then(first)


def test_grid_change_is_about_pixel_centres() -> None:
    uv = np.array([[0.0, 255.0], [127.5, 127.5]])
    # (0 + .5) / 4 - .5 and (255 + .5) / 4 - .5
    np.testing.assert_allclose(to_grid(uv, (256, 256), (64, 64)), [[-0.375, 63.375], [31.5, 31.5]])
    np.testing.assert_allclose(grid_affine(256, 64), [[0.25, 0, -0.375], [0, 0.25, -0.375], [0, 0, 1]])
    tensor = to_grid(torch.tensor(uv, dtype=torch.float32), 256, 64)
    assert tensor.dtype == torch.float32
    torch.testing.assert_close(tensor, torch.tensor([[-0.375, 63.375], [31.5, 31.5]]))


def test_apply_affine_batched() -> None:
    matrices = torch.tensor([[[2.0, 0, 1], [0, 2, 0], [0, 0, 1]], [[0, 1, 0], [-1, 0, 5], [0, 0, 1]]])
    uv = torch.tensor([[[1.0, 2.0]], [[1.0, 2.0]]])
    torch.testing.assert_close(apply_affine(matrices, uv), torch.tensor([[[3.0, 4.0]], [[2.0, 4.0]]]))


def test_points_keep_their_type() -> None:
    crop = CropTransform.from_box((112.0, 84.0), 90.0, (128, 128), SIZE, mirror=True)
    tensor = torch.rand(2, 21, 3)
    assert crop.points_3d(tensor).dtype == torch.float32
    torch.testing.assert_close(crop.points_3d(tensor)[..., 0], -tensor[..., 0])
    assert crop.points_2d(np.zeros((21, 2), np.float32)).dtype == np.float32
    assert crop.points_2d(np.zeros((21, 2), np.int64)).dtype == np.float64


def test_area_averages_the_footprint() -> None:
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    crop = CropTransform.resize((64, 64), (8, 8))
    np.testing.assert_allclose(crop.image(board, 'area'), 127.5, atol=1)
    identity = CropTransform.identity((64, 64))
    np.testing.assert_array_equal(identity.image(board), board)


def test_border_value_fills_outside_and_channels_are_kept() -> None:
    crop = CropTransform.from_box((0.0, 0.0), 8.0, (8, 8), (16, 16))
    img = np.full((16, 16, 3), 50, np.uint8)
    out = crop.image(img, 'nearest', border=7)
    assert out.shape == (8, 8, 3)
    assert (out[:3, :3] == 7).all() and (out[5:, 5:] == 50).all()


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match='contradicts'):
        CropTransform(np.eye(3), (8, 8), (8, 8), mirror=True)
    with pytest.raises(ValueError, match='side'):
        CropTransform.from_box((1.0, 1.0), 0.0, (8, 8), (8, 8))
    with pytest.raises(ValueError, match='center'):
        CropTransform.from_box((1.0, 1.0, 1.0), 4.0, (8, 8), (8, 8))
    with pytest.raises(ValueError, match='output_size'):
        CropTransform.from_box((1.0, 1.0), 4.0, (8, 8, 8), (8, 8))
    with pytest.raises(ValueError, match='inverted'):
        CropTransform(np.diag([0.0, 1, 1]), (8, 8), (8, 8))
    with pytest.raises(ValueError, match='size'):
        CropTransform.identity((8, 8)).image(np.zeros((8, 9)))
    with pytest.raises(ValueError, match='interpolation'):
        CropTransform.identity((8, 8)).image(np.zeros((8, 8)), 'cubic')
