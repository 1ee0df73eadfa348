"""The requirement files, the pins and the refusals."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ['3.10', '3.11', '3.12']


def read(name: str) -> list[Requirement]:
    text = (ROOT / 'requirements' / f'{name}.txt').read_text()
    lines = [line.split('#', 1)[0].strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line]


def holds(requirement: Requirement, python: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({'python_version': python})


@pytest.mark.parametrize('python', PYTHONS)
def test_pins_fit_the_bounds(python: str) -> None:
    pins: dict[str, str] = {}
    for pin in read('pinned'):
        if not holds(pin, python):
            continue
        (specifier,) = pin.specifier
        assert specifier.operator == '=='
        assert pin.name not in pins, f'{pin.name} is pinned twice on Python {python}'
        pins[pin.name] = specifier.version
    for requirement in [*read('runtime'), *read('tests')]:
        if holds(requirement, python):
            assert requirement.specifier.contains(pins[requirement.name]), str(requirement)


def test_what_is_left_out_where() -> None:
    wanted = {python: sorted(r.name for r in read('runtime') if holds(r, python)) for python in PYTHONS}
    common = ['mmcv-lite', 'mmengine', 'numpy', 'opencv-python', 'rich', 'scipy', 'torch']
    assert wanted['3.10'] == wanted['3.11'] == [*common, 'xtcocotools']
    assert wanted['3.12'] == common
    numpy = {p: next(r for r in read('runtime') if r.name == 'numpy' and holds(r, p)) for p in PYTHONS}
    assert not numpy['3.11'].specifier.contains('2.0')
    assert numpy['3.12'].specifier.contains('2.2')


def fake_python(folder: Path, version: str) -> Path:
    """A program that answers like an interpreter of that version and can do nothing else."""
    file = folder / f'python{version}'
    file.write_text(f'#!/bin/sh\ncase "$2" in *version_info*) echo {version};; *) exit 1;; esac\n')
    file.chmod(0o755)
    return file


def make_venv(folder: Path, python: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {'PATH': path} if path else None
    command = [shutil.which('sh') or 'sh', str(ROOT / '.ci' / 'venv.sh'), str(folder / '.venv'), python]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ('version', 'reason'),
    [('3.9', 'torch 2.13 has no build for it'), ('3.13', 'numpy 1.26 has no build for it')],
)
def test_other_pythons_are_refused(version: str, reason: str, tmp_path: Path) -> None:
    result = make_venv(tmp_path, str(fake_python(tmp_path, version)))
    assert result.returncode != 0
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith('mmdualhand needs Python 3.10, 3.11 or 3.12: ')
    assert f'is Python {version}, and {reason}' in sentence
    assert not (tmp_path / '.venv').exists()


def test_a_python_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    """Shims of version managers are on the path and fail."""
    bin_folder = tmp_path / 'bin'
    bin_folder.mkdir()
    for tool in ('sh', 'cat', 'cksum', 'pwd', 'ls', 'cut'):
        (bin_folder / tool).symlink_to(shutil.which(tool) or tool)
    shim = bin_folder / 'python3.11'
    shim.write_text('#!/bin/sh\nexit 127\n')
    shim.chmod(0o755)
    fake_python(bin_folder, '3.9').rename(bin_folder / 'python3')
    result = make_venv(tmp_path, '', path=str(bin_folder))
    assert result.returncode != 0
    (sentence,) = result.stderr.splitlines()
    assert 'python3.11 does not run, python3 is Python 3.9' in sentence


def test_setup_refuses_python_39(tmp_path: Path) -> None:
    source = (ROOT / 'setup.py').read_text()
    guard = source[: source.index('from setuptools')]
    code = re.sub(r'import sys\n', 'import sys\nsys.version_info = (3, 9, 18)\n', guard, count=1)
    code = code.replace('Path(__file__)', "Path('.')")
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith('mmdualhand needs Python 3.10, 3.11 or 3.12, and this is Python 3.9')
