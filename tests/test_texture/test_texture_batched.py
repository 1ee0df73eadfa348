"""The batched device form, and its agreement with the OpenCV form."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mmdualhand import get_config
from mmdualhand.datasets.transforms.photometric import apply_depth_texture, apply_rgb_texture
from mmdualhand.datasets.transforms.texture_parameters import DepthParameters, RGBParameters
from mmdualhand.models.texture import BatchTexture, gaussian_blur, inside_boxes, move_silhouette

STRONG_CONFIG = get_config('pretrain_rhd').to_dict()['texture']['augmented']
STRONG_DEPTH = STRONG_CONFIG['depth'] | dict(low_resolution=1.0)
STRONG = BatchTexture(STRONG_CONFIG['rgb'], STRONG_DEPTH)


def photo(size: int = 96, seed: int = 0) -> np.ndarray:
    """Smooth colours with edges and full range, (size, size, 3) uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    image[size // 4 : size // 2, size // 3 : size // 2] = (250, 30, 120)
    return image


def hand(size: int = 96, seed: int = 0) -> np.ndarray:
    """Two blobs of smoothly varying depth on background 1, one touching the border."""
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    depth = 0.3 + 0.4 * (rows + 2 * columns) / (3 * size)
    inside = (rows - 40 - seed) ** 2 + (columns - 50) ** 2 < 25**2
    inside |= (np.abs(rows - 85) < 12) & (np.abs(columns - 20) < 9)
    return np.where(inside, depth, 1).astype(np.float32)


def rgb_draws(**changes: object) -> RGBParameters:
    """Neutral parameters of two rows with fields changed."""
    one, zero = torch.ones(2), torch.zeros(2)
    neutral = RGBParameters(one, one, one, zero, torch.ones(2, 3), zero, zero, zero, torch.zeros(2, 4))
    return neutral._replace(**{k: torch.as_tensor(v, dtype=torch.float32) for k, v in changes.items()})


def depth_draws(**changes: object) -> DepthParameters:
    zero = torch.zeros(2)
    neutral = DepthParameters(zero, zero, zero, zero, zero, torch.zeros(2, 4, 4), zero)
    return neutral._replace(**{k: torch.as_tensor(v, dtype=torch.float32) for k, v in changes.items()})


def row(parameters: RGBParameters | DepthParameters, index: int) -> list[np.ndarray]:
    return [value[index].double().numpy()[()] for value in parameters]


@pytest.mark.parametrize(
    'changes',
    [
        dict(brightness=(1.4, 0.6)),
        dict(contrast=(1.4, 0.6)),
        dict(saturation=(1.4, 0.0)),
        dict(hue=(0.1, -0.1)),
        dict(gain=((1.2, 0.8, 1.0), (0.9, 1.1, 1.2))),
        dict(grey=(1, 0)),
        dict(blur_sigma=(0.3, 2.0)),
        dict(box=((3, 5, 40, 33), (60, 0, 96, 96))),
        dict(brightness=(1.3, 0.7), contrast=(0.7, 1.4), hue=(0.08, -0.05), grey=(0, 1), blur_sigma=(1.2, 0)),
    ],
    ids=lambda changes: '+'.join(changes),
)
def test_rgb_agrees_with_opencv_within_two_levels(changes: dict) -> None:
    images, draws = [photo(seed=0), photo(seed=1)], rgb_draws(**changes)
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float()
    ours = STRONG.apply_rgb(batch, draws).permute(0, 2, 3, 1).numpy()
    for index, image in enumerate(images):
        single = RGBParameters(*row(draws, index))
        theirs = apply_rgb_texture(image, single, STRONG.rgb, np.random.default_rng(0))
        assert np.abs(ours[index] - theirs).max() <= 2
        assert np.abs(ours[index] - theirs).mean() <= 0.6


@pytest.mark.parametrize(
    'changes',
    [
        dict(radius=(1, -1)),
        dict(radius=(3, -2)),
        dict(offset=(0.1 / 6, -0.1 / 6)),
        dict(blur_sigma=(0.4, 2.0)),
        dict(low_resolution=(1, 0)),
        dict(boxes=torch.tensor([[[3, 5, 40, 33], [50, 20, 96, 44], [0] * 4, [0] * 4], [[0] * 4] * 4])),
        dict(quantise=(1, 0)),
        dict(radius=(2, -3), offset=(0.01, 0.0), blur_sigma=(0, 1.5), low_resolution=(1, 1)),
    ],
    ids=lambda changes: '+'.join(changes),
)
def test_depth_agrees_with_opencv(changes: dict) -> None:
    maps, draws = [hand(seed=0), hand(seed=7)], depth_draws(**changes)
    ours = STRONG.apply_depth(torch.from_numpy(np.stack(maps))[:, None], draws)[:, 0].numpy()
    for index, depth in enumerate(maps):
        single = DepthParameters(*row(draws, index))
        theirs = apply_depth_texture(depth, single, STRONG.depth, np.random.default_rng(0))
        assert np.abs(ours[index] - theirs).max() <= 1e-5
    assert np.abs(ours - np.stack(maps)).max() > 1e-3


def test_noise_fields_have_the_same_statistics() -> None:
    torch.manual_seed(0)
    grey = torch.full((2, 3, 128, 128), 128.0)
    noisy = STRONG.apply_rgb(grey, rgb_draws(noise_sigma=(6.0, 0.0)))
    assert noisy[0].std() == pytest.approx(6.0, rel=0.02)
    assert noisy[0].mean() == pytest.approx(128, abs=0.1)
    torch.testing.assert_close(noisy[1], grey[1], rtol=0, atol=0)
    single = RGBParameters(*row(rgb_draws(noise_sigma=(6.0, 0.0)), 0))
    image = np.full((128, 128, 3), 128, np.uint8)
    theirs = apply_rgb_texture(image, single, STRONG.rgb, np.random.default_rng(0)).astype(float)
    assert theirs.std() == pytest.approx(float(noisy[0].std()), rel=0.03)

    flat = torch.full((2, 1, 128, 128), 0.5)
    flat[:, :, :64] = 1
    rough = STRONG.apply_depth(flat, depth_draws(noise_sigma=(0.05 / 6, 0.02 / 6)))
    assert (rough[:, :, :64] == 1).all()
    assert rough[0, :, 64:].std() == pytest.approx(0.05 / 6, rel=0.03)
    assert rough[1, :, 64:].std() == pytest.approx(0.02 / 6, rel=0.03)


def test_neutral_parameters_change_no_bit() -> None:
    rgb = torch.from_numpy(np.stack([photo(), photo(seed=3)])).permute(0, 3, 1, 2).float()
    torch.testing.assert_close(STRONG.apply_rgb(rgb, rgb_draws()), rgb, rtol=0, atol=0)
    depth = torch.from_numpy(np.stack([hand(), hand(seed=5)]))[:, None]
    torch.testing.assert_close(STRONG.apply_depth(depth, depth_draws()), depth, rtol=0, atol=0)
    none = BatchTexture()
    out, map_out = none(rgb, depth)
    assert out is rgb and map_out is depth


def test_brightness_and_clipping_by_hand() -> None:
    rgb = torch.full((2, 3, 16, 16), 100.0)
    out = STRONG.apply_rgb(rgb, rgb_draws(brightness=(1.2, 3.0)))
    assert out[0].eq(torch.tensor(1.2) * 100).all()
    assert out[1].eq(255).all()


def test_erosion_and_dilation_of_a_square() -> None:
    depth = torch.ones(3, 1, 16, 16)
    depth[:, :, 4:12, 4:12] = 0.5
    moved = move_silhouette(depth, torch.tensor([-1.0, 0.0, 2.0]), 3)
    assert [(moved[i] < 1).sum().item() for i in range(3)] == [36, 64, 144]
    assert moved[0, 0, 4].eq(1).all() and moved[0, 0, 5, 5:11].eq(0.5).all()
    torch.testing.assert_close(moved[1], depth[1], rtol=0, atol=0)


def test_holes_are_exactly_background() -> None:
    depth = torch.full((2, 1, 32, 32), 0.4)
    boxes = torch.zeros(2, 4, 4)
    boxes[0, 2] = torch.tensor([1.0, 2.0, 11.0, 7.0])
    draws = depth_draws(noise_sigma=(0.02, 0.02), quantise=(1, 1))._replace(boxes=boxes)
    out = STRONG.apply_depth(depth, draws)
    assert out[0, 0, 2:7, 1:11].eq(1).all()
    assert (out == 1).sum() == 50
    steps = out * 255
    torch.testing.assert_close(steps, steps.round(), rtol=0, atol=1e-4)


def test_blur_of_a_dot_and_empty_boxes() -> None:
    dot = torch.zeros(2, 1, 31, 31)
    dot[:, :, 15, 15] = 1
    out = gaussian_blur(dot, torch.tensor([1.0, 0.0]), 6)
    assert out[0, 0, 15, 15] == pytest.approx(0.3989423**2, abs=1e-5)
    assert out[0, 0, 15, 16] == pytest.approx(0.3989423**2 * np.exp(-0.5), abs=1e-5)
    assert out[0].sum() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(out[1], dot[1], rtol=0, atol=0)
    assert not inside_boxes(torch.zeros(2, 3, 4), (5, 6)).any()


def test_seed_decides_the_draw_and_rows_differ() -> None:
    rgb = torch.from_numpy(np.stack([photo()] * 4)).permute(0, 3, 1, 2).float()
    depth = torch.from_numpy(np.stack([hand()] * 4))[:, None]

    def run(seed: int) -> list[torch.Tensor]:
        return list(STRONG(rgb, depth, torch.Generator().manual_seed(seed)))

    first, again, other = run(3), run(3), run(4)
    for index in range(2):
        torch.testing.assert_close(first[index], again[index], rtol=0, atol=0)
        assert (first[index] != other[index]).any()
        assert (first[index][0] != first[index][1]).any()
        top = (255, 1)[index]
        assert first[index].min() >= 0 and first[index].max() <= top


def test_nothing_goes_into_a_checkpoint() -> None:
    assert STRONG.state_dict() == {}


def test_shapes_are_known_without_values() -> None:
    """The meta device fails on every step that would read a value back."""
    texture = BatchTexture(STRONG_CONFIG['rgb'], STRONG_DEPTH).to('meta')
    rgb, depth = texture(torch.empty(5, 3, 64, 96, device='meta'), torch.empty(5, 1, 64, 96, device='meta'))
    assert rgb.shape == (5, 3, 64, 96)
    assert depth is not None and depth.shape == (5, 1, 64, 96)
