"""The RGB path by itself: equal to the whole network, and folded."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mmdualhand.errors import ConfigError
from mmdualhand.models import BranchBatchNorm, DualModalityEstimator, HeatmapEstimator
from mmdualhand.models.folding import fold
from mmdualhand.models.rgb_path import rgb_path
from mmdualhand.registry import MODELS
from mmdualhand.testing.batches import tiny_batch, tiny_estimator
from tests.fixtures.random_networks import unsettle

NORMS = (nn.modules.batchnorm._BatchNorm, BranchBatchNorm)


@pytest.fixture(scope='module')
def estimator() -> nn.Module:
    return unsettle(MODELS.build(tiny_estimator(bn_groups='separate')))


@pytest.fixture(scope='module')
def batch() -> dict:
    return tiny_batch(3)


def crops_of(batch: dict) -> torch.Tensor:
    return batch['inputs']['img'].permute(0, 2, 3, 1)


def predicted(model: nn.Module, batch: dict) -> object:
    """The rgb branch of the whole network, by the way that testing takes."""
    with torch.no_grad():
        data = model.data_preprocessor({'inputs': {'img': batch['inputs']['img']}}, training=False)
        return model.predict_branches(data['inputs'])['rgb']


@pytest.mark.parametrize('groups', ['joint', 'per_branch', 'separate'])
@pytest.mark.parametrize('channels_last', [False, True])
def test_equal_to_the_whole_network(groups: str, channels_last: bool, batch: dict) -> None:
    backbone = dict(type='DualResNet', depth=18, base_channels=16 if channels_last else 4)
    config = tiny_estimator(backbone, bn_groups=groups, channels_last=channels_last)
    model = unsettle(MODELS.build(config))
    whole = predicted(model, batch)
    path = rgb_path(model)
    with torch.no_grad():
        alone = path(crops_of(batch))
    assert torch.equal(alone['pose25d'], whole.pose25d)
    assert torch.equal(alone['confidence_raw'], whole.scores)
    assert torch.equal(alone['mask'], whole.mask[:, 0])
    assert torch.equal(alone['depth_map'], whole.depth_map[:, 0].clamp(0, 1))
    # 64 cells over a crop of 64 pixels: the grid is the crop.
    torch.testing.assert_close(alone['keypoints'], whole.pose25d[..., :2])
    assert alone['keypoints'].std(0).mean() > 0.05


def test_keypoints_are_pixels_of_the_crop() -> None:
    model = unsettle(MODELS.build(tiny_estimator(size=(96, 128))))
    crops = torch.zeros(1, 128, 96, 3, dtype=torch.uint8)
    with torch.no_grad():
        found = rgb_path(model)(crops)
    u, v = found['pose25d'][0, :, 0], found['pose25d'][0, :, 1]
    wanted = torch.stack([(u + 0.5) * 1.5 - 0.5, (v + 0.5) * 2 - 0.5], -1)
    torch.testing.assert_close(found['keypoints'][0], wanted)


def test_folded_moves_nothing(estimator: nn.Module, batch: dict) -> None:
    path = rgb_path(estimator)
    folded = fold(path)
    assert folded.folded and not path.folded
    assert not [m for m in folded.modules() if isinstance(m, NORMS)]
    crops = crops_of(batch)
    with torch.no_grad():
        before, after = path(crops), folded(crops)
    assert (before['keypoints'] - after['keypoints']).abs().max() < 0.01
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, atol=2e-4, rtol=1e-4)


def test_the_rim_of_the_crop_stays_right(estimator: nn.Module) -> None:
    """Zeros of the padding stand for the mean colour, which a bias alone would get wrong."""
    path = rgb_path(estimator)
    folded = fold(path)
    crops = torch.full((1, 64, 64, 3), 255, dtype=torch.uint8)
    with torch.no_grad():
        before = path.encoder.bn1(path.encoder.conv1(path.normalise(crops)))
        after = folded.encoder.conv1(folded.normalise(crops))
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    # A rim that sees the padding differs from the middle, so the comparison says something.
    assert (before[..., 0, 0] - before[..., 16, 16]).abs().max() > 0.1


def test_folding_leaves_the_network_alone(estimator: nn.Module) -> None:
    state = copy.deepcopy(estimator.state_dict())
    folded = fold(rgb_path(estimator))
    shared = {p.data_ptr() for p in estimator.parameters()} & {p.data_ptr() for p in folded.parameters()}
    assert not shared
    assert all(torch.equal(value, state[name]) for name, value in estimator.state_dict().items())
    assert not any(p.requires_grad for p in folded.parameters())
    assert all(p.requires_grad for p in estimator.parameters())


class Residual(nn.Module):
    """A convolution whose result is normalised and also goes past the normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, stride=2, padding=1)
        self.second_norm = nn.BatchNorm2d(4)
        self.stage_channels = [4, 4]

    def stem(self, x: torch.Tensor) -> torch.Tensor:
        y = self.first(x)
        return torch.relu(y + self.norm(y))

    @property
    def stages(self) -> tuple:
        return (lambda x: torch.relu(self.second_norm(self.second(x))),)


