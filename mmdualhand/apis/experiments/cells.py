"""Finished measurements, each a small JSON file."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import mmengine
import numpy
import torch

from mmdualhand import __version__
from mmdualhand.apis.experiments.definitions import Measurement
from mmdualhand.apis.experiments.origin import absent_data, difference, measurement_origin, same_configs
from mmdualhand.compat import replace_file
from mmdualhand.errors import ConfigError, DataError

_NUMBERS = re.compile(r'\[[\d\s.,eE+-]+\]')
_NAMES_SHOWN = 3
_NEEDED = ('training', 'seed', 'benchmark', 'metrics')


def read_json(path: Path) -> dict[str, Any] | None:
    """Content of a JSON file; None where there is none.

    Raises:
        ConfigError: A part of its path is a file.
        DataError: It is not JSON, or not an object.
    """
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise ConfigError(
            f'{path.parent} is no folder: name one for the JSON files of an experiment'
        ) from error
    except ValueError as error:  # also of bytes that are no UTF-8
        raise DataError(f'{path} is not the JSON of an experiment: {error}; remove it') from error
    if not isinstance(content, dict):
        raise DataError(f'{path} is not the JSON of an experiment, it holds no object; remove it')
    return content


def read_result(path: Path) -> dict[str, Any] | None:
    """A cell or the record of a training, with its ``origin``; None where there is none.

    Raises:
        DataError: It is broken, or does not say what it was made from.
    """
    content = read_json(path)
    if content is not None and not isinstance(content.get('origin'), dict):
        raise DataError(f'{path} does not say what it was made from, it has no origin; remove it')
    return content


def read_cell(path: Path) -> dict[str, Any] | None:
    """A finished measurement; None where there is none.

    Raises:
        DataError: It is broken, or lacks what tables need.
    """
    content = read_result(path)
    if content is None:
        return None
    missing = [key for key in _NEEDED if key not in content]
    if missing:
        raise DataError(f'{path} is no measurement, it has no {" and no ".join(missing)}; remove it')
    metrics = content['metrics']
    if not isinstance(metrics, dict) or not all(_is_value(value) for value in metrics.values()):
        raise DataError(f'{path} is no measurement, its metrics are not names with numbers; remove it')
    return content


def _is_value(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def precision_of(record: Mapping[str, Any]) -> str:
    """``'bf16'`` or ``'fp32'``: what a training computed in; records that do not say so are of bfloat16."""
    return str(record.get('precision') or 'bf16')


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all; a list of numbers is one line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.partial')
    text = _NUMBERS.sub(lambda found: ' '.join(found.group().split()), json.dumps(content, indent=1))
    partial.write_text(f'{text}\n', encoding='utf-8')
    replace_file(partial, path)


def finished_cells(
    measurements: Iterable[Measurement], cells: Path, say: Callable[[str], None] = print
) -> list[dict[str, Any]]:
    """The cells of measurements that are there and were made from what would be used today.

    Others are named, and left out. Only where data are not on this machine, so that
    they cannot be compared, the cells of the same configs are taken, and that is said.

    Args:
        measurements: Which are wanted.
        cells: Folder of the finished measurements.
        say: Takes sentences for the user.

    Returns:
        The cells, in the order of the measurements.

    Raises:
        DataError: A cell is broken.
    """
    found, stale, unsure = [], [], []
    for one in measurements:
        cell = read_cell(cells / one.file_name)
        if cell is None:
            continue
        origin = measurement_origin(one)
        if difference(cell['origin'], origin):
            if not absent_data(one) or not same_configs(cell['origin'], origin):
                stale.append(one.file_name)
                continue
            unsure.append(one.file_name)
        found.append(cell)
    if stale:
        say(f'Left out, made from something else than today: {_named(stale)}.')
    if unsure:
        say(f'Taken as they are, their data are not here to compare with: {_named(unsure)}.')
    return found


def _named(files: Sequence[str]) -> str:
    more = len(files) - _NAMES_SHOWN
    return ', '.join(files[:_NAMES_SHOWN]) + (f' and {more} more' if more > 0 else '')


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
