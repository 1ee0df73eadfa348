"""Look-ups: dotted names, scopes, near misses, lazy imports, and the calls that users are promised."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mmdualhand.models.heads import MultiModal25DHead
from mmdualhand.registry import DATASETS, MODELS, Registry

ROOT = Path(__file__).resolve().parents[1]

PROMISED_CALLS = """
import torch
from mmdualhand.registry import MODELS

torch.manual_seed(0)
z, z_pos = torch.randn(4, 128), torch.randn(4, 128)
loss = MODELS.build(
    dict(type='NTXent', temperature=0.5, symmetric=False, include_positive=False, reduction='sum')
)
value = loss(z, z_pos)
assert value.shape == () and torch.allclose(value, loss(7 * z, 0.1 * z_pos), rtol=1e-5)
assert loss(z[:1], z_pos[:1]) == 0

dist = MODELS.build(dict(type='PoseDist', depth_weight=50.0))
p, q = torch.zeros(2, 21, 3), torch.zeros(2, 21, 3)
q[0, :, :2], q[1, :, 2] = 3.0, 0.2
assert abs(dist(p, q).item() - (18.0 + 50 * 0.04) / 2) < 1e-5

maps = MODELS.build(dict(type='MultiModalL1', mask_weight=100.0, depth_map_weight=50.0))
pred = dict(mask=torch.full((2, 1, 8, 8), 0.5), depth_map=torch.full((2, 1, 8, 8), 0.5))
target = dict(mask=pred['mask'] + 0.25, depth_map=pred['depth_map'] - 0.02)
got = maps(pred, target)
assert set(got) == {'loss_mask', 'loss_depth_map'}
assert abs(got['loss_mask'].item() - 25.0) < 1e-4 and abs(got['loss_depth_map'].item() - 1.0) < 1e-4

f = torch.rand(2, 5, 4, 6)
w = MODELS.build(dict(type='DepthAttention')).weights(f)
assert w.shape == (2, 1, 4, 6) and torch.allclose(w.mean((2, 3)), torch.ones(2, 1), atol=1e-5)

backbone = MODELS.build(dict(type='DualResNet', depth=18, base_channels=16))
rgb = torch.rand(2, 3, 64, 64)
assert {k: tuple(v.shape) for k, v in backbone(rgb).items()} == {'rgb': (2, 128, 2, 2)}
assert set(backbone.forward(rgb, torch.rand(2, 1, 64, 64))) == {'rgb', 'depth', 'fused'}
head = MODELS.build(dict(type='MultiModal2.5DHead', in_channels=128))
assert head(torch.rand(2, 128, 8, 8)).pose25d.shape == (2, 21, 3)

from mmdualhand.evaluation import functional as F
for gt in (torch.rand(2, 21, 3) * 100, torch.rand(2, 21, 3).numpy() * 100):
    pred = gt + 0
    pred[..., 0] = pred[..., 0] + 5
    assert abs(float(F.epe(pred, gt, visible=None, per_joint_first=False)) - 5) < 1e-3
    auc = F.pck_auc(pred, gt, visible=None, low=20.0, high=50.0, steps=100, per_joint_first=False)
    assert float(auc) == 1.0
    assert float(F.pck(pred[..., :2], gt[..., :2], visible=None, threshold=0.05, size=64)) == 0.0
    assert abs(F.procrustes_align(pred, gt) - gt).max() < 1e-2

from mmdualhand.structures import HandSkeleton
for name in ('rhd_left', 'rhd_right', 'stb', 'freihand', 'h3d', 'mvhand', 'ge_real'):
    s = HandSkeleton.from_dataset(name)
    assert s.gather.shape == s.scatter.shape == (21,) and len(s.names) == len(s.parents) == 21
assert HandSkeleton.from_dataset('rhd_left').gather[:5].tolist() == [0, 4, 3, 2, 1]
assert HandSkeleton.from_dataset('rhd_right').gather[:5].tolist() == [21, 25, 24, 23, 22]
print('all calls work')
"""

LAZY = """
import sys
import mmdualhand.registry as registry

def loaded():
    parts = 'codecs datasets models engine evaluation visualization apis testing compat'.split()
    return sorted(p for p in parts if f'mmdualhand.{p}' in sys.modules)

print(loaded())
registry.MODELS.get('NTXent')
print('models' in loaded(), 'visualization' in loaded(), 'evaluation' in loaded(), 'engine' in loaded())
registry.METRICS.get('EPE')
print('evaluation' in loaded(), 'visualization' in loaded())
"""


def fresh(code: str) -> str:
    command = [sys.executable, '-c', code]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_promised_calls_in_a_fresh_interpreter() -> None:
    assert fresh(PROMISED_CALLS).splitlines()[-1] == 'all calls work'


def test_parts_are_imported_at_the_first_look_up() -> None:
    assert fresh(LAZY).splitlines() == ['[]', 'True False False False', 'True False']


@pytest.mark.parametrize(
    'name',
    [f'{scope}MultiModal{two}5DHead' for scope in ('', 'mmdualhand.') for two in ('2', '2.')],
)
def test_dotted_name_with_and_without_scope(name: str) -> None:
    assert MODELS.get(name) is MultiModal25DHead
    assert isinstance(MODELS.build(dict(type=name, in_channels=4, deconv_channels=(4,))), MultiModal25DHead)


def test_names_of_the_parent_are_found() -> None:
    from mmengine.model import ImgDataPreprocessor

    assert MODELS.get('ImgDataPreprocessor') is ImgDataPreprocessor
    assert MODELS.get('mmengine.ImgDataPreprocessor') is ImgDataPreprocessor
    assert {'ImgDataPreprocessor', 'NTXent'} <= set(MODELS.known_names())


@pytest.mark.parametrize(
    ('registry', 'wrong', 'near'),
    [
        (MODELS, 'DualModalityEstimater', 'DualModalityEstimator'),
        (MODELS, 'MultiModal25Head', 'MultiModal25DHead'),
        (MODELS, 'mmdualhand.NTXnt', 'NTXent'),
        (DATASETS, 'RHDataset', 'RHDDataset'),
    ],
)
def test_a_near_miss_names_what_was_meant(registry: Registry, wrong: str, near: str) -> None:
    with pytest.raises(KeyError) as caught:
        registry.build(dict(type=wrong))
    message = str(caught.value)
    assert f"Did you mean '{near}'" in message.replace('\\', '')
    assert 'custom_imports' in message


def test_a_far_miss_lists_what_there_is() -> None:
    with pytest.raises(KeyError, match=r'Registered here: .*GeRealDataset.*RHDDataset'):
        DATASETS.get('qqqq')


def test_a_name_must_be_a_string() -> None:
    with pytest.raises(TypeError, match='must be a string, got 3'):
        MODELS.get(3)  # type: ignore[arg-type]


def test_a_class_of_ones_own() -> None:
    own = Registry('own', parent=MODELS, scope='mmdualhand')
    own.register_module(name='Thing2.5', module=dict)
    assert own.get('Thing2.5') is dict
    assert own.get('mmdualhand.Thing2.5') is dict
    with pytest.raises(KeyError, match='already registered'):
        own.register_module(name='Thing2.5', module=list)
