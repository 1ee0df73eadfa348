"""SemiHand's labels: the compromise with the correction before, C, and the second target."""

from __future__ import annotations

import types

import pytest
import torch

from mmdualhand.codecs import Pose25D
from mmdualhand.errors import ConfigError
from mmdualhand.models import MultiModalPrediction
from mmdualhand.models.losses import PoseDist
from mmdualhand.models.perturbation import unwarp_pose25d, warp_images
from mmdualhand.pseudo_labels import BankedLabels, SemiHandLabels
from mmdualhand.testing import tiny_batch

ELL = PoseDist(50.0, reduction='none')


def build(**settings):
    return SemiHandLabels(Pose25D((64, 64)), **settings)


def hands(rows=4, noise=1.0, seed=0):
    targets = tiny_batch(rows, 64, seed=seed)['targets']
    generator = torch.Generator().manual_seed(seed)
    pose = targets.pop('pose25d')
    pose = pose + noise * torch.randn(pose.shape, generator=generator) * torch.tensor([1.0, 1.0, 0.1])
    return pose, targets


def test_the_first_label_is_the_prediction_and_the_second_target_its_correction():
    pose, targets = hands()
    labels = build()({'rgb': pose}, targets)
    corrected, valid = build().correct(pose, targets)
    assert valid.all() and torch.equal(labels.pose25d, pose.float())
    assert torch.equal(labels.corrected, corrected) and labels.corrected_weight.tolist() == [1.0] * 4
    assert float((corrected - pose)[..., :2].norm(dim=-1).mean()) > 0.2


def test_the_next_label_is_half_way_to_the_correction_before():
    """p' = 1 and r' = 3 give 2: here with a correction that returns what it is told."""
    pose, targets = hands()
    labeler = build()
    labeler._correct = lambda predicted, facts: (torch.full_like(predicted, 3.0), predicted[..., 0, 0] > -1e9)
    targets['previous_pose25d'] = torch.full((4, 21, 3), 7.0)
    assert torch.equal(labeler({'rgb': torch.ones(4, 21, 3)}, targets).pose25d, torch.full((4, 21, 3), 2.0))


def test_the_next_label_with_the_registration():
    pose, targets = hands()
    before, _ = hands(noise=2.0, seed=0)
    before[2] = torch.nan  # an image that has no label yet
    corrected, _ = build().correct(torch.where(before.isfinite(), before, pose), targets)
    label = build()({'rgb': pose}, {**targets, 'previous_pose25d': before}).pose25d
    assert torch.allclose(label[[0, 1, 3]], ((pose + corrected) / 2)[[0, 1, 3]], atol=1e-4)
    assert torch.equal(label[2], pose[2].float())
    replaced = build(update='replace')({'rgb': pose}, {**targets, 'previous_pose25d': before})
    assert torch.equal(replaced.pose25d, pose.float())


def test_confidence_is_stability_and_plausibility():
    pose, targets = hands()
    moved = pose + torch.tensor([1.0, 1.0, 0.1])
    labels = build()({'rgb': pose, 'moved': moved}, targets)
    wanted = 2.5 + ELL(pose, labels.corrected)
    assert torch.allclose(labels.confidence, wanted, rtol=1e-4)
    assert torch.equal(labels.weight, (wanted <= 1.5).float())
    accepting = build(selector=dict(type='SemiHandSelection', epsilon=1e6, correction_weight=0.5))
    labels = accepting({'rgb': pose, 'moved': moved}, targets)
    assert labels.weight.tolist() == [1.0] * 4 and labels.corrected_weight.tolist() == [0.5] * 4


def test_a_broken_pose_has_neither_label_nor_second_target():
    pose, targets = hands()
    pose[1, 3] = torch.nan
    labels = build()({'rgb': pose, 'moved': pose}, targets)
    assert labels.confidence[1] == torch.inf and labels.weight[1] == 0 and labels.corrected_weight[1] == 0
    assert bool(labels.pose25d.isfinite().all() and labels.corrected.isfinite().all())


def test_a_look_moves_every_image_in_its_own_way_and_puts_the_pose_back():
    """A network that reads a point off the picture: equivariant, so both poses agree."""
    cells = torch.arange(64).float()

    def look(rgb):
        mass = rgb[:, :1].clamp_min(0)
        total = mass.sum((1, 2, 3))
        u, v = ((mass * cells).sum((1, 2, 3)) / total, (mass * cells[:, None]).sum((1, 2, 3)) / total)
        pose = torch.stack([u, v, 0 * u], -1)[:, None].expand(-1, 21, -1)
        return {'rgb': MultiModalPrediction(pose, mass, mass)}

    rgb = torch.zeros(6, 3, 64, 64)
    for row in range(6):
        rgb[row, :, 25 + row : 30 + row, 20 : 24 + row] = 1.0
    labeler, names = build(), [f'rhd/{i}' for i in range(6)]
    poses, facts = labeler.look(types.SimpleNamespace(look=look), rgb, names)
    assert facts == {} and torch.allclose(poses['moved'], poses['rgb'], atol=0.02)
    warp = labeler._motions(names, torch.device('cpu'))
    raw = look(warp_images(rgb, warp))['rgb'].pose25d
    assert (raw - poses['rgb']).abs().amax((1, 2)).max() > 3
    assert torch.allclose(unwarp_pose25d(raw, warp), poses['moved'])
    again, other = labeler._motions(names[2:3], 'cpu'), labeler._motions(['stb/1'], 'cpu')
    assert torch.equal(again.angle[0], warp.angle[2]) and torch.equal(again.shift[0], warp.shift[2])
    assert not (torch.equal(other.angle, again.angle) and torch.equal(other.shift, again.shift))


def test_banked_labels_are_corrected_in_the_crop_that_they_are_read_into():
    pose, targets = hands()
    confidence = torch.tensor([1.0, 9.0, torch.inf, 1.0])
    kept = dict(
        pseudo_pose25d=pose, pseudo_weight=torch.tensor([1.0, 0.0, 0.0, 1.0]), pseudo_confidence=confidence
    )
    labeler = build()
    labels = BankedLabels(labeler)({}, {**targets, **kept})
    wanted, _ = labeler.correct(pose, targets)
    assert torch.equal(labels.corrected[[0, 1, 3]], wanted[[0, 1, 3]])
    assert labels.corrected_weight.tolist() == [1.0, 1.0, 0.0, 1.0]
    assert float(labels.corrected[2].abs().sum()) == 0
    plain = BankedLabels()({}, {**targets, **kept})
    assert plain.corrected is None and torch.equal(plain.weight, labels.weight)
    assert not list(BankedLabels(labeler).state_dict())


@pytest.mark.parametrize(
    ('settings', 'word'),
    [
        (dict(update='sum'), 'update'),
        (dict(correction=None), 'correction'),
        (dict(perturbation=dict(flip=0.5)), 'flip'),
        (dict(perturbation=dict(scale=(0.5, 2.0))), 'scale'),
    ],
)
def test_settings_without_meaning(settings, word):
    with pytest.raises(ConfigError, match=word):
        build(**settings)


def test_a_network_without_rgb_is_refused():
    pose, targets = hands()
    with pytest.raises(ConfigError, match='rgb'):
        build()({'depth': pose}, targets)
