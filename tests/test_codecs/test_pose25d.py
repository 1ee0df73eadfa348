"""2.5D pose: hand-worked values, exact round trips, gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mmdualhand.codecs import GRID_SIZE, Pose25D
from mmdualhand.errors import ConfigError
from mmdualhand.registry import CODECS
from mmdualhand.structures import Camera, CropTransform


def hands(batch: int = 3, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    xyz = torch.randn(batch, 21, 3, generator=generator, dtype=torch.float64) * 40
    xyz[..., 2] += 600
    return xyz


def cameras(batch: int = 3) -> torch.Tensor:
    """Cameras of rotated, mirrored crops: skewed."""
    base = Camera(np.array([[500.0, 0, 320], [0, 510, 240], [0, 0, 1]]))
    moved = [
        CropTransform.from_box((320, 240), 150.0, 256, (640, 480), rotation_deg=40.0 * k, mirror=k % 2 == 1)
        .camera(base).K
        for k in range(batch)
    ]  # fmt: skip
    return torch.from_numpy(np.stack(moved))


def test_beta_starts_at_ten_and_is_positive() -> None:
    codec = CODECS.build(dict(type='Pose25D'))
    assert codec.beta.item() == pytest.approx(10.0, rel=1e-6)
    assert [name for name, _ in codec.named_parameters()] == ['log_beta']
    with torch.no_grad():
        codec.log_beta.fill_(-50.0)
    assert codec.beta.item() > 0
    assert not list(Pose25D(learnable_beta=False).parameters())
    with pytest.raises(ValueError, match='init_beta'):
        Pose25D(init_beta=0.0)


@pytest.mark.parametrize('size', [64, 32, 16])
def test_a_uniform_map_decodes_to_the_grid_centre(size: int) -> None:
    pose = Pose25D().decode(torch.zeros(2, 21, size, size), torch.full((2, 21, size, size), 0.25))
    torch.testing.assert_close(pose[..., :2], torch.full((2, 21, 2), 31.5))
    torch.testing.assert_close(pose[..., 2], torch.full((2, 21), 0.25))


def test_a_single_peak_decodes_to_its_cell() -> None:
    heat = torch.zeros(1, 21, 32, 48)
    heat[:, :, 5, 40] = 100.0
    depth = torch.zeros(1, 21, 32, 48)
    depth[:, :, 5, 40] = -1.5
    pose = Pose25D().decode(heat, depth)
    # (40 + .5) * 64 / 48 - .5 = 53.5, (5 + .5) * 64 / 32 - .5 = 10.5
    torch.testing.assert_close(pose[0, 7], torch.tensor([53.5, 10.5, -1.5]))


def test_two_cells_are_weighted_by_beta() -> None:
    heat = torch.full((1, 21, 64, 64), -1e4)
    heat[:, :, 0, 0] = 0.0
    heat[:, :, 0, 10] = math.log(3.0) / 2.0
    pose = Pose25D(init_beta=2.0).decode(heat, torch.zeros_like(heat))
    # Weights 1 : 3, so u = 7.5.
    torch.testing.assert_close(pose[0, 0], torch.tensor([7.5, 0.0, 0.0]))


def test_spread_is_the_root_of_the_variance_in_sides_of_the_crop() -> None:
    codec = Pose25D()
    # Uniform over n cells: variance (n^2 - 1) / 12 cells^2 along each axis.
    for side in (16, 64):
        uniform = codec.spread(torch.zeros(1, 21, side, side))
        wanted = math.sqrt((side**2 - 1) / 6) / side
        torch.testing.assert_close(uniform, torch.full((1, 21), wanted))
    peak = torch.zeros(1, 21, 64, 64)
    peak[:, :, 63, 0] = 100.0
    assert float(codec.spread(peak).max()) < 1e-6
    # Two equal peaks 10 of 50 cells apart along u: 5 cells from their mean, a tenth of the side.
    twin = torch.full((1, 21, 40, 50), -1e4)
    twin[:, :, 30, 20], twin[:, :, 30, 30] = 0.0, 0.0
    torch.testing.assert_close(codec.spread(twin), torch.full((1, 21), 0.1))
    # 0.1 is twice the radius of a right joint: 1 / (1 + 2^2).
    torch.testing.assert_close(codec.confidence(twin), torch.full((1, 21), 0.2))
    torch.testing.assert_close(codec.confidence(peak), torch.ones(1, 21))
    assert not codec.confidence(torch.zeros(1, 21, 8, 8, requires_grad=True)).requires_grad


def test_spread_does_not_depend_on_the_resolution() -> None:
    codec, found = Pose25D(init_beta=1.0, learnable_beta=False), []
    for side in (32, 64, 128):
        places = (torch.arange(side) + 0.5) / side
        bell = -((places - 0.5) ** 2) / (2 * 0.08**2)
        found.append(codec.spread((bell[:, None] + bell).expand(1, 21, side, side)))
    torch.testing.assert_close(found[0], torch.full((1, 21), 0.08 * math.sqrt(2)), rtol=1e-3, atol=0)
    torch.testing.assert_close(found[0], found[2], rtol=1e-3, atol=0)


def test_an_unknown_score_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of \\('spread', 'mass'\\), got 'peak'"):
        Pose25D(score='peak')


def test_the_score_mass_is_the_mass_about_the_prediction() -> None:
    codec = Pose25D(score='mass')
    uniform = codec.confidence(torch.zeros(1, 21, 64, 64))
    torch.testing.assert_close(uniform, torch.full((1, 21), 9 / 4096))
    peak = torch.zeros(1, 21, 64, 64)
    peak[:, :, 63, 0] = 100.0
    torch.testing.assert_close(codec.confidence(peak), torch.ones(1, 21))
    # Two equal peaks ten cells apart: the mean lies between them, nothing is there.
    twin = torch.zeros(1, 21, 64, 64)
    twin[:, :, 30, 20], twin[:, :, 30, 30] = 100.0, 100.0
    assert float(codec.confidence(twin).max()) < 1e-6
    assert not codec.confidence(torch.zeros(1, 21, 8, 8, requires_grad=True)).requires_grad


def test_encode_by_hand() -> None:
    uv = np.zeros((21, 2))
    uv[3] = (10.0, 20.0)
    xyz = np.zeros((21, 3))
    xyz[:, 2] = 500.0
    xyz[10] = (30.0, 40.0, 500.0)
    xyz[3, 2] = 525.0
    pose = Pose25D().encode(uv, xyz)
    # (10.5 / 4 - .5, 20.5 / 4 - .5, 25 / 50)
    np.testing.assert_allclose(pose[3], [2.125, 4.625, 0.5])
    np.testing.assert_allclose(pose[9], [-0.375, -0.375, 0.0])
    np.testing.assert_allclose(Pose25D().encode(uv, xyz, ref_length=40.0)[3, 2], 0.625)
    tensor = Pose25D().encode(torch.from_numpy(uv), torch.from_numpy(xyz))
    np.testing.assert_array_equal(tensor.numpy(), pose)
    batch = Pose25D().encode(np.stack([uv, uv]), np.stack([xyz, xyz]), np.array([50.0, 25.0]))
    np.testing.assert_allclose(batch[:, 3, 2], [0.5, 1.0])


def test_lift_by_hand() -> None:
    pose = torch.zeros(1, 21, 3, dtype=torch.float64)
    pose[0, :, :2] = 31.5  # crop pixel 127.5
    pose[0, 4] = torch.tensor([32.5, 30.5, 0.5])  # crop pixels 131.5, 123.5
    camera = torch.tensor([[[200.0, 0, 127.5], [0, 400.0, 127.5], [0, 0, 1]]], dtype=torch.float64)
    xyz = Pose25D().lift(pose, camera, torch.tensor([400.0]), torch.tensor([40.0]))
    # Z = 400 + .5 * 40 = 420; X = 4 / 200 * 420; Y = -4 / 400 * 420
    torch.testing.assert_close(xyz[0, 4], torch.tensor([8.4, -4.2, 420.0], dtype=torch.float64))
    torch.testing.assert_close(xyz[0, 9], torch.tensor([0.0, 0.0, 400.0], dtype=torch.float64))


def test_lift_undoes_project_for_skewed_and_mirrored_cameras() -> None:
    codec, xyz, camera = Pose25D(), hands(), cameras()
    pose = codec.project(xyz, camera)
    back = codec.lift(pose, camera, codec.root_depth(xyz), codec.reference_length(xyz))
    torch.testing.assert_close(back, xyz, rtol=0, atol=1e-9)
    again = codec.project(back, camera, codec.root_depth(xyz), codec.reference_length(xyz))
    torch.testing.assert_close(again, pose, rtol=0, atol=1e-9)
    for index in range(3):
        uv = Camera(camera[index].numpy()).project(xyz[index].numpy())
        np.testing.assert_allclose(pose[index].numpy(), codec.encode(uv, xyz[index].numpy()), atol=1e-9)


def test_decode_and_lift_have_right_gradients() -> None:
    codec = Pose25D(input_size=32, init_beta=2.0).double()
    generator = torch.Generator().manual_seed(1)
    heat = torch.randn(1, 21, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    depth = torch.randn(1, 21, 3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(codec.decode, (heat, depth))

    def of_beta(log_beta: torch.Tensor) -> torch.Tensor:
        maps = (heat.detach(), depth.detach())
        return torch.func.functional_call(_Decode(codec), {'codec.log_beta': log_beta}, maps)

    assert torch.autograd.gradcheck(of_beta, (codec.log_beta.detach().clone().requires_grad_(),))
    pose = codec.decode(heat, depth).detach().requires_grad_()
    scale = (torch.tensor([400.0], dtype=torch.float64), torch.tensor([40.0], dtype=torch.float64))
    lift_inputs = (pose, cameras(1), *(value.requires_grad_() for value in scale))
    assert torch.autograd.gradcheck(codec.lift, lift_inputs)


class _Decode(torch.nn.Module):
    def __init__(self, codec: Pose25D) -> None:
        super().__init__()
        self.codec = codec

    def forward(self, heat: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
        return self.codec.decode(heat, depth)


def test_decode_is_float32_under_autocast() -> None:
    heat = torch.randn(1, 21, 16, 16, generator=torch.Generator().manual_seed(2))
    codec = Pose25D()
    with torch.autocast('cpu', torch.bfloat16):
        low = codec.decode(heat.bfloat16(), heat.bfloat16())
    assert low.dtype == torch.float32
    exact = codec.decode(heat.bfloat16().float(), heat.bfloat16().float())
    torch.testing.assert_close(low, exact)


def test_decode_runs_without_data() -> None:
    maps = torch.zeros(2, 21, 64, 64, device='meta')
    assert Pose25D().to('meta').decode(maps, maps).shape == (2, 21, 3)


def test_the_grid_is_always_64() -> None:
    codec = Pose25D(input_size=(128, 96))
    assert codec.grid_size == (64, 64) == (GRID_SIZE, GRID_SIZE)
    with pytest.raises(TypeError, match='grid_size'):
        Pose25D(grid_size=32)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        codec.grid_size = (32, 32)  # type: ignore[misc]


def test_wrong_shapes_are_named() -> None:
    codec = Pose25D()
    with pytest.raises(ValueError, match='depth_maps'):
        codec.decode(torch.zeros(1, 21, 8, 8), torch.zeros(1, 21, 8, 4))
    with pytest.raises(ValueError, match='heatmaps'):
        codec.decode(torch.zeros(1, 20, 8, 8), torch.zeros(1, 20, 8, 8))
    with pytest.raises(ValueError, match='root_depth'):
        codec.lift(torch.zeros(2, 21, 3), torch.zeros(2, 3, 3), torch.zeros(1), torch.zeros(2))
    with pytest.raises(ValueError, match='camera'):
        codec.project(torch.zeros(2, 21, 3), torch.zeros(3, 3))
    with pytest.raises(ValueError, match='keypoints_3d'):
        codec.encode(np.zeros((21, 2)), np.zeros((20, 3)))
