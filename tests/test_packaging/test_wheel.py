"""The built wheel, not the checkout, is what is tested here."""

from __future__ import annotations

import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.packaging_tools import ROOT, install, run


def shipped_names() -> list[str]:
    files = (path.relative_to(ROOT / 'configs') for path in (ROOT / 'configs').rglob('*.py'))
    return sorted(path.with_suffix('').as_posix() for path in files if '_base_' not in path.parts)


@pytest.fixture(scope='module')
def installed(mmdualhand_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed wheel and nothing else."""
    return install([mmdualhand_wheel], tmp_path_factory.mktemp('installed'))


def test_wheel_content(mmdualhand_wheel: Path) -> None:
    with zipfile.ZipFile(mmdualhand_wheel) as archive:
        names = archive.namelist()
        (metadata_name,) = [name for name in names if name.endswith('.dist-info/METADATA')]
        metadata = archive.read(metadata_name).decode()
        (entry_name,) = [name for name in names if name.endswith('entry_points.txt')]
        entries = archive.read(entry_name).decode()
    configs = {
        p.relative_to(ROOT / 'configs').as_posix()
        for kind in ('*.py', '*.yml')
        for p in (ROOT / 'configs').rglob(kind)
    }
    carried = {name.removeprefix('mmdualhand/configs/') for name in names if '/configs/' in name}
    assert carried == configs
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / 'mmdualhand').rglob('*.py')}
    assert modules <= set(names)
    tables = {
        p.relative_to(ROOT).as_posix()
        for kind in ('*.npz', '*.json')
        for p in (ROOT / 'mmdualhand').rglob(kind)
    }
    assert {'mmdualhand/py.typed'} | tables <= set(names)
    tops = {name.split('/')[0] for name in names}
    assert {top for top in tops if not top.endswith('.dist-info')} == {'mmdualhand'}
    assert any(name.endswith('LICENSE') for name in names)
    assert 'mmdualhand = mmdualhand.cli.main:main' in entries
    fields = message_from_string(metadata)
    assert SpecifierSet(fields['Requires-Python']) == SpecifierSet('>=3.10,<3.13')
    assert 'Apache-2.0' in (fields['License-Expression'], fields['License'])
    required = {Requirement(text) for text in fields.get_all('Requires-Dist')}
    assert Requirement('xtcocotools>=1.14.3; python_version < "3.12"') in required
    assert Requirement('numpy>=1.24,<2; python_version < "3.12"') in required
    assert set(fields.get_all('Provides-Extra')) == {
        *('tests', 'docs', 'fast', 'export', 'mediapipe', 'notebook', 'pictures', 'optional')
    }


def test_list_models_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = 'import mmdualhand; print(mmdualhand.__file__); print(*mmdualhand.list_models(), sep="\\n")'
    result = run(sys.executable, '-c', code, cwd=tmp_path, PYTHONPATH=str(installed))
    assert result.returncode == 0, result.stderr
    file, *names = result.stdout.splitlines()
    assert Path(file).is_relative_to(installed)
    assert names == shipped_names()
    assert {'pretrain_rhd', 'benchmarks/ge_real'} <= set(names)


def test_config_is_found_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, '-m', 'mmdualhand', 'print-config', 'pretrain_rhd', '--where', 'model.type']
    result = run(*command, cwd=tmp_path, PYTHONPATH=str(installed))
    assert result.returncode == 0, result.stderr
    assert 'mmdualhand/configs/' in result.stdout


def test_train_finds_its_config_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    """Without data the command stops at the data, not at the config."""
    options = ['--cfg-options', 'model.backbone.init_cfg=None']
    command = [sys.executable, '-m', 'mmdualhand', 'train', 'pretrain_rhd', *options]
    result = run(*command, cwd=tmp_path, PYTHONPATH=str(installed))
    assert result.returncode == 2, result.stderr
    assert 'RHD_published_v2' in result.stderr
    assert 'Traceback' not in result.stderr
