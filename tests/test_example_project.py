"""A package of a third party, installed beside the wheel, is found, trained and tested."""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from pathlib import Path

import pytest
import torch

from tests.packaging_tools import ROOT, build_wheel, install, run

PROJECT = ROOT / 'projects' / 'example_project'


@pytest.fixture(scope='module')
def site(mmdualhand_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with mmdualhand and the example installed, and nothing else."""
    folder = tmp_path_factory.mktemp('example')
    ignored = shutil.ignore_patterns('__pycache__', 'build', '*.egg-info')
    source = Path(shutil.copytree(PROJECT, folder / 'source', ignore=ignored))
    return install([mmdualhand_wheel, build_wheel(source, folder / 'wheel')], folder / 'site')


@pytest.fixture(scope='module')
def trained(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one training step, on two images, somewhere else."""
    folder = tmp_path_factory.mktemp('elsewhere')
    shutil.copy(PROJECT / 'configs' / 'example.py', folder / 'example.py')
    environment = dict(cwd=folder, PYTHONPATH=str(site), OMP_NUM_THREADS='1')
    data = [sys.executable, '-m', 'example_hand_plugin.make_data', 'data/example_hands', '2']
    made = run(*data, **environment)
    assert made.returncode == 0, made.stderr
    command = [sys.executable, '-m', 'mmdualhand', 'train', 'example.py', '--work-dir', 'run']
    done = run(*command, '--cfg-options', 'default_hooks.logger.interval=1', **environment)
    assert done.returncode == 0, done.stderr
    return folder


def test_one_step_is_logged(trained: Path) -> None:
    (scalars,) = (trained / 'run').rglob('scalars.json')
    lines = [json.loads(line) for line in scalars.read_text().splitlines()]
    steps = [line for line in lines if 'loss' in line]
    assert [line['step'] for line in steps] == [1]
    losses = {key: value for key, value in steps[0].items() if key.startswith('loss_')}
    kinds, branches = ('pose', 'mask', 'depth_map'), ('rgb', 'depth', 'fused')
    terms = {f'loss_{kind}_{branch}' for kind in kinds for branch in branches}
    assert set(losses) == terms | {'loss_contrast'}
    assert all(math.isfinite(value) for value in losses.values())
    assert steps[0]['loss'] == pytest.approx(sum(losses.values()), rel=1e-4)
    assert any(math.isfinite(line.get('EPE', math.nan)) for line in lines)


def test_the_checkpoint_names_the_backbone(trained: Path) -> None:
    checkpoint = torch.load(trained / 'run' / 'epoch_1.pth', weights_only=True)
    backbone = checkpoint['meta']['model']['backbone']
    assert backbone['type'] == 'DualEncoder'
    assert backbone['rgb_encoder'] == dict(type='SeparableEncoder', in_channels=3)
    assert backbone['depth_encoder'] == dict(type='SeparableEncoder', in_channels=1)
    assert checkpoint['meta']['dataset_meta']['dataset_name'] == 'IndexedHands'
    weight = checkpoint['state_dict']['backbone.rgb_encoder.first.0.weight']
    assert tuple(weight.shape) == (16, 3, 5, 5)


def test_checks_of_the_readme_pass_and_a_broken_plugin_is_skipped(site: Path, trained: Path) -> None:
    """One fresh interpreter: where things come from, the README's checks, a plug-in without a module."""
    broken = trained / 'broken' / 'broken_plugin-0.1.dist-info'
    broken.mkdir(parents=True)
    (broken / 'METADATA').write_text('Metadata-Version: 2.1\nName: broken-plugin\nVersion: 0.1\n')
    (broken / 'entry_points.txt').write_text('[mmdualhand.plugins]\nbroken = no_such_module_anywhere\n')
    blocks = re.findall(r'```python\n(.*?)```', (PROJECT / 'README.md').read_text(), flags=re.DOTALL)
    (checks,) = [block for block in blocks if 'check_encoder' in block]
    code = f"""
import mmdualhand
from mmdualhand.registry import MODELS
print(MODELS.get('SeparableEncoder').__module__)
print(mmdualhand.__file__)
{checks}
print('checked')
"""
    path = f'{broken.parent}:{site}'
    result = run(sys.executable, '-c', code, cwd=trained, PYTHONPATH=path, OMP_NUM_THREADS='1')
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert 'example_hand_plugin.encoder' in lines and 'checked' in lines
    assert str(site / 'mmdualhand' / '__init__.py') in lines
    warning = next(line for line in (result.stdout + result.stderr).splitlines() if 'skipped' in line)
    assert 'WARNING' in warning and "'broken'" in warning and 'no_such_module_anywhere' in warning


def test_custom_imports_instead_of_the_entry_point(trained: Path, tmp_path: Path) -> None:
    """The way without installing: the source folder on the path, the module named in the config."""
    config = tmp_path / 'example.py'
    config.write_text(
        (PROJECT / 'configs' / 'example.py').read_text()
        + "custom_imports = dict(imports=['example_hand_plugin'])\n"
    )
    code = (
        'import mmdualhand; from mmdualhand.registry import MODELS; '
        f'config = mmdualhand.get_config({str(config)!r}); '
        'print(MODELS.build(config.model.backbone).out_channels)'
    )
    result = run(sys.executable, '-c', code, cwd=trained, PYTHONPATH=f'{ROOT}:{PROJECT}')
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == '128'