def test_a_result_that_is_used_twice_is_not_folded(batch: dict) -> None:
    encoder = dict(type='DualEncoder', rgb_encoder=Residual(), branches=('rgb',))
    head = dict(tiny_estimator()['head'], deconv_channels=(4,))
    model = unsettle(DualModalityEstimator(encoder, head, branches=('rgb',)))
    path = rgb_path(model)
    folded = fold(path)
    left = [name for name, module in folded.named_modules() if isinstance(module, NORMS)]
    assert left == ['encoder.norm']
    with torch.no_grad():
        before, after = path(crops_of(batch)), folded(crops_of(batch))
    torch.testing.assert_close(after['pose25d'], before['pose25d'], atol=1e-4, rtol=1e-4)


def heatmap_network(**changes: object) -> nn.Module:
    config = dict(
        type='HeatmapEstimator',
        backbone=dict(type='DualResNet', depth=18, base_channels=4, branches=('rgb',)),
        head=dict(type='HeatmapHead', deconv_channels=(8, 8, 8), codec=dict(type='Heatmap', input_size=64)),
    )
    return unsettle(MODELS.build({**config, **changes}))


def test_heat_maps_have_no_depth(batch: dict) -> None:
    model = heatmap_network()
    path = rgb_path(model)
    whole = predicted(model, batch)
    with torch.no_grad():
        alone, folded = path(crops_of(batch)), fold(path)(crops_of(batch))
    assert list(alone) == list(path.output_names) == ['keypoints', 'pose25d', 'confidence_raw']
    assert torch.equal(alone['pose25d'][..., :2], whole.uv)
    assert alone['pose25d'][..., 2].isnan().all()
    assert torch.equal(alone['confidence_raw'], whole.score)
    torch.testing.assert_close(folded['confidence_raw'], whole.score, atol=1e-4, rtol=1e-4)


def test_stacked_hourglass(batch: dict) -> None:
    backbone = dict(type='HourglassNet', num_stacks=2, channels=16, depth=2)
    head = dict(
        type='HeatmapHead', deconv_channels=(), num_stages=2, codec=dict(type='Heatmap', input_size=64)
    )
    model = heatmap_network(backbone=backbone, head=head)
    whole = predicted(model, batch)
    path = rgb_path(model)
    with torch.no_grad():
        alone, folded = path(crops_of(batch)), fold(path)(crops_of(batch))
    assert torch.equal(alone['confidence_raw'], whole.score)
    torch.testing.assert_close(folded['confidence_raw'], whole.score, atol=1e-3, rtol=1e-3)


