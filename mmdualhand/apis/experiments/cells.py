"""Finished measurements, each a small JSON file."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import mmengine
import numpy
import torch

from mmdualhand import __version__
from mmdualhand.apis.experiments.definitions import Measurement
from mmdualhand.compat import replace_file
from mmdualhand.errors import DataError

_NUMBERS = re.compile(r'\[[\d\s.,eE+-]+\]')


def read_json(path: Path) -> dict[str, Any] | None:
    """Content of a JSON file; None where there is none.

    Raises:
        DataError: It is not JSON.
    """
    try:
        text = path.read_text(encoding='utf-8')
    except FileNotFoundError:
        return None
    try:
        return dict(json.loads(text))
    except ValueError as error:
        raise DataError(f'{path} is not the JSON of an experiment: {error}; remove it') from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all; a list of numbers is one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.partial')
    text = _NUMBERS.sub(lambda found: ' '.join(found.group().split()), json.dumps(content, indent=1))
    partial.write_text(f'{text}\n', encoding='utf-8')
    replace_file(partial, path)


def finished_cells(measurements: Iterable[Measurement], cells: Path) -> list[dict[str, Any]]:
    """The cells of measurements that are there, in the order given; their origin is not looked at."""
    found = (read_json(cells / one.file_name) for one in measurements)
    return [cell for cell in found if cell is not None]


@cache
def code_version() -> str | None:
    """Commit of the code, with ``+changes`` where files differ from it; None outside of a checkout."""
    root = Path(__file__).resolve().parents[3]

    def git(*arguments: str) -> str:
        command = ['git', '-C', str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if Path(git('rev-parse', '--show-toplevel')).resolve() != root:
            return None
        changed = git('status', '--porcelain', '--untracked-files=no')
        return git('rev-parse', '--short=12', 'HEAD') + ('+changes' if changed else '')
    except (OSError, subprocess.CalledProcessError):
        return None


def versions() -> dict[str, str]:
    """Versions of what a result may depend on."""
    return {
        'mmdualhand': __version__,
        'python': platform.python_version(),
        'torch': torch.__version__,
        'mmengine': mmengine.__version__,
        'numpy': numpy.__version__,
        'machine': platform.machine(),
    }
