"""Eqs. 8 and 9 by hand, annealed averages, broken rows, and the state of a labeler."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError
from mmdualhand.pseudo_labels import AveragedLabels, BankedLabels, PerJointWeight, Quantile, VarianceThreshold
from mmdualhand.registry import LABELERS
from mmdualhand.testing import tiny_batch

SIZE = 64


class ShiftedBy4(nn.Module):
    """Stands for rho: every joint moves by 4 px in u; a hand that is not finite cannot be corrected."""

    correction = SimpleNamespace(template='given')

    def forward(self, pose25d, **known):
        valid = pose25d.isfinite().flatten(1).all(1)
        return torch.where(valid[:, None, None], pose25d + torch.tensor([4.0, 0, 0]), pose25d), valid


def two_poses(rows: int = 1) -> dict[str, torch.Tensor]:
    """p_R, and p_F that is (6, 8, 0.4) away at the thumb tip."""
    first = torch.full((rows, 21, 3), 30.0)
    second = first.clone()
    second[:, 4] += torch.tensor([6.0, 8.0, 0.4])
    return {'rgb': first, 'fused': second}


def build(**options) -> AveragedLabels:
    labeler = AveragedLabels(Pose25D(SIZE), **options)
    labeler.correction = ShiftedBy4()
    return labeler


FACTS = dict(
    camera=torch.eye(3)[None],
    side=torch.ones(1),
    root_depth=torch.full((1,), 500.0),
    ref_length=torch.full((1,), 40.0),
)


def facts(rows: int = 1) -> dict[str, torch.Tensor]:
    return {key: value.repeat(rows, *[1] * (value.ndim - 1)) for key, value in FACTS.items()}


def test_average_and_variance_of_four_poses_by_hand():
    labels = build()(two_poses(), facts())
    # u: 30, 34, 30, 34 -> 32; the thumb tip half way to p_F
    assert labels.pose25d[0, 0].tolist() == [32.0, 30.0, 30.0]
    assert labels.pose25d[0, 4].tolist() == pytest.approx([35.0, 34.0, 30.2])
    # 20 joints are 2 px from the mean in all four; at the tip 25+16+2, 1+16+2, 1+16+2, 25+16+2
    assert labels.confidence.tolist() == pytest.approx([(20 * 4 + 31) / 21])
    assert labels.weight.tolist() == [0.0]  # above 1.5
    monitor = {name: float(value) for name, value in labels.monitor.items()}
    assert monitor == pytest.approx(
        dict(accepted=0, accepted_joints=0, confidence=111 / 21, correction_px=4, correction_depth=0)
    )


@pytest.mark.parametrize(('epsilon', 'weight'), [(5.2857, 0.0), (5.2858, 1.0)])
def test_the_gate_is_at_epsilon(epsilon, weight):
    labels = build(selector=dict(type='VarianceThreshold', epsilon=epsilon))(two_poses(), facts())
    assert labels.weight.tolist() == [weight] and float(labels.monitor['accepted']) == weight


def test_joints_by_themselves():
    labels = build(selector=dict(type='VarianceThreshold', epsilon=4.5, per_joint=True))(two_poses(), facts())
    assert labels.confidence.shape == (1, 21) and labels.confidence[0, 4].item() == pytest.approx(31.0)
    assert labels.weight.sum().item() == 20 and labels.weight[0, 4].item() == 0
    assert float(labels.monitor['accepted']) == 1
    assert float(labels.monitor['accepted_joints']) == pytest.approx(20 / 21)


def test_semihand_adds_two_distances():
    labels = build(selector=dict(type='SemiHandSelection'))(two_poses(), facts())
    # l(p_R, p_F) = (36 + 64 + 50 * 0.16) / 21; l(mean, rho(mean)) = 16
    assert labels.confidence.tolist() == pytest.approx([108 / 21 + 16])


@pytest.mark.parametrize(('progress', 'share'), [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)])
def test_share_of_the_correction_is_annealed(progress, share):
    labeler = build(correction_share=[(0.0, 1.0), (1.0, 0.0)])
    label = labeler(two_poses(), facts(), progress).pose25d
    assert label[0, 0, 0].item() == pytest.approx(30 + 4 * share / (1 + share))
    assert label[0, 4, 1].item() == pytest.approx(34.0)


def test_without_correction_and_of_one_pass():
    labeler = AveragedLabels(Pose25D(SIZE), correction=None)
    labels = labeler(two_poses(), {})
    assert labels.pose25d[0, 4].tolist() == pytest.approx([33.0, 34.0, 30.2])
    assert labels.confidence.tolist() == pytest.approx([27 / 21]) and labels.weight.tolist() == [1.0]
    alone = build()({'rgb': two_poses()['rgb']}, facts())
    assert alone.pose25d[0, 0].tolist() == [32.0, 30.0, 30.0] and alone.confidence.tolist() == [4.0]
    with pytest.raises(ConfigError, match=r"\('rgb', 'fused'\), the network gives \('depth',\)"):
        labeler({'depth': two_poses()['rgb']}, {})


@pytest.mark.parametrize('options', [{}, dict(correction=None)], ids=['corrected', 'plain'])
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_a_broken_row_counts_nothing_and_leaves_the_others_alone(options, value):
    batch = tiny_batch(3, SIZE)['targets']
    poses = {'rgb': batch['pose25d'] + 0.3, 'fused': batch['pose25d'] - 0.2}
    labeler = AveragedLabels(Pose25D(SIZE), **options)
    whole = labeler(poses, batch)
    poses['fused'] = poses['fused'].clone()
    poses['fused'][1, 7, 2] = value
    labels = labeler(poses, batch)
    assert labels.weight[1] == 0 and labels.confidence[1] == torch.inf and labels.pose25d[1].abs().sum() == 0
    for row in (0, 2):
        assert torch.equal(labels.pose25d[row], whole.pose25d[row])
        assert torch.equal(labels.confidence[row], whole.confidence[row])
    assert all(bool(value.isfinite()) for value in labels.monitor.values())


def test_an_unknown_root_depth_is_a_rejected_label_or_is_solved():
    batch = tiny_batch(3, SIZE)['targets']
    poses = {'rgb': batch['pose25d'], 'fused': batch['pose25d']}
    broken = {**batch, 'root_depth': batch['root_depth'].clone()}
    broken['root_depth'][2] = torch.nan
    assert AveragedLabels(Pose25D(SIZE))(poses, broken).confidence.isfinite().tolist() == [True, True, False]
    unknown = {key: value for key, value in batch.items() if key != 'root_depth'}
    with pytest.raises(ConfigError, match=r"needs \['root_depth'\] .*root_depth='solve'"):
        AveragedLabels(Pose25D(SIZE))(poses, unknown)
    solved = AveragedLabels(Pose25D(SIZE), root_depth='solve')
    assert solved(poses, unknown).confidence.isfinite().all()
    known = solved(poses, batch)  # is there, and not looked at
    assert torch.equal(known.pose25d, solved(poses, unknown).pose25d)


def test_an_estimated_template_follows_training_alone():
    batch = tiny_batch(4, SIZE)['targets']
    poses = {'rgb': batch['pose25d'], 'fused': batch['pose25d']}
    labeler = AveragedLabels(Pose25D(SIZE), correction=dict(template='estimate'), template_momentum=0.5)
    before = copy.deepcopy(labeler.state_dict())
    labeler.eval()(poses, batch)
    assert all(torch.equal(value, before[key]) for key, value in labeler.state_dict().items())
    labeler.train()(poses, batch)
    assert not torch.equal(labeler.correction.correction.ratios, before['correction.correction.ratios'])
    assert labeler.learns and not AveragedLabels(Pose25D(SIZE)).learns


def test_nothing_of_the_network_is_in_the_state():
    assert AveragedLabels(Pose25D(SIZE)).state_dict() == {}
    names = set(AveragedLabels(Pose25D(SIZE), selector=dict(type='Quantile')).state_dict())
    assert names == {'selector.values', 'selector.place', 'selector.filled'}


def test_labels_of_the_bank():
    labeler = LABELERS.build(dict(type='BankedLabels'))
    assert isinstance(labeler, BankedLabels) and labeler.uses_poses is False
    pose, weight = torch.rand(2, 21, 3), torch.tensor([1.0, 0.0])
    confidence = torch.tensor([0.5, torch.inf])
    targets = dict(pseudo_pose25d=pose, pseudo_weight=weight, pseudo_confidence=confidence)
    labels = labeler({}, targets)
    assert labels.pose25d is pose and labels.weight is weight
    assert {name: float(value) for name, value in labels.monitor.items()} == dict(
        accepted=0.5, accepted_joints=0.5, confidence=0.5
    )
    with pytest.raises(ConfigError, match='LoadPseudoLabel at the end'):
        labeler({}, {'pseudo_pose25d': pose})


@pytest.mark.parametrize('bad', [dict(root_depth='guess'), dict(correction=dict(limits='no'))])
def test_values_without_meaning(bad):
    with pytest.raises(ConfigError):
        AveragedLabels(Pose25D(SIZE), **bad)


def test_selectors_judge_a_whole_dataset_without_state():
    values = torch.arange(10.0).flip(0)
    values[3] = torch.inf  # in place of 6
    gate = Quantile(keep=0.4, window=2)
    assert gate.of_dataset(values).tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert float(gate.filled) == 0
    assert gate.of_dataset(torch.zeros(5)).tolist() == [1.0] * 5
    assert Quantile(keep=0.4, ties='drop').of_dataset(torch.zeros(5)).tolist() == [0.0] * 5
    assert Quantile(schedule=[(0.0, 0.2), (1.0, 1.0)]).of_dataset(values, 1.0).sum().item() == 9
    assert VarianceThreshold(2.0).of_dataset(values).sum().item() == 3
    assert PerJointWeight(2.0).of_dataset(values.view(2, 5))[1, 2].item() == 0.5
