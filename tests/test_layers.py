"""Parts of the package import only what stands to their left (architecture of the package)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'mmdualhand'

# Parts in one entry may import each other; nothing imports from an entry further down.
LAYERS = [
    {'errors'},
    {'registry', 'compat', 'structures'},
    {'kinematics', 'codecs', 'synthesis'},
    {'datasets'},
    {'models'},
    {'pseudo_labels'},
    {'engine'},
    {'evaluation'},
    {'visualization'},
    {'apis'},
    {'testing'},
    {'cli'},
]
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
# Narrower than their layer: the whole list of parts that they may import.
ONLY = {
    'evaluation/functional.py': {'structures', 'evaluation'},
    'kinematics': {'errors', 'structures', 'kinematics'},
    'synthesis': {'errors', 'structures', 'synthesis'},
}
FREE = {'__init__', '__main__'}  # the top of the package: lazy names and the command


def part_of(file: Path) -> str:
    first = file.relative_to(PACKAGE).parts[0]
    return first.removesuffix('.py')


def imported_parts(source: str, package: list[str]) -> set[str]:
    """Parts of mmdualhand that a source text imports, anywhere in it."""
    parts = set()
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = '.'.join([*base, node.module] if node.module else base)
            names = [f'{module}.{alias.name}' for alias in node.names]
        for name in names:
            pieces = name.split('.')
            if pieces[0] == 'mmdualhand' and len(pieces) > 1:
                parts.add(pieces[1])
    return {part for part in parts if part in RANK}


def test_imported_parts_reads_every_form() -> None:
    source = (
        'import mmdualhand.codecs.pose25d\nfrom mmdualhand import engine, __version__\n'
        'from ..models import heads\nfrom . import crop\ndef f():\n    from mmdualhand.cli import main\n'
    )
    found = imported_parts(source, ['mmdualhand', 'structures'])
    assert found == {'codecs', 'engine', 'models', 'structures', 'cli'}


def test_every_part_has_a_place() -> None:
    parts = {part_of(file) for file in PACKAGE.rglob('*.py')} - FREE
    assert parts <= set(RANK), f'add to LAYERS: {sorted(parts - set(RANK))}'


@pytest.mark.parametrize('part', sorted(RANK))
def test_left_never_imports_right(part: str) -> None:
    wrong = []
    for file in sorted(PACKAGE.rglob('*.py')):
        if part_of(file) != part:
            continue
        relative = file.relative_to(PACKAGE)
        imported = imported_parts(file.read_text(encoding='utf-8'), ['mmdualhand', *relative.parts[:-1]])
        for other in imported - {part}:
            if RANK[other] > RANK[part]:
                wrong.append(f'{relative} imports {other}')
    assert not wrong, wrong


@pytest.mark.parametrize('place', sorted(ONLY))
def test_narrow_parts(place: str) -> None:
    files = [PACKAGE / place] if place.endswith('.py') else sorted((PACKAGE / place).rglob('*.py'))
    wrong = []
    for file in files:
        if not file.exists():
            continue
        package = ['mmdualhand', *file.relative_to(PACKAGE).parts[:-1]]
        extra = imported_parts(file.read_text(encoding='utf-8'), package) - ONLY[place]
        wrong += [f'{file.relative_to(PACKAGE)} imports {name}' for name in sorted(extra)]
    assert not wrong, wrong
