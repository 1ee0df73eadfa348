"""Templates of a hand: bone lengths over the reference bone, and the shape of the palm."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdualhand.errors import ConfigError, MissingFileError, near_names
from mmdualhand.structures import FINGERS, JOINT_NAMES, REFERENCE_BONE

SOURCE_TEMPLATE = Path(__file__).parent / 'data' / 'source_template.json'
PALM_JOINTS: tuple[str, ...] = (JOINT_NAMES[0], *(JOINT_NAMES[finger[0]] for finger in FINGERS.values()))
REFERENCE_ENTRY = divmod(REFERENCE_BONE[1] - 1, 4)
"""Row and column of the reference bone among (5, 4) bones."""
_KEYS = ('ratios', 'palm', 'comment')
_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class HandTemplate:
    """Sizes of a hand in units of its reference bone (middle MCP to PIP).

    A template belongs to one convention of joints: data sets place the wrist
    differently.

    Args:
        ratios: (5, 4) bone lengths, thumb to pinky; wrist to base, then the three
            bones of the finger, base to tip. The reference bone is 1.
        palm: (6, 3) wrist and finger bases of a right hand (x right, y down, z
            forward, or any rotation of it), at the distances from the wrist that
            ``ratios`` say; None where only lengths are known.

    Raises:
        ConfigError: Wrong shape, a length that is not positive, a reference bone
            other than 1, or a palm that does not fit the ratios or lies on a line.
    """

    ratios: np.ndarray
    palm: np.ndarray | None = None

    def __post_init__(self) -> None:
        ratios = _numbers(self.ratios, (5, 4), 'ratios')
        if ratios.min() <= 0:
            raise ConfigError(f'ratios of a hand template must be positive, got {ratios.tolist()}')
        if abs(ratios[REFERENCE_ENTRY] - 1.0) > _TOLERANCE:
            raise ConfigError(
                'ratios of a hand template are lengths over that of the bone middle MCP - PIP, so this bone '
                f'has ratio 1, not {ratios[REFERENCE_ENTRY]:.4g}: divide all of them by it.'
            )
        object.__setattr__(self, 'ratios', ratios)
        if self.palm is not None:
            object.__setattr__(self, 'palm', _fit_palm(_numbers(self.palm, (6, 3), 'palm'), ratios[:, 0]))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> HandTemplate:
        """Read a template.

        Args:
            values: ``ratios``: (5, 4) numbers, or finger name to four; ``palm``
                (optional): (6, 3) numbers, or joint name to three. ``comment`` is
                ignored.

        Raises:
            ConfigError: Another key, a missing one, or what the class refuses.
        """
        for key in values:
            if key not in _KEYS:
                raise ConfigError(f'{key!r} is not part of a hand template; {near_names(key, _KEYS)}')
        if 'ratios' not in values:
            raise ConfigError("a hand template needs 'ratios', (5, 4) bone lengths over the reference bone.")
        palm = values.get('palm')
        return cls(
            _rows(values['ratios'], tuple(FINGERS), 'ratios'),
            None if palm is None else _rows(palm, PALM_JOINTS, 'palm'),
        )

    @classmethod
    def load(cls, path: str | Path) -> HandTemplate:
        """Read a template file, as ``tools/fit_hand_template.py`` writes it.

        Raises:
            MissingFileError: The file is not there.
            ConfigError: It is no template; the message names the file.
        """
        path = Path(path)
        if not path.is_file():
            raise MissingFileError(
                f'the hand template {path} is missing: write one with tools/fit_hand_template.py, or take '
                "template='source', which is part of the package."
            )
        try:
            values = json.loads(path.read_text(encoding='utf-8'))
            if not isinstance(values, dict):
                raise ConfigError('it must hold one object with the keys ratios and palm.')
            return cls.from_dict(values)
        except (ConfigError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f'{path} is no hand template: {error}') from error

    def save(self, path: str | Path, comment: str) -> None:
        """Write a template file.

        Args:
            path: Where to.
            comment: Where the numbers come from.
        """
        values: dict[str, Any] = {'comment': comment, 'ratios': _named(self.ratios, tuple(FINGERS))}
        if self.palm is not None:
            values['palm'] = _named(self.palm, PALM_JOINTS)
        text = json.dumps(values, indent=1)
        text = re.sub(r'\[[^\]]*\]', lambda row: ' '.join(row.group().split()), text)
        Path(path).write_text(text + '\n', encoding='utf-8')


def _fit_palm(palm: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The palm with exactly the lengths of the ratios, which it has nearly (files are rounded)."""
    bones = palm[1:] - palm[:1]
    measured = np.linalg.norm(bones, axis=1)
    worst = int(np.abs(measured - lengths).argmax())
    if abs(measured[worst] - lengths[worst]) > _TOLERANCE:
        raise ConfigError(
            f'palm of a hand template: {PALM_JOINTS[worst + 1]} is {measured[worst]:.4g} reference bones '
            f'from the wrist, and ratios say {lengths[worst]:.4g}.'
        )
    spread = np.linalg.svd(palm - palm.mean(0), compute_uv=False)
    if spread[1] < 0.01 * spread[0]:
        raise ConfigError('palm of a hand template: wrist and finger bases lie on one line.')
    return np.concatenate([palm[:1], palm[:1] + bones * (lengths / measured)[:, None]])


def _rows(values: Any, names: tuple[str, ...], key: str) -> Any:
    """Rows in the order of ``names`` of a mapping; anything else as it is."""
    if not isinstance(values, Mapping):
        return values
    for name in values:
        if name not in names:
            raise ConfigError(f'{key} of a hand template has no row {name!r}; {near_names(name, names)}')
    missing = [name for name in names if name not in values]
    if missing:
        raise ConfigError(f'{key} of a hand template: {", ".join(missing)} missing.')
    return [values[name] for name in names]


def _numbers(values: Any, shape: tuple[int, int], key: str) -> np.ndarray:
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(f'{key} of a hand template must be {shape} numbers: {error}') from error
    if numbers.shape != shape or not np.isfinite(numbers).all():
        raise ConfigError(
            f'{key} of a hand template must be {shape} finite numbers, got shape {numbers.shape}'
        )
    return numbers


def _named(rows: np.ndarray, names: tuple[str, ...]) -> dict[str, list[float]]:
    return {name: (np.round(row, 6) + 0.0).tolist() for name, row in zip(names, rows, strict=True)}
