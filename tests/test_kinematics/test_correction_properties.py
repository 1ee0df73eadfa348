"""Properties that rho has on noisy hands, whatever its settings."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from mmdualhand.kinematics import SOURCE_TEMPLATE, BiomechanicalCorrection, HandTemplate, measure_bones
from mmdualhand.synthesis.rotations import random_rotation, rotation_z
from tests.test_kinematics.conftest import Hands, generate_hands

SETTINGS = [
    dict(limits=limits, palm=palm, placement=placement)
    for limits, palm, placement in product(
        ('anatomical', 'klbr', 'none'), ('rigid', 'chain'), ('root', 'centroid', 'xy')
    )
]
every_setting = pytest.mark.parametrize('setting', SETTINGS, ids=lambda s: '-'.join(s.values()))
MIRROR = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)


def largest(difference: Tensor) -> float:
    return float(difference.abs().max())


@every_setting
def test_idempotent(setting: dict[str, str], hands: Hands) -> None:
    rho = BiomechanicalCorrection(**setting)
    for dtype, bound in ((torch.float64, 1e-9), (torch.float32, 1e-3)):
        noisy, side, length = (value.to(dtype) for value in (hands.noisy, hands.side, hands.length))
        once, valid = rho(noisy, side, length)
        again, still_valid = rho(once, side, length)
        assert once.dtype == dtype
        assert valid.all() and still_valid.all()
        assert largest(once - noisy) > 5.0
        assert largest(again - once) < bound


@every_setting
def test_bone_lengths_are_those_of_the_template(setting: dict[str, str], hands: Hands) -> None:
    rho = BiomechanicalCorrection(**setting)
    for dtype in (torch.float64, torch.float32):
        corrected, _ = rho(*(value.to(dtype) for value in (hands.noisy, hands.side, hands.length)))
        wanted = rho.ratios.double() * hands.length[:, None, None]
        assert largest(measure_bones(corrected).double() - wanted) < 1e-3


@every_setting
def test_placement(setting: dict[str, str], hands: Hands) -> None:
    corrected, _ = BiomechanicalCorrection(**setting)(hands.noisy, hands.side, hands.length)
    moved = (corrected - hands.noisy).mean(1)
    root = corrected[:, 9] - hands.noisy[:, 9]
    if setting['placement'] == 'root':
        assert (root == 0).all()
    elif setting['placement'] == 'centroid':
        assert largest(moved) < 1e-9
    else:
        assert largest(moved[:, :2]) < 1e-9 and (root[:, 2] == 0).all()


@every_setting
def test_equivariant_to_rotation_and_translation(setting: dict[str, str], hands: Hands) -> None:
    rho, rng = BiomechanicalCorrection(**setting), np.random.default_rng(1)
    count = len(hands.side)
    if setting['placement'] == 'xy':  # only about the optical axis
        turns = rotation_z(rng.uniform(-np.pi, np.pi, count))
    else:
        turns = np.stack([random_rotation(rng) for _ in range(count)])
    turn, shift = torch.from_numpy(turns), torch.from_numpy(rng.uniform(-300, 300, (count, 1, 3)))
    plain, _ = rho(hands.noisy, hands.side, hands.length)
    moved, valid = rho(hands.noisy @ turn.mT + shift, hands.side, hands.length)
    assert valid.all()
    assert largest(moved - (plain @ turn.mT + shift)) < 1e-8


@every_setting
def test_equivariant_to_mirroring(setting: dict[str, str], hands: Hands) -> None:
    """Catches, among others, a template palm that is not mirrored for left hands."""
    rho = BiomechanicalCorrection(**setting)
    plain, _ = rho(hands.noisy, hands.side, hands.length)
    mirrored, valid = rho(hands.noisy * MIRROR, -hands.side, hands.length)
    assert valid.all()
    assert largest(mirrored - plain * MIRROR) < 1e-9
    if setting['palm'] == 'rigid':  # as the other hand it would be something else
        wrong, _ = rho(hands.noisy * MIRROR, hands.side, hands.length)
        assert largest(wrong - plain * MIRROR) > 5.0


@every_setting
def test_equivariant_to_scale(setting: dict[str, str], hands: Hands) -> None:
    rho = BiomechanicalCorrection(**setting)
    plain, _ = rho(hands.noisy, hands.side, hands.length)
    metres, _ = rho(hands.noisy / 1000, hands.side, hands.length / 1000)
    assert largest(metres * 1000 - plain) < 1e-9


def straight_hand(rho: BiomechanicalCorrection, side: float, length: float) -> Tensor:
    """(21, 3) mm: the palm of the template, every finger on along its line from the wrist."""
    assert rho.palm_points is not None
    palm = rho.palm_points.double() * torch.tensor([side, 1.0, 1.0]) * length
    bones = palm[1:] - palm[:1]
    along = bones / bones.norm(dim=-1, keepdim=True)
    reach = rho.ratios.double().cumsum(1) * length
    return torch.cat([palm[:1], (palm[:1, None] + reach[..., None] * along[:, None]).flatten(0, 1)])


@every_setting
@pytest.mark.parametrize('side', [1.0, -1.0])
def test_the_straight_hand_of_the_template_is_mapped_to_itself(setting: dict[str, str], side: float) -> None:
    """Its bones are those of the template and all its angles 0, which every range of limits has inside."""
    rho, rng = BiomechanicalCorrection(**setting), np.random.default_rng(5)
    turns = torch.from_numpy(np.stack([random_rotation(rng) for _ in range(20)]))
    places = torch.from_numpy(rng.uniform((-100, -100, 400), (100, 100, 900), (20, 1, 3)))
    straight = straight_hand(rho, side, 43.0) @ turns.mT + places
    for dtype in (torch.float64, torch.float32):
        given = straight.to(dtype), torch.full((20,), side, dtype=dtype), torch.full((20,), 43.0, dtype=dtype)
        corrected, valid = rho(*given)
        assert valid.all()
        assert largest(corrected.double() - straight) <= 1e-3


def degenerate_hands() -> Tensor:
    """All zero; one point; on a line; palm of one point; joints on their placed parents; huge."""
    hand = generate_hands(1, seed=4).joints[0]
    template = HandTemplate.load(SOURCE_TEMPLATE)
    palm, lengths = torch.tensor(template.palm) * 40.0, torch.tensor(template.ratios) * 40.0
    along = torch.nn.functional.normalize(palm[1:] - palm[:1], dim=-1)
    batch = torch.zeros(6, 21, 3, dtype=torch.float64)
    batch[1] = torch.tensor([10.0, 20.0, 500.0])
    batch[2] = torch.arange(21.0)[:, None] * torch.tensor([1.0, 2.0, 2.0])
    batch[3] = hand
    batch[3, [0, 1, 5, 9, 13, 17]] = hand[9]
    steps = torch.zeros(5, 4, dtype=torch.float64)
    steps[:, 2:] = lengths[:, 1:3].cumsum(1)  # every joint where the bone to it will start
    batch[4, 1:] = (palm[1:, None] + steps[..., None] * along[:, None]).flatten(0, 1)
    batch[4] += batch[1]
    batch[5] = hand * 1e30
    return batch


@every_setting
def test_degenerate_hands_stay_finite(setting: dict[str, str]) -> None:
    rho = BiomechanicalCorrection(**setting)
    for dtype in (torch.float64, torch.float32):
        batch = degenerate_hands().to(dtype)
        side, length = torch.ones(6, dtype=dtype), torch.full((6,), 40.0, dtype=dtype)
        corrected, valid = rho(batch, side, length)
        assert torch.isfinite(corrected).all()
        assert not valid[[0, 1, 3]].any()
        assert torch.equal(corrected[~valid], batch[~valid])
        assert bool(valid[4])
        again, _ = rho(corrected, side, length)
        assert largest((again - corrected)[:5]) < 1e-3
        # On a line, lengths can be given to a chain of bones; a body or angles have no direction there.
        assert bool(valid[2]) == (setting['palm'] == 'chain' and setting['limits'] == 'none')


@every_setting
def test_one_broken_hand_leaves_the_others_alone(setting: dict[str, str], hands: Hands) -> None:
    rho = BiomechanicalCorrection(**setting)
    noisy, side, length = (value[:8].float() for value in (hands.noisy, hands.side, hands.length))
    good, _ = rho(noisy, side, length)
    for value in (torch.nan, torch.inf, -torch.inf):
        broken = noisy.clone()
        broken[3, 7, 1] = value
        corrected, valid = rho(broken, side, length)
        assert valid.tolist() == [True] * 3 + [False] + [True] * 4
        assert torch.equal(corrected[valid], good[valid])
        torch.testing.assert_close(corrected[3], broken[3], rtol=0, atol=0, equal_nan=True)


@every_setting
def test_bones_without_length_go_straight_on(setting: dict[str, str]) -> None:
    batch = degenerate_hands()[4:5]
    one = torch.ones(1, dtype=torch.float64)
    corrected, _ = BiomechanicalCorrection(**setting)(batch, one, 40.0 * one)
    directions = corrected[0, 1:].unflatten(0, (5, 4)) - corrected[0, :1]
    cosine = torch.nn.functional.cosine_similarity(directions[:, :1], directions[:, 1:], dim=-1)
    assert largest(cosine - 1) < 1e-9


def test_facts_that_make_no_sense_are_invalid(hands: Hands) -> None:
    noisy, side, length = (value.clone() for value in hands.head(6)[1:])
    length[0], length[1], length[2], side[3], side[4] = 0.0, -40.0, torch.nan, 0.0, torch.nan
    corrected, valid = BiomechanicalCorrection()(noisy, side, length)
    assert valid.tolist() == [False] * 5 + [True]
    assert torch.equal(corrected[:5], noisy[:5])
    assert torch.isfinite(corrected).all()


@every_setting
def test_runs_without_data(setting: dict[str, str]) -> None:
    """On the meta device a step that waits for a number, or makes a tensor elsewhere, is an error."""
    rho = BiomechanicalCorrection(**setting).to('meta')
    joints = torch.zeros(3, 21, 3, device='meta')
    corrected, valid = rho(joints, torch.ones(3, device='meta'), torch.ones(3, device='meta'))
    assert corrected.shape == (3, 21, 3) and valid.shape == (3,)
    assert corrected.device.type == valid.device.type == 'meta'


@every_setting
def test_autocast_changes_nothing(setting: dict[str, str], hands: Hands) -> None:
    rho = BiomechanicalCorrection(**setting)
    batch = tuple(value.float() for value in hands.head(32)[1:])
    plain, _ = rho(*batch)
    with torch.autocast('cpu', torch.bfloat16):
        corrected, _ = rho(*batch)
        low, _ = rho(batch[0].bfloat16(), *batch[1:])
    assert torch.equal(corrected, plain)
    assert low.dtype == torch.float32


def test_an_empty_batch() -> None:
    corrected, valid = BiomechanicalCorrection()(torch.zeros(0, 21, 3), torch.zeros(0), torch.zeros(0))
    assert corrected.shape == (0, 21, 3) and valid.shape == (0,)


@every_setting
def test_gradients_of_noisy_hands_are_finite(setting: dict[str, str], hands: Hands) -> None:
    noisy = hands.noisy[:64].clone().requires_grad_()
    corrected, _ = BiomechanicalCorrection(**setting)(noisy, hands.side[:64], hands.length[:64])
    corrected.square().sum().backward()
    assert noisy.grad is not None and torch.isfinite(noisy.grad).all()
    assert float(noisy.grad.abs().max()) > 0