class SeesDepth(DualModalityEstimator):
    """Predicts from RGB by the fused branch, over its own predicted depth."""

    def predict_branches(self, inputs: dict) -> dict:
        first = super().predict_branches(inputs)
        depth = nn.functional.interpolate(first['rgb'].depth_map, size=inputs['rgb'].shape[-2:])
        return {'rgb': self.extract({'rgb': inputs['rgb'], 'depth': depth})['fused']}


class NeedsDepth(DualModalityEstimator):
    """Does not run without a depth map."""

    def predict_branches(self, inputs: dict) -> dict:
        return {'rgb': self.extract({'rgb': inputs['rgb'], 'depth': inputs['depth']})['rgb']}


@pytest.mark.parametrize(('kind', 'words'), [(SeesDepth, 'something else'), (NeedsDepth, 'not run on RGB')])
def test_a_path_that_needs_more_than_rgb_is_refused(kind: type, words: str) -> None:
    config = {key: value for key, value in tiny_estimator().items() if key != 'type'}
    with pytest.raises(ConfigError, match=f'not self-contained.*{words}'):
        rgb_path(unsettle(kind(**config)))


class Rescaled(DualModalityEstimator):
    """Changes one part of what backbone and head say of RGB."""

    changed = ''

    def predict_branches(self, inputs: dict) -> dict:
        (found,) = super().predict_branches(inputs).values()
        value = getattr(found, self.changed).clone()
        if self.changed == 'pose25d':
            value[..., 2] *= 1.001
        else:
            value *= 0.999
        return {'rgb': found._replace(**{self.changed: value})}


@pytest.mark.parametrize(
    ('part', 'words'),
    [('pose25d', 'pose25d'), ('scores', 'confidence_raw'), ('mask', 'mask'), ('depth_map', 'depth_map')],
)
def test_every_part_of_the_prediction_is_compared(part: str, words: str) -> None:
    model = Rescaled(**{key: value for key, value in tiny_estimator().items() if key != 'type'})
    unsettle(model).changed = part
    with pytest.raises(ConfigError, match=rf'something else .* from RGB \({words}\)'):
        rgb_path(model)


class OtherScore(HeatmapEstimator):
    """Heat maps whose score is not that of the head."""

    def predict_branches(self, inputs: dict) -> dict:
        found = super().predict_branches(inputs)['rgb']
        return {'rgb': found._replace(score=found.score * 0.999)}


def test_the_score_of_heat_maps_is_compared() -> None:
    model = heatmap_network()
    model.__class__ = OtherScore
    with pytest.raises(ConfigError, match=r'\(confidence_raw\)'):
        rgb_path(model)


def test_other_modules_are_refused() -> None:
    with pytest.raises(ConfigError, match='Linear is not self-contained: it must have a backbone'):
        rgb_path(nn.Linear(2, 2))


def test_the_teacher_that_predicts_is_the_path(batch: dict) -> None:
    model = heatmap_network(
        type='HeatmapSelfTrainingEstimator',
        head=dict(
            type='RefineHeatmapHead', num_branches=2, deconv_channels=(8, 8, 8), blocks=(1, 0, 0, 0),
            codec=dict(type='Heatmap', input_size=64),
        ),
        consistency=dict(type='RefinementConsistency'),
        teacher=dict(momentum=0.9),
    )  # fmt: skip
    before = predicted(model, batch)
    model.backbone.rgb_encoder.conv1.weight.data.zero_()
    with torch.no_grad():
        found = rgb_path(model)(crops_of(batch))
    assert torch.equal(found['pose25d'][..., :2], before.uv)


def test_wrong_crops(estimator: nn.Module) -> None:
    path = rgb_path(estimator)
    with pytest.raises(ConfigError, match='the crops are 32 x 64 pixels, the network takes 64 x 64'):
        path(torch.zeros(1, 64, 32, 3, dtype=torch.uint8))
    with pytest.raises(ValueError, match='crops must be uint8'):
        path(torch.zeros(1, 64, 64, 3))
