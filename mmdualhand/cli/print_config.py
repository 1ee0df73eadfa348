"""``mmdualhand print-config``: a config with its bases merged, and who set a key."""

from __future__ import annotations

import argparse
import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from mmdualhand.apis.model_zoo import config_path, get_config
from mmdualhand.cli.common import override
from mmdualhand.cli.config_origin import Origin, trace
from mmdualhand.errors import ConfigError


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='mmdualhand print-config',
        description='Print a config with its bases merged.',
    )
    parser.add_argument('config', help='config file, or the name of a shipped config')
    parser.add_argument(
        '--where',
        metavar='KEY',
        help='print only this dotted key (optim_wrapper.optimizer.lr) and which file set it',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override values, as for the train command',
    )
    return parser.parse_args(argv)


def look_up(config: Config, key: str) -> Any:
    """The value of a dotted key.

    Args:
        config: Merged config.
        key: Dotted key; numbers index lists.

    Returns:
        The value.

    Raises:
        ConfigError: The config has no such key; the message lists near names.
    """
    value: Any = config
    done: list[str] = []
    for part in key.split('.'):
        if isinstance(value, (list, tuple)):
            known = [str(index) for index in range(len(value))]
            found = part in known
            value = value[int(part)] if found else value
        elif isinstance(value, (dict, Config)):
            known = list(map(str, value.keys()))
            found = part in known
            value = value[part] if found else value
        else:
            raise ConfigError(f'{".".join(done)} is {value!r} and has no key {part!r}')
        if not found:
            near = difflib.get_close_matches(part, known, n=3, cutoff=0.5) or known
            place = f'{".".join(done)} has' if done else 'the config has'
            raise ConfigError(f'{place} no key {part!r}; near or known: {", ".join(near)}')
        done.append(part)
    return value


def describe(key: str, value: Any, origins: Sequence[Origin], from_options: bool) -> str:
    """Text of the answer to ``--where``.

    Args:
        key: Dotted key.
        value: Its value in the merged config.
        origins: Places that set it, the one that counts first.
        from_options: ``--cfg-options`` set it last.

    Returns:
        One line with the value, then one line for every place.
    """
    lines = [f'{key} = {value!r}']
    label = 'set by'
    if from_options:
        lines.append(f'  {label} --cfg-options')
        label = 'before'
    for origin in origins:
        lines.append(f'  {label} {_short(origin.file)}:{origin.line}: {origin.text}')
        label = 'from  ' if origin.reference else 'before'
    return '\n'.join(lines)


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith('..') else relative


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        Exit status 0.

    Raises:
        ConfigError: No such config or key.
    """
    args = parse_args(argv)
    config = get_config(args.config)
    override(config, args.cfg_options)
    if args.where is None:
        print(config.pretty_text)
        return 0
    value = look_up(config, args.where)
    options = args.cfg_options or {}
    from_options = any(f'{args.where}.'.startswith(f'{name}.') for name in options)
    keys = tuple(args.where.split('.'))
    print(describe(args.where, value, trace(config_path(args.config), keys), from_options))
    return 0
