"""The correction of 2.5D poses: exact in depth of the root, idempotent, and what it does to the error."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError
from mmdualhand.kinematics import SOURCE_TEMPLATE, BiomechanicalCorrection, HandTemplate
from mmdualhand.pseudo_labels import Pose25DCorrection
from mmdualhand.structures import Camera, CropTransform
from mmdualhand.testing import random_hand


@pytest.fixture(scope='module')
def batch() -> dict[str, Tensor]:
    """300 right hands, crops turned every way, and their 2.5D poses with noise of (8, 20) mm."""
    rng, codec, count = np.random.default_rng(0), Pose25D(), 300
    joints = np.stack([random_hand(rng, 'right', depth) for depth in rng.uniform(400, 800, count)])
    base, cameras = Camera(np.array([[600.0, 0, 320], [0, 610, 240], [0, 0, 1]])), []
    for hand in joints:
        uv = base.project(hand)
        middle, side = (uv.max(0) + uv.min(0)) / 2, 1.5 * np.ptp(uv, axis=0).max()
        turn = rng.uniform(-180, 180)
        crop = CropTransform.from_box(tuple(middle), side, 256, (640, 480), rotation_deg=turn)
        cameras.append(crop.camera(base).K)
    xyz, camera = torch.from_numpy(joints), torch.from_numpy(np.stack(cameras))
    noisy = xyz + torch.from_numpy(rng.normal(size=joints.shape) * (8.0, 8.0, 20.0))
    noisy[:, 9, 2] = xyz[:, 9, 2]
    facts = dict(root_depth=codec.root_depth(xyz), ref_length=codec.reference_length(xyz))
    pose = codec.project(noisy, camera, **facts)
    return dict(xyz=xyz, camera=camera, pose=pose, **facts)


def facts(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: batch[key] for key in ('camera', 'root_depth', 'ref_length')}


def error(pose: Tensor, batch: dict[str, Tensor]) -> float:
    return float((Pose25D().lift(pose, **facts(batch)) - batch['xyz']).norm(dim=-1).mean())


@pytest.mark.parametrize('placement', ['xy', 'root'])
def test_the_root_stays_at_zero_and_twice_is_once(batch: dict[str, Tensor], placement: str) -> None:
    rho = Pose25DCorrection(Pose25D(), dict(placement=placement))
    once, valid = rho(batch['pose'], **facts(batch))
    assert valid.all()
    assert (once[:, 9, 2] == 0).all()
    again, _ = rho(once, **facts(batch))
    torch.testing.assert_close(again, once, rtol=0, atol=1e-11)
    single = {key: value.float() for key, value in facts(batch).items()}
    low, _ = rho(batch['pose'].float(), **single)
    assert low.dtype == torch.float32 and (low[:, 9, 2] == 0).all()
    again, _ = rho(low, **single)
    assert float((again - low).abs().max()) < 1e-3
    if placement == 'root':
        torch.testing.assert_close(once[:, 9], batch['pose'][:, 9], rtol=0, atol=1e-11)


def test_it_is_the_correction_between_lifting_and_projecting(batch: dict[str, Tensor]) -> None:
    """Bit for bit, with the side that is asked for."""
    codec, rho = Pose25D(), BiomechanicalCorrection(placement='xy')
    for side in (1.0, -1.0):
        sides = torch.full((300,), side)
        lifted = codec.lift(batch['pose'], **facts(batch))
        corrected, _ = rho(lifted, sides, batch['ref_length'])
        wanted = codec.project(corrected, **facts(batch))
        pose, valid = Pose25DCorrection(codec, rho)(batch['pose'], side=sides, **facts(batch))
        assert valid.all() and torch.equal(pose, wanted)
    right, _ = Pose25DCorrection(codec)(batch['pose'], **facts(batch))
    assert not torch.equal(right, pose)


def test_it_lowers_the_error_and_the_average_more(batch: dict[str, Tensor]) -> None:
    """With the template of the hand itself; and the placement of depth at the root beats the root alone."""
    template = fitted(batch)
    errors = {}
    for placement in ('xy', 'root'):
        rho = BiomechanicalCorrection(template=template, placement=placement)
        pose, _ = Pose25DCorrection(Pose25D(), rho)(batch['pose'], **facts(batch))
        errors[placement] = error(pose, batch)
    raw, average = error(batch['pose'], batch), error(0.5 * (batch['pose'] + pose), batch)
    assert errors['xy'] < 0.85 * raw
    assert errors['xy'] < errors['root'] < raw
    assert average < errors['root']


def fitted(batch: dict[str, Tensor]) -> dict:
    rho = BiomechanicalCorrection(template='dataset')
    rho.fit_template(batch['xyz'], torch.ones(300))
    return dict(ratios=rho.ratios.numpy(), palm=rho.palm_points.numpy())


def test_depth_and_scale_are_found_where_not_given(batch: dict[str, Tensor]) -> None:
    rho = Pose25DCorrection(Pose25D(), dict(template=fitted(batch)))
    given, _ = rho(batch['pose'], **facts(batch))
    for unknown in (('root_depth',), ('ref_length',), ('root_depth', 'ref_length')):
        known = {key: value for key, value in facts(batch).items() if key not in unknown}
        # Hands that have the bones of the template are left alone: depth and scale are found exactly.
        pose, valid = rho(given, **known)
        clear = (pose - given).abs().amax((1, 2)) < 1e-3
        assert valid.all() and float(clear.double().mean()) > 0.95
        pose, valid = rho(batch['pose'], **known)
        assert valid.double().mean() > 0.99
        assert error(pose, batch) < error(batch['pose'], batch)
        assert (pose[:, 9, 2] == 0).all()
        assert not torch.equal(pose, given)


def test_solved_depth_and_length_by_hand() -> None:
    """A hand of the template with a reference bone of 50 mm, 600 mm away: depth 600 for 50, 480 for 40."""
    rho, codec = Pose25DCorrection(Pose25D()), Pose25D()
    palm = torch.tensor(HandTemplate.load(SOURCE_TEMPLATE).palm)
    bases = palm[1:] - palm[:1]
    lengths = torch.tensor(HandTemplate.load(SOURCE_TEMPLATE).ratios)
    steps = torch.cat([torch.zeros(5, 1), lengths[:, 1:].cumsum(1)], dim=1)[..., None]
    fingers = palm[1:, None] + steps * torch.nn.functional.normalize(bases, dim=-1)[:, None]
    hand = 50.0 * torch.cat([palm[:1], fingers.flatten(0, 1)])[None]
    hand = hand - hand[:, 9:10] + torch.tensor([10.0, 20.0, 600.0])
    camera = torch.tensor([[[500.0, 0, 120], [0, 500, 130], [0, 0, 1]]], dtype=torch.float64)
    pose = codec.project(hand, camera)
    fifty, six_hundred = torch.tensor([50.0]), torch.tensor([600.0])
    for known, wanted in (
        (dict(ref_length=fifty), (600.0, 50.0)),
        (dict(root_depth=six_hundred), (600.0, 50.0)),
        ({}, (480.0, 40.0)),
        (dict(ref_length=fifty, root_depth=six_hundred + 1), (601.0, 50.0)),
    ):
        found = rho.absolute(pose, camera, known.get('root_depth'), known.get('ref_length'))
        assert tuple(float(value) for value in found) == pytest.approx(wanted, rel=1e-5)


def test_broken_poses_come_back_as_they_went_in(batch: dict[str, Tensor]) -> None:
    rho, known = Pose25DCorrection(Pose25D()), facts(batch)
    good, _ = rho(batch['pose'], **known)
    pose = batch['pose'].clone()
    pose[1, 4, 0] = torch.nan
    pose[2, :, 2] -= known['root_depth'][2] / known['ref_length'][2] + 1  # behind the camera
    pose[3] = 31.5  # one point
    known['ref_length'] = known['ref_length'].clone()
    known['ref_length'][4] = torch.nan
    corrected, valid = rho(pose, **known)
    assert valid.tolist() == [True] + [False] * 4 + [True] * 295
    torch.testing.assert_close(corrected[1:5], pose[1:5], rtol=0, atol=0, equal_nan=True)
    assert torch.equal(corrected[valid], good[valid])
    known.pop('root_depth')
    # Where the depth is solved for, a common shift of all depths does no harm.
    assert rho(pose, **known)[1][:5].tolist() == [True, False, True, False, False]


def test_it_runs_without_data_and_in_mixed_precision(batch: dict[str, Tensor]) -> None:
    rho = Pose25DCorrection(Pose25D())
    single = {key: value[:20].float() for key, value in facts(batch).items()}
    plain, _ = rho(batch['pose'][:20].float(), **single)
    with torch.autocast('cpu', torch.bfloat16):
        low, _ = rho(batch['pose'][:20].float(), **single)
    assert torch.equal(low, plain)
    rho = rho.to('meta')
    for keys in (('camera', 'root_depth', 'ref_length'), ('camera', 'ref_length'), ('camera',)):
        known = {key: single[key].to('meta') for key in keys}
        corrected, valid = rho(torch.zeros(20, 21, 3, device='meta'), **known)
        assert corrected.shape == (20, 21, 3) and valid.shape == (20,)


def test_the_codec_stays_with_the_network() -> None:
    rho = Pose25DCorrection(Pose25D())
    assert not list(rho.parameters()) and not rho.state_dict()
    assert isinstance(rho.codec, Pose25D)
    moving = Pose25DCorrection(Pose25D(), dict(template='estimate'))
    assert set(moving.state_dict()) == {'correction.ratios', 'correction.palm_points'}


def test_wrong_settings() -> None:
    with pytest.raises(ConfigError, match="placement='centroid' moves the depth of the root"):
        Pose25DCorrection(Pose25D(), BiomechanicalCorrection())
    with pytest.raises(ConfigError, match="placement='centroid' moves the depth of the root"):
        Pose25DCorrection(Pose25D(), dict(placement='centroid'))
    with pytest.raises(ConfigError, match='unexpected keyword.*slack'):
        Pose25DCorrection(Pose25D(), dict(slack=0.1))
    with pytest.raises(ConfigError, match="did you mean 'klbr'"):
        Pose25DCorrection(Pose25D(), dict(limits='klb'))
    ratios = HandTemplate.load(SOURCE_TEMPLATE).ratios
    rho = Pose25DCorrection(Pose25D(), dict(palm='chain', template=dict(ratios=ratios)))
    with pytest.raises(ConfigError, match="add 'palm', or give both"):
        rho(torch.zeros(1, 21, 3), torch.eye(3)[None])
    with pytest.raises(ValueError, match='pose25d'):
        rho(torch.zeros(1, 20, 3), torch.eye(3)[None])
