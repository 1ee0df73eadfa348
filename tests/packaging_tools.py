"""Building and installing wheels without network access, for tests of what is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ['setup.py', 'pyproject.toml', 'README.md', 'LICENSE', 'CHANGELOG.md', 'MANIFEST.in']
FOLDERS = ['mmdualhand', 'configs', 'requirements', 'tests/test_packaging']


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command without the PYTHON* variables of this process."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith('PYTHON')}
    return subprocess.run(
        command, cwd=cwd, env={**kept, **environment}, capture_output=True, text=True, timeout=300
    )


def pip(*arguments: str, cwd: Path) -> None:
    done = run(sys.executable, '-m', 'pip', '-q', '--disable-pip-version-check', *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr


def build_wheel(source: Path, out: Path) -> Path:
    """The wheel of a source folder, which gets a ``build`` folder: give a copy."""
    out.mkdir(parents=True, exist_ok=True)
    pip('wheel', '--no-deps', '--no-build-isolation', '--wheel-dir', str(out), str(source), cwd=out)
    (file,) = out.glob('*.whl')
    return file


def copy_sources(target: Path) -> Path:
    """What a wheel of mmdualhand is built from."""
    target.mkdir(parents=True)
    for name in SOURCES:
        shutil.copy(ROOT / name, target / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns('__pycache__'))
    return target


def install(wheels: list[Path], target: Path) -> Path:
    """Install wheels, and nothing that they require, into one folder."""
    target.mkdir(parents=True, exist_ok=True)
    pip('install', '--no-deps', '--no-index', '--target', str(target), *map(str, wheels), cwd=target)
    return target
