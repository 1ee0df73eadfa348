"""Which file and line of a config set a key.

The source text of the config and of its bases is read as a syntax tree, so the
answer is a line to look at; nothing of the config is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mmdualhand.errors import ConfigError

Keys = tuple[str, ...]
_InBases = Callable[[Keys], bool]
"""Whether a base of the file sets a key."""

_BASE = '_base_'
_MAX_REFERENCES = 50


@dataclass(frozen=True)
class Origin:
    """One place that sets a key.

    Attributes:
        file: The config file.
        line: Line number, counted from 1.
        text: That line without its indentation.
        reference: The value is taken from a base (``_base_.name``) there.
    """

    file: Path
    line: int
    text: str
    reference: bool = False


@dataclass(frozen=True)
class _Hit:
    line: int
    base_keys: Keys | None = None  # the value is _base_.<keys>


class _Deleted(Exception):
    """A ``_delete_=True`` on the way: the bases do not count."""


def trace(file: Path, keys: Keys) -> list[Origin]:
    """Find every place that sets a key, the one that counts first.

    Args:
        file: Config file (Python).
        keys: The parts of a dotted key; numbers index lists.

    Returns:
        The places in the order of precedence, empty if none was found.

    Raises:
        ConfigError: A file of the chain is not Python or its syntax is wrong.
    """
    source = file.read_text(encoding='utf-8')
    tree = _parse(file, source)
    lines = source.splitlines()
    bases = [_base_path(file, name) for name in _base_names(file, tree)]
    try:
        hit = _find(tree, keys, lambda wanted: any(trace(base, wanted) for base in bases))
    except _Deleted:
        return []
    origins: list[Origin] = []
    wanted = [keys]
    if hit is not None:
        text = lines[hit.line - 1].strip()
        origins.append(Origin(file, hit.line, text, reference=hit.base_keys is not None))
        if hit.base_keys is not None and hit.base_keys != keys:
            wanted = [hit.base_keys, keys]  # what it is taken from, then what it is merged into
    for one in wanted:
        for base in reversed(bases):
            origins.extend(trace(base, one))
    return origins


def _parse(file: Path, source: str) -> ast.Module:
    # {{$VARIABLE:default}} is no Python where it stands outside quotes.
    plain = re.sub(r'\{\{\s*\$[^}]*\}\}', '0', source)
    try:
        return ast.parse(plain)
    except SyntaxError as error:
        raise ConfigError(f'{file} line {error.lineno}: not a Python config: {error.msg}') from error


def _base_names(file: Path, tree: ast.Module) -> list[str]:
    for target, value in _assignments(tree):
        if target == (_BASE,):
            try:
                names = ast.literal_eval(value)
            except ValueError as error:
                raise ConfigError(f'{file}: _base_ must be a string or a list of strings') from error
            return [names] if isinstance(names, str) else list(names)
    return []


def _base_path(file: Path, name: str) -> Path:
    if '::' in name:
        from mmdualhand.apis.model_zoo import config_path

        return config_path(name.partition('::')[2])
    return (file.parent / name).resolve()


def _assignments(tree: ast.Module) -> Iterator[tuple[Keys, ast.expr]]:
    """Assignments at the top of the file, the last one first, as (dotted target, value)."""
    for statement in reversed(tree.body):
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        for target in targets:
            path = _dotted(target)
            if path is not None:
                yield path, value


def _dotted(node: ast.expr) -> Keys | None:
    """``a.b['c'][0]`` as ('a', 'b', 'c', '0'); None for anything else."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        head = _dotted(node.value)
        return None if head is None else (*head, node.attr)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        head = _dotted(node.value)
        return None if head is None else (*head, str(node.slice.value))
    return None


def _find(tree: ast.Module, keys: Keys, in_bases: _InBases, depth: int = 0) -> _Hit | None:
    """Where this file itself sets the key."""
    if depth > _MAX_REFERENCES:
        return None
    for target, value in _assignments(tree):
        if target == (_BASE,):
            continue
        if target == keys[: len(target)]:
            hit = _inside(tree, value, keys[len(target) :], in_bases, depth)
            if hit is not None or len(target) == 1:
                return hit
        elif keys == target[: len(keys)]:
            return _Hit(value.lineno)
    return None


def _inside(tree: ast.Module, value: ast.expr, rest: Keys, in_bases: _InBases, depth: int) -> _Hit | None:
    """Follow the remaining keys into a value."""
    while isinstance(value, ast.Set) and len(value.elts) == 1:  # {{_base_.name}}
        value = value.elts[0]
    path = _dotted(value)
    if path is not None and path[0] == _BASE:
        # A dictionary of a base is merged into another: it sets the keys that it has, and no others.
        keys = (*path[1:], *rest)
        return _Hit(value.lineno, base_keys=keys) if in_bases(keys) else None
    if path is not None:  # a name of this file; a key that its value has not is set elsewhere
        found = _find(tree, (*path, *rest), in_bases, depth + 1)
        return found if found is not None or (rest and _assigned(tree, path)) else _Hit(value.lineno)
    if not rest:
        return _Hit(value.lineno)
    if isinstance(value, (ast.List, ast.Tuple)):
        if any(isinstance(one, ast.Starred) for one in value.elts):  # positions are known once it is merged
            return _Hit(value.lineno)
        index = int(rest[0]) if rest[0].lstrip('-').isdigit() else None
        if index is None or not -len(value.elts) <= index < len(value.elts):
            return None
        return _inside(tree, value.elts[index], rest[1:], in_bases, depth)
    entries = _entries(value)
    if entries is None:
        return _Hit(value.lineno)
    return _inside_dict(tree, entries, rest, in_bases, depth)


def _assigned(tree: ast.Module, path: Keys) -> bool:
    return any(target == path for target, _ in _assignments(tree))


def _inside_dict(
    tree: ast.Module,
    entries: list[tuple[str | None, ast.expr]],
    rest: Keys,
    in_bases: _InBases,
    depth: int,
) -> _Hit | None:
    for name, value in reversed(entries):
        hit = None
        if name == rest[0]:
            hit = _inside(tree, value, rest[1:], in_bases, depth)
        elif name is None:  # **other
            hit = _inside(tree, value, rest, in_bases, depth)
        if hit is not None:
            return hit
    for name, value in entries:
        if name == '_delete_' and isinstance(value, ast.Constant) and value.value:
            raise _Deleted
    return None


def _entries(value: ast.expr) -> list[tuple[str | None, ast.expr]] | None:
    """Keys and values of ``dict(...)`` or ``{...}``; a key of None is ``**other``."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == 'dict':
        spread: list[tuple[str | None, ast.expr]] = [(None, argument) for argument in value.args]
        return spread + [(keyword.arg, keyword.value) for keyword in value.keywords]
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        return [(None if k is None else str(getattr(k, 'value', '')), v) for k, v in pairs]
    return None
